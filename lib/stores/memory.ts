import { momentOf, systemClock, type CancelTimer, type Clock } from '../clock';
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
  Release,
  ReleaseOutcome,
  SessionReference,
  Settlement,
  StoreCircumstances,
  StoreFinding,
  TokenStore,
} from './store';
import { holderBound } from './holders';
import { Listeners } from './listeners';
import { addHolder, dropEndedHolders, isHeldByOthers } from './memory/holders';
import {
  at,
  defaultRetentionMs,
  enter,
  grantOf,
  isSelected,
  isIdle,
  noErrors,
  recordOf,
  unclaim,
  type StoredGrant,
} from './stored-grant';

/** Options of {@link MemoryTokenStore}. */
export interface MemoryTokenStoreOptions {
  /** How often outdated records are removed, in milliseconds. Default 60000. */
  sweepIntervalMs?: number;
  /** How long a grant is kept that no session holds and nobody refreshes, in milliseconds. Default 90 days. */
  retentionMs?: number;
  /**
   * How many holders, which are sessions, the store knows of one grant, from 1 to 10000. One more, and the one that ends
   * soonest is forgotten: its session goes on, and until its time is over no logout of a single session ends the grant.
   * Default 1000.
   */
  maxHolders?: number;
  /** Default: the system's. */
  clock?: Clock;
}

/**
 * Keeps grants in this process: for development, tests, and applications of one process whose users may log in again after
 * a restart. Nothing survives the process.
 */
export class MemoryTokenStore implements TokenStore {
  readonly #grants = new Map<string, StoredGrant>();
  readonly #clock: Clock;
  readonly #oneTimeClaims: OneTimeClaims;
  readonly #sweepIntervalMs: number;
  readonly #retentionMs: number;
  readonly #maxHolders: number;
  readonly #listeners = new Listeners(() => () => undefined);
  #cancelSweep: CancelTimer | undefined;

  constructor(options: MemoryTokenStoreOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#oneTimeClaims = new OneTimeClaims(this.#clock);
    this.#sweepIntervalMs = options.sweepIntervalMs ?? 60_000;
    this.#retentionMs = options.retentionMs ?? defaultRetentionMs;
    this.#maxHolders = holderBound('MemoryTokenStore', options.maxHolders);
  }

  diagnose(circumstances: StoreCircumstances): Promise<StoreFinding[]> {
    return Promise.resolve([diagnoseMemory(circumstances)]);
  }

  /** Number of records, tombstones included. */
  get size(): number {
    return this.#grants.size;
  }

  read(grantId: string): Promise<GrantRecord | undefined> {
    const stored = this.#get(grantId);
    return Promise.resolve(stored && recordOf(grantId, stored, this.#clock));
  }

  put(grantId: string, write: GrantWrite): ReturnType<TokenStore['put']> {
    const now = this.#clock.monotonic();
    const before = this.#get(grantId);
    const live = before?.state === 'gone' ? undefined : before;
    const { expected } = write;
    const asExpected =
      expected === null ? !live : live?.generation === expected.generation && live.version === expected.version;
    if (!asExpected) return Promise.resolve({ outcome: 'conflict' });
    // A refresh in flight goes on against the older version and will learn from its commit that it was overtaken.
    const stored = grantOf(write, before, { now, storedAt: momentOf(this.#clock) });
    this.#hold(stored, write, now);
    this.#grants.set(grantId, stored);
    this.#scheduleSweep();
    this.#listeners.tell(grantId);
    return Promise.resolve({ outcome: 'written', version: stored.version });
  }

  claim(grantId: string, claim: Claim): Promise<ClaimOutcome> {
    return Promise.resolve(this.#claim(grantId, claim));
  }

  #claim(grantId: string, claim: Claim): ClaimOutcome {
    const now = this.#clock.monotonic();
    const stored = this.#get(grantId);
    if (!stored || stored.state === 'gone' || stored.generation !== claim.generation) return { outcome: 'gone' };
    const answer = (outcome: 'claimed' | 'resolve' | 'busy' | 'backoff' | 'moved' | 'dead'): ClaimOutcome => ({
      outcome,
      record: recordOf(grantId, stored, this.#clock),
    });
    if (stored.version !== claim.version) return answer('moved');
    if (claim.refused !== undefined && stored.refused !== claim.refused) {
      stored.refused = claim.refused;
      this.#listeners.tell(grantId);
    }
    if (stored.state === 'dead') return answer('dead');
    if (stored.leaseUntil > now) return answer('busy');
    // Its holder died, or is paused, with the refresh token perhaps on the wire.
    if (stored.state === 'inflight') enter(stored, 'ambiguous', now);
    if (stored.nextTryAt > now) return answer('backoff');
    const outcome = stored.state === 'ambiguous' ? 'resolve' : 'claimed';
    if (outcome === 'claimed') enter(stored, 'inflight', now);
    stored.owner = claim.owner;
    stored.leaseUntil = now + claim.leaseMs;
    return answer(outcome);
  }

  renew(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): Promise<boolean> {
    const stored = this.#owned(grantId, claim);
    if (stored) stored.leaseUntil = this.#clock.monotonic() + claim.leaseMs;
    return Promise.resolve(stored !== undefined);
  }

  arm(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): Promise<boolean> {
    const stored = this.#owned(grantId, claim);
    if (stored?.state !== 'ambiguous') return Promise.resolve(false);
    const now = this.#clock.monotonic();
    enter(stored, 'inflight', now);
    stored.leaseUntil = now + claim.leaseMs;
    return Promise.resolve(true);
  }

  settle(grantId: string, settlement: Settlement): Promise<boolean> {
    const now = this.#clock.monotonic();
    const stored = this.#get(grantId);
    if (stored?.generation !== settlement.generation) return Promise.resolve(false);
    if (stored.state === 'gone') {
      // The flight a logout is waiting for has ended.
      if (stored.owner === settlement.owner) {
        unclaim(stored);
        this.#listeners.tell(grantId);
      }
      return Promise.resolve(false);
    }
    const isCurrent =
      stored.version === settlement.version && (settlement.state === 'dead' || stored.owner === settlement.owner);
    if (!isCurrent) return Promise.resolve(false);
    if (stored.state !== settlement.state) enter(stored, settlement.state, now);
    unclaim(stored);
    stored.nextTryAt = now + settlement.backoffMs;
    stored.failures = settlement.failed ? stored.failures + 1 : 0;
    if (stored.errorCode !== settlement.errorCode) stored.errorSince = now;
    stored.errorCode = settlement.errorCode;
    this.#listeners.tell(grantId);
    return Promise.resolve(true);
  }

  commit(grantId: string, commit: GrantCommit): Promise<'committed' | 'moved' | 'gone'> {
    const now = this.#clock.monotonic();
    const stored = this.#get(grantId);
    if (!stored || stored.state === 'gone' || stored.generation !== commit.generation) return Promise.resolve('gone');
    if (stored.version !== commit.version) return Promise.resolve('moved');
    enter(stored, 'idle', now);
    unclaim(stored);
    stored.version += 1;
    stored.payload = commit.payload;
    const [softAt, hardAt] = [at(now, commit.softMs), at(now, commit.hardMs)];
    Object.assign(stored, noErrors, { softAt, hardAt, refreshedAt: now, storedAt: momentOf(this.#clock) });
    stored.expiresAt = Math.max(stored.heldUntil, now) + this.#retentionMs;
    this.#listeners.tell(grantId);
    return Promise.resolve('committed');
  }

  reference(grantId: string, reference: SessionReference): Promise<boolean> {
    const stored = this.#get(grantId);
    if (!stored || stored.state === 'gone' || stored.generation !== reference.generation) return Promise.resolve(false);
    this.#hold(stored, reference, this.#clock.monotonic());
    return Promise.resolve(true);
  }

  release(grantId: string, release: Release): Promise<ReleaseOutcome> {
    const now = this.#clock.monotonic();
    const stored = this.#get(grantId);
    if (!stored || stored.state === 'gone' || stored.generation !== release.generation) {
      return Promise.resolve({ outcome: 'gone' });
    }
    if (isHeldByOthers(stored, release.reference, now) && !release.everywhere) {
      if (release.reference !== undefined) stored.references.delete(release.reference);
      return Promise.resolve({ outcome: 'released' });
    }
    if (release.version !== null && release.version !== stored.version) return Promise.resolve({ outcome: 'moved' });
    const record = recordOf(grantId, stored, this.#clock);
    // Owner and lease stay: they tell the logout whether a flight is still to be waited for.
    enter(stored, 'gone', now);
    stored.payload = '';
    stored.references.clear();
    stored.forgottenUntil = 0;
    stored.expiresAt = now + release.tombstoneMs;
    this.#listeners.tell(grantId);
    return Promise.resolve({ outcome: 'ended', record });
  }

  async *list(filter: GrantFilter = {}): AsyncIterable<GrantRecord> {
    for (const [grantId, stored] of [...this.#grants]) {
      if (isSelected(stored, filter)) yield await Promise.resolve(recordOf(grantId, stored, this.#clock));
    }
  }

  subscribe(listener: (grantId: string) => void): () => void {
    return this.#listeners.add(listener);
  }

  async *takeIdle({ idleMs, takenMs }: IdleQuery): AsyncIterable<IdleGrant> {
    for (const grantId of [...this.#grants.keys()]) {
      const now = this.#clock.monotonic();
      const stored = this.#get(grantId);
      if (!stored || !isIdle(stored, now, idleMs)) continue;
      stored.takenUntil = now + takenMs;
      const unheldMs = Math.max(0, now - stored.heldUntil);
      yield await Promise.resolve({ grantId, generation: stored.generation, unheldMs });
    }
  }

  claimOnce(key: string, owner: string, lifeMs: number): Promise<OneTimeClaimOutcome> {
    const outcome = this.#oneTimeClaims.take(key, owner, lifeMs);
    this.#scheduleSweep();
    return Promise.resolve(outcome);
  }

  resolveClaim(key: string, owner: string, result: string, keptMs: number): Promise<boolean> {
    return Promise.resolve(this.#oneTimeClaims.resolve(key, owner, result, keptMs));
  }

  close(): void {
    this.#listeners.close();
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  #get(grantId: string): StoredGrant | undefined {
    const stored = this.#grants.get(grantId);
    if (stored && stored.expiresAt <= this.#clock.monotonic()) {
      this.#grants.delete(grantId);
      return undefined;
    }
    return stored;
  }

  #owned(grantId: string, { generation, owner }: Pick<Claim, 'generation' | 'owner'>): StoredGrant | undefined {
    const stored = this.#get(grantId);
    return stored?.generation === generation && stored.owner === owner ? stored : undefined;
  }

  #hold(stored: StoredGrant, { reference, referenceMs }: SessionReference, now: number): void {
    addHolder(stored, reference, now, referenceMs, this.#maxHolders);
    stored.heldUntil = Math.max(stored.heldUntil, now + referenceMs);
    stored.expiresAt = Math.max(stored.heldUntil, stored.refreshedAt) + this.#retentionMs;
  }

  /** One timer for all records, and none while there are none. */
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
    for (const grantId of [...this.#grants.keys()]) dropEndedHolders(this.#get(grantId), now);
    this.#oneTimeClaims.sweep();
  }
}
