import type { Response } from 'express';

/** A failure as JSON, with the members of RFC 9457 and ours beside them. */
export interface Problem {
  /** HTTP status. */
  status: number;
  /** A few words that say what happened. */
  title: string;
  /** A sentence that says what to do; for any user. */
  detail: string;
  /** Error code of this package. */
  code: string;
  /** Whether the failure passes by itself. */
  isTransient?: boolean | undefined;
  /** Seconds after which another try makes sense. */
  retryAfterSeconds?: number | undefined;
  /** Path of the login, if a login helps. */
  login?: string | undefined;
}

/** Answers a script: every failure has this one shape (RFC 9457). */
export function sendProblem(res: Response, problem: Problem): void {
  res.status(problem.status).set('Cache-Control', 'no-store').type('application/problem+json');
  res.send(JSON.stringify({ type: 'about:blank', ...problem }));
}
