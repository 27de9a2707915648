import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Client, Pool } from 'pg';
import type { TokenStore } from '../../lib/stores';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { has } from '../helpers/programs';
import { openPool, startPostgres } from './servers/postgres';
import { startRedis } from './servers/redis';

/** A store, and what somebody can do who has its server and no key. */
export interface OpenStore {
  store: TokenStore;
  /** Everything in it, as text. */
  dump: () => Promise<string>;
  /** Puts a payload in the place of a grant's own. */
  overwrite: (grantId: string, payload: string) => Promise<void>;
}

export const storeNames = ['Redis', 'PostgreSQL'] as const;

/** Real servers for a test file, and an empty store on each of them. */
export async function startStores(): Promise<{
  stores: Partial<Record<(typeof storeNames)[number], OpenStore>>;
  stop: () => Promise<void>;
}> {
  const unique = randomBytes(6).toString('hex');
  const [redis, postgres] = await Promise.all([has('Redis') ? startRedis() : undefined, startPostgres()]);
  const client = redis && new Redis(redis.url);
  const pool = openPool(postgres.url);
  const { table, drop } = await createTable(pool);
  return {
    stores: {
      ...(client && { Redis: onRedis(client, `test:${unique}:`) }),
      PostgreSQL: {
        store: new PostgresTokenStore({ pool, table }),
        dump: async () => JSON.stringify((await pool.query(`select * from ${table} order by grant_id`)).rows),
        overwrite: async (grantId, payload) => {
          await pool.query(`update ${table} set payload = $2 where grant_id = $1`, [grantId, payload]);
        },
      },
    },
    stop: async () => {
      await drop();
      client?.disconnect();
      await pool.end();
      await Promise.all([redis?.stop(), postgres.stop()]);
    },
  };
}

/** The tables of a store, under a name of their own. */
export async function createTable(pool: Pool | Client): Promise<{ table: string; drop: () => Promise<void> }> {
  const table = `grants_${randomBytes(6).toString('hex')}`;
  const sql = readFileSync(join(__dirname, '../../lib/stores/postgres.sql'), 'utf8');
  await pool.query(sql.replaceAll('salesforce_grants', table));
  const drop = async (): Promise<void> => {
    await pool.query(`drop table ${table}, ${table}_once`);
  };
  return { table, drop };
}

function onRedis(client: Redis, prefix: string): OpenStore {
  return {
    store: new RedisTokenStore({ client, prefix }),
    dump: async () => {
      const keys = (await client.keys(`${prefix}*`)).sort();
      const grants = keys.filter((key) => !key.endsWith(':holders'));
      return JSON.stringify(await Promise.all(grants.map(async (key) => [key, await client.hgetall(key)])));
    },
    overwrite: async (grantId, payload) => {
      await client.hset(`${prefix}{${grantId}}`, 'payload', payload);
    },
  };
}
