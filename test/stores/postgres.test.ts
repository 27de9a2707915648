import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { describeTokenStore } from '../../lib/stores/contract';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { openPool, startPostgres } from './servers/postgres';

const sql = readFileSync(join(__dirname, '../../lib/stores/postgres.sql'), 'utf8');
const table = `grants_${randomBytes(6).toString('hex')}`;
const closers: (() => unknown)[] = [];
let pool: Pool;

beforeAll(async () => {
  const server = await startPostgres();
  closers.push(() => server.stop());
  pool = openPool(server.url, { max: 50 });
  closers.push(() => pool.end());
  await pool.query(sql.replaceAll('salesforce_grants', table));
  closers.push(() => pool.query(`drop table ${table}`));
}, 60_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
}, 60_000);

/** Moves every time in the table back. */
async function passTime(ms: number): Promise<void> {
  const columns = ['soft_at', 'hard_at', 'lease_until', 'next_try_at', 'state_since', 'refreshed_at', 'expires_at'];
  await pool.query(
    `update ${table} set
      ${columns.map((column) => `${column} = ${column} - $1 * interval '1 millisecond'`).join(', ')},
      session_references = (
        select coalesce(jsonb_object_agg(key, value::float8 - $1), '{}') from jsonb_each_text(session_references)
      )`,
    [ms],
  );
}

describeTokenStore('PostgresTokenStore', () => ({
  store: new PostgresTokenStore({ pool, table }),
  elapse: passTime,
  setSchema: async (grantId, schema) => {
    await pool.query(`update ${table} set schema_version = $2 where grant_id = $1`, [grantId, schema]);
  },
  close: async () => {
    await pool.query(`delete from ${table}`);
  },
}));
