import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestHandler } from 'express';

/**
 * A request handler for a route of any path, body and query. Its type says nothing of them: a `RequestHandler` would decide the types of
 * `req.params` for the handlers after it.
 */
export type Handler = (req: IncomingMessage, res: ServerResponse, next: (error?: unknown) => void) => void;

/** A handler for routes of Express, which call it with a request of Express. */
export function asHandler(handler: RequestHandler): Handler {
  return handler as Handler;
}
