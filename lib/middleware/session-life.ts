import type { Request } from 'express';

/** Life of a session that has no time of its own, in milliseconds: a day. */
const defaultSessionMs = 24 * 60 * 60 * 1000;

/** A time as express-session and cookie-session name it. */
interface Life {
  originalMaxAge?: number | null;
  maxAge?: number | null;
}

/** What the session middleware puts on a request: express-session keeps the time in the session, cookie-session beside it. */
interface WithSession {
  session?: { cookie?: Life } | null;
  sessionOptions?: Life;
}

/** How long the session of a request lives after its last request, in milliseconds. */
export function sessionMsOf(req: Request): number {
  const { session, sessionOptions } = req as unknown as WithSession;
  const { originalMaxAge, maxAge } = session?.cookie ?? sessionOptions ?? {};
  const lifeMs = originalMaxAge ?? maxAge;
  return typeof lifeMs === 'number' && lifeMs > 0 ? lifeMs : defaultSessionMs;
}

/**
 * How long the session of a request holds its grants, in milliseconds. The hold is extended once half of the session's life is
 * over. A last request just before that lengthens the session by half of its life, and the hold covers this half.
 */
export function holderMsOf(req: Request): number {
  return 1.5 * sessionMsOf(req);
}
