import type { Request, Response } from 'express';
import { cookieName, cookieOptions, cookiesOf } from '../login/cookies';
import type { AuthContext } from './context';
import { readMark, writeMark } from './session';
import { isFramed, isLedByAnotherSite, isNavigation, isPrefetch } from './visit';

const cookie = 'salesforce-silent';
const subject = 'silent login failed';

/** How long a browser is not asked again after a silent login that failed, in milliseconds. */
const pauseMs = 5 * 60 * 1000;

/**
 * Notes that Salesforce did not log this browser in without asking the user, in a cookie and in the session: one of them may
 * not be kept, and a page that tries a silent login would otherwise go round for ever.
 */
export async function noteSilentFailure(core: AuthContext, req: Request, res: Response): Promise<void> {
  const { addresses, keys, clock, session } = core.options;
  const isSecure = addresses.isSecure(req);
  const value = await keys.seal(subject, String(clock.now()));
  res.cookie(cookieName(cookie, isSecure), value, { ...cookieOptions(isSecure), maxAge: pauseMs });
  await writeMark(req, `${session.key}.silentFailedAt`, clock.now());
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
  if (isNotedInSession(core, req) || cookieOf(core, req) !== undefined) return false;
  return isNavigation(req) && !isFramed(req) && !isPrefetch(req) && !isLedByAnotherSite(req);
}

function isNotedInSession(core: AuthContext, req: Request): boolean {
  return isRecent(core, readMark(req, `${core.options.session.key}.silentFailedAt`));
}

function cookieOf({ options }: AuthContext, req: Request): string | undefined {
  return cookiesOf(req)[cookieName(cookie, options.addresses.isSecure(req))];
}

function isRecent({ options }: AuthContext, at: number): boolean {
  return Math.abs(options.clock.now() - at) < pauseMs;
}
