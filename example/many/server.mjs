// @ts-check
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { startPostgres } from '../../tools/servers/postgres.mjs';
import { startRedis } from '../../tools/servers/redis.mjs';

/**
 * A server that processes share. Its programs are in groups of their own, so that Ctrl+C ends them last.
 *
 * @typedef {object} Server
 * @property {string} name
 * @property {string} url
 * @property {() => Promise<void>} stop
 */

/** @type {Record<string, () => Promise<Server>>} */
const servers = { redis, postgres };

/**
 * @param {string} kind
 * @returns {Promise<Server>}
 */
export async function startServer(kind) {
  const start = Object.hasOwn(servers, kind) ? servers[kind] : undefined;
  if (!start) throw new Error(`Say where to keep sessions and grants: ${Object.keys(servers).join(' or ')}.`);
  return start();
}

async function redis() {
  const server = await startRedis({ detached: true });
  return { ...server, name: server.isOwn ? 'a Redis of its own' : 'the Redis of REDIS_URL' };
}

/** With the table for grants. */
async function postgres() {
  const server = await startPostgres({ detached: true });
  const sql = fileURLToPath(import.meta.resolve('express-salesforce-auth/stores/postgres.sql'));
  const client = new pg.Client(server.url);
  await client.connect();
  await client.query(readFileSync(sql, 'utf8'));
  await client.end();
  return { ...server, name: server.isOwn ? 'a PostgreSQL of its own' : 'the PostgreSQL of DATABASE_URL' };
}
