import { BoundedMap } from '../../bounded-map';
import type { Clock } from '../../clock';
import type { ClaimResolution, OneTimeClaimOutcome } from '../store';

interface OneTimeClaim {
  owner: string;
  endsAt: number;
  result: string | undefined;
  isResolved: boolean;
  resultEndsAt: number;
}

/** Most claims kept, since a flood of callbacks must not fill the memory. They take about 20 MB. */
const maxClaims = 100_000;

/** Claims of keys that one caller gets, in this process. */
export class OneTimeClaims {
  /** In the order in which they were taken. */
  readonly #claims = new BoundedMap<string, OneTimeClaim>(maxClaims);
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#claims.size;
  }

  take(key: string, owner: string, lifeMs: number): OneTimeClaimOutcome {
    const now = this.#clock.monotonic();
    const claim = this.#live(key, now);
    if (!claim) {
      this.#claims.set(key, { owner, endsAt: now + lifeMs, result: undefined, isResolved: false, resultEndsAt: 0 });
      return { outcome: 'claimed' };
    }
    if (claim.owner === owner && !claim.isResolved) return { outcome: 'claimed' };
    return { outcome: 'taken', result: claim.resultEndsAt > now ? claim.result : undefined };
  }

  resolve(key: string, owner: string, { result, keptMs }: ClaimResolution): boolean {
    const now = this.#clock.monotonic();
    const claim = this.#live(key, now);
    if (claim?.owner !== owner) return false;
    Object.assign(claim, { result, isResolved: true, resultEndsAt: now + keptMs });
    return true;
  }

  /** Forgets claims and results that have ended. */
  sweep(): void {
    const now = this.#clock.monotonic();
    for (const [key, claim] of this.#claims) {
      if (claim.endsAt <= now) this.#claims.delete(key);
      else if (claim.resultEndsAt <= now) claim.result = undefined;
    }
  }

  #live(key: string, now: number): OneTimeClaim | undefined {
    const claim = this.#claims.get(key);
    return claim && claim.endsAt > now ? claim : undefined;
  }
}
