import { randomUUID } from 'node:crypto';
import { subscribe } from 'node:diagnostics_channel';
import type { Clock } from '../clock';
import type { FetchFunction } from '../options/fetch-function';

/** Says whether a request may still be sent. Nothing may be sent under a claim whose lease has run out. */
export interface SendGuard {
  /** False if another process may have taken the claim by now. */
  readonly isSure: boolean;
}

/** A request that its guard held back: its body certainly did not leave this machine. */
export class RequestHeldBack extends Error {
  constructor() {
    super('The request was held back.');
  }
}

/** Names a guarded request, here and in the logs of proxies. */
const idHeader = 'x-request-id';
const idIn = new RegExp(`${idHeader}[:,] ?([\\w-]+)`, 'i');

/** The time between two looks at the guard while a request waits for its connection, in milliseconds. */
const lookMs = 1_000;

/** Guarded requests under way, by their id. */
const requests = new Map<string, GuardedSend>();
let isSubscribed = false;

/**
 * A request that is sent only while its guard is sure.
 *
 * Between the call of `fetch` and the first byte come a name look-up and a connection, and the process can be stopped there for
 * any length of time. The guard is therefore asked three times: before `fetch` is called, once a second until the request is written,
 * and in the turn in which the request is written. undici, the client below `fetch`, announces that turn on
 * diagnostics_channel. A request that may not go is aborted by its own signal, never by its socket, since other requests share
 * the connection over HTTP/2. There its headers may leave this machine, but its body, which holds the token, does not.
 *
 * A `fetch` that is not made of undici announces nothing. Then one gap is left: a process that is stopped between the last look
 * and the first byte, for longer than the lease.
 */
export class GuardedSend {
  readonly #guard: SendGuard;
  readonly #controller: AbortController;
  #state: 'called' | 'dispatched' | 'written' | 'held back' = 'called';

  /** @param controller aborts this request and no other */
  constructor(guard: SendGuard, controller: AbortController) {
    this.#guard = guard;
    this.#controller = controller;
  }

  /** Whether the body has left this machine. A `fetch` that is not made of undici leaves that unknown. */
  get body(): 'sent' | 'not sent' | 'unknown' {
    if (this.#state === 'called') return 'unknown';
    return this.#state === 'written' ? 'sent' : 'not sent';
  }

  /** Calls `send`. @throws RequestHeldBack, or what `send` throws */
  async run(send: FetchFunction, url: string, init: RequestInit, clock: Clock): Promise<Response> {
    if (!this.#guard.isSure) throw new RequestHeldBack();
    subscribeOnce();
    const id = randomUUID();
    requests.set(id, this);
    const stopLooking = this.#lookEverySecond(clock);
    try {
      return await send(url, { ...init, headers: { ...(init.headers as Record<string, string>), [idHeader]: id } });
    } catch (error) {
      throw this.#state === 'held back' ? new RequestHeldBack() : error;
    } finally {
      stopLooking();
      requests.delete(id);
    }
  }

  /** undici has taken the request; it will say when it writes it. */
  dispatched(): void {
    if (this.#state === 'called') this.#state = 'dispatched';
  }

  /** undici has written the whole request; before version 7.10 it announces nothing earlier over HTTP/2. */
  written(): void {
    if (this.#state !== 'held back') this.#state = 'written';
  }

  /** undici is about to write the request. */
  writing(): void {
    if (this.#state === 'held back') return;
    if (this.#guard.isSure) {
      this.#state = 'written';
      return;
    }
    // A `fetch` that sends a request again may have written it before.
    if (this.#state !== 'written') this.#state = 'held back';
    this.#controller.abort();
  }

  #lookEverySecond(clock: Clock): () => void {
    const look = (): void => {
      if (this.#state === 'written') return;
      if (this.#guard.isSure) {
        cancel = clock.setTimer(lookMs, look);
        return;
      }
      if (this.#state === 'dispatched') this.#state = 'held back';
      this.#controller.abort();
    };
    let cancel = clock.setTimer(lookMs, look);
    return () => cancel();
  }
}

/** What undici tells about a request: its headers are a list of names and values, or lines of text. */
interface Announcement {
  request: { headers: string | readonly string[] };
}

/**
 * The request is known again by a header of its own. An AsyncLocalStorage would make each promise of the application slower
 * from the first refresh on, on a Node that keeps its contexts with async_hooks.
 */
function subscribeOnce(): void {
  if (isSubscribed) return;
  isSubscribed = true;
  subscribe('undici:request:create', (message) => announced(message as Announcement)?.dispatched());
  subscribe('undici:client:sendHeaders', (message) => announced(message as Announcement)?.writing());
  subscribe('undici:request:bodySent', (message) => announced(message as Announcement)?.written());
}

function announced({ request }: Announcement): GuardedSend | undefined {
  return requests.size === 0 ? undefined : requests.get(idIn.exec(String(request.headers))?.[1] ?? '');
}
