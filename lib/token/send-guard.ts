import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';

/**
 * Asked once a connection is there, just before the first byte of a request is written. False holds the request back, and
 * not a byte of it leaves this machine.
 */
export type SendGuard = () => boolean;

const guards = new AsyncLocalStorage<SendGuard>();
const guarded = new WeakMap<object, SendGuard>();
let isSubscribed = false;

/**
 * Runs a `fetch` whose request is guarded.
 *
 * Between the call and the first byte lie the look-up of a name and the making of a connection, and a process can be stopped
 * there for as long as anybody likes. `fetch` has no hook for that moment, but the client beneath it, undici, announces it on
 * diagnostics_channel. A `fetch` of another make is not guarded, and works.
 */
export function fetchGuarded(guard: SendGuard | undefined, send: () => Promise<Response>): Promise<Response> {
  if (!guard) return send();
  subscribeOnce();
  return guards.run(guard, send);
}

function subscribeOnce(): void {
  if (isSubscribed) return;
  isSubscribed = true;
  subscribe('undici:request:create', (message) => {
    const guard = guards.getStore();
    if (guard) guarded.set((message as { request: object }).request, guard);
  });
  // Told in the very turn in which the request is written, and before it.
  subscribe('undici:client:sendHeaders', (message) => {
    const { request, socket } = message as { request: object; socket: { destroy(error: Error): unknown } };
    if (guarded.get(request)?.() === false) socket.destroy(new Error('The request was held back.'));
  });
}
