import { systemClock } from '../clock';

/** The time of the emulator: the time of the machine plus an offset. A test can let hours pass at once. */
export class EmulatorClock {
  #offsetMs = 0;
  #frozenAt: number | undefined;

  /** Milliseconds since the epoch, on this clock. */
  now(): number {
    return this.#frozenAt ?? systemClock.now() + this.#offsetMs;
  }

  /** Lets `seconds` pass at once. A negative number moves the clock back. */
  advanceSeconds(seconds: number): void {
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
