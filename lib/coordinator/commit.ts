import { wait } from '../clock';
import type { GrantRecord } from '../stores/store';
import type { TokenSet } from '../token/types';
import type { Flight } from './flight';
import { tokenLifeOf } from './grant';
import type { GrantAccess } from './grant-access';
import type { CoordinatorParts } from './settings';

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
): Promise<'committed' | 'moved' | 'gone' | 'unclear'> {
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
      const outcome = await access.call('commit', () =>
        store.commit(grantId, { generation, version, payload, softMs: softInMs, hardMs: hardInMs }),
      );
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
      return outcome === 'moved' && wasAnswerLost ? 'unclear' : outcome;
    } catch {
      wasAnswerLost = true;
      await wait(clock, pauseMs);
    }
  }
}
