import type { Request, Response } from 'express';
import { cookieName, cookieOptions, cookiesOf } from '../login/cookies';
import type { AuthContext } from './context';
import { readMark, writeMark } from './session';

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
  const { addresses, keys, clock, session } = core.options;
  const isRecent = (at: number): boolean => Math.abs(clock.now() - at) < pauseMs;
  if (isRecent(readMark(req, `${session.key}.silentFailedAt`))) return true;
  const value = cookiesOf(req)[cookieName(cookie, addresses.isSecure(req))];
  const text = value === undefined ? undefined : await keys.open(subject, value);
  return text !== undefined && isRecent(Number(text));
}
