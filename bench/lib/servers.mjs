/** Real servers on free ports, started as for the tests. */
import { readFileSync } from 'node:fs';
import pg from 'pg';
import { startPostgres as startServer } from '../../tools/servers/postgres.mjs';
import { startRedisServer } from '../../tools/servers/redis.mjs';
import { fromRoot } from './paths.mjs';

export function startRedis() {
  return startRedisServer();
}

/** With the table for grants. */
export async function startPostgres() {
  const server = await startServer();
  const pool = new pg.Pool({ connectionString: server.url });
  await pool.query(readFileSync(fromRoot('lib/stores/postgres.sql'), 'utf8'));
  await pool.end();
  return server;
}
