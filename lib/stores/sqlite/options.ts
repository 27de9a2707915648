import { systemClock, type Clock } from '../../clock';
import { invalid } from '../../options/check';
import { sqliteStoreOptions } from '../../options/parts/stores';
import { parseStoreOptions } from '../options';

/** Options of `SqliteTokenStore`. */
export interface SqliteTokenStoreOptions {
  /** Path of the database's file, on a disk of this machine. The store makes the file and its tables. */
  file: string;
  /** How long an unused grant is kept (no session holds it, no refresh), in milliseconds, from a minute to ten years. Default 90 days. */
  retentionMs?: number;
  /**
   * How many holders (sessions) the store knows of one grant, from 1 to 10000. At the bound, the holder that ends soonest is
   * forgotten. Its session goes on, and until its time is over no logout of a single session ends the grant.
   * Default 1000.
   */
  maxHolders?: number;
  /** Default: the system's. */
  clock?: Clock;
}

/** Checks the options of `SqliteTokenStore`. @throws SalesforceOptionError */
export function parseSqliteOptions(given: SqliteTokenStoreOptions): Required<SqliteTokenStoreOptions> {
  const options = parseStoreOptions('SqliteTokenStore', sqliteStoreOptions, given);
  const { file, clock = systemClock } = given;
  if (typeof file !== 'string' || file.trim() === '' || /^(:memory:$|file:)/.test(file)) {
    throw invalid(
      'SqliteTokenStore.file',
      "the path of a file, such as '/var/lib/app/tokens.db'; for memory use MemoryTokenStore",
    );
  }
  return {
    file,
    clock,
    retentionMs: options.retentionMs,
    maxHolders: options.maxHolders,
  };
}
