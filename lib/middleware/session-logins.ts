import type { Request } from 'express';
import { grantIdOfError } from '../coordinator/failures';
import { SalesforceAuthError } from '../errors';
import { setCookies } from '../login/cookies';
import { cookiesAfterLogout } from '../login/transactions';
import { isOrganizationId, toId18 } from '../salesforce/ids';
import { assertLoginId } from '../options/parts/calls';
import type { AuthContext } from './context';
import { clearMark } from './login-loop';
import {
  entriesOf,
  isSessionEnded,
  removeEntries,
  renewSession,
  requireSession,
  saveSession,
  stateOf,
  stateWith,
  writeState,
  writtenEntriesOf,
  type SessionEntry,
  type SessionPlace,
} from './session';
import { findSession } from './stored-session';

/** Some logins of a session have ended, and the token store failed for the others. */
function partlyLoggedOut(ended: number, all: number, cause: unknown): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_TOKEN_STORE',
    `${ended} of ${all} logins have ended, and the session has forgotten them. The token store failed for the others, which ` +
      'go on: log out again.',
    { status: 503, cause, retryAfterSeconds: 5, leavesLoginUnknown: true },
  );
}

/** The failure that leaves open whether a login has ended: it counts more than one after which nothing was written. */
function mostDoubtful(failures: readonly unknown[]): unknown {
  const isDoubtful = (failure: unknown): boolean =>
    failure instanceof SalesforceAuthError && failure.leavesLoginUnknown;
  return failures.find(isDoubtful) ?? failures[0];
}

/** What to log out of. */
export interface LogoutRequest {
  /** The users' other sessions too. */
  everywhere?: boolean | undefined;
  /** Only the logins of this organization, or of this grant id. */
  organization?: string | undefined;
}

/** The logins meant by the id of an organization or of a grant. */
export function meant(entries: readonly SessionEntry[], which: string): SessionEntry[] {
  if (!isOrganizationId(which)) return entries.filter(({ grantId }) => grantId === which);
  const organizationId = toId18(which);
  return entries.filter(({ user }) => user.organizationId === organizationId);
}

/**
 * Logs a session out, of all its logins or of those meant. What has ended is recorded, even if the store failed for the rest.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_TOKEN_STORE`, `ERR_SALESFORCE_SESSION_STORE`, `ERR_SALESFORCE_SESSION_MISSING`,
 *   `ERR_SALESFORCE_OPTION_INVALID` (400) if `organization` is no id
 */
export async function logOutSession(
  core: AuthContext,
  req: Request,
  { everywhere = false, organization }: LogoutRequest,
): Promise<void> {
  const { options, grants } = core;
  const { session, keepSessionInfo } = options;
  // Without this check a logout that ends nothing would seem to succeed.
  if (organization !== undefined) assertLoginId('organization', organization, 400);
  const former = core.formerSessionOf(req);
  const isEnded = isSessionEnded(req, former !== undefined);
  // Without a session it is not known who is to be logged out.
  if (!isEnded) requireSession(req);
  if (req.res?.headersSent === false) {
    setCookies(req.res, cookiesAfterLogout(req, core.options.clock.now()));
    clearMark(core, req, req.res);
  }
  const over = writtenEntriesOf(req, session).filter(({ holder }) => session.ended.has(holder));
  const entries = entriesOf(req, session);
  // An application may have ended or renewed the session before, and its logins go on at Salesforce.
  const lost = entriesOf(req, session, former).filter(
    ({ holder }) => !entries.some((entry) => entry.holder === holder),
  );
  const all = [...entries, ...lost];
  const leaving = organization === undefined ? all : meant(all, organization);
  if (leaving.length === 0) {
    // Logins that have ended are gone from the session then, so that no process counts them any more.
    if (over.length === 0 || (await findSession(req)) === 'gone') return;
    removeEntries(req, session, over);
    if (entries.length === 0) await renewSession(req, keepSessionInfo);
    await saveSession(req);
    return;
  }
  const outcomes = await Promise.allSettled(leaving.map((entry) => grants.logOut(entry, everywhere)));
  const failures = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  const ended = leaving.filter((_entry, index) => outcomes[index]?.status === 'fulfilled');
  if (ended.length === 0) throw mostDoubtful(failures) as Error;
  // A request that came before the logout must not count it in again.
  for (const { holder } of ended) session.ended.note(holder);
  // To write a session that is gone, by a logout in another request, would bring its other logins back.
  if (!isEnded && (await findSession(req)) !== 'gone') {
    removeEntries(req, session, [...over, ...ended]);
    const [next] = entriesOf(req, session);
    // A user who leaves one of several organizations goes on in the latest of the others.
    if (next) makeCurrent(session, req, next.grantId);
    else await renewSession(req, keepSessionInfo);
    await saveSession(req);
  }
  if (failures.length > 0) throw partlyLoggedOut(ended.length, leaving.length, failures[0]);
}

/** Makes another login of the session the current one. @throws SalesforceAuthError `ERR_SALESFORCE_SESSION_STORE` */
export async function switchTo({ options }: AuthContext, req: Request, grantId: string): Promise<void> {
  makeCurrent(options.session, req, grantId);
  await saveSession(req);
}

function makeCurrent(session: SessionPlace, req: Request, grantId: string): void {
  const entries = entriesOf(req, session);
  const current = entries.find((entry) => entry.grantId === grantId);
  const others = entries.filter((entry) => entry !== current);
  const state = stateOf(req, session);
  if (current && state) writeState(req, session, stateWith(current, others, state));
}

/**
 * Removes a login from the session if its grant has ended or was logged out elsewhere. A login whose app is not configured at
 * the moment stays, and works again once the app is configured. No other login takes its place by itself, since the user was
 * working in this organization.
 */
export async function forgetLogin(
  { options, grants, lost }: AuthContext,
  req: Request,
  error: SalesforceAuthError,
): Promise<void> {
  const { session } = options;
  if (error.code !== 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED') return;
  const entry = entriesOf(req, session).find(({ grantId }) => grantId === grantIdOfError(error));
  if (!entry) return;
  session.ended.note(entry.holder);
  lost.note(entry.grantId);
  if ((await findSession(req)) === 'there') removeEntries(req, session, [entry]);
  // In the background: no request waits, and a holder that stays ends by itself.
  void grants.removeHolder(entry);
}

/** The middleware at which a user has to log in, for errors that are about no grant. An application can have several. */
const middlewareOfError = new WeakMap<object, AuthContext>();

/** Notes that an error is about a login at this middleware. */
export function noteMiddleware(error: object, core: AuthContext): void {
  middlewareOfError.set(error, core);
}

/** Whether an error is about a login at another middleware. */
export function isOfOther(core: AuthContext, error: object): boolean {
  return (middlewareOfError.get(error) ?? core) !== core;
}

/** Whether the session has no login with the grant of the error. Jobs in a route can use such a grant. */
export function isForeign(core: AuthContext, req: Request, error: SalesforceAuthError): boolean {
  if (isOfOther(core, error)) return true;
  const grantId = grantIdOfError(error);
  const { session } = core.options;
  return grantId !== undefined && !writtenEntriesOf(req, session).some((entry) => entry.grantId === grantId);
}
