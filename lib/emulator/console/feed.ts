import { systemClock } from '../../clock';
import type { RecordedRequest } from '../http/exchange';

/** Shortest time between two updates of a console, in milliseconds. Under load, one update stands for many requests. */
const pauseMs = 200;

/** Tells consoles about changes, and remembers how long each request took. */
export class Feed {
  readonly #listeners = new Set<() => void>();
  readonly #durations = new WeakMap<RecordedRequest, number>();
  #isPaused = false;

  /** Notes a request. @returns a function to call when the reply was sent or the connection is gone */
  arrived(request: RecordedRequest): () => void {
    const startedAt = systemClock.monotonic();
    this.changed();
    return () => {
      this.#durations.set(request, systemClock.monotonic() - startedAt);
      this.changed();
    };
  }

  /** How long a request took, in milliseconds. Undefined while the request is not answered. */
  durationOf(request: RecordedRequest): number | undefined {
    return this.#durations.get(request);
  }

  changed(): void {
    if (this.#isPaused || this.#listeners.size === 0) return;
    this.#isPaused = true;
    systemClock.setTimer(pauseMs, () => {
      this.#isPaused = false;
      for (const listener of this.#listeners) {
        try {
          listener();
        } catch {
          // An error in a timer would end the process. A console that cannot be updated is tried again at the next change.
        }
      }
    });
  }

  /** @returns a function that ends the subscription */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
