import type { Request } from 'express';
import type { SessionHold } from '../coordinator/grants';
import { SalesforceAuthError } from '../errors';
import type { SalesforceUser } from './user';

/** What a login leaves in the session: whose grant it is and who the user is. No token, ever. */
export interface SessionEntry extends SessionHold {
  user: SalesforceUser;
  /** When the hold on the grant has to be extended, in milliseconds since the epoch. */
  extendAt: number;
}

/** What express-session and cookie-session have in common, and what only the former has. */
interface AnySession {
  [key: string]: unknown;
  regenerate?: (done: (error?: unknown) => void) => void;
  save?: (done: (error?: unknown) => void) => void;
  cookie?: { originalMaxAge?: number | null; maxAge?: number | null };
}

/** How long a session holds its grant where it does not say how long it lives itself: a day. */
const defaultReferenceMs = 24 * 60 * 60 * 1000;

/** The entry in a request's session. */
export function entryOf(req: Request, key: string): SessionEntry | undefined {
  const entry = sessionOf(req)?.[key];
  return isEntry(entry) ? entry : undefined;
}

/** How long the session of a request lives, in milliseconds. */
export function referenceMsOf(req: Request): number {
  const { originalMaxAge, maxAge } = sessionOf(req)?.cookie ?? {};
  const lifeMs = originalMaxAge ?? maxAge;
  return typeof lifeMs === 'number' && lifeMs > 0 ? lifeMs : defaultReferenceMs;
}

/** Writes or, with undefined, removes the entry. */
export function writeEntry(req: Request, key: string, entry: SessionEntry | undefined): void {
  const session = requireSession(req);
  if (entry) session[key] = entry;
  else Reflect.deleteProperty(session, key);
}

/**
 * Gives the browser a new session, so that an id planted before the login is worth nothing after it.
 *
 * express-session does it in its store; a cookie-session is its content, so replacing that is the same.
 *
 * @throws SalesforceAuthError `ERR_SALESFORCE_SESSION_STORE`
 */
export async function renewSession(req: Request, keepSessionInfo: boolean): Promise<void> {
  const session = requireSession(req);
  const { cookie: _own, ...info } = session;
  if (typeof session.regenerate === 'function') {
    const regenerate = session.regenerate.bind(session);
    await callSession('renewed', (done) => regenerate(done));
    if (keepSessionInfo) Object.assign(requireSession(req), withoutFunctions(info));
  } else {
    (req as { session?: unknown }).session = keepSessionInfo ? { ...info } : {};
  }
}

/** Makes sure the session is stored before the browser is sent on. @throws SalesforceAuthError `ERR_SALESFORCE_SESSION_STORE` */
export async function saveSession(req: Request): Promise<void> {
  const session = requireSession(req);
  if (typeof session.save !== 'function') return;
  const save = session.save.bind(session);
  await callSession('saved', (done) => save(done));
}

/** @throws SalesforceAuthError `ERR_SALESFORCE_SESSION_MISSING` */
export function requireSession(req: Request): AnySession {
  const session = sessionOf(req);
  if (session) return session;
  throw new SalesforceAuthError(
    'ERR_SALESFORCE_SESSION_MISSING',
    'There is no session on the request. Mount express-session or cookie-session before salesforceAuth(), and see that its store is connected.',
  );
}

function sessionOf(req: Request): AnySession | undefined {
  return (req as unknown as { session?: AnySession | null }).session ?? undefined;
}

async function callSession(what: string, run: (done: (error?: unknown) => void) => void): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      run((error) => {
        if (error === undefined || error === null) resolve();
        else reject(error instanceof Error ? error : new Error('The session store failed.'));
      });
    });
  } catch (error) {
    throw new SalesforceAuthError(
      'ERR_SALESFORCE_SESSION_STORE',
      `The session could not be ${what}. Check the server and the connection of the session store.`,
      { status: 503, cause: error, retryAfterSeconds: 5 },
    );
  }
}

function withoutFunctions(info: object): object {
  return Object.fromEntries(Object.entries(info).filter(([, value]) => typeof value !== 'function'));
}

function isEntry(value: unknown): value is SessionEntry {
  if (typeof value !== 'object' || value === null) return false;
  const { grantId, generation, reference, user } = value as Partial<SessionEntry>;
  return [grantId, generation, reference].every((text) => typeof text === 'string') && typeof user === 'object';
}
