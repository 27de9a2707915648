import type { Clock } from '../clock';
import type { GrantRecord } from '../stores/store';
import type { TokenSet } from '../token/types';

/** A grant as this process last saw it, its times turned into this process's own. */
export interface GrantView {
  /** As it was read; its durations are those of that moment. */
  record: GrantRecord;
  tokens: TokenSet;
  /** The newest version of this generation this process has seen; above the record's where the store has lost a write. */
  newestVersion: number;
  /** When it was read, on the monotonic clock. */
  readAt: number;
  /** Until when the store, which did not answer, is not asked again. */
  aloneUntil: number;
  /** From here on a refresh is due in the background. */
  softAt: number;
  /** From here on the token is to be taken for expired. */
  hardAt: number;
  /** When the next try is allowed. */
  nextTryAt: number;
  /** Whether a refresh is due that nobody waits for. */
  isStale: boolean;
}

/**
 * The grants this process used last, so that a request needs no trip to the store.
 *
 * Two maps: the younger takes what is used, and when it is full the older is forgotten. That keeps what is in use without
 * moving an entry on every request.
 */
export class GrantCache {
  #young = new Map<string, GrantView>();
  #old = new Map<string, GrantView>();
  readonly #limit: number;

  /** @param limit entries of each of the two maps */
  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  get(grantId: string): GrantView | undefined {
    const view = this.#young.get(grantId);
    if (view) return view;
    const old = this.#old.get(grantId);
    if (old) this.set(grantId, old);
    return old;
  }

  set(grantId: string, view: GrantView): void {
    if (this.#young.size >= this.#limit && !this.#young.has(grantId)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(grantId, view);
  }

  delete(grantId: string): void {
    this.#young.delete(grantId);
    this.#old.delete(grantId);
  }
}

/** Turns a record's durations into points on this process's monotonic clock; wall clocks take no part. */
export function viewOf(record: GrantRecord, tokens: TokenSet, clock: Clock): GrantView {
  const now = clock.monotonic();
  return {
    record,
    tokens,
    newestVersion: record.version,
    readAt: now,
    aloneUntil: now,
    softAt: record.softInMs === null ? Infinity : now + record.softInMs,
    hardAt: record.hardInMs === null ? Infinity : now + record.hardInMs,
    nextTryAt: now + record.backoffInMs,
    isStale: false,
  };
}

/** Marks a view as one the store may know better than. */
export function outdate(view: GrantView): void {
  view.readAt = -Infinity;
  view.aloneUntil = -Infinity;
}

/** Whether a view has been marked by {@link outdate}. */
export function isOutdated({ readAt }: GrantView): boolean {
  return readAt === -Infinity;
}
