import { nextTurn, type Clock } from '../clock';
import { GrantOperations } from './grant-operations';
import { Listeners } from './listeners';
import { assertKnown, openDatabase, type Database, type Row } from './sqlite/database';
import { claimOnce, resolveClaim } from './sqlite/one-time-claims';
import { parseSqliteOptions, type SqliteTokenStoreOptions } from './sqlite/options';
import { Transactions } from './sqlite/transactions';
import type {
  Claim,
  ClaimOutcome,
  ClaimRelease,
  ClaimResolution,
  GrantCommit,
  GrantFilter,
  GrantRecord,
  GrantWrite,
  IdleGrant,
  IdleQuery,
  LogOut,
  LogOutOutcome,
  OneTimeClaimOutcome,
  Reseal,
  SessionHolder,
  StoreFinding,
  TokenStore,
} from './store';
import { at, grantSchema, isSelected, toRecord, type StoredGrant } from './stored-grant';

export type { SqliteTokenStoreOptions } from './sqlite/options';

const pageSize = 500;

/**
 * Keeps grants in a file, by the SQLite of Node.js 22.13 or later: for an application on one machine, of one process or
 * several, whose logins survive a restart.
 *
 * Each operation is one transaction. The file is in WAL mode with `synchronous=FULL`: what an operation has answered survives a
 * crash of the process and of the machine. Time is the machine's clock.
 *
 * @example
 * import express from 'express';
 * import { salesforceAuth } from 'express-salesforce-auth';
 * import { SqliteTokenStore } from 'express-salesforce-auth/stores/sqlite';
 *
 * const app = express();
 * const store = new SqliteTokenStore({ file: '/var/lib/my-app/tokens.db' });
 * app.use(salesforceAuth({ clientID: '3MVG9…', store, encryptionKeys: [process.env['TOKEN_KEY'] ?? ''] }));
 */
export class SqliteTokenStore implements TokenStore {
  readonly #database: Database;
  readonly #transactions: Transactions;
  readonly #clock: Clock;
  readonly #bounds: { retentionMs: number; maxHolders: number };
  readonly #listeners = new Listeners(() => () => undefined);
  #closing: Promise<void> | undefined;

  constructor(options: SqliteTokenStoreOptions) {
    const { file, clock, ...bounds } = parseSqliteOptions(options);
    this.#clock = clock;
    this.#bounds = bounds;
    this.#database = openDatabase(file);
    this.#transactions = new Transactions(this.#database);
  }

  read(grantId: string): Promise<GrantRecord | undefined> {
    return this.#transactions.read(() => this.#load(grantId).grants.read(grantId));
  }

  put(grantId: string, write: GrantWrite): ReturnType<TokenStore['put']> {
    return this.#step(grantId, (grants) => grants.put(grantId, write));
  }

  claim(grantId: string, claim: Claim): Promise<ClaimOutcome> {
    return this.#step(grantId, (grants) => grants.claim(grantId, claim));
  }

  renew(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): Promise<boolean> {
    return this.#step(grantId, (grants) => grants.renew(grantId, claim));
  }

  arm(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): Promise<boolean> {
    return this.#step(grantId, (grants) => grants.arm(grantId, claim));
  }

  releaseClaim(grantId: string, release: ClaimRelease): Promise<boolean> {
    return this.#step(grantId, (grants) => grants.releaseClaim(grantId, release));
  }

  commit(grantId: string, commit: GrantCommit): Promise<'committed' | 'moved' | 'loggedOut'> {
    return this.#step(grantId, (grants) => grants.commit(grantId, commit));
  }

  addHolder(grantId: string, holder: SessionHolder): Promise<boolean> {
    return this.#step(grantId, (grants) => grants.addHolder(grantId, holder));
  }

  logOut(grantId: string, logOut: LogOut): Promise<LogOutOutcome> {
    return this.#step(grantId, (grants) => grants.logOut(grantId, logOut));
  }

  async *list(filter: GrantFilter = {}): AsyncIterable<GrantRecord> {
    const sql = `select * from salesforce_grants where grant_id > ? and state <> 'loggedOut'
      and (schema_version <> ? or expires_at > ?) order by grant_id limit ?`;
    for (let last = ''; ;) {
      const now = this.#clock.now();
      const after = last;
      const rows = await this.#transactions.read(() =>
        this.#database.prepare(sql).all(after, grantSchema, now, pageSize),
      );
      for (const row of rows) {
        const record = toRecord(String(row['grant_id']), storedOf(row, now), now);
        if (isSelected(record, filter)) yield record;
      }
      if (rows.length < pageSize) return;
      last = String(rows.at(-1)?.['grant_id']);
    }
  }

  /** Tells of changes in this process; other processes look for themselves. */
  subscribe(listener: (grantId: string) => void): () => void {
    return this.#listeners.add(listener);
  }

  async *takeIdle(query: IdleQuery): AsyncIterable<IdleGrant> {
    const sql = 'select grant_id from salesforce_grants where schema_version = ? order by grant_id';
    const rows = await this.#transactions.read(() => this.#database.prepare(sql).all(grantSchema));
    for (const [index, { grant_id: id }] of rows.entries()) {
      // SQLite answers at once. Requests come to their turn in between.
      if (index % 50 === 49) await nextTurn();
      const idle = await this.#step(String(id), (grants) => grants.takeIdle(String(id), query));
      if (idle) yield idle;
    }
  }

  reseal(grantId: string, reseal: Reseal): Promise<boolean> {
    return this.#step(grantId, (grants) => grants.reseal(grantId, reseal));
  }

  claimOnce(key: string, owner: string, lifeMs: number): Promise<OneTimeClaimOutcome> {
    return this.#transactions.write(() => claimOnce(this.#database, { key, owner, lifeMs }, this.#clock.now()));
  }

  resolveClaim(key: string, owner: string, resolution: ClaimResolution): Promise<boolean> {
    return this.#transactions.write(() =>
      resolveClaim(this.#database, { key, owner, ...resolution }, this.#clock.now()),
    );
  }

  async diagnose(): Promise<StoreFinding[]> {
    const row = await this.#transactions.read(() => this.#database.prepare('pragma journal_mode').get());
    const mode = row?.['journal_mode'];
    if (mode === 'wal') {
      return [{ check: 'durability', level: 'ok', message: 'A token is on disk before it is used.' }];
    }
    const message = `The file's journal_mode is ${String(mode)} and not wal: the disk may be one of a network.`;
    return [{ check: 'durability', level: 'error', message, fix: 'Keep the file on a disk of this machine.' }];
  }

  /**
   * Closes the file after the operations that were called before. Later operations are refused. Await it before the process ends:
   * an operation may wait for another process that writes, for some seconds.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    await this.#transactions.close();
    this.#listeners.close();
    this.#database.close();
  }

  /** Reads a grant, carries an operation out on it, and writes what has changed, in one transaction. */
  async #step<T>(grantId: string, operate: (grants: GrantOperations) => T): Promise<T> {
    const { answer, told } = await this.#transactions.write(() => {
      const loaded = this.#load(grantId);
      const answer = operate(loaded.grants);
      if (loaded.stored) this.#write(grantId, loaded.stored, loaded.row);
      return { answer, told: loaded.told };
    });
    for (const id of told) this.#listeners.tell(id);
    return answer;
  }

  /** A grant as it is in the file, for one operation. */
  #load(grantId: string): LoadedGrant {
    const row = this.#database.prepare('select * from salesforce_grants where grant_id = ?').get(grantId);
    const loaded = { row, stored: row && storedOf(row, this.#clock.now()), told: [] as string[] };
    const grants = new GrantOperations({
      ...this.#bounds,
      grants: {
        get: () => loaded.stored,
        set: (_id, written) => (loaded.stored = written),
        delete: () => (loaded.stored = undefined),
      },
      now: () => this.#clock.now(),
      moment: () => undefined,
      show: (id, shown) => toRecord(id, shown, this.#clock.now()),
      tell: (id) => loaded.told.push(id),
    });
    return Object.assign(loaded, { grants });
  }

  #write(grantId: string, stored: StoredGrant, before: Row | undefined): void {
    const record = JSON.stringify({ ...stored, holders: [...stored.holders] });
    if (record === before?.['record']) return;
    const { state, labels, expiresAt } = stored;
    const now = this.#clock.now();
    this.#database
      .prepare('delete from salesforce_grants where expires_at <= ? and schema_version = ? and grant_id <> ?')
      .run(now, grantSchema, grantId);
    this.#database
      .prepare('insert or replace into salesforce_grants values (?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        ...[grantId, grantSchema, state, labels.organizationId, labels.userId, labels.clientID],
        ...[labels.tenant ?? null, expiresAt, record],
      );
  }
}

/** A grant, the operations on it, and what they do. */
interface LoadedGrant {
  row: Row | undefined;
  stored: StoredGrant | undefined;
  /** Grants whose change other requests wait for. */
  told: string[];
  grants: GrantOperations;
}

/**
 * The grant in a row. If it was written later than now, the clock of the machine was set back since. Then its times move with the
 * clock, so that no lease and no pause becomes longer.
 *
 * @throws if the row is of a form that this version does not know
 */
function storedOf(row: Row, now: number): StoredGrant {
  assertKnown(row);
  const written = JSON.parse(String(row['record'])) as StoredGrant & { holders: [string, number][] };
  const stored = { ...written, holders: new Map(written.holders) };
  const aheadMs = Math.max(stored.stateSince, stored.refreshedAt, stored.errorSince) - now;
  if (aheadMs <= 0) return stored;
  for (const time of ['stateSince', 'refreshedAt', 'errorSince', 'leaseUntil', 'nextTryAt', 'takenUntil'] as const) {
    stored[time] -= aheadMs;
  }
  return { ...stored, softAt: at(-aheadMs, stored.softAt), hardAt: at(-aheadMs, stored.hardAt) };
}
