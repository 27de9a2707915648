import type { CancelTimer, Clock } from '../clock';
import type { Claim } from '../stores/store';
import type { GrantAccess } from './grant-access';
import type { CoordinatorParts } from './settings';

/** A claim's lease as its holder sees it: kept up while a refresh runs, and no longer believed in after a pause. */
export class Lease {
  readonly #grantId: string;
  readonly #claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>;
  readonly #parts: CoordinatorParts;
  readonly #access: GrantAccess;
  #since: Moment;
  #cancel: CancelTimer = () => undefined;

  /** Made before the claim is asked for: what the store grants afterwards ends later than what is counted from here. */
  constructor(
    grantId: string,
    claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>,
    parts: CoordinatorParts,
    access: GrantAccess,
  ) {
    this.#grantId = grantId;
    this.#claim = claim;
    this.#parts = parts;
    this.#access = access;
    this.#since = momentOf(parts.clock);
  }

  /** Begins to count anew; to be called before the store is asked to extend the lease. */
  restart(): void {
    this.#since = momentOf(this.#parts.clock);
  }

  /**
   * False after a pause in which somebody else may have come to think this process dead.
   *
   * The wall clock takes part where it shows more time than the monotonic one, which stands still while a machine sleeps. One
   * that jumps costs another claim and nothing else.
   */
  get isSure(): boolean {
    const now = momentOf(this.#parts.clock);
    const pausedMs = Math.max(now.monotonic - this.#since.monotonic, now.wall - this.#since.wall);
    return pausedMs < this.#claim.leaseMs / 2;
  }

  /** Renews the lease until {@link stop}. */
  keep(): void {
    const { clock, store } = this.#parts;
    const beat = (): void => {
      this.#cancel = clock.setTimer(this.#claim.leaseMs / 3, beat);
      const since = momentOf(clock);
      // A missed beat is made up for by the next; a lost lease by the version compare of the commit.
      const renewal = this.#access.call('renew', () => store.renew(this.#grantId, this.#claim));
      renewal.then(
        (isMine) => {
          if (isMine) this.#since = since;
        },
        () => undefined,
      );
    };
    this.#cancel = clock.setTimer(this.#claim.leaseMs / 3, beat);
  }

  stop(): void {
    this.#cancel();
  }
}

interface Moment {
  monotonic: number;
  wall: number;
}

function momentOf(clock: Clock): Moment {
  return { monotonic: clock.monotonic(), wall: clock.now() };
}
