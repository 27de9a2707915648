/** A store with many grants, in a separate process. The arguments name the store, its server, and its prefix or table. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { createClient } from 'redis';
import { MemoryTokenStore } from '../../dist/index.mjs';
import { PostgresTokenStore } from '../../dist/stores/postgres.mjs';
import { RedisTokenStore } from '../../dist/stores/redis.mjs';
import { fromRoot } from './paths.mjs';
import { generation, grantIdOf, payloadOf, writeOf } from './grants.mjs';
import { serve } from './process.mjs';

const [, , kind, url, place] = process.argv;

/** A clock whose timers run on demand, so that the sweep can be timed. */
const timers = [];
const clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimer: (_delayMs, callback) => {
    timers.push(callback);
    return () => undefined;
  },
};

const kinds = {
  memory: () => {
    const store = new MemoryTokenStore({ clock });
    return {
      store,
      fill: async (from, to) => {
        for (let index = from; index < to; index++) {
          await store.put(grantIdOf(index), writeOf(index, { payload: sealedInSize() }));
        }
      },
      bytes: () => {
        globalThis.gc();
        return process.memoryUsage().heapUsed;
      },
      sweepMs: () => {
        const startedAt = performance.now();
        timers.splice(0).forEach((run) => run());
        return performance.now() - startedAt;
      },
      close: () => undefined,
    };
  },
  redis: async () => {
    const client = await createClient({ url, database: Number(place) }).connect();
    await client.flushDb();
    return {
      store: new RedisTokenStore({ client }),
      // The server copies one real grant, because a million logins would take too long.
      fill: async (from, to) => {
        const copy = `for i = tonumber(ARGV[1]), tonumber(ARGV[2]) do
          redis.call('COPY', KEYS[1], string.sub(KEYS[1], 1, -14) .. string.format('%012d', i) .. '}') end`;
        const key = `salesforce:grant:{${grantIdOf(0)}}`;
        for (let at = from; at < to; at += 10_000) {
          await client.eval(copy, { keys: [key], arguments: [String(at), String(Math.min(at + 10_000, to) - 1)] });
        }
      },
      bytes: async () => Number(/used_memory:(\d+)/.exec(await client.info('memory'))[1]),
      close: () => client.close(),
    };
  },
  postgres: async () => {
    const pool = new pg.Pool({ connectionString: url });
    const table = `salesforce_grants_${place}`;
    await pool.query(`drop table if exists ${table}, ${table}_once`);
    await pool.query(readFileSync(fromRoot('lib/stores/postgres.sql'), 'utf8').replaceAll('salesforce_grants', table));
    const { rows } = await pool.query(
      "select string_agg(column_name, ', ') as names from information_schema.columns where table_name = $1 and column_name <> 'grant_id'",
      [table],
    );
    return {
      store: new PostgresTokenStore({ pool, table }),
      fill: async (from, to) => {
        const copy = `insert into ${table} (grant_id, ${rows[0].names})
          select left($1, 31) || lpad(n::text, 12, '0'), ${rows[0].names}
          from ${table}, generate_series($2::int, $3::int) as n where grant_id = $1`;
        await pool.query(copy, [grantIdOf(0), from, to - 1]);
        await pool.query(`vacuum analyze ${table}`);
      },
      bytes: async () => {
        const size = await pool.query('select pg_total_relation_size($1) as size', [table]);
        return Number(size.rows[0].size);
      },
      close: () => pool.end(),
    };
  },
};

const { store, fill, bytes, sweepMs, close } = await kinds[kind]();
let filled = 0;

serve({
  fill: async (count) => {
    await store.put(grantIdOf(0), writeOf(0, { payload: sealedInSize() }));
    if (count > 1) await fill(1, count);
    filled = count;
  },
  bytes,
  /** Wall time of one read, with eight reads at once, in microseconds. */
  lookUp: async (reads) => {
    let left = reads;
    const startedAt = performance.now();
    const run = async () => {
      while (left-- > 0) {
        const found = await store.read(grantIdOf(Math.floor(Math.random() * filled)));
        if (found?.generation !== generation) throw new Error('A grant is not there.');
      }
    };
    await Promise.all(Array.from({ length: 8 }, run));
    return ((performance.now() - startedAt) * 1_000) / reads;
  },
  sweepMs: () => sweepMs?.(),
  close: () => close(),
});

/** Random bytes of the size of a sealed grant. JWE adds a third, and a header. */
function sealedInSize() {
  const length = Math.ceil(payloadOf(0).length * 1.34) + 180;
  return randomBytes(Math.ceil(length * 0.75)).toString('base64url');
}
