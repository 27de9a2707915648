import { grantSchema } from '../stored-grant';
import type { GrantRecord, GrantState } from '../store';

/** A row as `pg` gives it: bigint and numeric as text, unless the application has other parsers. */
export type Row = Record<string, unknown>;

/** The record in a row. @throws if the row is of a form this version does not know */
export function recordOf(row: Row): GrantRecord {
  assertKnown(row);
  const { tenant } = row;
  return {
    schema: grantSchema,
    grantId: row['grant_id'] as string,
    generation: row['generation'] as string,
    version: Number(row['version']),
    state: row['state'] as GrantState,
    payload: row['payload'] as string,
    labels: {
      organizationId: row['organization_id'] as string,
      userId: row['user_id'] as string,
      clientID: row['client_id'] as string,
      ...(tenant == null ? {} : { tenant: tenant as string }),
    },
    softInMs: row['soft_in_ms'] == null ? null : Number(row['soft_in_ms']),
    hardInMs: row['hard_in_ms'] == null ? null : Number(row['hard_in_ms']),
    leaseInMs: Math.max(0, Number(row['lease_in_ms'] ?? 0)),
    backoffInMs: Math.max(0, Number(row['backoff_in_ms'] ?? 0)),
    stateAgeMs: Math.max(0, -Number(row['state_since_in_ms'])),
    failures: Number(row['failures']),
    errorCode: (row['error_code'] as string | null) ?? undefined,
    errorAgeMs: row['error_code'] == null ? 0 : Math.max(0, -Number(row['error_since_in_ms'] ?? 0)),
    tokensAgeMs: Math.max(0, -Number(row['refreshed_in_ms'])),
    refused: (row['refused'] as string | null) ?? undefined,
    spare: (row['spare'] as string | null) ?? undefined,
  };
}

/** Refuses what another version of the package has written. */
export function assertKnown({ schema_version: schema }: Row): void {
  if (Number(schema) === grantSchema) return;
  throw new Error(
    `A grant in PostgreSQL has the schema_version ${String(schema)}; this version of the package knows ${grantSchema}.`,
  );
}
