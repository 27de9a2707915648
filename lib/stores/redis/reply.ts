import type { GrantLabels, GrantRecord, GrantState } from '../store';
import { toRecord, type StoredGrant } from '../stored-grant';
import { fieldNames } from './fields';

/** What a script answers: the outcome and, if it has a record, the server's time and the fields. */
export type Reply = string[];

export function isYes([outcome]: Reply): boolean {
  return outcome === 'yes';
}

/** The record in a reply. */
export function recordIn([, now, ...values]: Reply, grantId: string): GrantRecord {
  const fields = Object.fromEntries(fieldNames.map((name, index) => [name, values[index] ?? ''])) as Record<
    (typeof fieldNames)[number],
    string
  >;
  const stored: StoredGrant = {
    generation: fields.generation,
    version: Number(fields.version),
    state: fields.state as GrantState,
    payload: fields.payload,
    labels: JSON.parse(fields.labels) as GrantLabels,
    softAt: fields.softAt === '' ? null : Number(fields.softAt),
    hardAt: fields.hardAt === '' ? null : Number(fields.hardAt),
    owner: fields.owner === '' ? undefined : fields.owner,
    leaseUntil: Number(fields.leaseUntil),
    nextTryAt: Number(fields.nextTryAt),
    stateSince: Number(fields.stateSince),
    failures: Number(fields.failures),
    errorCode: fields.errorCode === '' ? undefined : fields.errorCode,
    errorSince: Number(fields.errorSince),
    refreshedAt: Number(fields.refreshedAt),
    refused: fields.refused === '' ? undefined : fields.refused,
    spare: fields.spare === '' ? undefined : fields.spare,
    // These fields and the following ones stay in Redis: no record shows them.
    writes: [],
    holders: new Map(),
    forgottenUntil: 0,
    heldUntil: 0,
    takenUntil: 0,
    expiresAt: 0,
  };
  return toRecord(grantId, stored, Number(now));
}
