import type { Request, RequestHandler, Response } from 'express';
import { errorFrom, SalesforceAuthError } from '../errors';
import { parameterOf } from '../query';
import { invalid } from '../options/check';
import { logoutOptions, singleLogoutOptions } from '../options/parts/calls';
import { parsePart } from '../options/names';
import { isLoopback, parseUrl } from '../salesforce/hosts';
import type { AuthContext } from './context';
import { EndSession } from './end-session';
import { refusePrefetch, sendLogout, sendOn } from './pages';
import { safeReturnTo } from './return-to';
import { isSessionStrict, sessionSameSiteOf } from './session';
import { openAgain } from './strict-session';
import { isCrossSite, isNavigation, isPrefetch } from './visit';
import { logOutSession } from './session-logins';

/** What a handler of `salesforce.logout()` can set. */
export interface LogoutOptions {
  /** End all sessions of the user, not only this one. Default false. */
  everywhere?: boolean | undefined;
  /** Log out of one organization only, by its id or by grant id. Default: `organization` of the query, else of all. */
  organization?: string | undefined;
  /** Where to go afterwards. Default: `pages.home`. */
  returnTo?: string | undefined;
  /**
   * Send the browser on to Salesforce's logout, if the organization offers one (`end_session_endpoint` of its discovery
   * document), or to the URL given. Where it goes from there is set in Salesforce. Default false: the user stays logged in
   * at Salesforce.
   */
  singleLogout?: boolean | string | undefined;
}

/** What a handler for Salesforce's own logout can set. */
export interface SingleLogoutOptions {
  /** Where a page goes afterwards. Default: `pages.home`. */
  returnTo?: string | undefined;
}

/**
 * A route handler that logs the session out, revokes what ends at Salesforce, and redirects (204 for an API request).
 *
 * Refuses requests that another site makes the browser send.
 */
export function logoutHandler(core: AuthContext, options: LogoutOptions = {}): RequestHandler {
  parsePart(logoutOptions, options, 'logout()');
  const target = targetOf(core, options.returnTo);
  const findEndSession = endSessionOf(core, options.singleLogout);
  const logOut = async (req: Request, res: Response): Promise<void> => {
    const { everywhere, organization = parameterOf(req, 'organization') } = options;
    // Looked up before the logout, since the grant names it.
    const endSessionUrl = await findEndSession(req);
    await logOutSession(core, req, { everywhere, organization });
    if (req.accepts(['json', 'html']) === 'html') {
      // The `form-action` of the page that has the form would stop a redirect to Salesforce.
      if (endSessionUrl === undefined) res.redirect(303, target(req));
      else sendOn(res, endSessionUrl);
    } else if (endSessionUrl === undefined) res.status(204).end();
    else res.json({ endSessionUrl });
  };
  return (req, res, next) => {
    res.set('Cache-Control', 'no-store');
    if (isCrossSite(req, core.options.addresses) && !isOfSameSiteSession(req)) {
      next(crossSite(req));
      return;
    }
    logOut(req, res).catch((error: unknown) => {
      next(errorFrom(error));
    });
  };
}

/**
 * A form of a page with `Referrer-Policy: no-referrer`, which is what helmet() sets, names no origin (`null`), and browsers
 * without fetch metadata say nothing else. A form of another site has no session cookie that is `Lax` or `Strict`.
 */
function isOfSameSiteSession(req: Request): boolean {
  const isSameSite = isSessionStrict(req) || /^lax$/i.test(String(sessionSameSiteOf(req)));
  return isSameSite && namesNoOrigin(req);
}

function namesNoOrigin(req: Request): boolean {
  return req.get('origin') === 'null' && req.get('sec-fetch-site') === undefined;
}

function crossSite(req: Request): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CROSS_SITE',
    namesNoOrigin(req)
      ? 'A logout named no origin (Origin: null), so it may be one of another site. Forms do so under the Referrer-Policy ' +
          "no-referrer, which is helmet's default, in browsers without Sec-Fetch-Site and by plain http. Set sameSite: 'lax' on " +
          "the session's cookie, or the Referrer-Policy same-origin."
      : 'Another site tried to log the user out. Log out with a form or request of the application itself.',
    { status: 403 },
  );
}

/** A page with a button, for a logout route that is opened by a link: a logout by GET could be caused by any other site. */
export function logoutPage(core: AuthContext): RequestHandler {
  return (req, res, next) => {
    if (!isNavigation(req)) {
      next();
      return;
    }
    sendLogout(res, core.options.addresses.currentPath(req));
  };
}

/** Where a logout ends. */
function targetOf({ options }: AuthContext, returnTo: string | undefined): (req: Request) => string {
  const given = safeReturnTo(returnTo);
  return (req) => given ?? options.addresses.pathOf(req, '', options.homePath);
}

/**
 * A route handler for the app's Single Logout URL, which Salesforce opens in the browser of a user who logs out there: ends
 * this browser's session here.
 *
 * It has to take requests of another site, since that is what Salesforce is; the worst that others do with it is a logout.
 */
export function singleLogoutHandler(core: AuthContext, options: SingleLogoutOptions = {}): RequestHandler {
  parsePart(singleLogoutOptions, options, 'singleLogout()');
  const target = targetOf(core, options.returnTo);
  const logOut = async (req: Request, res: Response): Promise<void> => {
    if (await openAgain(core, { req, res })) return;
    await logOutSession(core, req, {});
    // A frame or an image shows no page.
    if ((req.get('sec-fetch-dest') ?? 'document') === 'document') res.redirect(303, target(req));
    else res.status(204).end();
  };
  return (req, res, next) => {
    res.set('Cache-Control', 'no-store');
    // Nobody has opened the page. Express takes a HEAD to the route of a GET.
    if (isPrefetch(req) || req.method === 'HEAD') {
      refusePrefetch(res);
      return;
    }
    logOut(req, res).catch((error: unknown) => {
      next(errorFrom(error));
    });
  };
}

function endSessionOf(core: AuthContext, option: unknown): (req: Request) => Promise<string | undefined> {
  if (option === undefined || option === false) return () => Promise.resolve(undefined);
  if (option === true) {
    const endSession = new EndSession(core);
    return (req) => endSession.urlFor(req);
  }
  const url = typeof option === 'string' ? parseUrl(option) : undefined;
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url)))) {
    throw invalid('singleLogout', "true, or the https URL of Salesforce's logout");
  }
  return () => Promise.resolve(url.href);
}
