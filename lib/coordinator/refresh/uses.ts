import type { GrantAccess } from '../grant-access';
import type { GrantView } from '../cache';
import type { CoordinatorParts } from '../parts';

interface UsesDeps extends Pick<CoordinatorParts, 'store'> {
  access: GrantAccess;
}

/** Who takes the claim of a token first: a process that hands the token out in time, or one that asks later. */
type Owner = 'used' | 'asked';

/**
 * Which access tokens are in use: a token that was handed out after its refresh became due, and before its presumed end.
 * Salesforce prolongs the session of such a token, so the token works past that end.
 *
 * Processes share this knowledge, because requests of one user may come to any process. Without `claimOnce()` in the store,
 * each process knows its own uses only.
 */
export class Uses {
  readonly #deps: UsesDeps;
  readonly #questions = new Map<string, Promise<boolean | undefined>>();

  constructor(deps: UsesDeps) {
    this.#deps = deps;
  }

  /** Notes that a token is handed out in time. No request waits for the store. */
  note(view: GrantView): void {
    if (view.isInUse !== undefined) return;
    view.isInUse = true;
    this.#take(view, 'used').catch(() => undefined);
  }

  /** Whether any process has noted a use of this token. While the store does not answer, the token counts as unused. */
  async isNoted(view: GrantView): Promise<boolean> {
    const key = keyOf(view);
    let question = this.#questions.get(key);
    if (!question) {
      question = this.#take(view, 'asked').then(
        (outcome) => outcome === 'taken',
        () => undefined,
      );
      this.#questions.set(key, question);
      void question.finally(() => this.#questions.delete(key));
    }
    // The answer stays: a process that has asked keeps the claim for as long as the token could live.
    const answer = await question;
    view.isInUse ??= answer;
    return view.isInUse === true;
  }

  async #take(view: GrantView, owner: Owner): Promise<'claimed' | 'taken'> {
    const { store, access } = this.#deps;
    const claim = store.claimOnce?.bind(store);
    if (!claim) return 'claimed';
    const lifeMs = view.hardInMs + view.record.tokensAgeMs;
    return (await access.call('claimOnce', () => claim(keyOf(view), owner, lifeMs))).outcome;
  }
}

/** A use counts for one token only. */
function keyOf({ record: { grantId, generation, version } }: GrantView): string {
  return `use:${grantId}:${generation}:${version}`;
}
