import type { Request, RequestHandler, Response } from 'express';
import { SalesforceAuthError } from '../errors';
import { checkNames, invalid } from '../options/check';
import { isLoopback, parseUrl } from '../salesforce/hosts';
import type { AuthCore } from './core';
import { isCrossSite } from './cross-site';
import { EndSession } from './end-session';
import { safeReturnTo } from './return-to';

/** What a handler of `salesforce.logout()` can set. */
export interface LogoutOptions {
  /** End all sessions of the user, not only this one. Default false. */
  everywhere?: boolean | undefined;
  /** Log out of one organization only, by its id or by grant id. Default: `organization` of the query, else of all. */
  organization?: string | undefined;
  /** Where to go afterwards. Default: `homePath`. */
  returnTo?: string | undefined;
  /**
   * Send the browser on to Salesforce's logout, where the organization offers one (`end_session_endpoint` of its discovery
   * document), or to the URL given. Where it goes from there is set in Salesforce. Default false: the user stays logged in
   * at Salesforce.
   */
  singleLogout?: boolean | string | undefined;
}

/** What a handler for Salesforce's own logout can set. */
export interface SingleLogoutOptions {
  /** Where a page goes afterwards. Default: `homePath`. */
  returnTo?: string | undefined;
}

/**
 * A route handler that logs the session out, revokes what ends at Salesforce, and redirects (204 for an API request).
 *
 * Refuses requests that another site makes the browser send.
 */
export function logoutHandler(core: AuthCore, options: LogoutOptions = {}): RequestHandler {
  checkNames(options, ['everywhere', 'organization', 'returnTo', 'singleLogout'], 'logout()');
  const target = safeReturnTo(options.returnTo) ?? core.options.homePath;
  const findEndSession = endSessionOf(core, options.singleLogout);
  const logOut = async (req: Request, res: Response): Promise<void> => {
    const { everywhere, organization = req.query['organization'] } = options;
    // Something else than one id means no login, rather than all of them.
    const which = organization === undefined || typeof organization === 'string' ? organization : '';
    // Looked up before the grant that tells it is gone.
    const endSessionUrl = await findEndSession(req);
    await core.logout(req, { everywhere, organization: which });
    if (req.accepts(['json', 'html']) === 'html') res.redirect(303, endSessionUrl ?? target);
    else if (endSessionUrl === undefined) res.status(204).end();
    else res.json({ endSessionUrl });
  };
  return (req, res, next) => {
    res.set('Cache-Control', 'no-store');
    if (isCrossSite(req)) {
      next(
        new SalesforceAuthError(
          'ERR_SALESFORCE_CROSS_SITE_LOGOUT',
          'Another site tried to log the user out. Log out with a form or request of the application itself.',
          { status: 403 },
        ),
      );
      return;
    }
    logOut(req, res).catch(next);
  };
}

/**
 * A route handler for the app's Single Logout URL, which Salesforce opens in the browser of a user who logs out there: ends
 * this browser's session here.
 *
 * It has to take requests of another site, since that is what Salesforce is; the worst that others do with it is a logout.
 */
export function singleLogoutHandler(core: AuthCore, options: SingleLogoutOptions = {}): RequestHandler {
  checkNames(options, ['returnTo'], 'singleLogout()');
  const target = safeReturnTo(options.returnTo) ?? core.options.homePath;
  return (req, res, next) => {
    res.set('Cache-Control', 'no-store');
    core.logout(req, {}).then(() => {
      // In a frame or as an image there is nobody to show a page to.
      if ((req.get('sec-fetch-dest') ?? 'document') === 'document') res.redirect(303, target);
      else res.status(204).end();
    }, next);
  };
}

function endSessionOf(core: AuthCore, option: unknown): (req: Request) => Promise<string | undefined> {
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
