import type { CancelTimer, Clock } from '../../lib/clock';

interface Timer {
  at: number;
  callback: () => void;
}

/** A clock that stands still until it is told to move; its timers fire in order as it passes them. */
export class ManualClock implements Clock {
  #elapsedMs = 0;
  #wallMs: number;
  readonly #timers = new Set<Timer>();
  /** How often the process is kept alive at this moment. */
  holds = 0;

  constructor(startMs = Date.now()) {
    this.#wallMs = startMs;
  }

  now(): number {
    return this.#wallMs;
  }

  monotonic(): number {
    return this.#elapsedMs;
  }

  setTimer(delayMs: number, callback: () => void): CancelTimer {
    const timer = { at: this.#elapsedMs + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  hold(): CancelTimer {
    this.holds += 1;
    let release = (): void => {
      this.holds -= 1;
      release = () => undefined;
    };
    return () => release();
  }

  /** Number of timers that have not fired. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Time until the next timer fires; Infinity where there is none. */
  get nextInMs(): number {
    let next = Infinity;
    for (const { at } of this.#timers) next = Math.min(next, at);
    return next - this.#elapsedMs;
  }

  advanceMs(ms: number): void {
    const target = this.#elapsedMs + ms;
    for (;;) {
      const [next] = [...this.#timers].filter(({ at }) => at <= target).sort((a, b) => a.at - b.at);
      if (!next) break;
      this.#timers.delete(next);
      this.#wallMs += Math.max(0, next.at - this.#elapsedMs);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.at);
      next.callback();
    }
    this.#wallMs += target - this.#elapsedMs;
    this.#elapsedMs = target;
  }

  /** Lets a frozen process wake up: the time has passed, and its timers fire late. */
  wakeAfterMs(ms: number): void {
    this.#elapsedMs += ms;
    this.#wallMs += ms;
    this.advanceMs(0);
  }

  advanceSeconds(seconds: number): void {
    this.advanceMs(seconds * 1000);
  }

  /** Moves the wall clock alone, as an administrator or a broken clock would. */
  jumpMs(ms: number): void {
    this.#wallMs += ms;
  }

  /** Keeps moving in steps until `done` settles, letting real input and output happen in between. */
  async advanceUntil<T>(done: Promise<T>, stepMs = 50, maxSteps = 2_000): Promise<T> {
    const pending = new Set([done]);
    const watched = done.finally(() => pending.clear());
    watched.catch(() => undefined);
    for (let step = 0; step < maxSteps && pending.size > 0; step++) {
      await new Promise((resolve) => setImmediate(resolve));
      // Work outside of the event loop, such as a signature, takes real time, in which the clock must not run away.
      await new Promise((resolve) => setTimeout(resolve, 1));
      this.advanceMs(stepMs);
    }
    return watched;
  }
}
