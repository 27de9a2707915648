import type { Clock } from '../../clock';
import { ageOf, type GrantView } from '../cache';
import type { Outages } from './outages';
import type { Uses } from './uses';

interface TurnsDeps {
  clock: Clock;
  outages: Outages;
  uses: Uses;
}

/** Whether a grant whose access token works leaves Salesforce alone for now, in an outage or after it. */
export class Turns {
  readonly #deps: TurnsDeps;

  constructor(deps: TurnsDeps) {
    this.#deps = deps;
  }

  /** Whether a grant waits whose token is handed out, and is not past its presumed end. Notes the use. */
  waitsInUse(view: GrantView): boolean {
    const { outages, uses, clock } = this.#deps;
    const waits = this.#waits(view);
    // A token that ends at a certain time is not served past that time, in use or not.
    const mayOutliveEnd = view.overInMs === Infinity && ageOf(view, clock) < view.hardInMs;
    if (mayOutliveEnd && (waits || outages.isOn(view.tokens))) uses.note(view);
    return waits;
  }

  /** The same for a token that has reached its presumed end. Other processes may know that the token is in use. */
  async waitsPastEnd(view: GrantView): Promise<boolean> {
    const { outages, uses } = this.#deps;
    if (view.overInMs !== Infinity) return false;
    if (this.#waits(view)) return true;
    if (view.isInUse !== undefined || !outages.hasTurn(view)) return false;
    return (await uses.isNoted(view)) && this.#waits(view);
  }

  /** Whether there is no outage, present or past, for which a grant could have to wait. */
  isFree(view: GrantView): boolean {
    const { outages } = this.#deps;
    return !outages.isOn(view.tokens) && !outages.hasTurn(view);
  }

  #waits(view: GrantView): boolean {
    const waitMs = this.#deps.outages.waitInMs(view.record.grantId, view);
    if (waitMs === 0) return false;
    view.turnAt = this.#deps.clock.monotonic() + waitMs;
    view.isStale = true;
    return true;
  }
}
