import { systemClock } from '../clock';

/** The emulator's own time: the machine's, moved by an offset, so that a test can let hours pass at once. */
export class EmulatorClock {
  #offsetMs = 0;
  #frozenAt: number | undefined;

  /** Milliseconds since the epoch, as the emulator sees them. */
  now(): number {
    return this.#frozenAt ?? systemClock.now() + this.#offsetMs;
  }

  /** Lets `seconds` pass at once; a negative number goes back. */
  advanceSeconds(seconds: number): void {
    this.#offsetMs += seconds * 1000;
    if (this.#frozenAt !== undefined) this.#frozenAt += seconds * 1000;
  }

  /** Stops time until {@link EmulatorClock.unfreeze}; {@link EmulatorClock.advanceSeconds} still moves it. */
  freeze(): void {
    this.#frozenAt ??= this.now();
  }

  /** Lets time run again, from where it stood. */
  unfreeze(): void {
    if (this.#frozenAt === undefined) return;
    this.#offsetMs = this.#frozenAt - systemClock.now();
    this.#frozenAt = undefined;
  }
}
