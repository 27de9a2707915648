import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { createClient } from 'redis';
import type { TokenStore } from '../../lib/stores';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { describeEachOn, has } from '../helpers/programs';
import { login, logOut } from './grants';
import { openPool, startPostgres } from './servers/postgres';
import { startRedisServer } from './servers/redis';

/*
 * A server that cuts off the connections on which stores listen. Until they are back, processes look for themselves; then
 * they are told again.
 */

jest.setTimeout(60_000);

interface Scene {
  make: () => TokenStore;
  /** Cuts off whoever listens. */
  cut: () => Promise<unknown>;
  /** The connections that listen, by a name that no other one gets. */
  listeners: () => Promise<string[]>;
}

const unique = randomBytes(6).toString('hex');
const table = `grants_${unique}`;
const scenes: Record<string, Scene> = {};
const closers: (() => unknown)[] = [];
let pool: Pool;

async function prepareRedis(): Promise<void> {
  const redis = await startRedisServer();
  closers.push(redis.stop);
  const control = new Redis(redis.url);
  const ioredis = new Redis(redis.url);
  const nodeRedis = createClient({ url: redis.url });
  nodeRedis.on('error', () => undefined);
  await nodeRedis.connect();
  closers.push(
    () => control.disconnect(),
    () => ioredis.disconnect(),
    () => nodeRedis.destroy(),
  );
  for (const [library, client] of Object.entries({ redis: nodeRedis, ioredis })) {
    const prefix = `test:${unique}:${library}:`;
    scenes[`Redis by ${library}`] = {
      make: () => new RedisTokenStore({ client, prefix, notify: true }),
      cut: () => control.call('CLIENT', 'KILL', 'TYPE', 'pubsub'),
      listeners: async () => {
        const list = String(await control.call('CLIENT', 'LIST', 'TYPE', 'pubsub'));
        return [...list.matchAll(/^id=(\d+) .* sub=1 /gm)].map(([, id]) => id!);
      },
    };
  }
}

beforeAll(async () => {
  const [postgres] = await Promise.all([startPostgres(), has('Redis') ? prepareRedis() : undefined]);
  closers.push(postgres.stop);
  pool = openPool(postgres.url);
  closers.push(() => pool.end());
  const sql = readFileSync(join(__dirname, '../../lib/stores/postgres.sql'), 'utf8');
  await pool.query(sql.replaceAll('salesforce_grants', table));
  const those = `from pg_stat_activity where query = 'listen "${table}"' and pid <> pg_backend_pid()`;
  scenes['PostgreSQL'] = {
    make: () => new PostgresTokenStore({ pool, table, notify: true }),
    cut: () => pool.query(`select pg_terminate_backend(pid) ${those}`),
    listeners: async () => {
      const { rows } = await pool.query<{ pid: number }>(`select pid ${those}`);
      return rows.map(({ pid }) => String(pid));
    },
  };
}, 120_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setImmediate(resolve));
}

describeEachOn(['Redis by redis', 'Redis by ioredis', 'PostgreSQL'])('a store that listens on %s', (name) => {
  it('is told again after its connection was cut off, and says so once', async () => {
    const { make, cut, listeners } = scenes[name]!;
    const warnings: string[] = [];
    const [listening, other] = [make(), make()];
    listening.reportTo!((code, message) => warnings.push(`${code}: ${message}`));
    const heard: string[] = [];
    const stop = listening.subscribe!((grantId) => heard.push(grantId));
    const others = new Set<string>();
    const listens = async (): Promise<boolean> => (await listeners()).some((connection) => !others.has(connection));
    await until(listens);
    for (const connection of await listeners()) others.add(connection);

    await cut();
    await until(listens);
    const grantId = `grant-${unique}`;
    await other.put(grantId, login);
    await other.logOut(grantId, logOut);
    await until(() => Promise.resolve(heard.includes(grantId)));

    expect(warnings.length).toBeLessThanOrEqual(1);
    expect(warnings.join()).toMatch(
      name === 'PostgreSQL' ? /^STORE_NOTIFY: PostgreSQL does not tell of changed grants for now/ : /^$|for now/,
    );
    stop();
    await until(async () => (await listeners()).length === 0);
    await listening.close?.();
    await other.close?.();
  });
});
