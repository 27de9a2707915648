import { BoundedMap } from '../bounded-map';
import type { Clock } from '../clock';

/** How long a refused fresh token keeps its grant from being refreshed because of refusals, in milliseconds. */
const rememberedMs = 60_000;
const maxRefusals = 10_000;

/**
 * Fresh tokens that were refused as well, by grant or by grant and host. The age of such a token is not the cause, so another
 * refresh would not help. A refusal is forgotten after a minute, or as soon as a token is accepted.
 */
export class Refusals {
  readonly #clock: Clock;
  readonly #refused = new BoundedMap<string, { accessToken: string; until: number }>(maxRefusals);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  note(refusedAt: string, accessToken: string): void {
    this.#refused.set(refusedAt, { accessToken, until: this.#clock.monotonic() + rememberedMs });
  }

  /** Whether this token was refused, or any token if none is given. */
  has(refusedAt: string, accessToken?: string): boolean {
    const refused = this.#refused.get(refusedAt);
    if (!refused || this.#clock.monotonic() >= refused.until) return false;
    return accessToken === undefined || refused.accessToken === accessToken;
  }

  /** Notes that a token was accepted. */
  accepted(refusedAt: string): void {
    if (this.#refused.size > 0) this.#refused.delete(refusedAt);
  }
}
