import { invalid } from '../../options/check';
import { postgresStoreOptions } from '../../options/parts/stores';
import { parseStoreOptions } from '../options';
import type { ListeningPool } from './subscription';

/** What is used of a `Pool` of the package `pg`. */
export interface PostgresPool {
  /** Runs one statement, on any connection. */
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>;
}

/** Options of `PostgresTokenStore`. */
export interface PostgresTokenStoreOptions {
  /** Made by the application, and ended by it. */
  pool: PostgresPool;
  /**
   * Name of the table, if need be after a schema: `auth.grants`. The table of one-time claims has the same name with `_once`
   * after it. Default `salesforce_grants`.
   */
  table?: string;
  /**
   * Makes PostgreSQL announce grants that change (`pg_notify`). So processes learn of new tokens and of a logout at once, without
   * waiting for their next look at the table. The store takes one connection for itself, of `pool` or of the pool given here. A
   * PgBouncer in transaction mode cannot listen: then give a pool that bypasses it. Set the same in all processes. Default false.
   */
  notify?: boolean | ListeningPool;
  /** How long an unused grant is kept (no session holds it, no refresh), in milliseconds, from a minute to ten years. Default 90 days. */
  retentionMs?: number;
  /**
   * How many holders (sessions) the store knows of one grant, from 1 to 10000. At the bound, the holder that ends soonest is
   * forgotten. Its session goes on, and until its time is over no logout of a single session ends the grant.
   * Default 1000.
   */
  maxHolders?: number;
}

export interface ParsedPostgresOptions {
  pool: PostgresPool;
  table: string;
  /** Where to listen; undefined if changes are not announced. */
  listeningPool: ListeningPool | undefined;
  retentionMs: number;
  maxHolders: number;
}

/** Checks the options of `PostgresTokenStore`. @throws SalesforceOptionError */
export function parsePostgresOptions(given: PostgresTokenStoreOptions): ParsedPostgresOptions {
  const options = parseStoreOptions('PostgresTokenStore', postgresStoreOptions, given);
  const { pool, notify = false } = given;
  if (typeof (pool as Partial<PostgresPool> | undefined)?.query !== 'function') {
    throw invalid('PostgresTokenStore.pool', 'a Pool of the package pg');
  }
  const listeningPool = notify === true ? (pool as unknown as ListeningPool) : notify;
  if (listeningPool !== false && isClient(listeningPool)) {
    const what = 'a Pool of the package pg, and not a Client: a connection that is lost has to be replaced';
    throw notify === true
      ? invalid('PostgresTokenStore.pool', what)
      : invalid('PostgresTokenStore.notify', `true, false or ${what}`);
  }
  if (listeningPool !== false && typeof (listeningPool as Partial<ListeningPool> | null)?.connect !== 'function') {
    throw invalid('PostgresTokenStore.notify', 'true, false or a Pool of the package pg');
  }
  const { options: poolOptions } = listeningPool as { options?: { max?: unknown } };
  if (notify === true && poolOptions?.max === 1) {
    throw invalid(
      'PostgresTokenStore.notify',
      'false for a pool of one connection (max: 1), or a pool of its own: to listen takes a connection for good. Or set max to 2 or more',
    );
  }
  return {
    pool,
    table: parseTable('PostgresTokenStore.table', given.table),
    listeningPool: listeningPool === false ? undefined : listeningPool,
    retentionMs: options.retentionMs,
    maxHolders: options.maxHolders,
  };
}

/** Whether this is a `Client` of pg, or of a package that extends pg. No pool has this property. */
function isClient(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'connectionParameters' in value;
}

/**
 * A name cannot be a parameter of a statement, so only plain names are allowed. PostgreSQL cuts off names over
 * 63 characters.
 */
function parseTable(option: string, value: unknown): string {
  if (value === undefined) return 'salesforce_grants';
  if (typeof value === 'string' && /^([a-z_][a-z0-9_]{0,62}\.)?[a-z_][a-z0-9_]{0,57}$/.test(value)) return value;
  throw invalid(option, 'a name in lower case with at most 58 characters, such as auth.grants');
}
