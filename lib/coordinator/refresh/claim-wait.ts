import type { Clock } from '../../clock';
import type { EventHub } from '../events';

/** Emits one event for one wait for the claim of another process, however often the store is read meanwhile. */
export class ClaimWait {
  readonly #grantId: string;
  readonly #clock: Clock;
  readonly #events: EventHub;
  #since: number | undefined;

  constructor(grantId: string, { clock, events }: { clock: Clock; events: EventHub }) {
    this.#grantId = grantId;
    this.#clock = clock;
    this.#events = events;
  }

  get isOn(): boolean {
    return this.#since !== undefined;
  }

  begin(): void {
    if (this.#since !== undefined) return;
    this.#since = this.#clock.monotonic();
    this.#events.emit('claim.delayed', { grantId: this.#grantId });
  }

  /** Does nothing if there was no wait. */
  end(): void {
    if (this.#since === undefined) return;
    const durationMs = this.#clock.monotonic() - this.#since;
    this.#since = undefined;
    this.#events.emit('claim.waited', { grantId: this.#grantId, durationMs });
  }
}
