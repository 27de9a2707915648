import type { Moment } from '../clock';
import { addHolder, isHeldByOthers } from './memory/holders';
import type {
  Claim,
  ClaimOutcome,
  ClaimRelease,
  GrantCommit,
  GrantRecord,
  GrantWrite,
  IdleGrant,
  IdleQuery,
  LogOut,
  LogOutOutcome,
  Reseal,
  SessionHolder,
  TokenStore,
} from './store';
import { at, enter, grantOf, isExpected, isIdle, noErrors, unclaim, type StoredGrant } from './stored-grant';

type PutOutcome = Awaited<ReturnType<TokenStore['put']>>;

/** What the operations need of the store they belong to. */
export interface OperationParts {
  /** All grants, or the one that an operation is about. */
  grants: {
    get: (grantId: string) => StoredGrant | undefined;
    set: (grantId: string, stored: StoredGrant) => unknown;
    delete: (grantId: string) => unknown;
  };
  /** The store's time, in milliseconds. */
  now: () => number;
  /** The present moment on both clocks of the process, if the store does not outlive the process. */
  moment: () => Moment | undefined;
  show: (grantId: string, stored: StoredGrant) => GrantRecord;
  /** Called for each change that other processes wait for. */
  tell: (grantId: string) => void;
  retentionMs: number;
  maxHolders: number;
}

/**
 * The operations of a token store that runs them in this process, one after the other. The caller makes each of them atomic.
 * Redis and PostgreSQL have the same operations in their own languages.
 */
export class GrantOperations {
  readonly #parts: OperationParts;

  constructor(parts: OperationParts) {
    this.#parts = parts;
  }

  read(grantId: string): GrantRecord | undefined {
    const stored = this.get(grantId);
    return stored && this.#parts.show(grantId, stored);
  }

  put(grantId: string, write: GrantWrite): PutOutcome {
    const now = this.#parts.now();
    const before = this.get(grantId);
    const same = before?.writes.find(({ writer }) => writer === write.writer);
    if (same) return { outcome: 'written', version: same.version };
    const live = before?.state === 'loggedOut' ? undefined : before;
    if (!isExpected(live, write)) return { outcome: 'conflict' };
    // An attempt under way goes on with the older version, and learns from its commit that it is superseded.
    const stored = grantOf(write, before, { now, storedAt: this.#parts.moment() });
    this.#addHolder(stored, write, now);
    this.#parts.grants.set(grantId, stored);
    this.#parts.tell(grantId);
    return { outcome: 'written', version: stored.version };
  }

  claim(grantId: string, claim: Claim): ClaimOutcome {
    const now = this.#parts.now();
    const stored = this.#live(grantId, claim);
    if (!stored) return { outcome: 'loggedOut' };
    const answer = (outcome: 'claimed' | 'resolve' | 'busy' | 'backoff' | 'moved' | 'ended'): ClaimOutcome => ({
      outcome,
      record: this.#parts.show(grantId, stored),
    });
    if (stored.version !== claim.version) return answer('moved');
    if (claim.refused !== undefined && stored.refused !== claim.refused) {
      stored.refused = claim.refused;
      this.#parts.tell(grantId);
    }
    if (stored.state === 'ended') return answer('ended');
    if (stored.leaseUntil > now) {
      if (stored.owner !== claim.owner) return answer('busy');
      // The same call again.
      return answer(stored.state === 'presenting' ? 'claimed' : 'resolve');
    }
    // The owner died or is paused. It may have presented the refresh token.
    if (stored.state === 'presenting') enter(stored, 'inDoubt', now);
    if (stored.nextTryAt > now) return answer('backoff');
    const outcome = stored.state === 'inDoubt' ? 'resolve' : 'claimed';
    if (outcome === 'claimed') enter(stored, 'presenting', now);
    stored.owner = claim.owner;
    stored.leaseUntil = now + claim.leaseMs;
    return answer(outcome);
  }

  renew(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): boolean {
    const stored = this.#owned(grantId, claim);
    if (stored) stored.leaseUntil = this.#parts.now() + claim.leaseMs;
    return stored !== undefined;
  }

  arm(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): boolean {
    const now = this.#parts.now();
    const stored = this.#owned(grantId, claim);
    // The same call again.
    if (stored?.state === 'presenting') return stored.leaseUntil > now;
    if (stored?.state !== 'inDoubt') return false;
    enter(stored, 'presenting', now);
    stored.leaseUntil = now + claim.leaseMs;
    return true;
  }

  releaseClaim(grantId: string, release: ClaimRelease): boolean {
    const now = this.#parts.now();
    const stored = this.get(grantId);
    if (stored?.generation !== release.generation) return false;
    if (stored.state === 'loggedOut') {
      // The attempt a logout waits for has ended.
      if (stored.owner === release.owner) {
        unclaim(stored);
        this.#parts.tell(grantId);
      }
      return false;
    }
    const isCurrent =
      stored.version === release.version && (release.state === 'ended' || stored.owner === release.owner);
    if (!isCurrent) return false;
    if (stored.state !== release.state) enter(stored, release.state, now);
    unclaim(stored);
    stored.nextTryAt = now + release.backoffMs;
    stored.failures = release.failed ? stored.failures + 1 : 0;
    if (stored.errorCode !== release.errorCode) stored.errorSince = now;
    stored.errorCode = release.errorCode;
    this.#parts.tell(grantId);
    return true;
  }

  commit(grantId: string, commit: GrantCommit): 'committed' | 'moved' | 'loggedOut' {
    const now = this.#parts.now();
    const stored = this.#live(grantId, commit);
    if (!stored) return 'loggedOut';
    if (stored.version !== commit.version) {
      const isAgain = stored.version === commit.version + 1 && stored.payload === commit.payload;
      return isAgain ? 'committed' : 'moved';
    }
    enter(stored, 'idle', now);
    unclaim(stored);
    stored.version += 1;
    stored.payload = commit.payload;
    const [softAt, hardAt] = [at(now, commit.softMs), at(now, commit.hardMs)];
    if (stored.spare === commit.knownSpare) stored.spare = undefined;
    Object.assign(stored, noErrors, { softAt, hardAt, refreshedAt: now, storedAt: this.#parts.moment() });
    stored.expiresAt = Math.max(stored.heldUntil, now) + this.#parts.retentionMs;
    this.#parts.tell(grantId);
    return 'committed';
  }

  addHolder(grantId: string, holder: SessionHolder): boolean {
    const stored = this.#live(grantId, holder);
    if (!stored) return false;
    this.#addHolder(stored, holder, this.#parts.now());
    if (holder.spare !== undefined) stored.spare = holder.spare;
    return true;
  }

  logOut(grantId: string, logOut: LogOut): LogOutOutcome {
    const now = this.#parts.now();
    const stored = this.#live(grantId, logOut);
    if (!stored) return { outcome: 'alreadyLoggedOut' };
    if (isHeldByOthers(stored, logOut.holder, now) && !logOut.everywhere) {
      if (logOut.holder !== undefined) stored.holders.delete(logOut.holder);
      return { outcome: 'holderRemoved' };
    }
    if (logOut.version !== null && logOut.version !== stored.version) return { outcome: 'moved' };
    const record = this.#parts.show(grantId, stored);
    // Owner and lease stay: they tell the logout whether to wait for an attempt.
    enter(stored, 'loggedOut', now);
    stored.payload = '';
    stored.spare = undefined;
    stored.holders.clear();
    stored.forgottenUntil = 0;
    stored.expiresAt = now + logOut.tombstoneMs;
    this.#parts.tell(grantId);
    return { outcome: 'loggedOut', record };
  }

  takeIdle(grantId: string, { idleMs, takenMs }: IdleQuery): IdleGrant | undefined {
    const now = this.#parts.now();
    const stored = this.get(grantId);
    if (!stored || !isIdle(stored, now, idleMs)) return undefined;
    stored.takenUntil = now + takenMs;
    return { grantId, generation: stored.generation, unheldMs: Math.max(0, now - stored.heldUntil) };
  }

  reseal(grantId: string, { generation, version, from, to }: Reseal): boolean {
    const stored = this.#live(grantId, { generation });
    const isAtRest = stored && (stored.state === 'idle' || stored.state === 'ended');
    if (!isAtRest || stored.leaseUntil > this.#parts.now() || stored.version !== version) return false;
    if (stored.payload !== from.payload || stored.spare !== from.spare) return false;
    stored.payload = to.payload;
    stored.spare = to.spare;
    return true;
  }

  /** The grant, or its tombstone, unless its time is over. */
  get(grantId: string): StoredGrant | undefined {
    const stored = this.#parts.grants.get(grantId);
    if (stored && stored.expiresAt <= this.#parts.now()) {
      this.#parts.grants.delete(grantId);
      return undefined;
    }
    return stored;
  }

  #live(grantId: string, { generation }: Pick<Claim, 'generation'>): StoredGrant | undefined {
    const stored = this.get(grantId);
    return stored?.generation === generation && stored.state !== 'loggedOut' ? stored : undefined;
  }

  #owned(grantId: string, { generation, owner }: Pick<Claim, 'generation' | 'owner'>): StoredGrant | undefined {
    const stored = this.get(grantId);
    return stored?.generation === generation && stored.owner === owner ? stored : undefined;
  }

  #addHolder(stored: StoredGrant, { holder, holderMs }: SessionHolder, now: number): void {
    addHolder(stored, { name: holder, until: now + holderMs, now }, this.#parts.maxHolders);
    stored.heldUntil = Math.max(stored.heldUntil, now + holderMs);
    stored.expiresAt = Math.max(stored.heldUntil, stored.refreshedAt) + this.#parts.retentionMs;
  }
}
