import { longestSince, momentOf, type CancelTimer, type Moment } from '../../clock';
import type { Claim } from '../../stores/store';
import type { RefreshDeps } from './deps';

/** A claim whose lease is kept up. */
export type LeasedClaim = Pick<Claim, 'generation' | 'owner'> & {
  grantId: string;
  /** The option `leaseMs`. */
  leaseMs: number;
  /** Time limit of the request under this claim. 0 if nothing is presented. */
  requestMs: number;
};

/** A claim's lease as its holder sees it: kept up while a refresh runs, and no longer believed in after a pause. */
export class Lease {
  readonly #claim: LeasedClaim;
  /** For how long the store is asked. */
  readonly storedMs: number;
  readonly #deps: RefreshDeps;
  #since: Moment;
  #cancel: CancelTimer = () => undefined;

  /** Made before the claim is asked for: what the store grants afterwards ends later than what is counted from here. */
  constructor(claim: LeasedClaim, deps: RefreshDeps) {
    this.#claim = claim;
    // A request that begins while the lease is sure is over when the lease ends, also if this process has lost the store.
    this.storedMs = Math.max(claim.leaseMs, sureMs(claim) + claim.requestMs);
    this.#deps = deps;
    this.#since = momentOf(deps.clock);
  }

  /** Begins to count anew; to be called before the store is asked to extend the lease. */
  restart(): void {
    this.#since = momentOf(this.#deps.clock);
  }

  /** False after a pause in which another process may have come to think this one dead. */
  get isSure(): boolean {
    return longestSince(this.#since, this.#deps.clock) < sureMs(this.#claim);
  }

  /** Renews the lease until {@link stop}. */
  keep(): void {
    const { clock, store, access } = this.#deps;
    const { grantId, generation, owner, leaseMs } = this.#claim;
    const beat = (): void => {
      this.#cancel = clock.setTimer(leaseMs / 3, beat);
      const since = momentOf(clock);
      // A missed beat is made up for by the next; a lost lease by the version compare of the commit.
      const renewal = access.call('renew', () => store.renew(grantId, { generation, owner, leaseMs: this.storedMs }));
      renewal.then(
        (isMine) => {
          if (isMine) this.#since = since;
        },
        () => undefined,
      );
    };
    this.#cancel = clock.setTimer(leaseMs / 3, beat);
  }

  stop(): void {
    this.#cancel();
  }
}

/** How long after the last sign of its claim a process may begin a request. */
function sureMs({ leaseMs }: LeasedClaim): number {
  return leaseMs / 2;
}
