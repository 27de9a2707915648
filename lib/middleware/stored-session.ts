import type { Request } from 'express';
import { isSessionInStore, sessionOf } from './session';

/** What express-session puts on a request beside the session. */
interface StoredSession {
  sessionID: string;
  sessionStore: { get: (id: string, done: (error: unknown, found?: unknown) => void) => void };
}

/**
 * Whether the session of a request is still in its store. A login or logout in another request gives the browser a new session. To
 * write the former one would send the browser its cookie again.
 *
 * Unknown for a session in a cookie, for one that this request has made, and if the store fails.
 */
export async function findSession(req: Request): Promise<'there' | 'gone' | 'unknown'> {
  const { sessionID, sessionStore } = req as Partial<StoredSession>;
  if (!isSessionInStore(req) || sessionID === undefined || !sessionStore || isNewSession(req)) return 'unknown';
  return new Promise((resolve) => {
    try {
      sessionStore.get(sessionID, (error, found) => {
        if (error) resolve('unknown');
        else resolve(found ? 'there' : 'gone');
      });
    } catch {
      resolve('unknown');
    }
  });
}

/** Whether the browser came without the session that express-session has made for this request. */
export function isNewSession(req: Request): boolean {
  const { sessionID } = req as Partial<StoredSession>;
  const { cookie = '' } = req.headers;
  return sessionID !== undefined && ![sessionID, encodeURIComponent(sessionID)].some((id) => cookie.includes(id));
}

/** Whether the browser came without a session, of whichever kind. */
export function isWithoutSession(req: Request): boolean {
  return isSessionInStore(req) ? isNewSession(req) : sessionOf(req)?.['isNew'] === true;
}
