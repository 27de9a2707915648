/** This package. */
import express from 'express';
import pg from 'pg';
import { createClient } from 'redis';
import { MemoryTokenStore, requireSalesforce, salesforceAuth } from '../../dist/index.mjs';
import { PostgresTokenStore } from '../../dist/stores/postgres.mjs';
import { RedisTokenStore } from '../../dist/stores/redis.mjs';
import { SqliteTokenStore } from '../../dist/stores/sqlite.mjs';
import { sessionMiddleware } from './session.mjs';

export const loginPath = '/auth/salesforce';

let statements = 0;

/** Functions that a benchmark can call in this process. */
export const answers = { statements: () => statements };

async function openStore({ store, redisUrl, postgresUrl, file, notify, countStatements }) {
  if (store === 'sqlite') return new SqliteTokenStore({ file });
  if (store === 'redis')
    return new RedisTokenStore({ client: await createClient({ url: redisUrl }).connect(), notify });
  if (store !== 'postgres') return new MemoryTokenStore();
  const pool = new pg.Pool({ connectionString: postgresUrl });
  if (!countStatements) return new PostgresTokenStore({ pool, notify });
  const query = (text, values) => {
    statements++;
    return pool.query(text, values);
  };
  return new PostgresTokenStore({ pool: { query } });
}

export async function create(given) {
  const { url, client, emulatorUrl, options, scope = 'openid id api refresh_token' } = given;
  const app = express();
  app.use(await sessionMiddleware(given));
  const salesforce = salesforceAuth({
    clientID: client.clientID,
    clientSecret: client.clientSecret,
    callbackURL: `${url}/auth/salesforce/callback`,
    baseUrl: emulatorUrl,
    scope,
    store: await openStore(given),
    encryptionKeys: ['a key for the benchmark alone, not random'],
    ...options,
  });
  app.use(salesforce);
  app.get('/token', requireSalesforce(), (req, res) => {
    res.json({ length: req.salesforce.accessToken.length });
  });
  app.get('/probe', requireSalesforce(), async (req, res) => {
    res.json({ accessToken: await req.salesforce.getAccessToken({ rejected: req.salesforce.accessToken }) });
  });
  return app;
}
