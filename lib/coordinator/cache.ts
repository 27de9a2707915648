import { longestSince, momentOf, type Clock, type Moment } from '../clock';
import type { GrantRecord } from '../stores/store';
import type { TokenSet } from '../token/types';
import { digestOf, skewOf, type GrantKey } from './grant';
import type { AccessTokenState } from './refresh/verdict';

/** A grant as this process last saw it, its times turned into this process's own. */
export interface GrantView {
  /** As it was read; its durations are those of that moment. */
  record: GrantRecord;
  tokens: TokenSet;
  /** The newest version of this generation that this process has seen. It is above the record's if the store lost a write. */
  newestVersion: number;
  /** When it was read, on both clocks. */
  readAt: Moment;
  /** Whether the store is known to have something newer. */
  isOutdated: boolean;
  /** Until when a store that did not answer is not asked again. This time and the next two are on the monotonic clock. */
  aloneUntil: number;
  /** Until when no refresh begins in the background. */
  quietUntil: number;
  /** Until when the token is served although a refresh is due, since Salesforce is left alone; on the monotonic clock. */
  turnAt: number;
  /** Whether the token is in use, or undefined if this process does not know; see `refresh/uses.ts`. */
  isInUse: boolean | undefined;
  /** When the next try is allowed. */
  nextTryAt: number;
  /** Milliseconds after the reading from which on a refresh is due in the background. */
  softInMs: number;
  /** Milliseconds after the reading from which on the token counts as expired. */
  hardInMs: number;
  /** Milliseconds after the reading from which on the token has certainly ended. */
  overInMs: number;
  /** Whether Salesforce's API has refused the access token. */
  isRefused: boolean;
  /** Whether a refresh in the background is due. */
  isStale: boolean;
}

/**
 * The grants this process used last, so that a request needs no trip to the store.
 *
 * There are two maps. Used entries go into the younger map; when it is full, the older map is forgotten. So the entries in use
 * stay, and no request has to reorder them.
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

/**
 * Turns a record's durations into a view that ages with this process. A grant that has ended is served for as long as its
 * access token works, and is not refreshed.
 */
export function viewOf(record: GrantRecord, tokens: TokenSet, clock: Clock): GrantView {
  const now = clock.monotonic();
  const { softInMs, hardInMs, state, refused, version, backoffInMs } = record;
  const isEnded = state === 'ended';
  const overInMs = tokens.lifeMs === undefined || hardInMs === null ? Infinity : hardInMs + skewOf(tokens.lifeMs);
  return {
    record,
    tokens,
    newestVersion: version,
    readAt: momentOf(clock),
    isOutdated: false,
    aloneUntil: now,
    quietUntil: now,
    turnAt: now,
    isInUse: undefined,
    nextTryAt: now + backoffInMs,
    softInMs: isEnded || softInMs === null ? Infinity : softInMs,
    hardInMs: isEnded ? overInMs : (hardInMs ?? Infinity),
    overInMs,
    isRefused: refused !== undefined && refused === digestOf(tokens.accessToken),
    isStale: false,
  };
}

/** Whether a view is of the login that is asked for, or of any if none is named. */
export function isOf(view: GrantView, { generation }: GrantKey): boolean {
  return generation === undefined || view.record.generation === generation;
}

/** How long ago a view was read, at the most. @param now the time of the monotonic clock, if the caller has read it already */
export function ageOf({ readAt }: GrantView, clock: Clock, now?: number): number {
  return longestSince(readAt, clock, now);
}

/** Times of the tokens of a view, on the monotonic clock. */
export interface DueTimes {
  /** When the tokens were stored. */
  since: number;
  /** When their refresh becomes due. */
  dueAt: number;
  /** When they end, or are presumed to. */
  endsAt: number;
  /** Whether they are known to be in use; see `refresh/uses.ts`. */
  isInUse: boolean;
}

export function dueTimesOf({ readAt, record, softInMs, hardInMs, isInUse }: GrantView): DueTimes {
  const { monotonic } = readAt;
  return {
    since: monotonic - record.tokensAgeMs,
    dueAt: monotonic + softInMs,
    endsAt: monotonic + hardInMs,
    isInUse: isInUse === true,
  };
}

/** The state of the access token of a view. */
export function accessTokenOf(view: GrantView, clock: Clock): AccessTokenState {
  if (view.isRefused) return 'refused';
  return ageOf(view, clock) >= view.overInMs ? 'over' : 'works';
}

/** Whether a grant had no claim and no trouble when it was seen last. If it had, only a read tells what became of it. */
export function isAtRest({ record: { state, leaseInMs, backoffInMs } }: GrantView): boolean {
  return state === 'idle' && leaseInMs === 0 && backoffInMs === 0;
}

/** Marks a view as possibly older than the record in the store. */
export function outdate(view: GrantView): void {
  view.isOutdated = true;
  view.aloneUntil = -Infinity;
}
