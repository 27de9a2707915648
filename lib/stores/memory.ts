import { systemClock, type CancelTimer, type Clock } from '../clock';
import type {
  Claim,
  ClaimOutcome,
  GrantCommit,
  GrantFilter,
  GrantLabels,
  GrantRecord,
  GrantState,
  GrantWrite,
  Release,
  ReleaseOutcome,
  SessionReference,
  Settlement,
  TokenStore,
} from './store';
import { at, toRecord, type StoredGrant } from './stored-grant';

export interface MemoryTokenStoreOptions {
  /** How often outdated records are removed, in milliseconds. Default 60000. */
  sweepIntervalMs?: number;
  /** How long a grant no session holds is kept, in milliseconds. Default 30 days, Salesforce's own idle limit. */
  retentionMs?: number;
  clock?: Clock;
}

/**
 * Keeps grants in this process: for development, tests, and applications of one process whose users may log in again after
 * a restart. Nothing survives the process.
 */
export class MemoryTokenStore implements TokenStore {
  readonly #grants = new Map<string, StoredGrant>();
  readonly #clock: Clock;
  readonly #sweepIntervalMs: number;
  readonly #retentionMs: number;
  #cancelSweep: CancelTimer | undefined;

  constructor(options: MemoryTokenStoreOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#sweepIntervalMs = options.sweepIntervalMs ?? 60_000;
    this.#retentionMs = options.retentionMs ?? 30 * 24 * 60 * 60 * 1000;
  }

  /** Number of records, tombstones included. */
  get size(): number {
    return this.#grants.size;
  }

  read(grantId: string): Promise<GrantRecord | undefined> {
    const stored = this.#get(grantId);
    return Promise.resolve(stored && this.#record(grantId, stored));
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
    const stored: StoredGrant = {
      generation: write.generation,
      version: (before?.version ?? 0) + 1,
      state: 'idle',
      payload: write.payload,
      labels: write.labels,
      softAt: at(now, write.softMs),
      hardAt: at(now, write.hardMs),
      owner: undefined,
      leaseUntil: 0,
      nextTryAt: 0,
      stateSince: now,
      failures: 0,
      errorCode: undefined,
      references: live?.references ?? new Map<string, number>(),
      touchedAt: now,
      expiresAt: undefined,
    };
    stored.references.set(write.reference, now + write.referenceMs);
    this.#grants.set(grantId, stored);
    this.#scheduleSweep();
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
      record: this.#record(grantId, stored),
    });
    if (stored.version !== claim.version) return answer('moved');
    if (stored.state === 'dead') return answer('dead');
    if (stored.leaseUntil > now) return answer('busy');
    // Its holder died, or is paused, with the refresh token perhaps on the wire.
    if (stored.state === 'inflight') this.#enter(stored, 'ambiguous', now);
    if (stored.nextTryAt > now) return answer('backoff');
    const outcome = stored.state === 'ambiguous' ? 'resolve' : 'claimed';
    if (outcome === 'claimed') this.#enter(stored, 'inflight', now);
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
    this.#enter(stored, 'inflight', now);
    stored.leaseUntil = now + claim.leaseMs;
    return Promise.resolve(true);
  }

  settle(grantId: string, settlement: Settlement): Promise<boolean> {
    const now = this.#clock.monotonic();
    const stored = this.#get(grantId);
    if (stored?.generation !== settlement.generation) return Promise.resolve(false);
    if (stored.state === 'gone') {
      // The flight a logout is waiting for has ended.
      if (stored.owner === settlement.owner) this.#unclaim(stored);
      return Promise.resolve(false);
    }
    const isCurrent =
      stored.version === settlement.version && (settlement.state === 'dead' || stored.owner === settlement.owner);
    if (!isCurrent) return Promise.resolve(false);
    if (stored.state !== settlement.state) this.#enter(stored, settlement.state, now);
    this.#unclaim(stored);
    stored.nextTryAt = now + settlement.backoffMs;
    stored.failures = settlement.failed ? stored.failures + 1 : 0;
    stored.errorCode = settlement.errorCode;
    return Promise.resolve(true);
  }

  commit(grantId: string, commit: GrantCommit): Promise<'committed' | 'moved' | 'gone'> {
    const now = this.#clock.monotonic();
    const stored = this.#get(grantId);
    if (!stored || stored.state === 'gone' || stored.generation !== commit.generation) return Promise.resolve('gone');
    if (stored.version !== commit.version) return Promise.resolve('moved');
    this.#enter(stored, 'idle', now);
    this.#unclaim(stored);
    stored.version += 1;
    stored.payload = commit.payload;
    stored.softAt = at(now, commit.softMs);
    stored.hardAt = at(now, commit.hardMs);
    stored.nextTryAt = 0;
    stored.failures = 0;
    stored.errorCode = undefined;
    stored.touchedAt = now;
    return Promise.resolve('committed');
  }

  reference(grantId: string, { generation, reference, referenceMs }: SessionReference): Promise<boolean> {
    const stored = this.#get(grantId);
    if (!stored || stored.state === 'gone' || stored.generation !== generation) return Promise.resolve(false);
    stored.touchedAt = this.#clock.monotonic();
    stored.references.set(reference, stored.touchedAt + referenceMs);
    return Promise.resolve(true);
  }

  release(grantId: string, release: Release): Promise<ReleaseOutcome> {
    const now = this.#clock.monotonic();
    const stored = this.#get(grantId);
    if (!stored || stored.state === 'gone' || stored.generation !== release.generation) {
      return Promise.resolve({ outcome: 'gone' });
    }
    if (release.reference !== undefined) stored.references.delete(release.reference);
    const held = [...stored.references.values()].some((until) => until > now);
    if (held && !release.everywhere) return Promise.resolve({ outcome: 'released' });
    const record = this.#record(grantId, stored);
    // Owner and lease stay: they tell the logout whether a flight is still to be waited for.
    this.#enter(stored, 'gone', now);
    stored.payload = '';
    stored.references.clear();
    stored.expiresAt = now + release.tombstoneMs;
    return Promise.resolve({ outcome: 'ended', record });
  }

  async *list(filter: GrantFilter = {}): AsyncIterable<GrantRecord> {
    for (const [grantId, stored] of [...this.#grants]) {
      const matches = Object.entries(filter).every(
        ([name, value]) => stored.labels[name as keyof GrantLabels] === value,
      );
      if (stored.state !== 'gone' && matches) yield await Promise.resolve(this.#record(grantId, stored));
    }
  }

  close(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = undefined;
  }

  #get(grantId: string): StoredGrant | undefined {
    const stored = this.#grants.get(grantId);
    if (stored?.expiresAt !== undefined && stored.expiresAt <= this.#clock.monotonic()) {
      this.#grants.delete(grantId);
      return undefined;
    }
    return stored;
  }

  #owned(grantId: string, { generation, owner }: Pick<Claim, 'generation' | 'owner'>): StoredGrant | undefined {
    const stored = this.#get(grantId);
    return stored?.generation === generation && stored.owner === owner ? stored : undefined;
  }

  #enter(stored: StoredGrant, state: GrantState, now: number): void {
    stored.state = state;
    stored.stateSince = now;
  }

  #unclaim(stored: StoredGrant): void {
    stored.owner = undefined;
    stored.leaseUntil = 0;
  }

  #record(grantId: string, stored: StoredGrant): GrantRecord {
    return toRecord(grantId, stored, this.#clock.monotonic());
  }

  /** One timer for all records, and none while there are none. */
  #scheduleSweep(): void {
    if (this.#cancelSweep) return;
    this.#cancelSweep = this.#clock.setTimer(this.#sweepIntervalMs, () => {
      this.#cancelSweep = undefined;
      this.#sweep();
      if (this.#grants.size > 0) this.#scheduleSweep();
    });
  }

  #sweep(): void {
    const now = this.#clock.monotonic();
    for (const [grantId, stored] of this.#grants) {
      const isForgotten = stored.expiresAt !== undefined && stored.expiresAt <= now;
      const isAbandoned =
        now - stored.touchedAt > this.#retentionMs && ![...stored.references.values()].some((until) => until > now);
      if (isForgotten || isAbandoned) this.#grants.delete(grantId);
    }
  }
}
