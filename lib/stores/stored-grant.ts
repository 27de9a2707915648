import { longestSince, type Clock, type Moment } from '../clock';
import type { GrantFilter, GrantLabels, GrantRecord, GrantState, GrantWrite } from './store';

/** The form of the records that this version of the package reads and writes. */
export const grantSchema: GrantRecord['schema'] = 2;

/** How many writes of logins a record remembers, in case a client sends one of them again. */
export const rememberedWrites = 8;

/** A record with points in time where {@link GrantRecord} has durations. */
export interface StoredGrant {
  generation: string;
  version: number;
  /** The last writes of logins, the newest first, and the versions that they wrote. */
  writes: readonly { writer: string; version: number }[];
  state: GrantState;
  payload: string;
  labels: GrantLabels;
  softAt: number | null;
  hardAt: number | null;
  owner: string | undefined;
  leaseUntil: number;
  nextTryAt: number;
  stateSince: number;
  failures: number;
  errorCode: string | undefined;
  /** When the error code was stored first; 0 if there is none. */
  errorSince: number;
  /** Digest of an access token that was refused. */
  refused: string | undefined;
  /** Sealed tokens of a later login that can do less. */
  spare: string | undefined;
  /** Sessions that hold the grant, and until when. */
  holders: Map<string, number>;
  /** When the last forgotten holder ends or ended; 0 for none. Holders are forgotten at the bound. */
  forgottenUntil: number;
  /** When the last holder's time ends or ended. */
  heldUntil: number;
  /** When the tokens were stored. */
  refreshedAt: number;
  /** Until when a process that looks for idle grants keeps the grant from others. */
  takenUntil: number;
  /** When the record may be forgotten. */
  expiresAt: number;
  /** When the tokens were stored, on both clocks of the process that keeps them itself. */
  storedAt?: Moment | undefined;
}

/** Whether a grant is still as the login has read it. */
export function isExpected(live: StoredGrant | undefined, { expected }: GrantWrite): boolean {
  if (expected === null) return !live;
  return live?.generation === expected.generation && live.version === expected.version;
}

/** The grant that a login writes. It keeps the sessions of a live grant that it replaces. */
export function grantOf(
  write: GrantWrite,
  before: StoredGrant | undefined,
  { now, storedAt }: { now: number; storedAt: Moment | undefined },
): StoredGrant {
  const live = before?.state === 'loggedOut' ? undefined : before;
  const version = (before?.version ?? 0) + 1;
  return {
    generation: write.generation,
    version,
    writes: [{ writer: write.writer, version }, ...(before?.writes ?? [])].slice(0, rememberedWrites),
    state: 'idle',
    payload: write.payload,
    labels: write.labels,
    softAt: at(now, write.softMs),
    hardAt: at(now, write.hardMs),
    owner: undefined,
    leaseUntil: 0,
    stateSince: now,
    ...noErrors,
    spare: live?.spare === write.knownSpare ? undefined : live?.spare,
    holders: live?.holders ?? new Map<string, number>(),
    forgottenUntil: live?.forgottenUntil ?? 0,
    heldUntil: live?.heldUntil ?? 0,
    refreshedAt: now,
    storedAt,
    takenUntil: 0,
    expiresAt: 0,
  };
}

/** Ages the tokens of a record by the time in which the machine slept, which the monotonic clock does not count. */
function aged(record: GrantRecord, { storedAt }: StoredGrant, clock: Clock): GrantRecord {
  const asleepMs = storedAt ? longestSince(storedAt, clock) - (clock.monotonic() - storedAt.monotonic) : 0;
  const { softInMs, hardInMs } = record;
  if (asleepMs <= 0) return record;
  return {
    ...record,
    softInMs: softInMs === null ? null : softInMs - asleepMs,
    hardInMs: hardInMs === null ? null : hardInMs - asleepMs,
  };
}

/** The times of a grant with new tokens. */
export const noErrors = {
  nextTryAt: 0,
  failures: 0,
  errorCode: undefined,
  errorSince: 0,
  refused: undefined,
} as const;

export function enter(stored: StoredGrant, state: GrantState, now: number): void {
  stored.state = state;
  stored.stateSince = now;
}

export function unclaim(stored: StoredGrant): void {
  stored.owner = undefined;
  stored.leaseUntil = 0;
}

/** Whether list() gives a grant. */
export function isSelected({ state, labels }: Pick<GrantRecord, 'state' | 'labels'>, filter: GrantFilter): boolean {
  return (
    state !== 'loggedOut' &&
    Object.entries(filter).every(([name, value]) => labels[name as keyof GrantLabels] === value)
  );
}

/** A point in time from a delay. */
export function at(now: number, delayMs: number | null): number | null {
  return delayMs === null ? null : now + delayMs;
}

/** The record as a caller sees it at `now`. */
export function toRecord(grantId: string, stored: StoredGrant, now: number): GrantRecord {
  return {
    schema: grantSchema,
    grantId,
    generation: stored.generation,
    version: stored.version,
    state: stored.state,
    payload: stored.payload,
    labels: stored.labels,
    softInMs: stored.softAt === null ? null : stored.softAt - now,
    hardInMs: stored.hardAt === null ? null : stored.hardAt - now,
    leaseInMs: Math.max(0, stored.leaseUntil - now),
    backoffInMs: Math.max(0, stored.nextTryAt - now),
    stateAgeMs: now - stored.stateSince,
    failures: stored.failures,
    errorCode: stored.errorCode,
    errorAgeMs: stored.errorCode === undefined ? 0 : Math.max(0, now - stored.errorSince),
    tokensAgeMs: Math.max(0, now - stored.refreshedAt),
    refused: stored.refused,
    spare: stored.spare,
  };
}

/** A stored grant as a record, aged by the time in which the machine slept. */
export function recordOf(grantId: string, stored: StoredGrant, clock: Clock): GrantRecord {
  return aged(toRecord(grantId, stored, clock.monotonic()), stored, clock);
}

/** Whether a grant can be refreshed, and has not been for `idleMs`. */
export function isIdle({ state, softAt, refreshedAt, takenUntil }: StoredGrant, now: number, idleMs: number): boolean {
  const canBeRefreshed = state !== 'loggedOut' && state !== 'ended' && softAt !== null;
  return canBeRefreshed && refreshedAt <= now - idleMs && takenUntil <= now;
}
