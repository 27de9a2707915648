import { warn } from '../reporter';
import { Listeners } from './listeners';
import { diagnosePostgres } from './postgres/diagnose';
import { oneTimeClaimStatements, type OneTimeClaimStatements } from './postgres/one-time-claims';
import { parsePostgresOptions, type PostgresPool, type PostgresTokenStoreOptions } from './postgres/options';
import { assertKnown, recordOf, type Row } from './postgres/row';
import { statementsFor, type Statements } from './postgres/statements';
import { subscribe } from './postgres/subscription';
import { walkStatements, type WalkStatements } from './postgres/walks';
import type {
  Claim,
  ClaimOutcome,
  GrantCommit,
  GrantFilter,
  GrantRecord,
  GrantWrite,
  IdleGrant,
  IdleQuery,
  OneTimeClaimOutcome,
  Reseal,
  LogOut,
  LogOutOutcome,
  SessionHolder,
  ClaimRelease,
  ClaimResolution,
  StoreFinding,
  StoreReport,
  TokenStore,
} from './store';

export type { PostgresPool, PostgresTokenStoreOptions } from './postgres/options';
export type { ListeningClient, ListeningPool } from './postgres/subscription';

type AllStatements = Statements & WalkStatements & OneTimeClaimStatements;

const pageSize = 500;
/** How many idle grants are taken at once: few, so that processes share them. */
const takenAtOnce = 10;

/**
 * Keeps grants in PostgreSQL 12 or later, in the table of `express-salesforce-auth/stores/postgres.sql`: one statement for
 * each operation, on the server's clock. Made for PgBouncer in transaction mode as well.
 *
 * @example
 * import express from 'express';
 * import { Pool } from 'pg';
 * import { salesforceAuth } from 'express-salesforce-auth';
 * import { PostgresTokenStore } from 'express-salesforce-auth/stores/postgres';
 *
 * const app = express();
 * const pool = new Pool({ connectionString: process.env['DATABASE_URL'] });
 * pool.on('error', (error) => console.error('PostgreSQL', error));
 * const encryptionKeys = [process.env['TOKEN_KEY'] ?? ''];
 * app.use(salesforceAuth({ clientID: '3MVG9…', store: new PostgresTokenStore({ pool }), encryptionKeys }));
 */
export class PostgresTokenStore implements TokenStore {
  readonly #pool: PostgresPool;
  readonly #table: string;
  readonly #statements: AllStatements;
  readonly #listeners: Listeners;

  #report: StoreReport = warn;

  constructor(options: PostgresTokenStoreOptions) {
    const { pool, table, listeningPool, retentionMs, maxHolders } = parsePostgresOptions(options);
    // The longest name PostgreSQL takes.
    const channel = table.slice(-63);
    this.#pool = pool;
    this.#table = table;
    this.#statements = {
      ...statementsFor({
        table: quoted(table),
        channel: listeningPool ? channel : undefined,
        retentionMs,
        maxHolders,
      }),
      ...walkStatements(quoted(table)),
      ...oneTimeClaimStatements(quoted(claimsTableOf(table))),
    };
    const tellLoss = (message: string): void => this.#report('STORE_NOTIFY', message);
    this.#listeners = new Listeners((tell) =>
      listeningPool ? subscribe({ pool: listeningPool, channel, tell, warn: tellLoss }) : () => undefined,
    );
  }

  reportTo(report: StoreReport): void {
    this.#report = report;
  }

  async read(grantId: string): Promise<GrantRecord | undefined> {
    const [row] = await this.#rows('read', [grantId]);
    return row && recordOf(row);
  }

  async put(grantId: string, write: GrantWrite): ReturnType<TokenStore['put']> {
    const { expected, generation, payload, labels, softMs, hardMs, holder, holderMs, writer } = write;
    const { organizationId, userId, clientID, tenant = null } = labels;
    const values = [grantId, generation, payload, organizationId, userId, clientID, tenant];
    values.push(...([softMs, hardMs, holder, holderMs, writer] as string[]));
    const put = (): Promise<Row | undefined> =>
      expected
        ? this.#step('replace', [...values, expected.generation, expected.version, write.knownSpare ?? null])
        : this.#step('create', values);
    // A statement does not see a record that was created while the statement ran. That may be the same write, sent twice.
    const row = (await put()) ?? (expected ? undefined : await put());
    return row && outcomeOf(row) === 'written'
      ? { outcome: 'written', version: Number(row['version']) }
      : { outcome: 'conflict' };
  }

  async claim(grantId: string, { generation, version, owner, leaseMs, refused }: Claim): Promise<ClaimOutcome> {
    const row = await this.#step('claim', [grantId, generation, version, owner, leaseMs, refused ?? null]);
    const outcome = outcomeOf(row) as ClaimOutcome['outcome'] | undefined;
    return !row || outcome === undefined || outcome === 'loggedOut'
      ? { outcome: 'loggedOut' }
      : { outcome, record: recordOf(row) };
  }

  async renew(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): Promise<boolean> {
    return isYes(await this.#step('renew', [grantId, claim.generation, claim.owner, claim.leaseMs]));
  }

  async arm(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): Promise<boolean> {
    return isYes(await this.#step('arm', [grantId, claim.generation, claim.owner, claim.leaseMs]));
  }

  async releaseClaim(grantId: string, release: ClaimRelease): Promise<boolean> {
    const { generation, version, owner, state, backoffMs, failed, errorCode } = release;
    const values = [grantId, generation, owner, version, state, backoffMs, failed, errorCode ?? null];
    return isYes(await this.#step('releaseClaim', values));
  }

  async commit(grantId: string, commit: GrantCommit): Promise<'committed' | 'moved' | 'loggedOut'> {
    const { generation, version, payload, softMs, hardMs, knownSpare = null } = commit;
    const values = [grantId, generation, version, payload, softMs, hardMs, knownSpare as string];
    const row = await this.#step('commit', values);
    return (outcomeOf(row) ?? 'loggedOut') as 'committed' | 'moved' | 'loggedOut';
  }

  async addHolder(grantId: string, { generation, holder, holderMs, spare }: SessionHolder): Promise<boolean> {
    return isYes(await this.#step('addHolder', [grantId, generation, holder, holderMs, spare ?? null]));
  }

  async logOut(grantId: string, logOut: LogOut): Promise<LogOutOutcome> {
    const { generation, version, holder, everywhere, tombstoneMs } = logOut;
    const values = [grantId, generation, holder ?? null, everywhere, tombstoneMs, version];
    const row = await this.#step('logOut', values);
    const outcome = outcomeOf(row) as LogOutOutcome['outcome'] | undefined;
    if (!row || outcome === undefined) return { outcome: 'alreadyLoggedOut' };
    return outcome === 'loggedOut' ? { outcome, record: recordOf(row) } : { outcome };
  }

  async *list(filter: GrantFilter = {}): AsyncIterable<GrantRecord> {
    const { organizationId = null, userId = null, clientID = null, tenant = null } = filter;
    // In pages rather than with a cursor, which would need a connection of its own.
    for (let last = ''; ;) {
      const rows = await this.#rows('list', [organizationId, userId, clientID, tenant, last, pageSize]);
      yield* rows.map(recordOf);
      if (rows.length < pageSize) return;
      last = rows.at(-1)?.['grant_id'] as string;
    }
  }

  subscribe(listener: (grantId: string) => void): () => void {
    return this.#listeners.add(listener);
  }

  async *takeIdle({ idleMs, takenMs }: IdleQuery): AsyncIterable<IdleGrant> {
    // Each page begins after the one before, since the grants that were taken or are not to be taken would be read again.
    for (let last: [refreshedAt: string | null, grantId: string] = [null, '']; ;) {
      const rows = await this.#rows('take', [idleMs, takenMs, takenAtOnce, ...last]);
      for (const row of rows) {
        const grantId = row['grant_id'] as string;
        yield { grantId, generation: row['generation'] as string, unheldMs: Number(row['unheld_ms']) };
      }
      if (rows.length < takenAtOnce) return;
      const { refreshed_at: refreshedAt, grant_id: grantId } = rows.at(-1) as Record<string, string>;
      last = [refreshedAt ?? null, grantId ?? ''];
    }
  }

  async reseal(grantId: string, { generation, version, from, to }: Reseal): Promise<boolean> {
    const texts = [from.payload, from.spare ?? null, to.payload, to.spare ?? null];
    return isYes(await this.#step('reseal', [grantId, generation, version, ...texts]));
  }

  async claimOnce(key: string, owner: string, lifeMs: number): Promise<OneTimeClaimOutcome> {
    const [row] = await this.#rows('claimOnce', [key, owner, lifeMs]);
    return row?.['outcome'] === 'claimed'
      ? { outcome: 'claimed' }
      : { outcome: 'taken', result: (row?.['result'] as string | null | undefined) ?? undefined };
  }

  async resolveClaim(key: string, owner: string, { result, keptMs }: ClaimResolution): Promise<boolean> {
    return isYes((await this.#rows('resolveClaim', [key, owner, result, keptMs]))[0]);
  }

  /** Gives back the connection that listens to changes. The application ends the pool after this. */
  close(): void {
    this.#listeners.close();
  }

  diagnose(): Promise<StoreFinding[]> {
    return diagnosePostgres(
      (text, values) => this.#pool.query(text, values),
      [this.#table, claimsTableOf(this.#table)],
    );
  }

  /** Carries out an operation on one grant. Returns undefined if the grant does not exist. */
  async #step(name: keyof Statements, values: unknown[]): Promise<Row | undefined> {
    const [row] = await this.#rows(name, values);
    if (row) assertKnown(row);
    return row;
  }

  /** Tries again if the database asks for it, as it does if its default isolation is above READ COMMITTED. */
  async #rows(name: keyof AllStatements, values: unknown[]): Promise<Row[]> {
    for (let tries = 1; ; tries++) {
      try {
        const { rows } = await this.#pool.query(this.#statements[name], values);
        return rows as Row[];
      } catch (error) {
        if (tries === 10 || !isRolledBack(error)) throw error;
      }
    }
  }
}

/** Serialization failure or deadlock: the statement has done nothing, and may do it now. */
function isRolledBack(error: unknown): boolean {
  return ['40001', '40P01'].includes((error as { code?: string } | null)?.code ?? '');
}

function isYes(row: Row | undefined): boolean {
  return outcomeOf(row) === 'yes';
}

function outcomeOf(row: Row | undefined): string | undefined {
  return (row?.['outcome'] as string | undefined)?.replace(' again', '');
}

function claimsTableOf(table: string): string {
  return `${table}_once`;
}

function quoted(table: string): string {
  return table
    .split('.')
    .map((name) => `"${name}"`)
    .join('.');
}
