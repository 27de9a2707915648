import { closeSync, openSync } from 'node:fs';
import { invalid } from '../../options/check';
import { grantSchema } from '../stored-grant';

/** What is used of `DatabaseSync` of `node:sqlite`, for which the types of the oldest supported Node.js have no words. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface Statement {
  get(...values: unknown[]): Row | undefined;
  all(...values: unknown[]): Row[];
  run(...values: unknown[]): unknown;
}

/** A row, by names of columns. */
export type Row = Record<string, string | number | null>;

/** How long an operation waits for another process that writes, in milliseconds. Writes take a few. */
export const busyMs = 4_000;

/** Points in time are milliseconds of the machine's clock since the epoch. */
const tables = `
create table if not exists salesforce_grants (
  grant_id text primary key,
  schema_version integer not null,
  state text not null,
  organization_id text not null,
  user_id text not null,
  client_id text not null,
  tenant text,
  expires_at real not null,
  -- The record as JSON; its tokens are sealed with encryptionKeys.
  record text not null
) without rowid;
create index if not exists salesforce_grants_expires_at on salesforce_grants (expires_at);
create table if not exists salesforce_grants_once (
  claim_key text primary key,
  owner text not null,
  ends_at real not null,
  result text,
  result_ends_at real
) without rowid;
create index if not exists salesforce_grants_once_ends_at on salesforce_grants_once (ends_at);
`;

/** Opens the file, and makes it and its tables if it is new. @throws SalesforceOptionError if this Node.js has no SQLite */
export function openDatabase(file: string): Database {
  const DatabaseSync = loadSqlite();
  // The file has tokens, so other users of the machine may not read it. SQLite gives its other files the same permissions.
  closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file);
  // FULL: a commit is on disk before the operation is answered.
  database.exec(`pragma busy_timeout = ${busyMs}; pragma journal_mode = wal; pragma synchronous = full;`);
  // Without a write if there is nothing to make: another process may be writing.
  const made = database.prepare("select 1 from sqlite_master where name = 'salesforce_grants_once_ends_at'").get();
  if (!made) database.exec(`begin immediate; ${tables} commit;`);
  // From here on, `Transactions` waits.
  database.exec('pragma busy_timeout = 0');
  return database;
}

function loadSqlite(): new (file: string) => Database {
  const { getBuiltinModule } = process as { getBuiltinModule?: (name: string) => unknown };
  const sqlite = getBuiltinModule?.call(process, 'node:sqlite') as
    { DatabaseSync?: new (file: string) => Database } | undefined;
  if (sqlite?.DatabaseSync) return sqlite.DatabaseSync;
  throw invalid(
    'SqliteTokenStore',
    `used with Node.js 22.13 or later, which has node:sqlite, and this is Node.js ${process.versions.node}. ` +
      'Use MemoryTokenStore, RedisTokenStore or PostgresTokenStore here; or this store with a newer Node.js',
  );
}

/** Refuses what another version of the package has written. */
export function assertKnown({ schema_version: schema }: Row): void {
  if (schema === grantSchema) return;
  throw new Error(
    `A grant in SQLite has the schema ${String(schema)}; this version of the package knows ${grantSchema}.`,
  );
}
