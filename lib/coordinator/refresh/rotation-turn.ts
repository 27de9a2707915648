import { createHash } from 'node:crypto';
import { randomName } from '../../crypto/random-name';
import type { TokenSet } from '../../token/types';
import type { GrantAccess } from '../grant-access';
import type { CoordinatorParts } from '../parts';
import { keyOf, type Rotation } from './rotation';

/** For how long a process has the turn, and for how long the others hear what it has shown, in milliseconds. */
const turnMs = 60_000;

/** What a reply or a refusal has shown of rotation. After a refusal nothing is certain any more. */
const shownStates = ['on', 'off', 'unknown'] as const;
type Shown = (typeof shownStates)[number];

interface TurnDeps extends Pick<CoordinatorParts, 'store'> {
  access: GrantAccess;
}

/**
 * The turn to present first after a lost answer. One grant of a client and organization has the turn, in all processes, among
 * the grants that rely on rotation being off. Without `claimOnce()` in the store, each process has a turn of its own.
 */
export class RotationTurn {
  readonly #owner = randomName();
  readonly #deps: TurnDeps;
  readonly #rotation: Rotation;

  constructor(deps: TurnDeps, rotation: Rotation) {
    this.#deps = deps;
    this.#rotation = rotation;
  }

  /** Takes the turn. If another process has it, learns what that has shown already. */
  async take(tokens: TokenSet): Promise<'ours' | 'learnt' | 'not ours'> {
    const { store, access } = this.#deps;
    const claim = store.claimOnce?.bind(store);
    if (!claim) return 'ours';
    const claimed = await access.call('claimOnce', () => claim(nameOf(tokens), this.#owner, turnMs));
    if (claimed.outcome === 'claimed') return 'ours';
    const shown = shownStates.find((state) => state === claimed.result);
    if (shown === undefined) return 'not ours';
    this.#rotation.note(tokens, shown);
    return 'learnt';
  }

  /** Tells the others what the grant of this process has shown. If the store does not answer, they wait for the next turn. */
  async tell(tokens: TokenSet, shown: Shown): Promise<void> {
    const { store, access } = this.#deps;
    const resolve = store.resolveClaim?.bind(store);
    if (!resolve) return;
    await access
      .call('resolveClaim', () => resolve(nameOf(tokens), this.#owner, { result: shown, keptMs: turnMs }))
      .catch(() => false);
  }
}

function nameOf(tokens: TokenSet): string {
  return `rotation:${createHash('sha256').update(keyOf(tokens)).digest('base64url')}`;
}
