import { parseCookie, type Cookies } from 'cookie';
import type { CookieOptions, Request, Response } from 'express';
import { SalesforceAuthError } from '../errors';

/** A cookie to set. An empty value removes the cookie. */
export interface SetCookie {
  name: string;
  value: string;
  options: CookieOptions;
}

const hostPrefix = '__Host-';

/**
 * The name of a cookie of this package. With the prefix a browser refuses the cookie from a subdomain, which could otherwise
 * plant one of its own.
 */
export function cookieName(name: string, isSecure: boolean): string {
  return isSecure ? hostPrefix + name : name;
}

/** Attributes of every cookie of this package. `Lax`, since Salesforce's redirect is a navigation from another site. */
export function cookieOptions(isSecure: boolean): CookieOptions {
  return { httpOnly: true, sameSite: 'lax', secure: isSecure, path: '/' };
}

/** The cookies of a request. */
export function cookiesOf(req: Request): Cookies {
  return parseCookie(req.headers.cookie ?? '');
}

/** Puts cookies on a response. */
export function setCookies(res: Response, cookies: readonly SetCookie[]): void {
  for (const { name, value, options } of cookies) {
    if (value === '') res.clearCookie(name, options);
    else res.cookie(name, value, options);
  }
}

/** The response of a request. @throws SalesforceAuthError if the request is not one of Express */
export function responseOf(req: Request): Response {
  if (req.res) return req.res;
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_MIDDLEWARE_MISSING',
    'A login keeps its state in a cookie and needs an Express request. Call the strategy from an Express route.',
  );
}
