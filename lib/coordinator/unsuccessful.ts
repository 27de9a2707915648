import { debugRefresh } from '../debug';
import { isSalesforceAuthError, type SalesforceErrorCode } from '../errors';
import { askedForSeconds, dispositionOf } from './disposition';
import { loginRequired, refreshDelayed, refreshHeld } from './failures';
import type { Flight, FlightEnd } from './flight';
import type { GrantAccess } from './grant-access';
import { settleForSure } from './leftovers';
import { backoffMs, type CoordinatorParts } from './settings';

/**
 * Ends a refresh that brought no tokens, by what its error says. Resolves where somebody else's tokens are to be adopted
 * instead.
 */
export async function endUnsuccessful(
  flight: Flight,
  error: unknown,
  startedAt: number,
  parts: CoordinatorParts,
  access: GrantAccess,
): Promise<void> {
  const { clock, events } = parts;
  const { grantId, cause, record } = flight;
  const code = isSalesforceAuthError(error) ? error.code : undefined;
  const disposition = dispositionOf(error, flight);
  debugRefresh('%s not refreshed: %s (%s)', grantId, code, disposition);
  if (disposition === 'ambiguous') {
    await hold(flight, code, startedAt, parts, access, error);
    return;
  }
  const news = { grantId, cause, durationMs: clock.monotonic() - startedAt };
  if (disposition === 'dead') {
    // To dead it goes by version: newer tokens are not what was refused.
    const end: FlightEnd = { state: 'dead', backoffMs: 0, errorCode: code, failed: true };
    const isOver = await settleForSure(flight, end, parts, access);
    if (!isOver && (await wasOvertaken(flight, startedAt, parts, access))) return;
    if (isOver) {
      events.emit('refresh.lost', { ...news, code });
      throw loginRequired('Salesforce no longer accepts the refresh token.', error);
    }
    // An end that could not be stored is found out again once the lease is over.
    events.emit('refresh.held', { ...news, code });
    throw refreshHeld(parts.settings.drainMs, error);
  }
  // A client or policy that is refused stays refused until a person changes it.
  const retryInMs = disposition === 'refused' ? backoffMs(5) : backoffMs(record.failures, askedForSeconds(error));
  const end: FlightEnd = { state: 'idle', backoffMs: retryInMs, errorCode: code, failed: true };
  if (!(await settleForSure(flight, end, parts, access)) && (await wasOvertaken(flight, startedAt, parts, access))) {
    return;
  }
  events.emit('refresh.transient', { ...news, code, retryInMs });
  throw disposition === 'refused' ? (error as Error) : refreshDelayed(retryInMs, code, error);
}

/** Leaves a grant in doubt, to be looked into when whatever may be under way is over. Resolves as above. */
export async function hold(
  flight: Flight,
  errorCode: SalesforceErrorCode | undefined,
  startedAt: number,
  parts: CoordinatorParts,
  access: GrantAccess,
  error?: unknown,
): Promise<void> {
  const { clock, events, settings } = parts;
  const { grantId, cause } = flight;
  const end: FlightEnd = { state: 'ambiguous', backoffMs: settings.drainMs, errorCode, failed: true };
  if (!(await settleForSure(flight, end, parts, access)) && (await wasOvertaken(flight, startedAt, parts, access))) {
    return;
  }
  events.emit('refresh.held', { grantId, cause, durationMs: clock.monotonic() - startedAt, code: errorCode });
  throw refreshHeld(settings.drainMs, error);
}

/** Whether a login, another refresh or a logout came in between: what was presented is out of use then. */
async function wasOvertaken(
  { grantId, cause, record }: Flight,
  startedAt: number,
  { clock, events }: CoordinatorParts,
  access: GrantAccess,
): Promise<boolean> {
  const now = await access.open(grantId).catch(() => ({ record }));
  const isGone = now?.record.generation !== record.generation;
  if (!isGone && now.record.version === record.version) return false;
  const by = isGone ? 'logout' : 'update';
  events.emit('refresh.overtaken', { grantId, cause, durationMs: clock.monotonic() - startedAt, by });
  return true;
}
