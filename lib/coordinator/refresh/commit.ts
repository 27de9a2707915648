import { longestSince, momentOf, wait } from '../../clock';
import { isUnreadable } from '../codec';
import type { GrantRecord } from '../../stores/store';
import type { TokenSet } from '../../token/types';
import { tokenLifeOf } from '../grant';
import { recordWith } from '../written';
import type { RefreshDeps } from './deps';

export type CommitOutcome = 'committed' | 'moved' | 'loggedOut' | 'unclear';

/**
 * The longest pause between two tries, in milliseconds. When the store is back, these tokens have to come before another process
 * asks Salesforce about the spent ones, which is `drainMs` after it has found the claim. So the pause is at most half of that.
 */
const longestPauseMs = 2_000;
const shortestPauseMs = 50;

/** The shortest pause between two tries after the first minute, in milliseconds. */
const latePauseMs = 500;

/** How long the new tokens are offered to a store that does not answer, in milliseconds: a day. */
const keptMs = 86_400_000;

/**
 * Stores refreshed tokens, and tries until the store answers. While this process lives the tokens are not lost. No request gets
 * them before they are stored.
 */
export class Commit {
  readonly #record: GrantRecord;
  readonly #tokens: TokenSet;
  readonly #deps: RefreshDeps;

  /** @param record the grant the tokens were refreshed from */
  constructor(record: GrantRecord, tokens: TokenSet, deps: RefreshDeps) {
    this.#record = record;
    this.#tokens = tokens;
    this.#deps = deps;
  }

  /**
   * @param since when the tokens were issued, if that is not now; in milliseconds since the epoch
   * @returns what the store answered; `unclear` if an answer was lost and the store has newer tokens, which may have been
   *   refreshed from these
   */
  async run(sessionTimeoutSeconds: number, since?: number): Promise<CommitOutcome> {
    const { codec, store, clock, access, settings } = this.#deps;
    const { grantId, generation, version, spare: knownSpare } = this.#record;
    const payload = await codec.encode(grantId, this.#tokens);
    const { softMs, hardMs } = tokenLifeOf(this.#tokens, grantId, sessionTimeoutSeconds);
    const receivedAt = momentOf(clock);
    const ageMs = since === undefined ? 0 : Math.max(0, receivedAt.wall - since);
    let wasAnswerLost = false;
    let pauseMs = shortestPauseMs;
    const mostMs = Math.max(shortestPauseMs, Math.min(longestPauseMs, settings.drainMs / 2));
    for (;;) {
      const heldMs = ageMs + longestSince(receivedAt, clock);
      const left = (ms: number | null): number | null => (ms === null ? null : ms - heldMs);
      const staleness = { softMs: left(softMs), hardMs: left(hardMs) };
      try {
        let outcome: CommitOutcome = await access.call('commit', () =>
          store.commit(grantId, { generation, version, payload, knownSpare, ...staleness }),
        );
        if (outcome === 'moved' && wasAnswerLost) outcome = await this.#movedBy();
        if (outcome === 'committed') {
          const written = { ...this.#record, version: version + 1, payload, ...staleness };
          access.replace(recordWith(written), this.#tokens);
        }
        return outcome;
      } catch (error) {
        // The record that is there instead cannot be read, and another try would not change that.
        if (isUnreadable(error)) return 'unclear';
        wasAnswerLost = true;
        // On the monotonic clock alone: a jump of the wall clock must not end the tries.
        const triedMs = clock.monotonic() - receivedAt.monotonic;
        if (triedMs > keptMs) return 'unclear';
        await wait(clock, triedMs > 60_000 ? Math.max(pauseMs, latePauseMs) : pauseMs);
        pauseMs = Math.min(pauseMs * 2, mostMs);
      }
    }
  }

  /** What changed a grant: an earlier try of this commit whose answer was lost, a login, or more than one change. */
  async #movedBy(): Promise<CommitOutcome> {
    const { grantId, generation, version } = this.#record;
    const now = await this.#deps.access.open(grantId);
    if (now?.record.generation !== generation) return 'loggedOut';
    if (now.tokens.accessToken === this.#tokens.accessToken) return 'committed';
    // The tokens are those of another login, so they were not refreshed from these.
    if (now.tokens.loginId !== this.#tokens.loginId) return 'moved';
    return now.record.version === version + 1 ? 'moved' : 'unclear';
  }
}
