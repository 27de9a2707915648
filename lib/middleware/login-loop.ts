import { createHash } from 'node:crypto';
import { parseCookie } from 'cookie';
import type { Request, Response } from 'express';
import { SalesforceAuthError } from '../errors';

const cookieName = 'salesforce-login-loop';
const maxLogins = 4;
const windowMs = 60_000;

/**
 * Notices a browser that is sent to log in again and again for one and the same page, as happens where the session cookie
 * is not kept. Without a login page in between, it would go round for ever.
 *
 * The count is kept in a cookie of its own, for the session is what may not be working.
 */
export function countLogin(req: Request, res: Response, returnTo: string): void {
  const count = countOf(req, returnTo) + 1;
  res.cookie(cookieName, `${count}.${fingerprint(returnTo)}`, {
    httpOnly: true,
    sameSite: 'lax',
    secure: req.secure,
    maxAge: windowMs,
  });
}

/** @throws SalesforceAuthError `ERR_SALESFORCE_LOGIN_LOOP` where the browser has just logged in for this page too often */
export function checkLoginLoop(req: Request, res: Response, returnTo: string): void {
  if (countOf(req, returnTo) < maxLogins) return;
  clearLogins(req, res);
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_LOGIN_LOOP',
    'The browser has logged in several times within a minute and is still not logged in. The session is probably not kept: ' +
      "check that its cookie is not marked secure on plain http, that 'trust proxy' is set behind a proxy, and that all servers share one session store.",
    { status: 500 },
  );
}

/** A page was reached: logins before it do not count. */
export function clearLogins(req: Request, res: Response): void {
  if (req.headers.cookie?.includes(cookieName) && !res.headersSent) res.clearCookie(cookieName);
}

function countOf(req: Request, returnTo: string): number {
  const [count, page] = (parseCookie(req.headers.cookie ?? '')[cookieName] ?? '').split('.');
  return page === fingerprint(returnTo) ? Number.parseInt(count ?? '', 10) || 0 : 0;
}

function fingerprint(returnTo: string): string {
  return createHash('sha256').update(returnTo).digest('base64url').slice(0, 12);
}
