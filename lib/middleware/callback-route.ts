import type { Request } from 'express';
import { isSalesforceAuthError, SalesforceAuthError } from '../errors';
import { setCookies } from '../login/cookies';
import { originOf, type FinishedLogin, type RepeatedLogin } from '../login/finish';
import { endedCookies, loggedOutAt } from '../login/transactions';
import { isCallback } from '../query';
import { createSession, joinSession, type SessionLogin } from './create-session';
import type { AuthContext } from './context';
import { drive } from './drive';
import { markLogin } from './login-loop';
import { pageOf, type AppState } from './login-route';
import { refusePrefetch, sendOn } from './pages';
import { safeReturnTo } from './return-to';
import { isSessionSharedWith, isSessionStrict } from './session';
import { noteSilentFailure } from './silent-login';
import { openAgain } from './strict-session';
import { userOf } from './user';
import { isPrefetch, type Visit } from './visit';

/** How long a repeated callback gets the login of the first one into its own session, in milliseconds. */
const joinMs = 2 * 60 * 1000;

/** What a successful login leaves for later requests of its callback. It holds no token. */
interface Joinable {
  session: SessionLogin;
  settledAt: number;
}

/** The route to which Salesforce sends the browser back. If it fails, the session stays unchanged. */
export async function endLogin(core: AuthContext, visit: Visit): Promise<void> {
  const { req, res } = visit;
  res.set('Cache-Control', 'no-store');
  if (isPrefetch(req)) {
    refusePrefetch(res);
    return;
  }
  if (await openAgain(core, visit)) return;
  if (!isCallback(req)) throw noAnswer();
  let login: FinishedLogin | RepeatedLogin;
  let isNew: boolean;
  try {
    const driven = await drive(await core.strategy.load(), req, {});
    if ('redirectTo' in driven) throw noAnswer();
    login = driven;
    core.options.requestTenant?.note(req, login.transaction.tenant);
    isNew = await (login.kind === 'finished' ? create(core, req, login) : join(core, req, login));
  } catch (error) {
    if (!isOfSilentLogin(error)) throw error;
    await returnSilently(core, visit, error);
    return;
  }
  const appState = (login.transaction.appState ?? {}) as AppState;
  setCookies(res, endedCookies(req));
  const target = targetOf(core, req, appState);
  if (isNew) await markLogin(core, visit, safeReturnTo(appState.returnTo) ?? target);
  // A browser does not send a strict cookie with the redirects of a navigation that Salesforce began.
  if (isSessionStrict(req)) sendOn(res, target);
  else res.redirect(target);
}

/** Makes a session of the login, and leaves it for a second request of the same callback. */
async function create(core: AuthContext, req: Request, login: FinishedLogin): Promise<true> {
  const { addTo } = (login.transaction.appState ?? {}) as AppState;
  let session: SessionLogin;
  try {
    if (!login.profile) throw noAnswer();
    session = await createSession(core, req, { login, user: userOf(login.profile), addTo });
  } catch (error) {
    const errorCode = isSalesforceAuthError(error) ? error.code : 'ERR_SALESFORCE_LOGIN_FAILED';
    await login.settle({ errorCode }).catch(() => undefined);
    if (error instanceof SalesforceAuthError) error.login = originOf(login.transaction);
    throw error;
  }
  const joinable: Joinable = { session, settledAt: core.options.clock.now() };
  // The user is logged in already. If this fails, only a second request of the same callback is affected.
  await login.settle({ result: joinable }).catch((error: unknown) => {
    core.report(error);
  });
  return true;
}

/**
 * A callback that was opened before: a reload, a double click, the Back button, or another process. False if it is too late to get
 * that login: the page of the login decides whether a login is needed.
 */
async function join(core: AuthContext, req: Request, { transaction, outcome }: RepeatedLogin): Promise<boolean> {
  if ('result' in outcome) {
    const { session, settledAt } = outcome.result as Joinable;
    // A login that was finished before a logout has ended with it.
    const isOver = settledAt <= (loggedOutAt(req) ?? 0);
    if (!isOver && core.options.clock.now() - settledAt > joinMs) return false;
    const { addTo } = (transaction.appState ?? {}) as AppState;
    if (!isOver && (await joinSession(core, req, { session, addTo }))) return true;
  }
  const error = new SalesforceAuthError(
    'ERR_SALESFORCE_LOGIN_EXPIRED',
    'errorCode' in outcome
      ? `This callback was opened before, and the login failed then (${outcome.errorCode}). Start the login again.`
      : 'This callback was opened before, and its login has ended since. Start the login again.',
    { status: 403 },
  );
  error.login = originOf(transaction);
  throw error;
}

/** The page to which a login returns, at the host where the login began if the session goes along to that host. */
function targetOf(core: AuthContext, req: Request, appState: AppState): string {
  const { path, origin } = pageOf(core, req, appState);
  if (origin === undefined) return path;
  if (isSessionSharedWith(req, origin) !== false) return origin + path;
  // The user is logged in at this host, but not at the other one.
  const { addresses, reporter } = core.options;
  reporter.warn('SESSION_DOMAIN', unsharedText(origin, addresses.of(req).origin));
  return path;
}

function unsharedText(other: string, here: string): string {
  return (
    `A login began at ${other} and ended at ${here}, and the session's cookie is for the latter host only. Set cookie.domain of ` +
    'the session to a domain that all hosts of publicUrl share, or give each host a callback of its own: make publicUrl a ' +
    'function of the request.'
  );
}

function isOfSilentLogin(error: unknown): error is SalesforceAuthError {
  return error instanceof SalesforceAuthError && (error.login?.appState as AppState | undefined)?.isSilent === true;
}

/** A user has not asked for the silent login, so its failure shows no page. Only the operator is told. */
async function returnSilently(core: AuthContext, { req, res }: Visit, error: SalesforceAuthError): Promise<void> {
  // Salesforce would have to ask the user. That is an answer, not a failure.
  if (error.code !== 'ERR_SALESFORCE_IMMEDIATE_UNSUCCESSFUL') core.noteFailedLogin(error);
  await noteSilentFailure(core, req, res);
  // Nobody is logged in, so the session need not go along to the host where the login began.
  const { path, origin = '' } = pageOf(core, req, error.login?.appState ?? {});
  res.redirect(origin + path);
}

function noAnswer(): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_STATE_MISMATCH',
    'The callback was opened without the answer of a login. Start the login from the application.',
    { status: 403 },
  );
}
