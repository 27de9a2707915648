/** One process of the application under load; its settings come as JSON in LOAD_WORKER. */
import cookieSession from 'cookie-session';
import express from 'express';
import { requireSalesforce, salesforceAuth } from '../../dist/index.mjs';
import { PostgresTokenStore } from '../../dist/stores/postgres.mjs';
import { RedisTokenStore } from '../../dist/stores/redis.mjs';

const { port, store, callbackURL, ...client } = JSON.parse(process.env.LOAD_WORKER);
const { tokenStore, closeStore } = await openStore(store);
const salesforce = salesforceAuth({
  ...client,
  callbackURL,
  scope: 'id api refresh_token',
  login: { profileSource: 'id' },
  store: tokenStore,
  encryptionKeys: ['__load_encryption_key_of_32_chars__'],
});
const told = [
  'refresh.started',
  'refresh.succeeded',
  'refresh.failed',
  'refresh.doubted',
  'refresh.ended',
  'refresh.superseded',
  'grant.moved',
];
for (const event of told) {
  salesforce.events.on(event, ({ grantId, code }) => process.connected && process.send({ event, grantId, code }));
}

const app = express();
// Users come through a load balancer, which is the user itself here; see user.mjs.
app.set('trust proxy', 'loopback');
app.use(cookieSession({ name: 'load', keys: ['__load_cookie_key__'] }));
app.use(salesforce);
app.get('/limits', requireSalesforce(), async (req, res, next) => {
  try {
    const answer = await req.salesforce.fetch('/services/data/v62.0/limits');
    await answer.arrayBuffer();
    res.json({ upstream: answer.status, grantId: req.salesforce.grantId });
  } catch (error) {
    next(error);
  }
});
// Express recognizes an error handler by its four parameters.
// eslint-disable-next-line no-unused-vars
app.use((error, _req, res, _next) => {
  // `fetch` throws this error if the API drops the connection. The caller must handle it.
  if (error.message === 'fetch failed') res.status(502).json({ code: 'the API dropped the connection' });
  else res.status(error.status ?? 500).json({ code: error.code ?? error.name, message: error.message });
});
const server = app.listen(port, '127.0.0.1', () => process.send({ event: 'ready' }));

process.once('SIGTERM', async () => {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  await salesforce.close();
  server.closeIdleConnections();
  await closed;
  await closeStore();
  process.exit(0);
});

async function openStore({ kind, url }) {
  if (kind === 'redis') {
    const { createClient } = await import('redis');
    const client = createClient({ url, disableOfflineQueue: true, socket: { reconnectStrategy: 100 } });
    client.on('error', () => undefined);
    await client.connect();
    return { tokenStore: new RedisTokenStore({ client }), closeStore: () => client.destroy() };
  }
  const { default: pg } = await import('pg');
  const pool = new pg.Pool({ connectionString: url, max: 20, connectionTimeoutMillis: 3_000 });
  pool.on('error', () => undefined);
  return { tokenStore: new PostgresTokenStore({ pool }), closeStore: () => pool.end() };
}
