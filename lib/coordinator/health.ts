import type { Clock } from '../clock';
import type { GrantRecord } from '../stores/store';

/**
 * How a grant is.
 *
 * - `working`: it can be refreshed, or its access token still works
 * - `inDoubt`: a refresh token was presented and the answer is not known; a login may be needed
 * - `loginNeeded`: only a login helps. The access token may go on working for a while
 */
export type GrantHealth = 'working' | 'inDoubt' | 'loginNeeded';

/** How a grant is, and since when; undefined while it works. */
export function healthOf(record: GrantRecord, clock: Clock): { health: GrantHealth; since: Date | undefined } {
  const { state, stateAgeMs, leaseInMs, softInMs, hardInMs, refused } = record;
  const ago = (ms: number): Date => new Date(clock.now() - ms);
  if (state === 'ended' || state === 'loggedOut') return { health: 'loginNeeded', since: ago(stateAgeMs) };
  // Without a refresh token, the end of the access token is the end.
  if (softInMs === null && hardInMs !== null && (hardInMs <= 0 || refused !== undefined)) {
    return { health: 'loginNeeded', since: ago(Math.max(0, -hardInMs)) };
  }
  // The owner of a claim that has run out died, or is paused.
  const isInDoubt = state === 'inDoubt' || (state === 'presenting' && leaseInMs === 0);
  return isInDoubt ? { health: 'inDoubt', since: ago(stateAgeMs) } : { health: 'working', since: undefined };
}
