import { momentOf, type CancelTimer, type Clock } from '../clock';
import { diagnoseMemory } from './memory/diagnose';
import { OneTimeClaims } from './memory/one-time-claims';
import type {
  Claim,
  ClaimOutcome,
  GrantCommit,
  GrantFilter,
  GrantRecord,
  GrantWrite,
  IdleGrant,
  IdleQuery,
  OneTimeClaimOutcome,
  Reseal,
  LogOut,
  LogOutOutcome,
  SessionHolder,
  ClaimRelease,
  ClaimResolution,
  StoreCircumstances,
  StoreFinding,
  TokenStore,
} from './store';
import { Listeners } from './listeners';
import { parseMemoryOptions, type MemoryTokenStoreOptions } from './memory/options';
import { GrantOperations } from './grant-operations';
import { dropEndedHolders } from './memory/holders';
import { isSelected, recordOf, type StoredGrant } from './stored-grant';

export type { MemoryTokenStoreOptions } from './memory/options';

/**
 * Keeps grants in this process: for development, tests, and applications of one process whose users may log in again after
 * a restart. Nothing survives the process.
 *
 * @example
 * import express from 'express';
 * import { MemoryTokenStore, salesforceAuth } from 'express-salesforce-auth';
 *
 * const app = express();
 * const store = new MemoryTokenStore({ retentionMs: 24 * 60 * 60 * 1000 });
 * app.use(salesforceAuth({ clientID: '3MVG9…', clientSecret: '…', store }));
 */
export class MemoryTokenStore implements TokenStore {
  readonly #grants = new Map<string, StoredGrant>();
  readonly #clock: Clock;
  readonly #oneTimeClaims: OneTimeClaims;
  readonly #sweepIntervalMs: number;
  readonly #operations: GrantOperations;
  readonly #listeners = new Listeners(() => () => undefined);
  #cancelSweep: CancelTimer | undefined;

  constructor(options: MemoryTokenStoreOptions = {}) {
    const { clock, sweepIntervalMs, retentionMs, maxHolders } = parseMemoryOptions(options);
    this.#clock = clock;
    this.#oneTimeClaims = new OneTimeClaims(clock);
    this.#sweepIntervalMs = sweepIntervalMs;
    this.#operations = new GrantOperations({
      ...{ grants: this.#grants, retentionMs, maxHolders },
      now: () => clock.monotonic(),
      moment: () => momentOf(clock),
      show: (grantId, stored) => recordOf(grantId, stored, clock),
      tell: (grantId) => this.#listeners.tell(grantId),
    });
  }

  async diagnose(circumstances: StoreCircumstances): Promise<StoreFinding[]> {
    return [await diagnoseMemory(circumstances)];
  }

  /** Number of records, tombstones included. */
  get size(): number {
    return this.#grants.size;
  }

  read(grantId: string): Promise<GrantRecord | undefined> {
    return Promise.resolve(this.#operations.read(grantId));
  }

  put(grantId: string, write: GrantWrite): ReturnType<TokenStore['put']> {
    this.#scheduleSweep();
    return Promise.resolve(this.#operations.put(grantId, write));
  }

  claim(grantId: string, claim: Claim): Promise<ClaimOutcome> {
    return Promise.resolve(this.#operations.claim(grantId, claim));
  }

  renew(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): Promise<boolean> {
    return Promise.resolve(this.#operations.renew(grantId, claim));
  }

  arm(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): Promise<boolean> {
    return Promise.resolve(this.#operations.arm(grantId, claim));
  }

  releaseClaim(grantId: string, release: ClaimRelease): Promise<boolean> {
    return Promise.resolve(this.#operations.releaseClaim(grantId, release));
  }

  commit(grantId: string, commit: GrantCommit): Promise<'committed' | 'moved' | 'loggedOut'> {
    return Promise.resolve(this.#operations.commit(grantId, commit));
  }

  addHolder(grantId: string, holder: SessionHolder): Promise<boolean> {
    return Promise.resolve(this.#operations.addHolder(grantId, holder));
  }

  logOut(grantId: string, logOut: LogOut): Promise<LogOutOutcome> {
    return Promise.resolve(this.#operations.logOut(grantId, logOut));
  }

  async *list(filter: GrantFilter = {}): AsyncIterable<GrantRecord> {
    for (const [grantId, stored] of [...this.#grants]) {
      if (isSelected(stored, filter)) yield await Promise.resolve(recordOf(grantId, stored, this.#clock));
    }
  }

  subscribe(listener: (grantId: string) => void): () => void {
    return this.#listeners.add(listener);
  }

  async *takeIdle(query: IdleQuery): AsyncIterable<IdleGrant> {
    for (const grantId of [...this.#grants.keys()]) {
      const idle = this.#operations.takeIdle(grantId, query);
      if (idle) yield await Promise.resolve(idle);
    }
  }

  reseal(grantId: string, reseal: Reseal): Promise<boolean> {
    return Promise.resolve(this.#operations.reseal(grantId, reseal));
  }

  claimOnce(key: string, owner: string, lifeMs: number): Promise<OneTimeClaimOutcome> {
    const outcome = this.#oneTimeClaims.take(key, owner, lifeMs);
    this.#scheduleSweep();
    return Promise.resolve(outcome);
  }

  resolveClaim(key: string, owner: string, resolution: ClaimResolution): Promise<boolean> {
    return Promise.resolve(this.#oneTimeClaims.resolve(key, owner, resolution));
  }

  close(): void {
    this.#listeners.close();
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  /** One timer for all records, and no timer without records. */
  #scheduleSweep(): void {
    if (this.#cancelSweep) return;
    this.#cancelSweep = this.#clock.setTimer(this.#sweepIntervalMs, () => {
      this.#cancelSweep = undefined;
      this.#sweep();
      if (this.#grants.size + this.#oneTimeClaims.size > 0) this.#scheduleSweep();
    });
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const grantId of [...this.#grants.keys()]) dropEndedHolders(this.#operations.get(grantId), now);
    this.#oneTimeClaims.sweep();
  }
}
