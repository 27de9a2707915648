import { wait } from '../clock';
import type { GrantRecord } from '../stores/store';
import type { TokenSet } from '../token/types';
import type { Flight } from './flight';
import { tokenLifeOf } from './grant';
import type { GrantAccess } from './grant-access';
import type { CoordinatorParts } from './settings';

type CommitOutcome = 'committed' | 'moved' | 'gone' | 'unclear';

/**
 * Stores refreshed tokens, trying until the store answers: while this process lives they are not lost, and until they are
 * stored nobody uses them.
 *
 * @returns what the store answered; `unclear` where it has newer tokens after an answer was lost, since they may well have
 *   come from these
 */
export async function commit(
  flight: Flight,
  tokens: TokenSet,
  parts: CoordinatorParts,
  access: GrantAccess,
): Promise<CommitOutcome> {
  const { codec, store, clock } = parts;
  const { grantId, record, configuration } = flight;
  const payload = await codec.encode(grantId, tokens);
  const { softMs, hardMs } = tokenLifeOf(tokens, grantId, configuration.sessionTimeoutSeconds);
  const { generation, version } = record;
  const receivedAt = clock.monotonic();
  let wasAnswerLost = false;
  for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
    const heldMs = clock.monotonic() - receivedAt;
    const left = (ms: number | null): number | null => (ms === null ? null : ms - heldMs);
    const softInMs = left(softMs);
    const hardInMs = left(hardMs);
    try {
      let outcome: CommitOutcome = await access.call('commit', () =>
        store.commit(grantId, { generation, version, payload, softMs: softInMs, hardMs: hardInMs }),
      );
      if (outcome === 'moved' && wasAnswerLost) outcome = await movedBy(flight, tokens, access);
      if (outcome === 'committed') {
        const fresh: GrantRecord = {
          ...record,
          version: version + 1,
          state: 'idle',
          payload,
          softInMs,
          hardInMs,
          backoffInMs: 0,
        };
        access.replace(fresh, tokens);
      }
      return outcome;
    } catch {
      wasAnswerLost = true;
      await wait(clock, pauseMs);
    }
  }
}

/** What moved a grant: an earlier try of this very commit whose answer was lost, a login instead of it, or more than one. */
async function movedBy({ grantId, record }: Flight, tokens: TokenSet, access: GrantAccess): Promise<CommitOutcome> {
  const now = await access.open(grantId);
  if (now?.record.generation !== record.generation) return 'gone';
  if (now.tokens.accessToken === tokens.accessToken) return 'committed';
  // Of another login: they did not come from these, however many versions lie between.
  if (now.tokens.loginId !== tokens.loginId) return 'moved';
  return now.record.version === record.version + 1 ? 'moved' : 'unclear';
}
