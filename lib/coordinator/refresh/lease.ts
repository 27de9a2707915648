import { longestSince, momentOf, type CancelTimer, type Moment } from '../../clock';
import type { Claim } from '../../stores/store';
import type { RefreshDeps } from './deps';

/** A claim whose lease is kept up. */
export type LeasedClaim = Pick<Claim, 'generation' | 'owner' | 'leaseMs'> & { grantId: string };

/** A claim's lease as its holder sees it: kept up while a refresh runs, and no longer believed in after a pause. */
export class Lease {
  readonly #claim: LeasedClaim;
  readonly #deps: RefreshDeps;
  #since: Moment;
  #cancel: CancelTimer = () => undefined;

  /** Made before the claim is asked for: what the store grants afterwards ends later than what is counted from here. */
  constructor(claim: LeasedClaim, deps: RefreshDeps) {
    this.#claim = claim;
    this.#deps = deps;
    this.#since = momentOf(deps.clock);
  }

  /** Begins to count anew; to be called before the store is asked to extend the lease. */
  restart(): void {
    this.#since = momentOf(this.#deps.clock);
  }

  /** False after a pause in which another process may have come to think this one dead. */
  get isSure(): boolean {
    return longestSince(this.#since, this.#deps.clock) < this.#claim.leaseMs / 2;
  }

  /** Renews the lease until {@link stop}. */
  keep(): void {
    const { clock, store, access } = this.#deps;
    const { grantId, ...claim } = this.#claim;
    const beat = (): void => {
      this.#cancel = clock.setTimer(claim.leaseMs / 3, beat);
      const since = momentOf(clock);
      // A missed beat is made up for by the next; a lost lease by the version compare of the commit.
      const renewal = access.call('renew', () => store.renew(grantId, claim));
      renewal.then(
        (isMine) => {
          if (isMine) this.#since = since;
        },
        () => undefined,
      );
    };
    this.#cancel = clock.setTimer(claim.leaseMs / 3, beat);
  }

  stop(): void {
    this.#cancel();
  }
}
