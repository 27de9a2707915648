import type { EventEmitter } from 'node:events';
import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import type { ErrorRequestHandler, Request, RequestHandler } from 'express';
import type { AppOptions } from '../app/app-options';
import type { SalesforceEvents } from '../coordinator/events';
import type { DiagnoseOptions, Diagnosis } from '../doctor/findings';
import { SalesforceAuthError } from '../errors';
import { checkNames } from '../options/names';
import { isAnswer } from '../query';
import { appAccess, type AppAccess } from './app-access';
import { callbackPathBelowRoot, withoutSlash } from './callback-path';
import { AuthContext } from './context';
import { warnAtStart } from './start-warnings';
import type { CredentialsLoginOptions } from './credentials-login';
import { errorPageMount } from './error-page';
import { forwardedCheck } from './forwarded';
import { asHandler, type Handler } from './handler';
import { forgetMarkIfServed } from './login-loop';
import type { LoginOptions } from './login-route';
import { callbackRoute, choiceRoute, credentialsLogin, loginRoute } from './login-routes';
import { logoutHandler, logoutPage, singleLogoutHandler, type LogoutOptions, type SingleLogoutOptions } from './logout';
import { conflictCheck } from './mounts';
import { parseOptions, type SalesforceAuthOptions } from './options';
import { attached, notAuthenticated, RequestSalesforce, type GuardedRequest, type SalesforceRequest } from './request';
import { guard, loginOnError, type RequireOptions } from './require';
import { noteSession } from './session-mount';
import { shutDown } from './shutdown';
import { statusRoute } from './status';
import { Tokens } from './tokens';

/** The middleware, with everything bound to it. */
export interface SalesforceAuth extends RequestHandler {
  /** A route handler that begins a login, for a login page or button of your own. */
  login(options?: LoginOptions): Handler;
  /**
   * A route handler for a login form of your own, for users of an Experience Cloud site; mount it on POST. Off unless you do:
   * your application then handles passwords.
   */
  credentialsLogin(options?: CredentialsLoginOptions): Handler;
  /** A route handler that logs out; mount it on POST. */
  logout(options?: LogoutOptions): Handler;
  /**
   * A route handler for the app's Single Logout URL, which Salesforce opens in the browser of a user who logs out there: it
   * ends this browser's session. Mount it on GET.
   */
  singleLogout(options?: SingleLogoutOptions): Handler;
  /** A guard bound to this middleware; see `requireSalesforce`. */
  require(options?: RequireOptions): Handler;
  /**
   * `req.salesforce` behind a guard, typed as logged in and with a token.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_NOT_AUTHENTICATED` if no guard ran before
   */
  get(req: IncomingMessage): GuardedRequest;
  /**
   * `req.salesforce`, typed, whatever the option `property` calls it. Also of a request that no Express application handles,
   * such as the upgrade to a WebSocket, once the session middleware has run on it.
   */
  of(req: IncomingMessage): SalesforceRequest;
  /**
   * An error handler to mount after the routes. If a login has ended while a route was working, the handler sends a page
   * request to the login and back, and answers an API request 401 with JSON. It passes other errors on.
   */
  errorHandler(): ErrorRequestHandler;
  /** Grants outside of requests. */
  readonly tokens: Tokens;
  /**
   * The application's own access to Salesforce, without a login: as the "Run As" user of the app (client credentials), or with
   * `user` as that user (JWT bearer, with `clientKey`). All processes share one token of each.
   *
   * @example
   * const job = salesforce.app({ baseUrl: 'https://MyDomain.my.salesforce.com' });
   * await job.fetch('/services/data/v68.0/limits');
   */
  app(options?: AppOptions): AppAccess;
  /** What happens to tokens; see {@link SalesforceEvents}. */
  readonly events: EventEmitter<SalesforceEvents>;
  /**
   * Looks for what would make logins or refreshes fail: in the options, at Salesforce and in the token store. It presents no
   * refresh token, logs no user in and changes no grant. Its result holds no secret.
   */
  diagnose(options?: DiagnoseOptions): Promise<Diagnosis>;
  /**
   * Ends a server and then this middleware; call it on SIGTERM, before the process ends. New connections are refused, requests
   * under way are answered, and refreshes under way are finished and stored. It resolves within `closeTimeoutMs`, also under
   * keep-alive traffic, and never rejects because the server was not listening.
   *
   * @param server what `app.listen()` returned, or a server of `node:https`
   * @example
   * process.on('SIGTERM', () => void salesforce.shutdown(server).then(() => process.exit(0)));
   */
  shutdown(server: HttpServer | HttpsServer): Promise<void>;
  /** Finishes refreshes under way and refuses new ones. A process that serves requests calls `shutdown()` instead. */
  close(): Promise<void>;
}

/**
 * Login with Salesforce, and a valid access token on every request, as one Express middleware.
 *
 * Mount it after a session middleware. It serves the login, callback and logout routes and puts `req.salesforce` on every
 * request; it waits for Salesforce only if a guard or `getAccessToken()` asks.
 *
 * @param options the client as it is set up in Salesforce, or `configuration`: a function that gives it; and everything else
 * @throws SalesforceOptionError
 *
 * @example
 * import express from 'express';
 * import session from 'express-session';
 * import { requireSalesforce, salesforceAuth } from 'express-salesforce-auth';
 *
 * const app = express();
 * app.use(session({ secret: 'only for development', resave: false, saveUninitialized: false }));
 * app.use(salesforceAuth({ clientID: '3MVG9…', clientSecret: '…', scope: 'openid id api refresh_token' }));
 * app.get('/', requireSalesforce(), (req, res) => {
 *   res.json(req.salesforce.user);
 * });
 */
export function salesforceAuth(options: SalesforceAuthOptions): SalesforceAuth {
  const parsed = parseOptions(options);
  warnAtStart(parsed);
  const core = new AuthContext(parsed);
  const { routes, property } = parsed;
  const beginLogin = loginRoute(core);
  const endLogin = callbackRoute(core);
  const logout = logoutHandler(core);
  const askLogout = logoutPage(core);
  const choose = choiceRoute(core);
  const status = statusRoute(core);
  const mountErrorPage = parsed.errorPage === false ? undefined : errorPageMount(core);
  let rotates: boolean | undefined;
  core.events.emitter.on('refresh.succeeded', ({ rotated }) => {
    rotates = rotated;
  });
  const callbackPath = callbackPathBelowRoot(parsed);
  const findConflict = conflictCheck(core);
  const checkForwarded = forwardedCheck(parsed.reporter);

  const middleware: RequestHandler = function salesforceAuthMiddleware(req, res, next) {
    if (property in req) {
      // The middleware has run on this request already: it is mounted twice.
      if (attached(req, property)?.core === core) next();
      else next(alreadyThere(property));
      return;
    }
    const conflict = findConflict(req);
    if (conflict) {
      next(conflict);
      return;
    }
    mountErrorPage?.(req);
    checkForwarded(req);
    noteSession(req);
    attach(req, property, core);
    forgetMarkIfServed(core, req, res);
    const { method } = req;
    // Express parses the URL each time it is asked for the path.
    const path = method === 'GET' || method === 'POST' || method === 'HEAD' ? pathOf(req) : undefined;
    if (method === 'HEAD' && (path === routes.login || path === routes.choose || path === routes.callback)) {
      // A monitor follows the redirect of a guarded page. It begins no login, and ends none.
      res.set('Cache-Control', 'no-store').end();
      return;
    }
    if (method === 'GET') {
      if (path === routes.login) {
        beginLogin(req, res, next);
        return;
      }
      if (path === routes.choose) {
        choose(req, res, next);
        return;
      }
      if (
        path === routes.callback ||
        (routes.callback !== false && isAt(callbackPath, req.baseUrl, path) && isAnswer(req))
      ) {
        endLogin(req, res, next);
        return;
      }
      if (path === routes.logout) {
        askLogout(req, res, next);
        return;
      }
      if (path === routes.status) {
        status(req, res, next);
        return;
      }
    } else if (method === 'POST' && path === routes.logout) {
      logout(req, res, next);
      return;
    }
    next();
  };

  return Object.assign(middleware, {
    login: (given?: LoginOptions) => asHandler(loginRoute(core, given)),
    credentialsLogin: (given?: CredentialsLoginOptions) => asHandler(credentialsLogin(core, given)),
    logout: (given?: LogoutOptions) => asHandler(logoutHandler(core, given)),
    singleLogout: (given?: SingleLogoutOptions) => asHandler(singleLogoutHandler(core, given)),
    require: (given: RequireOptions = {}) => guard(property, given),
    get: (req: IncomingMessage) => guarded(req as Request, property, core),
    of: (req: IncomingMessage) => attachedOrNew(req as Request, property, core),
    errorHandler: (...given: unknown[]) => {
      checkNames(given[0] ?? {}, {}, 'errorHandler()');
      return loginOnError(property, (req) => void attachedOrNew(req, property, core));
    },
    tokens: new Tokens(core),
    app: (given: AppOptions = {}) => appAccess(core, given),
    events: core.events.emitter,
    diagnose: async (given: DiagnoseOptions = {}) => {
      const { examine } = await import('../doctor/examination');
      return examine(parsed, { rotation: rotates, ...given });
    },
    shutdown: (server: HttpServer | HttpsServer) => shutDown(server, core),
    close: () => core.close(),
  });
}

function attach(req: Request, property: string, core: AuthContext): RequestSalesforce {
  const value = new RequestSalesforce(req, core);
  (req as unknown as Record<string, unknown>)[property] = value;
  return value;
}

function attachedOrNew(req: Request, property: string, core: AuthContext): SalesforceRequest {
  return (attached(req, property) ?? attach(req, property, core)) as unknown as SalesforceRequest;
}

/** Without a slash at its end; undefined if no Express application has the request, which then has no routes either. */
function pathOf({ path }: Request): string | undefined {
  return (path as string | undefined)?.endsWith('/') ? withoutSlash(path) : path;
}

/** Whether `wanted` is `path` below `baseUrl`; lengths first, since it is nearly always another. */
function isAt(wanted: string | undefined, baseUrl: string, path: string | undefined): boolean {
  if (wanted === undefined || path === undefined || wanted.length !== baseUrl.length + path.length) return false;
  return wanted.startsWith(baseUrl) && wanted.endsWith(path);
}

function guarded(req: Request, property: string, core: AuthContext): GuardedRequest {
  const salesforce = attached(req, property);
  if (salesforce?.isAuthenticated && salesforce.accessToken !== undefined)
    return salesforce as unknown as GuardedRequest;
  throw notAuthenticated(core);
}

function alreadyThere(property: string): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CONFIGURATION',
    `req.${property} is taken: salesforceAuth() is mounted twice on this path, or something else uses the name. Set the option property.`,
  );
}
