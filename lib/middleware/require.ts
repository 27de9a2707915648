import type { ServerResponse } from 'node:http';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import onHeaders from 'on-headers';
import { requiresLogin, SalesforceAuthError } from '../errors';
import { requireOptions } from '../options/parts/calls';
import { parsePart } from '../options/names';
import { asHandler, type Handler } from './handler';
import { noteUse } from './login-loop';
import { wrongOrganization } from './logins';
import { isAtOwnRoute } from './own-routes';
import { attached } from './request';
import { insufficientScope } from './scopes';
import { sendToLogin } from './send-to-login';
import { sessionReadError } from './session';
import { isForeign } from './session-logins';
import { asksForPage } from './visit';

/** What a guard asks for beside a login. */
export interface RequireOptions {
  /** Id of the organization the user has to belong to. Of several logins in the session, that of this one is taken. */
  organization?: string | undefined;
  /** Scopes that have to be granted. */
  scopes?: string | readonly string[] | undefined;
}

/**
 * Guards routes: behind it the user is logged in and the access token valid.
 *
 * Without a login, a page request is redirected to the login, and back afterwards. Any other request is answered 401 with
 * JSON. While no valid token can be had for now, it answers 503 and leaves the user logged in.
 *
 * @example
 * import express from 'express';
 * import { requireSalesforce } from 'express-salesforce-auth';
 *
 * const app = express();
 * app.get('/limits', requireSalesforce({ scopes: 'api' }), async (req, res) => {
 *   const reply = await req.salesforce.fetch('/services/data/v68.0/limits');
 *   res.status(reply.status).json(await reply.json());
 * });
 */
export function requireSalesforce(options: RequireOptions = {}): Handler {
  return guard('salesforce', options);
}

/** {@link requireSalesforce} for a middleware whose property has another name. @internal */
export function guard(property: string, options: RequireOptions): Handler {
  const { organization, scopes } = parsePart(requireOptions, options, 'requireSalesforce()');
  const asksForMore = organization !== undefined || scopes.length > 0;

  const handler: RequestHandler = function requireSalesforceLogin(req, res, next) {
    const salesforce = attached(req, property);
    if (!salesforce) {
      next(middlewareMissing(property));
      return;
    }
    if (organization !== undefined) salesforce.pick(organization);
    const { client, entry } = salesforce;
    if (!client || !entry) {
      sendToLogin({ req, res, next }, salesforce);
      return;
    }
    salesforce.core.holders.extend(req);
    const pass = (): void => {
      noteUse(req);
      if (asksForPage(req)) onHeaders(res, keepOutOfCaches);
      next(asksForMore ? forbidden(entry.user.organizationId, client.scope ?? [], organization, scopes) : undefined);
    };
    // The usual case: a valid token is in memory, and nothing has to be waited for.
    if (client.refreshNow()) {
      pass();
      return;
    }
    client
      .ensure()
      .then(pass, (error: unknown) => {
        if (requiresLogin(error)) sendToLogin({ req, res, next }, salesforce, error);
        else next(error);
      })
      .catch(next);
  };
  return asHandler(handler);
}

/**
 * An error handler that begins a login if only a login helps, and answers 503 if the session cannot be read.
 *
 * @param attach puts `req.salesforce` on a request that has not passed the middleware, for the error page
 */
export function loginOnError(property: string, attach: (req: Request) => void): ErrorRequestHandler {
  return function salesforceErrorHandler(error, req, res, next) {
    const salesforce = attached(req, property);
    // A request that has come to the middleware has passed the session middleware: the error is of a route.
    const unread = salesforce ? undefined : sessionReadError(req, error);
    if (unread) {
      attach(req);
      next(unread);
      return;
    }
    if (!salesforce || !requiresLogin(error) || res.headersSent || isForeign(salesforce.core, req, error)) {
      next(error);
      return;
    }
    // The login would lead back to the route that failed.
    if (isAtOwnRoute(salesforce.core, req)) next(error);
    else sendToLogin({ req, res, next, isMidway: true }, salesforce, error);
  };
}

/** What Express sets for a file by itself, in `res.sendFile()` and `express.static()`. No route says it on purpose. */
const unaskedFor = 'public, max-age=0';

/** Otherwise the Back button shows the page after a logout, from a cache of the browser. What the route sets counts. */
function keepOutOfCaches(this: ServerResponse): void {
  const given = this.getHeader('Cache-Control');
  if (given === undefined || given === unaskedFor) this.setHeader('Cache-Control', 'no-store');
}

function forbidden(
  userOrganization: string,
  granted: readonly string[],
  organization: string | undefined,
  scopes: readonly string[],
): SalesforceAuthError | undefined {
  if (organization !== undefined && userOrganization !== organization) {
    return wrongOrganization();
  }
  return insufficientScope(granted, scopes);
}

function middlewareMissing(property: string): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_MIDDLEWARE_MISSING',
    `There is no req.${property}. Mount app.use(salesforceAuth(…)) before the routes it guards` +
      (property === 'salesforce' ? '; with the option property, guard with salesforce.require() instead.' : '.'),
  );
}
