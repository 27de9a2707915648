import { randomUUID } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';

/**
 * Asked once a connection is there, just before the first byte of a request is written. False holds the request back, and
 * not a byte of it leaves this machine.
 */
export type SendGuard = () => boolean;

/** Names a guarded request, here and in the logs of whoever is in between. */
const idHeader = 'x-request-id';
const idIn = new RegExp(`${idHeader}[:,] ?([\\w-]+)`, 'i');

/** Guards of requests under way, by their id. */
const guards = new Map<string, SendGuard>();
let isSubscribed = false;

/**
 * `fetch`, whose request is guarded.
 *
 * Between the call and the first byte lie the look-up of a name and the making of a connection, and a process can be stopped
 * there for as long as anybody likes. `fetch` has no hook for that moment, but the client beneath it, undici, announces it on
 * diagnostics_channel. A `fetch` of another make is not guarded, and works.
 *
 * The request is known again by a header of its own rather than by an AsyncLocalStorage, which would make each promise of the
 * whole application dearer from the first refresh on, where Node keeps its contexts with async_hooks.
 */
export async function fetchGuarded(url: string, init: RequestInit, guard: SendGuard | undefined): Promise<Response> {
  if (!guard) return fetch(url, init);
  subscribeOnce();
  const id = randomUUID();
  const headers = new Headers(init.headers);
  headers.set(idHeader, id);
  guards.set(id, guard);
  try {
    return await fetch(url, { ...init, headers });
  } finally {
    guards.delete(id);
  }
}

/** What undici tells of a request it is about to send. */
interface Announcement {
  /** A list of names and values, or lines of text, as the version of undici has it. */
  request: { headers: string | string[] };
  socket: { destroy(error: Error): unknown };
}

function subscribeOnce(): void {
  if (isSubscribed) return;
  isSubscribed = true;
  // Told in the very turn in which the request is written, and before it.
  subscribe('undici:client:sendHeaders', (message) => {
    if (guards.size === 0) return;
    const { request, socket } = message as Announcement;
    const guard = guards.get(idIn.exec(String(request.headers))?.[1] ?? '');
    if (guard?.() === false) socket.destroy(new Error('The request was held back.'));
  });
}
