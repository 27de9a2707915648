import { BoundedMap } from '../../bounded-map';
import type { Clock } from '../../clock';
import type { TokenSet } from '../../token/types';
import type { OpenGrant } from '../grant-access';
import type { RotationState } from './verdict';

/** How long a refresh without a new refresh token is believed to show that rotation is off. */
const offMs = 24 * 60 * 60 * 1000;

/** Clients and organizations remembered. */
const maxKeys = 10_000;

/**
 * What this process knows of refresh token rotation, for each client and organization. A rotated reply means `on`, for good. A
 * reply without a new token means `off`, for a day, and only for the grant it was about.
 */
export class Rotation {
  readonly #clock: Clock;
  readonly #rotating = new BoundedMap<string, true>(maxKeys);
  /** When a reply without a new refresh token came last. */
  readonly #shownOff = new BoundedMap<string, number>(maxKeys);
  /** Salesforce refused a grant that relied on rotation being off, and no reply has shown the setting since. */
  readonly #distrusted = new BoundedMap<string, true>(maxKeys);
  /** Grants that present first after a lost answer. */
  readonly #first = new Map<string, Promise<void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  of({ record, tokens }: OpenGrant): RotationState {
    // An app token has no refresh token that could be spent.
    if (tokens.app) return 'off';
    if (tokens.rotation === 'on' || this.#rotating.has(keyOf(tokens))) return 'on';
    if (this.#distrusted.has(keyOf(tokens))) return 'unknown';
    return tokens.rotation === 'off' && record.tokensAgeMs < offMs ? 'off' : 'unknown';
  }

  /** Learns from the reply to a refresh. Returns what the grant keeps of it. */
  learn(before: TokenSet, isRotated: boolean): 'on' | 'off' {
    if (before.app) return 'off';
    this.note(before, isRotated || before.rotation === 'on' ? 'on' : 'off');
    return this.#rotating.has(keyOf(before)) ? 'on' : 'off';
  }

  /** Notes what a grant of any process has shown: `unknown` if Salesforce refused a grant that relied on `off`. */
  note(tokens: TokenSet, shown: RotationState): void {
    const key = keyOf(tokens);
    this.#distrusted.delete(key);
    if (shown === 'on') this.#rotating.set(key, true);
    else if (shown === 'off') this.#shownOff.set(key, this.#clock.monotonic());
    else this.#distrusted.set(key, true);
  }

  /**
   * Whether a grant whose answer was lost relies on rotation being off, while no reply since then has shown that it still is.
   * One such grant presents first, and the others wait for what it shows: rotation may have been switched on meanwhile.
   */
  needsProof(grant: OpenGrant): boolean {
    if (grant.tokens.app) return false;
    const { state, stateAgeMs, leaseInMs } = grant.record;
    const isLost = state === 'inDoubt' || (state === 'presenting' && leaseInMs === 0);
    if (!isLost || this.of(grant) !== 'off') return false;
    const shownAt = this.#shownOff.get(keyOf(grant.tokens));
    return shownAt === undefined || this.#clock.monotonic() - shownAt >= stateAgeMs;
  }

  /** The attempt of the grant that presents first, if there is one. */
  firstOf(tokens: TokenSet): Promise<void> | undefined {
    return this.#first.get(keyOf(tokens));
  }

  /** Notes that a grant presents first; `end` is called when its attempt is over. */
  goFirst(tokens: TokenSet): { end: () => void } {
    const key = keyOf(tokens);
    let end = (): void => undefined;
    const over = new Promise<void>((resolve) => (end = resolve));
    this.#first.set(key, over);
    return {
      end: () => {
        this.#first.delete(key);
        end();
      },
    };
  }
}

/** One client of one tenant in one organization. */
export function keyOf({ tenant, clientID, organizationId }: TokenSet): string {
  return JSON.stringify([tenant, clientID, organizationId]);
}
