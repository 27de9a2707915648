import { holding, wait, type Clock } from '../clock';

/** How often a login begins anew without a pause, since one other login is the common case. */
const triesAtOnce = 2;
const shortestPauseMs = 20;
const longestPauseMs = 250;

/**
 * Paces the tries of a login while other logins of the same user store first. In each round one login succeeds, so many logins
 * at once need pauses of random length and a limit in time, not in tries.
 */
export class Contention {
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #limitMs: number;
  #tries = 0;

  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
    this.#limitMs = limitMs;
  }

  /** Pauses if that helps. False if it has taken too long; then the login gives up. */
  async mayTryAgain(): Promise<boolean> {
    this.#tries += 1;
    if (this.#tries <= triesAtOnce) return true;
    if (this.#clock.monotonic() - this.#startedAt >= this.#limitMs) return false;
    const windowMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** (this.#tries - triesAtOnce));
    await holding(this.#clock, wait(this.#clock, windowMs * (0.25 + 0.75 * Math.random())));
    return true;
  }
}
