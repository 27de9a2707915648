/** Stops a timer that has not fired yet; does nothing afterwards. */
export type CancelTimer = () => void;

/**
 * The one source of time in the library, so that tests can move it and nothing else reads it.
 *
 * Durations are measured with {@link Clock.monotonic}: a wall clock that jumps must neither expire nor revive a token.
 */
export interface Clock {
  /** Wall-clock time in milliseconds since the epoch. */
  now(): number;
  /** Milliseconds since an arbitrary origin; never goes back. */
  monotonic(): number;
  /** Calls `callback` once after `delayMs`; the timer does not keep the process alive. */
  setTimer(delayMs: number, callback: () => void): CancelTimer;
  /** Keeps the process alive until it is cancelled. A clock for tests can do without. */
  hold?(): CancelTimer;
}

/** The longest delay of a timer, in milliseconds. */
const longestDelayMs = 2 ** 31 - 1;

/** The time of the machine. */
export const systemClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
  hold() {
    const timer = setTimeout(() => undefined, longestDelayMs);
    return () => {
      clearTimeout(timer);
    };
  },
} satisfies Clock;

/** A moment on both clocks. */
export interface Moment {
  wall: number;
  monotonic: number;
}

export function momentOf(clock: Clock): Moment {
  return { wall: clock.now(), monotonic: clock.monotonic() };
}

/**
 * The longest time that can have passed since a moment: for what must not be believed for too long, such as the life of a token
 * or an own claim. The monotonic clock stands still while a machine sleeps; the wall clock does not.
 *
 * What must not end too early is measured with the monotonic clock alone. It never shows more than has passed, and a wall
 * clock that is set back does not make it wait.
 *
 * @param now the time of the monotonic clock, if the caller has read it already
 */
export function longestSince({ wall, monotonic }: Moment, clock: Clock, now = clock.monotonic()): number {
  return Math.max(now - monotonic, clock.now() - wall);
}

/** Calls `then` after two turns of the event loop, in which sockets are read. */
export function afterTwoTurns(then: () => void): void {
  setImmediate(() => setImmediate(then));
}

/** Waits `delayMs` on `clock`; resolves early, without an error, when `signal` aborts. */
export function wait(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.setTimer(delayMs, done);
    signal?.addEventListener('abort', done);
  });
}

/** Waits in the machine's time, and keeps the process alive meanwhile: for work that nothing else keeps alive. */
export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs);
  });
}

/** Keeps the process alive until `work` settles, which somebody waits for: the timers of a {@link Clock} do not. */
export function holding<T>(clock: Clock, work: Promise<T>): Promise<T> {
  const release = clock.hold?.();
  return release ? work.finally(release) : work;
}

/** Waits until `work` settles, in whatever way, at most `limitMs`. Keeps the process alive meanwhile. */
export async function atMost(clock: Clock, limitMs: number, work: Promise<unknown>): Promise<void> {
  const settled = new AbortController();
  const end = (): void => settled.abort();
  void work.then(end, end);
  await holding(clock, wait(clock, limitMs, settled.signal));
}

/** Settles as `running` does, or rejects with the error `late` makes once `delayMs` are over. */
export function within<T>(clock: Clock, delayMs: number, running: Promise<T>, late: () => Error): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.setTimer(Math.max(0, delayMs), () => reject(late()));
    void running.then(resolve, reject).then(cancel);
  });
}

/** What `work` comes to. Rejects with the reason of the signal if that aborts before; the work itself goes on. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | null | undefined): Promise<T> {
  if (!signal) return work;
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    onAbort = () => {
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Lets everything else that waits in this process come to its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
