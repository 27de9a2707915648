import type { RequestHandler } from 'express';
import { SalesforceAuthError } from '../errors';
import { checkNames } from '../options/check';
import type { AuthCore } from './core';
import { isCrossSite } from './cross-site';
import { safeReturnTo } from './return-to';

export interface LogoutOptions {
  /** End all sessions of the user, not only this one. Default false. */
  everywhere?: boolean | undefined;
  /** Log out of one organization only, by its id or by grant id. Default: `organization` of the query, else of all. */
  organization?: string | undefined;
  /** Where to go afterwards. Default: `homePath`. */
  returnTo?: string | undefined;
}

/**
 * A route handler that logs the session out, revokes what ends at Salesforce, and redirects (204 for an API request).
 *
 * Refuses requests that another site makes the browser send.
 */
export function logoutHandler(core: AuthCore, options: LogoutOptions = {}): RequestHandler {
  checkNames(options, ['everywhere', 'organization', 'returnTo'], 'logout()');
  const target = safeReturnTo(options.returnTo) ?? core.options.homePath;
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
    const { everywhere, organization = req.query['organization'] } = options;
    // Something else than one id means no login, rather than all of them.
    const which = organization === undefined || typeof organization === 'string' ? organization : '';
    core.logout(req, { everywhere, organization: which }).then(() => {
      if (req.accepts(['json', 'html']) === 'html') res.redirect(303, target);
      else res.status(204).end();
    }, next);
  };
}
