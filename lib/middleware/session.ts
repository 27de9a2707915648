import { createHash } from 'node:crypto';
import type { Request } from 'express';
import type { GrantHolder } from '../coordinator/grants';
import { SalesforceAuthError } from '../errors';
import type { TenantFunction } from '../options/source';
import { withoutQuery } from '../query';
import { missingSession } from './session-mount';
import type { EndedLogins } from './ended-logins';
import type { SalesforceUser } from './user';

/**
 * The name under which a session keeps the logins of a middleware. Middlewares of two apps in Salesforce may share a session and a
 * token store; a login at one must not open the guards of the other, which may admit other users.
 */
export function sessionKeyOf(property: string, clientID: string | undefined): string {
  if (clientID === undefined) return property;
  return `${property}.${createHash('sha256').update(clientID).digest('base64url').slice(0, 8)}`;
}

/** What one login leaves in the session: whose grant it is and who the user is. No token, ever. */
export interface SessionEntry extends GrantHolder {
  user: SalesforceUser;
}

/** Where a session keeps the logins of a middleware, and whose they are. */
export interface SessionPlace {
  /** Name of the entry in the session. */
  readonly key: string;
  /** Says whose request it is, if the application has tenants. */
  readonly tenant: TenantFunction | undefined;
  /** Logins that no longer count, although sessions name them. */
  readonly ended: EndedLogins;
}

/** The logins of one session, as they are kept in it. */
export interface SessionState {
  /** Whose logins these are: in requests of another tenant they count for nothing. */
  tenant?: string;
  /** The login of `req.salesforce`; absent if it has ended and others are left. */
  current?: SessionEntry;
  /** The others, the latest first. */
  others?: SessionEntry[];
  /** When the session's time as a holder has to be extended for the first time, in milliseconds since the epoch. */
  extendAt: number;
}

/** What express-session and cookie-session have in common, and what only the former has. */
interface AnySession {
  [key: string]: unknown;
  regenerate?: (done: (error?: unknown) => void) => unknown;
  save?: (done: (error?: unknown) => void) => unknown;
  cookie?: {
    originalMaxAge?: number | null;
    maxAge?: number | null;
    secure?: boolean | 'auto';
    sameSite?: boolean | string;
    domain?: string | null;
  };
}

/** The current login of a request's session. On the path of every request, so it looks at nothing else. */
export function entryOf(req: Request, place: SessionPlace): SessionEntry | undefined {
  const entry = stateOf(req, place)?.current;
  return isEntry(entry) && !place.ended.has(entry.holder) ? entry : undefined;
}

/** All logins of a request's session, or of another one of the request, the current one first. */
export function entriesOf(
  req: Request,
  place: SessionPlace,
  session: object | undefined = sessionOf(req),
): SessionEntry[] {
  return writtenEntriesOf(req, place, session).filter(({ holder }) => !place.ended.has(holder));
}

/** The same with logins that a guard has found to have ended, and that are still written in the session. */
export function writtenEntriesOf(
  req: Request,
  place: SessionPlace,
  session: object | undefined = sessionOf(req),
): SessionEntry[] {
  return entriesIn(stateOf(req, place, session));
}

/** The logins in what a session keeps. */
export function entriesIn({ current, others }: Partial<SessionState> = {}): SessionEntry[] {
  return [current, ...(Array.isArray(others) ? others : [])].filter(isEntry);
}

/** What is kept in a request's session, if it belongs to the tenant of the request. */
export function stateOf(
  req: Request,
  place: SessionPlace,
  session: object | undefined = sessionOf(req),
): SessionState | undefined {
  const state = keptState(place, session);
  return state && state.tenant === place.tenant?.(req) ? state : undefined;
}

/** The same, whichever tenant it belongs to. */
export function keptState({ key }: SessionPlace, session: object | undefined): SessionState | undefined {
  const state = (session as AnySession | undefined)?.[key] as SessionState | null | undefined;
  return typeof state === 'object' && state !== null ? state : undefined;
}

/** Writes or, with undefined, removes what is kept in the session. */
export function writeState(req: Request, { key }: SessionPlace, state: SessionState | undefined): void {
  const session = requireSession(req);
  if (state) session[key] = state;
  else Reflect.deleteProperty(session, key);
}

/** Takes logins out of the session. What is left has no current one if that was among them. */
export function removeEntries(req: Request, place: SessionPlace, leaving: readonly SessionEntry[]): void {
  const state = stateOf(req, place);
  if (!state) return;
  const stays = ({ holder }: SessionEntry): boolean => !leaving.some((entry) => entry.holder === holder);
  const current = isEntry(state.current) && stays(state.current) ? state.current : undefined;
  const others = entriesOf(req, place).filter((entry) => entry !== current && stays(entry));
  if (!current && others.length === 0) writeState(req, place, undefined);
  else writeState(req, place, stateWith(current, others, state));
}

/** What is kept of these logins; a session store might not take members that are undefined. */
export function stateWith(
  current: SessionEntry | undefined,
  others: SessionEntry[],
  { extendAt, tenant }: Pick<SessionState, 'extendAt'> & { tenant?: string | undefined },
): SessionState {
  return {
    ...(current ? { current } : {}),
    ...(others.length > 0 ? { others } : {}),
    ...(tenant === undefined ? {} : { tenant }),
    extendAt,
  };
}

/**
 * Gives the browser a new session, so that an id that was planted before the login does not work after it.
 *
 * express-session does so in its store. A cookie-session is only its content and has no id.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_SESSION_STORE`
 */
export async function renewSession(req: Request, keepSessionInfo: boolean): Promise<void> {
  const session = requireSession(req);
  const { cookie: _own, ...all } = session;
  const info = withoutFunctions(all);
  if (typeof session.regenerate === 'function') {
    await callSession('renewed', session.regenerate.bind(session));
  }
  const renewed = requireSession(req);
  if (renewed !== session) {
    if (keepSessionInfo) Object.assign(renewed, info);
  } else if (!keepSessionInfo) {
    // Emptied in place, since cookie-session does not send a new object without content. What the session has of
    // functions was given to it for Passport, which asks for `regenerate` and `save`.
    for (const name of Object.keys(info)) Reflect.deleteProperty(session, name);
  }
}

/** Makes sure the session is stored before the browser is sent on. @throws SalesforceAuthError `ERR_SALESFORCE_SESSION_STORE` */
export async function saveSession(req: Request): Promise<void> {
  const session = requireSession(req);
  if (typeof session.save !== 'function') return;
  await callSession('saved', session.save.bind(session));
}

/** What express-session lets see of the cookie of a request's session; undefined for other sessions. */
export function sessionCookieOf(req: Request): SessionCookie | undefined {
  const session = sessionOf(req);
  if (!session || !isInStore(session)) return undefined;
  const { cookie } = session;
  return { id: (req as { sessionID?: string }).sessionID, secure: cookie?.secure, sameSite: cookie?.sameSite };
}

/**
 * Whether the cookie of a request's session goes along to another host of the application; undefined if that cannot be seen.
 *
 * @param origin of the other host
 */
export function isSessionSharedWith(req: Request, origin: string): boolean | undefined {
  const session = sessionOf(req);
  const { sessionOptions } = req as { sessionOptions?: { domain?: string } };
  if (!session || !(isInStore(session) || sessionOptions)) return undefined;
  const domain = (isInStore(session) ? session.cookie?.domain : sessionOptions?.domain)
    ?.replace(/^\./, '')
    .toLowerCase();
  const { hostname } = new URL(origin);
  // Cookies are for all ports of a host.
  if (hostname === req.hostname) return true;
  return domain !== undefined && (hostname === domain || hostname.endsWith(`.${domain}`));
}

/** What the cookie of a request's session says of other sites; undefined if it says nothing, or cannot be seen. */
export function sessionSameSiteOf(req: Request): boolean | string | undefined {
  const { sessionOptions } = req as { sessionOptions?: { sameSite?: boolean | string } };
  return sessionCookieOf(req)?.sameSite ?? sessionOptions?.sameSite;
}

/** Whether the cookie of a request's session is left out of requests that another site began. */
export function isSessionStrict(req: Request): boolean {
  const sameSite = sessionSameSiteOf(req);
  return sameSite === true || /^strict$/i.test(String(sameSite));
}

/** About how large the cookie of a session is that lives in its cookie, in bytes; undefined for sessions in a store. */
export function sessionSizeOf(req: Request): number | undefined {
  const session = sessionOf(req);
  if (!session || isInStore(session)) return undefined;
  return Buffer.from(JSON.stringify(session)).toString('base64').length;
}

/** What the sessions of an application have in common: the store of express-session, or the options of cookie-session. */
export function sessionsOf(req: Request): object | undefined {
  const { sessionStore, sessionOptions } = req as { sessionStore?: object; sessionOptions?: object };
  return sessionStore ?? (sessionOptions && (Object.getPrototypeOf(sessionOptions) as object));
}

/** Whether the session of a request is in a store; otherwise it lives in its cookie. */
export function isSessionInStore(req: Request): boolean {
  const session = sessionOf(req);
  return session !== undefined && isInStore(session);
}

/** Whether a session is one of express-session. A `regenerate` alone does not say so: applications give one to cookie-session. */
function isInStore(session: AnySession): boolean {
  return typeof session.regenerate === 'function' && typeof session.cookie === 'object';
}

/** See {@link sessionCookieOf}. */
export interface SessionCookie {
  id: string | undefined;
  secure: boolean | 'auto' | undefined;
  sameSite: boolean | string | undefined;
}

/**
 * Keeps express-session from extending the session's time at the end of a request. A session whose cookie has no `maxAge` has
 * no time of its own: its store decides.
 */
export function leaveSessionAsItIs(req: Request): void {
  const session = sessionOf(req);
  if (!session || !isInStore(session)) return;
  // Not enumerable, as the method it replaces: it is not stored.
  Object.defineProperty(session, 'touch', { value: () => session, configurable: true, writable: true });
}

/** Whether there is a session on the request. */
export function hasSession(req: Request): boolean {
  return sessionOf(req) !== undefined;
}

/**
 * The session of a request.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_SESSION_STORE` (503) if express-session is mounted and made none, as it does
 *   while its store fails or says it is disconnected; `ERR_SALESFORCE_SESSION_MISSING` (500) if it did not run on the request
 */
export function requireSession(req: Request): AnySession {
  const session = sessionOf(req);
  if (session) return session;
  // express-session has named its store, so it tried.
  const { sessionStore } = req as { sessionStore?: unknown };
  if (sessionStore !== undefined) throw sessionReadFailed(undefined);
  throw missingSession(req) ?? noSessionMade(req);
}

/**
 * The error of a session store that could not be read, as an error of this package; undefined for any other error.
 *
 * express-session passes on what its store threw, before it has made a session but after it has told which store it is.
 */
export function sessionReadError(req: Request, error: unknown): SalesforceAuthError | undefined {
  const { sessionStore } = req as { sessionStore?: unknown };
  return sessionStore === undefined || sessionOf(req) ? undefined : sessionReadFailed(error);
}

/**
 * Whether the application has ended the session of this request itself: by `destroy()`, or by null with cookie-session.
 *
 * @param had whether there was a session as the request came here; without one, the session could not be read
 */
export function isSessionEnded(req: Request, had: boolean): boolean {
  const { session } = req as { session?: unknown };
  return session === null || (session === undefined && had);
}

/** The session middleware ran, and there is no session. */
function noSessionMade({ originalUrl }: Request): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_SESSION_STORE',
    `The session could not be read: express-session made none at ${withoutQuery(originalUrl)}. Its store says that it is ` +
      "disconnected (check the server and the connection), or its option cookie.path is not '/', or the application passes it by " +
      'for this path. No user was logged out.',
    { status: 503, retryAfterSeconds: 5 },
  );
}

function sessionReadFailed(cause: unknown): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_SESSION_STORE',
    'The session could not be read. No user was logged out; check the server and the connection of the session store.',
    { status: 503, cause, retryAfterSeconds: 5 },
  );
}

/** The store may have written the session all the same, and a logout has ended the login at the token store before. */
function sessionWriteFailed(what: string, cause: unknown): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_SESSION_STORE',
    `The session could not be ${what}. The login or logout of this request may have happened all the same; check the server and ` +
      'the connection of the session store.',
    { status: 503, cause, retryAfterSeconds: 5, leavesLoginUnknown: true },
  );
}

/** The session of a request, of whichever kind. */
export function sessionOf(req: Request): AnySession | undefined {
  return (req as unknown as { session?: AnySession | null }).session ?? undefined;
}

/** Calls a method of the session, which calls back, or, as sessions of other frameworks do, gives a promise. */
async function callSession(what: string, run: (done: (error?: unknown) => void) => unknown): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      const settle = (error?: unknown): void => {
        if (error === undefined || error === null) resolve();
        else reject(error instanceof Error ? error : new Error('The session store failed.'));
      };
      const result = run(settle);
      if (run.length === 0 && result instanceof Promise) result.then(() => settle(), settle);
    });
  } catch (error) {
    throw sessionWriteFailed(what, error);
  }
}

function withoutFunctions(info: object): object {
  return Object.fromEntries(Object.entries(info).filter(([, value]) => typeof value !== 'function'));
}

// Each request asks this several times, so it makes no object.
function isEntry(value: unknown): value is SessionEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { grantId, generation, holder, user } = value as Partial<SessionEntry>;
  return (
    typeof grantId === 'string' &&
    typeof generation === 'string' &&
    typeof holder === 'string' &&
    typeof user === 'object'
  );
}
