import { systemClock } from '../clock';
import { invalid } from '../options/check';

/** The time of the emulator: the time of the machine plus an offset. A test can let hours pass at once. */
export class EmulatorClock {
  #offsetMs = 0;
  #frozenAt: number | undefined;

  /** Milliseconds since the epoch, on this clock. */
  now(): number {
    return this.#frozenAt ?? systemClock.now() + this.#offsetMs;
  }

  /**
   * Lets `seconds` pass at once. A negative number moves the clock back.
   *
   * @throws SalesforceOptionError if `seconds` is not a finite number, or the clock would leave the range of a Date
   */
  advanceSeconds(seconds: number): void {
    if (!Number.isFinite(seconds) || Number.isNaN(new Date(this.now() + seconds * 1000).getTime())) {
      throw invalid('seconds', 'a finite number, after which the clock is at a possible date');
    }
    this.#offsetMs += seconds * 1000;
    if (this.#frozenAt !== undefined) this.#frozenAt += seconds * 1000;
  }

  /** Stops the clock until {@link EmulatorClock.unfreeze}. {@link EmulatorClock.advanceSeconds} still moves the clock. */
  freeze(): void {
    this.#frozenAt ??= this.now();
  }

  /** Lets the clock run again from the time at which it stopped. */
  unfreeze(): void {
    if (this.#frozenAt === undefined) return;
    this.#offsetMs = this.#frozenAt - systemClock.now();
    this.#frozenAt = undefined;
  }
}
