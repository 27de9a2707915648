import type { Application, Request } from 'express';
import { SalesforceAuthError } from '../errors';
import { withoutQuery } from '../query';

/** A session as far as its mount is concerned. */
interface SeenSession {
  cookie?: { path?: string | null | undefined } | undefined;
}

/** Applications of which a request came to this package with a session, and the path that the session's cookie is for. */
const seen = new WeakMap<object, string>();

/** Notes, as a request comes to this package, that it has a session already. On the path of every request. */
export function noteSession(req: Request): void {
  const { app, session } = req as { app?: Application; session?: SeenSession | null };
  if (app && session && !seen.has(app)) seen.set(app, session.cookie?.path ?? '/');
}

/**
 * Why a request has no session, as far as is visible; undefined if the session middleware ran and made none, as
 * express-session does while its store says it is disconnected.
 */
export function missingSession(req: Request): SalesforceAuthError | undefined {
  const { app } = req as { app?: Application };
  const cookiePath = app && seen.get(app);
  if (cookiePath !== undefined && !isBelow(req, cookiePath)) {
    return missing(
      `The session's cookie is for the path ${cookiePath}, and express-session makes no session at ${withoutQuery(req.originalUrl)}. Set ` +
        "cookie.path to '/', or to a path above all routes of this package.",
    );
  }
  const found = app ? placesIn(app) : [];
  const own = found.indexOf('own');
  const session = found.findIndex((place) => place !== 'own');
  if (cookiePath !== undefined && found[session] !== 'below') return undefined;
  if (session === -1) {
    return missing(
      'There is no session on the request. Mount express-session or cookie-session before salesforceAuth(), and see that its store is connected.',
    );
  }
  if (own !== -1 && own < session) {
    return missing(
      'The session middleware is mounted after salesforceAuth(), which needs its session. Move app.use(session(…)) before app.use(salesforceAuth(…)).',
    );
  }
  if (found[session] === 'everywhere') return undefined;
  return missing(
    'The session middleware is mounted in a Router or at a path that this request did not pass. Mount it on the application itself, before salesforceAuth().',
  );
}

function missing(message: string): SalesforceAuthError {
  return new SalesforceAuthError('ERR_SALESFORCE_SESSION_MISSING', message);
}

/** As express-session compares the two. */
function isBelow(req: Request, cookiePath: string): boolean {
  return withoutQuery(req.originalUrl).startsWith(cookiePath);
}

/** Names of the functions that session middlewares are. */
const sessionNames = ['session', '_cookieSession'];

type Place = 'own' | 'everywhere' | 'below';

interface Layer {
  name?: string;
  handle?: { stack?: readonly Layer[] };
  /** Whether it is for all paths: the former on Express 5, the latter on Express 4. */
  slash?: boolean;
  regexp?: { fast_slash?: boolean };
}

/** The session middlewares and this package's, in the order in which requests meet them, those in Routers among them. */
function placesIn(app: Application): Place[] {
  // Express 4 has a getter `router` that throws, and Express 5 no `_router`.
  const { stack } = ((app as { _router?: unknown })._router ?? app.router) as { stack: readonly Layer[] };
  return placesOf(stack, true);
}

function placesOf(stack: readonly Layer[], isOutermost: boolean): Place[] {
  // A request that reaches this package has passed the stack before it.
  const isPassed = isOutermost || stack.some(isOwn);
  return stack.flatMap((layer): Place[] => {
    const { name = '', handle, slash, regexp } = layer;
    if (isOwn(layer)) return ['own'];
    const isEverywhere = isPassed && (slash ?? regexp?.fast_slash) === true;
    if (sessionNames.includes(name)) return [isEverywhere ? 'everywhere' : 'below'];
    return placesOf(handle?.stack ?? [], false);
  });
}

function isOwn({ name }: Layer): boolean {
  return name === 'salesforceAuthMiddleware';
}
