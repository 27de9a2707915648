import { createHash } from 'node:crypto';
import onHeaders from 'on-headers';
import type { Request, Response } from 'express';
import { isRefreshTokenOver } from '../coordinator/failures';
import { SalesforceAuthError } from '../errors';
import { cookieName, cookieOptions, cookiesOf } from '../login/cookies';
import { MemoryTokenStore } from '../stores/memory';
import type { AuthContext } from './context';
import { entryOf, sessionCookieOf, sessionSizeOf } from './session';
import type { Visit } from './visit';

const cookie = 'salesforce-login-loop';
const subject = 'login that has not been used yet';

/** A login that is not used within this time does not count as a loop, in milliseconds. */
const windowMs = 60_000;

/** Largest cookie that browsers keep, name and value together, in bytes (RFC 6265, section 6.1). */
const maxCookieBytes = 4096;

/** What the callback knows of a login, for the next request. */
interface Mark {
  /** Fingerprint of the page that the login was for, and of the tenant. */
  page: string;
  at: number;
  /** Fingerprint of the id of the session the login was put into, if that session has one. */
  session?: string | undefined;
  /** Why the browser will not keep the session's cookie, if that is visible. */
  cookieProblem?: 'secure' | 'size' | undefined;
}

/**
 * Notes that a login has succeeded and has not been used yet. If its page asks for a login again, the login was lost, and
 * another login would be lost as well.
 *
 * The mark is a cookie of its own, since the session may be the part that fails. It is sealed, since a sibling domain could
 * otherwise plant a mark and so lock a page.
 */
export async function markLogin(core: AuthContext, { req, res }: Visit, returnTo: string): Promise<void> {
  const { addresses, keys, clock } = core.options;
  const session = sessionCookieOf(req);
  const size = sessionSizeOf(req);
  const mark: Mark = {
    page: pageOf(core, req, returnTo),
    at: clock.now(),
    session: session?.id === undefined ? undefined : fingerprint(session.id),
    cookieProblem:
      session?.secure === true && !req.secure
        ? 'secure'
        : size !== undefined && size > maxCookieBytes
          ? 'size'
          : undefined,
  };
  // express-session has an option `proxy` of its own, which no request shows.
  const mayBeSent = mark.cookieProblem === 'secure' && isForwardedHttps(req);
  if (mark.cookieProblem !== undefined && !mayBeSent)
    core.options.reporter.warn('ERR_SALESFORCE_LOGIN_LOOP', cookieProblems[mark.cookieProblem]);
  requestsThatKeepIt.add(req);
  const isSecure = addresses.isSecure(req);
  const value = await keys.seal(subject, JSON.stringify(mark));
  res.cookie(cookieName(cookie, isSecure), value, { ...cookieOptions(isSecure), maxAge: windowMs });
}

function isForwardedHttps(req: Request): boolean {
  return /^\s*https\s*(?:,|$)/i.test(req.get('x-forwarded-proto') ?? '');
}

/**
 * Removes the mark once a request with a login succeeds: the login works. Called on each request, so it looks at the
 * cookies only if the mark is among them.
 */
export function forgetMarkIfServed(core: AuthContext, req: Request, res: Response): void {
  if (!hasMark(req)) return;
  requestsWithMark.add(req);
  onHeaders(res, () => {
    const isServed = res.statusCode < 400 || loginsInUse.has(req);
    if (!isServed || requestsThatKeepIt.has(req)) return;
    try {
      if (entryOf(req, core.options.session)) clearMark(core, req, res);
    } catch {
      // A function of the application failed, such as `tenant`. An error in here could reach no handler. The mark ends by itself.
    }
  });
}

/** Whether the mark is among the cookies. A request outside of Express has no response that could remove the mark. */
function hasMark(req: Request): boolean {
  return req.headers.cookie?.includes(cookie) === true && (req as { app?: object }).app !== undefined;
}

/** Removes the mark: the user has logged out, or has read that the login was lost. */
export function clearMark({ options }: AuthContext, req: Request, res: Response): void {
  if (!hasMark(req)) return;
  const isSecure = options.addresses.isSecure(req);
  res.clearCookie(cookieName(cookie, isSecure), cookieOptions(isSecure));
}

/**
 * Notes that a request got past a guard. The login works, unless this request is sent to the login all the same. The session
 * is not changed, since a session that lives in its cookie would overwrite a login that came meanwhile.
 */
export function noteUse(req: Request): void {
  if (requestsWithMark.has(req)) loginsInUse.add(req);
}

/** Requests that came with a mark. Looking for the mark among the cookies twice takes longer. */
const requestsWithMark = new WeakSet<Request>();

/** Requests that got past a guard, of a login that is marked. */
const loginsInUse = new WeakSet<Request>();

/** Requests that were sent to the login, or set the mark themselves. Their status does not show that the login works. */
const requestsThatKeepIt = new WeakSet<Request>();

/**
 * Notes that a request needs a login, and checks whether a login for the same page has just succeeded.
 *
 * @param cause the error of the login the request had, if it had one
 * @throws SalesforceAuthError `ERR_SALESFORCE_LOGIN_LOOP` with the cause, as far as it can be seen
 */
export async function checkLoginLoop(
  core: AuthContext,
  req: Request,
  returnTo: string,
  cause?: unknown,
): Promise<void> {
  requestsThatKeepIt.add(req);
  if (cause === undefined && entryOf(req, core.options.session)) return;
  const mark = await readMark(core, req);
  if (mark?.page !== pageOf(core, req, returnTo)) return;
  if (req.res) clearMark(core, req, req.res);
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_LOGIN_LOOP',
    `The browser has just logged in for this page and is not logged in. ${causeOf(core, { req, mark, cause })}`,
    { status: 500, cause },
  );
}

/**
 * The same for a request that begins a login by itself. A login in the session may have ended since, and no guard has
 * reported that. So only certain signs count: a session's cookie that did not come back, or that browsers cannot keep.
 */
export async function checkLoopAtLogin(core: AuthContext, req: Request, returnTo: string): Promise<void> {
  const mark = await readMark(core, req);
  const isLost = mark?.session !== undefined && !isSentBack(req, mark);
  if (isLost || mark?.cookieProblem !== undefined) await checkLoginLoop(core, req, returnTo);
}

async function readMark({ options }: AuthContext, req: Request): Promise<Mark | undefined> {
  const { addresses, keys, clock } = options;
  const value = cookiesOf(req)[cookieName(cookie, addresses.isSecure(req))];
  const text = value === undefined ? undefined : await keys.open(subject, value);
  const mark = text === undefined ? undefined : (JSON.parse(text) as Mark);
  return mark && Math.abs(clock.now() - mark.at) < windowMs ? mark : undefined;
}

const cookieProblems = {
  secure:
    "The session's cookie is marked secure, but this application sees plain http, so the cookie was not sent. Set 'trust proxy' " +
    'in Express if a proxy ends https, or serve https.',
  size:
    "The session's cookie is larger than 4096 bytes, and browsers do not keep it. Keep less in the session, or keep the session " +
    'in a store (express-session).',
} as const;

function causeOf({ options }: AuthContext, { req, mark, cause }: { req: Request; mark: Mark; cause: unknown }): string {
  if (cause !== undefined) {
    if (isRefreshTokenOver(cause)) {
      return (
        'Salesforce refused the new access token at once. Run the doctor (npx express-salesforce-auth doctor), and look at ' +
        'the session policies of the app and at the login history of the user in Salesforce.'
      );
    }
    return options.store instanceof MemoryTokenStore
      ? 'The login is in the session, but not in the memory of this process: another process made it, or this one has ' +
          'restarted. Use a token store that all processes share (RedisTokenStore, PostgresTokenStore), or run one process.'
      : 'The login is in the session, but not in the token store: it was logged out elsewhere, or another process made it ' +
          'with another token store. Check that all processes use one store, with one prefix or table.';
  }
  if (mark.cookieProblem !== undefined) return cookieProblems[mark.cookieProblem];
  if (mark.session === undefined) {
    return "The session's cookie did not come back, or came back without the login. Check its size, domain, path and sameSite.";
  }
  if (!isSentBack(req, mark)) {
    return (
      "The session's cookie did not come back: the browser did not keep it, or does not send it here. Check its domain, path, " +
      'sameSite and secure, and that the browser accepts cookies.'
    );
  }
  return (
    'The browser sent the session back, but this process does not find the login in it. Check that all processes use one ' +
    'session store and one session.key, that two salesforceAuth() do not share a route, and that nothing renews the session ' +
    'after the login.'
  );
}

/** Whether the session that the login was put into came back with a request. */
function isSentBack(req: Request, { session = '' }: Mark): boolean {
  return Object.values(cookiesOf(req)).some((value) => sessionIdsIn(value).includes(session));
}

/** Fingerprints of what a cookie of express-session may hold as id: `s:<id>.<signature>`. */
function sessionIdsIn(value: string | undefined): string[] {
  const id = /^s:(.+)\.[^.]+$/.exec(value ?? '')?.[1];
  return id === undefined ? [] : [fingerprint(id)];
}

/** Tenants may have pages of the same path, and a login at one of them says nothing of a login at another. */
function pageOf({ options }: AuthContext, req: Request, returnTo: string): string {
  return fingerprint(JSON.stringify([options.tenant?.(req), returnTo]));
}

function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
