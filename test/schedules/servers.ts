import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { TokenStore } from '../../lib/stores/store';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { ManualClock } from '../helpers/clock';
import { openPool, startPostgres } from '../stores/servers/postgres';
import { startRedisServer } from '../stores/servers/redis';
import type { SharedStore } from './world';

/** A real server for many schedules, one after the other. */
interface StoreServer {
  /** An empty store for the next schedule, with a clock that tells the server the time. */
  next: () => SharedStore;
  stop: () => Promise<void>;
}

/**
 * Redis with the time of a schedule. The scripts are those of the store, except that they ask a key for the time instead of the
 * server; both go over one connection, so no other command comes between them.
 */
async function openRedis(): Promise<StoreServer> {
  const server = await startRedisServer();
  const client = new Redis(server.url);
  const time = `(function()
  local ms = tonumber(redis.call('GET', 'time'))
  return {math.floor(ms / 1000), (ms % 1000) * 1000}
end)()`;
  return {
    next: () => {
      const clock = new ManualClock();
      void client.flushdb();
      const timed = {
        // The store then sends the script itself.
        evalsha: () => Promise.reject(new Error('NOSCRIPT')),
        eval: (script: string, keys: number, ...given: string[]) => {
          void client.set('time', String(Math.floor(clock.now())));
          return client.eval(script.replaceAll("redis.call('TIME')", time), keys, ...given);
        },
        scan: client.scan.bind(client),
        info: client.info.bind(client),
      };
      return shared(new RedisTokenStore({ client: timed }), clock);
    },
    stop: async () => {
      client.disconnect();
      await server.stop();
    },
  };
}

/** PostgreSQL with the time of a schedule: functions of the test stand before the server's own in the search path. */
async function openPostgres(): Promise<StoreServer> {
  const server = await startPostgres();
  const name = `schedules_${randomBytes(6).toString('hex')}`;
  // One connection, so that statements are carried out in the order in which they are sent.
  const pool = openPool(server.url, { max: 1, options: `-c search_path=${name},pg_catalog,public` });
  const sql = readFileSync(join(__dirname, '../../lib/stores/postgres.sql'), 'utf8');
  await pool.query(`create schema ${name}`);
  await pool.query(sql);
  await pool.query(`create table ${name}.time (ms float8); insert into ${name}.time values (0)`);
  for (const each of ['clock_timestamp', 'statement_timestamp']) {
    await pool.query(
      `create function ${name}.${each}() returns timestamptz language sql volatile as 'select to_timestamp(ms / 1000) from ${name}.time'`,
    );
  }
  return {
    next: () => {
      const clock = new ManualClock();
      void pool.query('truncate salesforce_grants, salesforce_grants_once');
      const timed = {
        query: (text: string, values?: unknown[]) => {
          void pool.query('update time set ms = $1', [clock.now()]);
          return pool.query(text, values);
        },
      };
      return shared(new PostgresTokenStore({ pool: timed }), clock);
    },
    stop: async () => {
      await pool.query(`drop schema ${name} cascade`);
      await pool.end();
      await server.stop();
    },
  };
}

export const openServer = { Redis: openRedis, PostgreSQL: openPostgres } as const;

/** A store whose calls under way are known: virtual time stands still until they are answered. */
function shared(store: TokenStore, clock: ManualClock): SharedStore {
  const underWay = new Set<Promise<unknown>>();
  const track = <T>(call: Promise<T>): Promise<T> => {
    underWay.add(call);
    const done = (): void => void underWay.delete(call);
    call.then(done, done);
    return call;
  };
  const listed = async function* (filter?: Parameters<TokenStore['list']>[0]): ReturnType<TokenStore['list']> {
    let end = (): void => undefined;
    void track(new Promise<void>((resolve) => (end = resolve)));
    try {
      yield* store.list(filter);
    } finally {
      end();
    }
  };
  const tracked = new Proxy(store, {
    get: (target, property: keyof TokenStore): unknown => {
      if (property === 'list') return listed;
      const member: unknown = Reflect.get(target, property);
      if (typeof member !== 'function') return member;
      return (...given: unknown[]) => {
        const answer: unknown = Reflect.apply(member, target, given);
        return answer instanceof Promise ? track(answer) : answer;
      };
    },
  });
  const answered = async (): Promise<boolean> => {
    if (underWay.size === 0) return false;
    await Promise.race(underWay).catch(() => undefined);
    return true;
  };
  return { store: tracked, clock, answered };
}
