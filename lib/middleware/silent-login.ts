import type { Request, Response } from 'express';
import { cookieName, cookieOptions, cookiesOf } from '../login/cookies';
import { isCallback } from '../query';
import type { AuthContext } from './context';
import { entriesOf, hasSession, saveSession, sessionOf, writtenEntriesOf } from './session';
import { findSession, isNewSession } from './stored-session';
import { isFramed, isLedByAnotherSite, isNavigation, isPrefetch, type Visit } from './visit';

const cookie = 'salesforce-silent';
const subject = 'silent login failed';

/** How long a browser is not asked again after a silent login that failed, in milliseconds. */
const pauseMs = 5 * 60 * 1000;

/**
 * Notes that a silent login ended without a login, in a cookie and in the session: one of them may not be kept, and a page that
 * tries a silent login would otherwise go round for ever.
 */
export async function noteSilentFailure(core: AuthContext, req: Request, res: Response): Promise<void> {
  const { clock, session } = core.options;
  await setCookie(core, { req, res }, String(clock.now()));
  // A session that has logins is not written. The answer may be late, and would bring a login back that was logged out meanwhile.
  if (writtenEntriesOf(req, session).length > 0) return;
  await noteInSession(core, req).catch((error: unknown) => {
    // The cookie says the same, and the user gets to see the page.
    core.report(error);
  });
}

/**
 * A session that lives in its cookie is left alone, and so is one that has gone from its store since the request came: either would
 * overwrite the cookie of a login that came in between. A new session is stored at a callback alone: requests of visitors without cookies
 * would fill the store.
 */
async function noteInSession(core: AuthContext, req: Request): Promise<void> {
  const session = sessionOf(req);
  if (!session) return;
  const isAtCallback = isCallback(req) && isNewSession(req);
  if (!isAtCallback && (await findSession(req)) !== 'there') return;
  session[markOf(core)] = core.options.clock.now();
  await saveSession(req);
}

/** Name of the time in the session. */
function markOf({ options }: AuthContext): string {
  return `${options.session.key}.silentFailedAt`;
}

/**
 * Notes that a silent login went on at another host of the application. If it fails, its failure is noted there, in a cookie that
 * this host does not see. So the pages of this host ask for no other silent login.
 */
export async function noteSilentMove(core: AuthContext, req: Request, res: Response): Promise<void> {
  // A time long ago: the login has not failed. A proxy can hide the origin, and the login then goes on at this very host.
  await setCookie(core, { req, res }, '0');
}

async function setCookie(core: AuthContext, { req, res }: Visit, text: string): Promise<void> {
  const { addresses, keys } = core.options;
  const isSecure = addresses.isSecure(req);
  const value = await keys.seal(subject, text);
  res.cookie(cookieName(cookie, isSecure), value, { ...cookieOptions(isSecure), maxAge: pauseMs });
}

/** Whether a silent login has failed in this browser a short time ago. */
export async function hasSilentFailed(core: AuthContext, req: Request): Promise<boolean> {
  if (isNotedInSession(core, req)) return true;
  const value = cookieOf(core, req);
  const text = value === undefined ? undefined : await core.options.keys.open(subject, value);
  return text !== undefined && isRecent(core, Number(text));
}

/**
 * Whether a redirect of this request to a silent login can end with a login. The cookie is not opened: if it is forged, the
 * browser is not asked silently for a while.
 */
export function canAskSilently(core: AuthContext, req: Request): boolean {
  // The request of a WebSocket is of no Express application.
  if (typeof (req as Partial<Request>).get !== 'function') return false;
  // The body of a form would be lost.
  if (req.method !== 'GET' && req.method !== 'HEAD') return false;
  // A silent login could not be kept, or would take the place of the logins that the session has.
  if (!hasSession(req) || entriesOf(req, core.options.session).length > 0) return false;
  if (isNotedInSession(core, req) || cookieOf(core, req) !== undefined) return false;
  return isNavigation(req) && !isFramed(req) && !isPrefetch(req) && !isLedByAnotherSite(req, core.options.addresses);
}

function isNotedInSession(core: AuthContext, req: Request): boolean {
  const at = sessionOf(req)?.[markOf(core)];
  return typeof at === 'number' && isRecent(core, at);
}

function cookieOf({ options }: AuthContext, req: Request): string | undefined {
  return cookiesOf(req)[cookieName(cookie, options.addresses.isSecure(req))];
}

function isRecent({ options }: AuthContext, at: number): boolean {
  return Math.abs(options.clock.now() - at) < pauseMs;
}
