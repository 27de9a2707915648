// @ts-check
/** One of the processes of many.mjs, which gives it its settings as JSON in EXAMPLE_WORKER. */
import cluster from 'node:cluster';
import { EventEmitter, once } from 'node:events';
import { createServer } from 'node:http';
import { clearTimeout, setTimeout } from 'node:timers';
import connectPg from 'connect-pg-simple';
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import { PostgresTokenStore } from 'express-salesforce-auth/stores/postgres';
import { RedisTokenStore } from 'express-salesforce-auth/stores/redis';
import pg from 'pg';
import { createClient } from 'redis';
import { createApp } from '../app.mjs';

/** What happens to tokens, as far as the dashboard draws it. */
const eventNames = /** @type {const} */ ([
  ...['login.succeeded', 'grant.loggedOut', 'token.served', 'refresh.started', 'refresh.succeeded', 'refresh.failed'],
  ...['refresh.doubted', 'refresh.ended', 'refresh.superseded'],
]);

const { port, store, client, people } = JSON.parse(process.env.EXAMPLE_WORKER ?? '{}');
const { closeStores, ...stores } = store.kind === 'redis' ? await openRedis(store.url) : openPostgres(store.url);
/** Events of the other processes. */
const elsewhere = new EventEmitter();
const { app, salesforce, endStreams } = createApp(client, {
  ...stores,
  elsewhere,
  offline: { url: client.baseUrl, users: people },
  servedBy: `process ${process.pid}`,
});
for (const name of eventNames) {
  salesforce.events.on(/** @type {'login.succeeded'} */ (name), (data) => {
    // Without a callback, the loss of a message to a starter that was just killed would end this process at once.
    if (process.connected) process.send?.({ name, data }, undefined, undefined, () => {});
  });
}
process.on('message', (/** @type {{ name: string, data: object }} */ { name, data }) => {
  elsewhere.emit(name, data);
});

const server = createServer((req, res) => {
  // A connection of its own for each request, so that a browser meets both processes.
  res.shouldKeepAlive = false;
  app(req, res);
});
server.listen(port);

/** @type {Promise<void> | undefined} */
let closing;
// Ctrl+C reaches this process by itself as well, and a starter that was killed cannot say that it is over.
for (const signal of ['SIGINT', 'SIGTERM', 'disconnect']) process.on(signal, () => (closing ??= close()));

async function close() {
  const closed = once(server, 'close');
  server.close();
  endStreams();
  // Browsers open connections in advance. Node waits a minute for the first request on such a connection.
  const grace = setTimeout(() => server.closeAllConnections(), 3_000);
  await closed;
  clearTimeout(grace);
  // Refreshes under way finish: a new refresh token that is not stored would be lost.
  await salesforce.close();
  await closeStores();
  if (cluster.worker?.isConnected()) cluster.worker.disconnect();
}

/** @param {string} url */
async function openRedis(url) {
  const redis = createClient({ url });
  redis.on('error', (error) => console.error('Redis:', error.message));
  await redis.connect();
  return {
    store: new RedisTokenStore({ client: redis, notify: true }),
    sessionStore: new RedisStore({ client: redis }),
    closeStores: () => redis.close(),
  };
}

/** @param {string} url */
function openPostgres(url) {
  const pool = new pg.Pool({ connectionString: url });
  pool.on('error', (error) => console.error('PostgreSQL:', error.message));
  const PgStore = connectPg(session);
  return {
    store: new PostgresTokenStore({ pool, notify: true }),
    sessionStore: new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false }),
    closeStores: () => pool.end(),
  };
}
