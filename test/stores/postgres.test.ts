import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { describeTokenStore } from '../../lib/stores/contract';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { describeWith, has } from '../helpers/programs';
import { claim, login, logOut } from './grants';
import { startPgBouncer } from './servers/pgbouncer';
import { openPool, startPostgres } from './servers/postgres';

const sql = readFileSync(join(__dirname, '../../lib/stores/postgres.sql'), 'utf8');
const table = `grants_${randomBytes(6).toString('hex')}`;
/** One statement for each table. */
const timePassing = readFileSync(join(__dirname, 'pass-time.sql'), 'utf8')
  .replaceAll('grants_table', table)
  .split(';')
  .slice(0, 2);
const closers: (() => unknown)[] = [];
let pool: Pool;
/** Connections that PgBouncer shares out anew for each statement. */
let pooled: Pool;
let url: string;

beforeAll(async () => {
  const server = await startPostgres();
  closers.push(() => server.stop());
  url = server.url;
  pool = openPool(server.url, { max: 50 });
  closers.push(() => pool.end());
  if (has('PgBouncer')) {
    const bouncer = await startPgBouncer(server.url);
    closers.push(() => bouncer.stop());
    pooled = openPool(bouncer.url, { max: 50 });
    closers.push(() => pooled.end());
  }
  await pool.query(sql.replaceAll('salesforce_grants', table));
  closers.push(() => pool.query(`drop table ${table}, ${table}_once`));
}, 60_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
}, 60_000);

/** Moves every time in the tables back. */
async function passTime(ms: number): Promise<void> {
  for (const statement of timePassing) await pool.query(statement, [ms]);
}

const besideTheStore = {
  elapse: passTime,
  setSchema: async (grantId: string, schema: number) => {
    await pool.query(`update ${table} set schema_version = $2 where grant_id = $1`, [grantId, schema]);
  },
  close: async () => {
    await pool.query(`delete from ${table}`);
    await pool.query(`delete from ${table}_once`);
  },
};

describeTokenStore(
  'PostgresTokenStore',
  () => ({
    store: new PostgresTokenStore({ pool, table, notify: true, maxHolders: 11 }),
    ...besideTheStore,
  }),
  { maxHolders: 11 },
);

describeWith('PgBouncer')('with a pooler', () => {
  describeTokenStore('PostgresTokenStore behind PgBouncer in transaction mode', () => ({
    store: new PostgresTokenStore({ pool: pooled, table, notify: pool }),
    ...besideTheStore,
  }));
});

describe('PostgresTokenStore on its own table', () => {
  afterEach(async () => {
    await pool.query(`delete from ${table}`);
    await pool.query(`delete from ${table}_once`);
  });

  it('may live in a schema, under a word that SQL reserves', async () => {
    await pool.query(
      `create schema if not exists ${table}; create table ${table}."select" (like ${table} including all)`,
    );
    const store = new PostgresTokenStore({ pool, table: `${table}.select` });

    expect(await store.put('grant', login)).toEqual({ outcome: 'written', version: 1 });
    await pool.query(`drop schema ${table} cascade`);
  });

  it('fails if there is no table, and creates none', async () => {
    const store = new PostgresTokenStore({ pool, table: 'nowhere' });

    await expect(store.read('grant')).rejects.toThrow('does not exist');
    await expect(store.put('grant', login)).rejects.toThrow('does not exist');
    await expect(store.claimOnce('key', 'owner', 1_000)).rejects.toThrow('nowhere_once');
  });

  it('sends each operation as one unnamed statement, whatever connection it gets', async () => {
    const sent: unknown[][] = [];
    const spy = { query: (...given: [string, unknown[]]) => (sent.push(given), pool.query(...given)) };
    const store = new PostgresTokenStore({ pool: spy, table });

    await store.put('grant', login);
    await store.put('grant', { ...login, writer: 'second login', expected: { generation: 'first', version: 1 } });
    await store.read('grant');
    await store.claim('grant', { ...claim, version: 2 });
    await store.commit('grant', { generation: 'first', version: 2, payload: 'new', softMs: null, hardMs: null });
    await store.logOut('grant', logOut);
    await store.claimOnce('key', 'owner', 1_000);
    await store.resolveClaim('key', 'owner', { result: 'result', keptMs: 1_000 });

    expect(sent).toHaveLength(8);
    for (const [text] of sent) {
      expect(typeof text).toBe('string');
      expect(text).not.toMatch(/;|\b(begin|commit|listen|advisory|create|alter|set local|prepare)\b/i);
    }
  });

  it('grants one of a hundred claims under the strictest default isolation', async () => {
    const strict = openPool(url, { max: 20, options: '-c default_transaction_isolation=serializable' });
    const store = new PostgresTokenStore({ pool: strict, table });
    await store.put('grant', login);

    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => store.claim('grant', { ...claim, owner: `owner ${index}` })),
    );
    await strict.end();

    expect(answers.filter(({ outcome }) => outcome === 'claimed')).toHaveLength(1);
    expect(answers.filter(({ outcome }) => outcome === 'busy')).toHaveLength(99);
  });

  it('forgets a grant that was abandoned for retentionMs, and removes it with a later login', async () => {
    const store = new PostgresTokenStore({ pool, table, retentionMs: 100_000 });
    await store.put('abandoned', login);
    await store.put('held', { ...login, holderMs: 600_000 });
    await passTime(login.holderMs + 100_000);

    expect(await store.read('abandoned')).toBeUndefined();
    expect(await store.claim('abandoned', claim)).toEqual({ outcome: 'loggedOut' });
    expect(await store.read('held')).toMatchObject({ state: 'idle' });
    await store.put('new', login);
    const { rows } = await pool.query(`select grant_id from ${table} order by 1`);
    expect(rows).toEqual([{ grant_id: 'held' }, { grant_id: 'new' }]);
    // One that is over may be begun anew before it is removed.
    await passTime(login.holderMs + 100_000);
    expect(await store.put('new', { ...login, writer: 'second login', generation: 'second' })).toMatchObject({
      outcome: 'written',
    });
    expect(await store.read('new')).toMatchObject({ generation: 'second', version: 1 });
  });

  it('removes tombstones that are over with later logouts', async () => {
    const store = new PostgresTokenStore({ pool, table });
    for (const grantId of ['first', 'second', 'third']) {
      await store.put(grantId, login);
      await store.logOut(grantId, logOut);
    }
    await store.put('alive', login);
    await passTime(60_000);
    await store.put('fourth', login);
    await store.logOut('fourth', logOut);

    const { rows } = await pool.query(`select grant_id from ${table} order by 1`);

    expect(rows).toEqual([{ grant_id: 'alive' }, { grant_id: 'fourth' }]);
  });

  it.each([
    ['the server chooses', ''],
    [
      'the server makes nested loops',
      '-c enable_hashjoin=off -c enable_mergejoin=off -c enable_hashagg=off -c enable_material=off -c enable_sort=off',
    ],
  ])('removes one-time claims that are over with later ones, a few at a time, if %s', async (_plan, options) => {
    const planned = openPool(url, { options });
    closers.push(() => planned.end());
    const store = new PostgresTokenStore({ pool: planned, table });
    await Promise.all(Array.from({ length: 25 }, (_, index) => store.claimOnce(`old ${index}`, 'owner', 60_000)));
    await store.claimOnce('alive', 'owner', 600_000);
    await passTime(60_000);

    const left: unknown[] = [];
    for (const key of ['first', 'second', 'third']) {
      await store.claimOnce(key, 'owner', 60_000);
      left.push((await pool.query(`select from ${table}_once where claim_key like 'old %'`)).rowCount);
    }

    expect(left).toEqual([15, 5, 0]);
    expect(await store.claimOnce('alive', 'another', 60_000)).toEqual({ outcome: 'taken', result: undefined });
  });

  it('gives the key to one of a hundred under the strictest default isolation', async () => {
    const strict = openPool(url, { max: 20, options: '-c default_transaction_isolation=serializable' });
    const store = new PostgresTokenStore({ pool: strict, table });

    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => store.claimOnce('raced', `owner ${index}`, 60_000)),
    );
    await strict.end();

    expect(answers.filter(({ outcome }) => outcome === 'claimed')).toHaveLength(1);
  });

  it('writes nothing for a caller that waits for the result', async () => {
    const store = new PostgresTokenStore({ pool, table });
    await store.claimOnce('key', 'owner', 60_000);
    const rowVersion = async (): Promise<unknown> =>
      (await pool.query(`select xmin from ${table}_once where claim_key = 'key'`)).rows[0];
    const before = await rowVersion();

    await store.claimOnce('key', 'another', 60_000);

    expect(await rowVersion()).toEqual(before);
  });

  it('lists more grants than fit a page', async () => {
    const store = new PostgresTokenStore({ pool, table });
    await store.put('grant', login);
    const columns = 'schema_version, generation, version, writers, written_versions, state, payload, organization_id, ';
    const rest = `${columns} user_id, client_id, state_since, failures, holders, held_until, refreshed_at, expires_at`;
    await pool.query(
      `insert into ${table} (grant_id, ${rest}) select 'copy ' || n, ${rest} from ${table}, generate_series(1, 1200) n`,
    );

    const grantIds = new Set<string>();
    for await (const { grantId } of store.list()) grantIds.add(grantId);

    expect(grantIds.size).toBe(1201);
  });
});
