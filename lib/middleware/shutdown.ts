import type { Server as HttpServer, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { Server as NetServer } from 'node:net';
import { wait, type Clock } from '../clock';
import type { AuthContext } from './context';

/** How long a connection without a request may stay, for a request that is on its way already, in milliseconds. */
const graceMs = 2_000;

/** The time between two looks for connections that have become idle, in milliseconds. */
const lookMs = 100;

/**
 * Ends a server and then the middleware, within `closeTimeoutMs`.
 *
 * `server.close()` alone does not end while clients keep connections alive, and it closes idle ones at once, also those with a
 * request on its way. Here each answer closes its connection, and idle ones are closed a little later.
 */
export async function shutDown(server: HttpServer | HttpsServer, core: AuthContext): Promise<void> {
  const { clock, settings } = core.options;
  const over = new AbortController();
  const cancel = clock.setTimer(settings.closeTimeoutMs, () => over.abort());
  try {
    await endRequests(server, clock, settings.closeTimeoutMs / 2);
    // Refreshes last, since requests wait for them.
    await Promise.race([core.close(), aborted(over.signal)]);
  } finally {
    cancel();
  }
}

/** Lets requests under way be answered; those that are not by then are cut off. */
async function endRequests(server: HttpServer | HttpsServer, clock: Clock, timeoutMs: number): Promise<void> {
  const ended = new AbortController();
  server.prependListener('request', (_req: unknown, res: ServerResponse) => {
    res.setHeader('Connection', 'close');
  });
  // The method of net.Server: it stops listening and leaves idle connections open.
  NetServer.prototype.close.call(server, () => ended.abort());
  const since = clock.monotonic();
  while (!ended.signal.aborted && clock.monotonic() - since < timeoutMs) {
    await wait(clock, lookMs, ended.signal);
    if (clock.monotonic() - since >= Math.min(graceMs, timeoutMs)) server.closeIdleConnections();
  }
  server.closeAllConnections();
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve());
  });
}
