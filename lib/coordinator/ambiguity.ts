import { debugRefresh } from '../debug';
import { loginRequired, refreshHeld } from './failures';
import { settle, type Flight, type FlightEnd } from './flight';
import type { GrantAccess } from './grant-access';
import type { CoordinatorParts } from './settings';

/** Pause between two looks at a grant in doubt. */
const lookAgainMs = 10_000;

/**
 * Finds out, without presenting it, whether a refresh token whose presentation was left without an answer was spent.
 *
 * @returns true where it may be presented, and the claim is armed for it; false where a login came in between, and the grant
 *   is to be read anew
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_REFRESH_HELD` while it is not known,
 *   `ERR_SALESFORCE_REAUTHENTICATION_REQUIRED` where it was spent or is given up
 */
export async function resolveAmbiguity(flight: Flight, parts: CoordinatorParts, access: GrantAccess): Promise<boolean> {
  const { grantId, cause, owner, record, tokens } = flight;
  const { settings, store, events } = parts;
  const { generation } = record;
  const end = (state: FlightEnd['state'], backoffMs: number): Promise<boolean> =>
    settle(flight, { state, backoffMs, errorCode: record.errorCode, failed: true }, store, access);

  const undrainedMs = settings.drainMs - record.stateAgeMs;
  if (undrainedMs > 0) {
    // The lost request may still be carried out: until then an answer would be about the past.
    await end('ambiguous', undrainedMs);
    // The next look comes after the drain, so this one is the first, at what a process left that is gone.
    events.emit('refresh.held', { grantId, cause, durationMs: 0, code: undefined });
    throw refreshHeld(undrainedMs);
  }

  const verdict = await flight.client.introspectRefreshToken(tokens.refreshToken).catch(() => 'unknown' as const);
  debugRefresh('%s in doubt: %s', grantId, verdict);
  const isGivenUp =
    verdict === 'unknown' &&
    settings.onAmbiguous !== 'gamble' &&
    (settings.onAmbiguous === 'reauth' || record.stateAgeMs >= settings.holdMs);
  if (verdict === 'inactive' || isGivenUp) {
    if (!(await end('dead', 0))) return false;
    events.emit('refresh.lost', { grantId, cause, durationMs: 0, code: 'ERR_SALESFORCE_REFRESH_HELD' });
    throw loginRequired("Salesforce's answer to a refresh was lost together with the new refresh token.");
  }
  if (verdict === 'unknown' && settings.onAmbiguous === 'hold') {
    // The last look is at the end of the hold, and not up to a pause after it.
    const pauseMs = Math.min(lookAgainMs, settings.holdMs - record.stateAgeMs);
    await end('ambiguous', pauseMs);
    throw refreshHeld(pauseMs);
  }
  flight.lease.restart();
  const armed = await access.call('arm', () => store.arm(grantId, { generation, owner, leaseMs: settings.leaseMs }));
  if (!armed) throw refreshHeld(lookAgainMs);
  return true;
}
