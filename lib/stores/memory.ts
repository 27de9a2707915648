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
import { addHolder, dropEndedHolders, isHeldByOthers } from './memory/holders';
import {
  at,
  enter,
  grantOf,
  isExpected,
  isSelected,
  isIdle,
  noErrors,
  recordOf,
  unclaim,
  type StoredGrant,
} from './stored-grant';

export type { MemoryTokenStoreOptions } from './memory/options';

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
    const { clock, sweepIntervalMs, retentionMs, maxHolders } = parseMemoryOptions(options);
    this.#clock = clock;
    this.#oneTimeClaims = new OneTimeClaims(clock);
    this.#sweepIntervalMs = sweepIntervalMs;
    this.#retentionMs = retentionMs;
    this.#maxHolders = maxHolders;
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
    const live = before?.state === 'loggedOut' ? undefined : before;
    if (!isExpected(live, write)) return Promise.resolve({ outcome: 'conflict' });
    // An attempt that is under way goes on against the older version and will learn from its commit that it was overtaken.
    const stored = grantOf(write, before, { now, storedAt: momentOf(this.#clock) });
    this.#addHolder(stored, write, now);
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
    const stored = this.#live(grantId, claim);
    if (!stored) return { outcome: 'loggedOut' };
    const answer = (outcome: 'claimed' | 'resolve' | 'busy' | 'backoff' | 'moved' | 'ended'): ClaimOutcome => ({
      outcome,
      record: recordOf(grantId, stored, this.#clock),
    });
    if (stored.version !== claim.version) return answer('moved');
    if (claim.refused !== undefined && stored.refused !== claim.refused) {
      stored.refused = claim.refused;
      this.#listeners.tell(grantId);
    }
    if (stored.state === 'ended') return answer('ended');
    if (stored.leaseUntil > now) return answer('busy');
    // Its owner died, or is paused, with the refresh token perhaps on the wire.
    if (stored.state === 'presenting') enter(stored, 'inDoubt', now);
    if (stored.nextTryAt > now) return answer('backoff');
    const outcome = stored.state === 'inDoubt' ? 'resolve' : 'claimed';
    if (outcome === 'claimed') enter(stored, 'presenting', now);
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
    if (stored?.state !== 'inDoubt') return Promise.resolve(false);
    const now = this.#clock.monotonic();
    enter(stored, 'presenting', now);
    stored.leaseUntil = now + claim.leaseMs;
    return Promise.resolve(true);
  }

  releaseClaim(grantId: string, release: ClaimRelease): Promise<boolean> {
    const now = this.#clock.monotonic();
    const stored = this.#get(grantId);
    if (stored?.generation !== release.generation) return Promise.resolve(false);
    if (stored.state === 'loggedOut') {
      // The attempt a logout waits for has ended.
      if (stored.owner === release.owner) {
        unclaim(stored);
        this.#listeners.tell(grantId);
      }
      return Promise.resolve(false);
    }
    const isCurrent =
      stored.version === release.version && (release.state === 'ended' || stored.owner === release.owner);
    if (!isCurrent) return Promise.resolve(false);
    if (stored.state !== release.state) enter(stored, release.state, now);
    unclaim(stored);
    stored.nextTryAt = now + release.backoffMs;
    stored.failures = release.failed ? stored.failures + 1 : 0;
    if (stored.errorCode !== release.errorCode) stored.errorSince = now;
    stored.errorCode = release.errorCode;
    this.#listeners.tell(grantId);
    return Promise.resolve(true);
  }

  commit(grantId: string, commit: GrantCommit): Promise<'committed' | 'moved' | 'loggedOut'> {
    const now = this.#clock.monotonic();
    const stored = this.#live(grantId, commit);
    if (!stored) return Promise.resolve('loggedOut');
    if (stored.version !== commit.version) return Promise.resolve('moved');
    enter(stored, 'idle', now);
    unclaim(stored);
    stored.version += 1;
    stored.payload = commit.payload;
    const [softAt, hardAt] = [at(now, commit.softMs), at(now, commit.hardMs)];
    if (stored.spare === commit.knownSpare) stored.spare = undefined;
    Object.assign(stored, noErrors, { softAt, hardAt, refreshedAt: now, storedAt: momentOf(this.#clock) });
    stored.expiresAt = Math.max(stored.heldUntil, now) + this.#retentionMs;
    this.#listeners.tell(grantId);
    return Promise.resolve('committed');
  }

  addHolder(grantId: string, holder: SessionHolder): Promise<boolean> {
    const stored = this.#live(grantId, holder);
    if (!stored) return Promise.resolve(false);
    this.#addHolder(stored, holder, this.#clock.monotonic());
    if (holder.spare !== undefined) stored.spare = holder.spare;
    return Promise.resolve(true);
  }

  logOut(grantId: string, logOut: LogOut): Promise<LogOutOutcome> {
    const now = this.#clock.monotonic();
    const stored = this.#live(grantId, logOut);
    if (!stored) return Promise.resolve({ outcome: 'alreadyLoggedOut' });
    if (isHeldByOthers(stored, logOut.holder, now) && !logOut.everywhere) {
      if (logOut.holder !== undefined) stored.holders.delete(logOut.holder);
      return Promise.resolve({ outcome: 'holderRemoved' });
    }
    if (logOut.version !== null && logOut.version !== stored.version) return Promise.resolve({ outcome: 'moved' });
    const record = recordOf(grantId, stored, this.#clock);
    // Owner and lease stay: they tell the logout whether to wait for an attempt.
    enter(stored, 'loggedOut', now);
    stored.payload = '';
    stored.spare = undefined;
    stored.holders.clear();
    stored.forgottenUntil = 0;
    stored.expiresAt = now + logOut.tombstoneMs;
    this.#listeners.tell(grantId);
    return Promise.resolve({ outcome: 'loggedOut', record });
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

  resolveClaim(key: string, owner: string, resolution: ClaimResolution): Promise<boolean> {
    return Promise.resolve(this.#oneTimeClaims.resolve(key, owner, resolution));
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

  #live(grantId: string, { generation }: Pick<Claim, 'generation'>): StoredGrant | undefined {
    const stored = this.#get(grantId);
    return stored?.generation === generation && stored.state !== 'loggedOut' ? stored : undefined;
  }

  #owned(grantId: string, { generation, owner }: Pick<Claim, 'generation' | 'owner'>): StoredGrant | undefined {
    const stored = this.#get(grantId);
    return stored?.generation === generation && stored.owner === owner ? stored : undefined;
  }

  #addHolder(stored: StoredGrant, { holder, holderMs }: SessionHolder, now: number): void {
    addHolder(stored, { name: holder, until: now + holderMs, now }, this.#maxHolders);
    stored.heldUntil = Math.max(stored.heldUntil, now + holderMs);
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
