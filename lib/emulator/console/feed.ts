import { systemClock } from '../../clock';
import type { RecordedRequest } from '../http/exchange';

/** Shortest time between two updates of a console, in milliseconds: under load there are many requests to one update. */
const restMs = 200;

/** Tells consoles that there is something new, and remembers how each request ended. */
export class Feed {
  readonly #listeners = new Set<() => void>();
  readonly #durations = new WeakMap<RecordedRequest, number>();
  #isResting = false;

  /** A request has come; call what is returned when its connection is done with it. */
  arrived(request: RecordedRequest): () => void {
    const startedAt = systemClock.monotonic();
    this.changed();
    return () => {
      this.#durations.set(request, systemClock.monotonic() - startedAt);
      this.changed();
    };
  }

  /** How long a request took in milliseconds; undefined as long as it is being answered. */
  durationOf(request: RecordedRequest): number | undefined {
    return this.#durations.get(request);
  }

  changed(): void {
    if (this.#isResting || this.#listeners.size === 0) return;
    this.#isResting = true;
    systemClock.setTimer(restMs, () => {
      this.#isResting = false;
      for (const listener of this.#listeners) listener();
    });
  }

  /** @returns ends the subscription */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }
}
