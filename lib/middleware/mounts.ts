import type { Application, Request } from 'express';
import { SalesforceAuthError } from '../errors';
import type { AuthContext } from './context';
import { sessionsOf } from './session';

/** Callback routes that middlewares of this package serve in an application, by path. */
const callbacks = new WeakMap<Application, Map<string, AuthContext>>();

/**
 * Checks once for each application whether another middleware of this package serves the same callback. The logins of one
 * would end at the other, in an endless loop.
 *
 * @returns a function that gives the error for a request of such an application
 */
export function conflictCheck(core: AuthContext): (req: Request) => SalesforceAuthError | undefined {
  const checked = new WeakMap<Application, SalesforceAuthError | undefined>();
  return (req) => {
    const { app } = req as { app?: Application };
    if (!app) return undefined;
    if (!checked.has(app)) checked.set(app, conflictIn(app, req, core));
    return checked.get(app);
  };
}

function conflictIn(app: Application, req: Request, core: AuthContext): SalesforceAuthError | undefined {
  warnOfSharedEntry(req, core);
  const { callback } = core.options.routes;
  return callback === false ? undefined : register(app, req.baseUrl + callback, core);
}

function register(app: Application, path: string, core: AuthContext): SalesforceAuthError | undefined {
  const known = callbacks.get(app) ?? new Map<string, AuthContext>();
  callbacks.set(app, known);
  const other = known.get(path);
  if (!other) known.set(path, core);
  if (!other || other === core) return undefined;
  return new SalesforceAuthError(
    'ERR_SALESFORCE_CONFIGURATION',
    `Two salesforceAuth() serve the same callback route ${path}, so logins of one would end at the other. Give one of them ` +
      'routes of its own: routes: { login: …, callback: …, logout: … }.',
  );
}

/** Middlewares that keep logins in the same sessions, by the name of their entry. */
const keepers = new WeakMap<object, Map<string, AuthContext>>();

/** Warns the operator of two middlewares that would use each other's logins. */
function warnOfSharedEntry(req: Request, core: AuthContext): void {
  const sessions = sessionsOf(req);
  if (!sessions) return;
  const { session, source, store, reporter } = core.options;
  const known = keepers.get(sessions) ?? new Map<string, AuthContext>();
  keepers.set(sessions, known);
  const other = known.get(session.key)?.options;
  if (!other) known.set(session.key, core);
  const isSame = other?.store === store && source.fixed && other.source.fixed?.clientID === source.fixed.clientID;
  if (!other || other === core.options || isSame) return;
  reporter.warn(
    'SESSION_KEY',
    `Two salesforceAuth() keep their logins in one entry of the session, ${session.key}, so a login at one counts at the other or ` +
      'ends the login there. Give one of them a session.key of its own.',
  );
}
