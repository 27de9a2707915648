import type { Request, Response } from 'express';
import type { SalesforceErrorCode } from '../errors';

/** What an error page may show. It holds no secret, and no text from outside this package. */
export interface ErrorPageDetails {
  code: SalesforceErrorCode;
  /** HTTP status the response has. */
  status: number;
  /** A few words that say what happened. */
  title: string;
  /** A sentence or two that say what to do. */
  message: string;
  /** Whether the failure passes by itself. */
  isTransient: boolean;
  /** Seconds after which another try makes sense. */
  retryAfterSeconds: number | undefined;
  /** The message for the operator: in development, to a browser on the same machine. */
  operatorMessage: string | undefined;
  /** What the page offers, the most helpful first; paths of this application. */
  links: readonly { label: string; href: string }[];
}

/**
 * Shows an error in place of the page of this package; the status is set already. If nothing is sent 5 seconds after its promise is
 * fulfilled, or 30 seconds after the call, the page of this package is sent.
 */
export type ErrorPage = (details: ErrorPageDetails, req: Request, res: Response) => void | Promise<void>;
