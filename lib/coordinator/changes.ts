import { wait, type Clock } from '../clock';
import type { TokenStore } from '../stores/store';

/**
 * Changes of grants in other processes, as the store reports them. A request that waits for a refresh looks again at once, and
 * the cached view of the grant is not served before the store was asked. These are hints: without them, requests look again
 * after a while.
 */
export class GrantChanges {
  readonly #clock: Clock;
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #unsubscribe: () => void;

  /** @param changed called for each grant that has changed */
  constructor(store: TokenStore, clock: Clock, changed: (grantId: string) => void) {
    this.#clock = clock;
    const unsubscribe = store.subscribe?.((grantId) => {
      changed(grantId);
      for (const wake of this.#waiting.get(grantId) ?? []) wake();
    });
    this.#unsubscribe = unsubscribe ?? (() => undefined);
  }

  /** Waits until a grant changes, at most `delayMs`, and no longer than until `signal` aborts. */
  async wait(grantId: string, delayMs: number, signal?: AbortSignal): Promise<void> {
    const woken = new AbortController();
    const wake = (): void => woken.abort();
    const waiting = this.#waiting.get(grantId) ?? new Set();
    this.#waiting.set(grantId, waiting.add(wake));
    signal?.addEventListener('abort', wake);
    if (signal?.aborted) wake();
    await wait(this.#clock, delayMs, woken.signal);
    signal?.removeEventListener('abort', wake);
    waiting.delete(wake);
    if (waiting.size === 0 && this.#waiting.get(grantId) === waiting) this.#waiting.delete(grantId);
  }

  close(): void {
    this.#unsubscribe();
  }
}
