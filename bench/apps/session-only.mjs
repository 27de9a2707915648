/** The floor with sessions: Express and express-session, with as much in the session as this package puts there. */
import express from 'express';
import pg from 'pg';
import { createClient } from 'redis';
import { fakeTokens, fakeUser } from './fake-tokens.mjs';
import { sessionMiddleware } from './session.mjs';

export const loginPath = '/login';

/** With `read`, a request reads one record as large as a grant, as cheaply as the client library can. */
export async function create(given) {
  const app = express();
  app.use(await sessionMiddleware(given));
  app.get('/login', (req, res) => {
    const hold = { grantId: 'g'.repeat(43), generation: 'n'.repeat(16), reference: 'r'.repeat(16), extendAt: 0 };
    req.session.salesforce = { ...hold, user: fakeUser };
    res.status(204).end();
  });
  const read = await reader(given);
  app.get('/token', (req, res, next) => {
    const answer = () => {
      res.json({ length: req.session.salesforce ? fakeTokens.accessToken.length : 0 });
    };
    if (read) read().then(answer, next);
    else answer();
  });
  return app;
}

const payload = 'p'.repeat(1_000);

async function reader({ read, redisUrl, postgresUrl }) {
  if (read === 'redis') {
    const client = await createClient({ url: redisUrl }).connect();
    await client.set('floor', payload);
    return () => client.get('floor');
  }
  if (read === 'postgres') {
    const pool = new pg.Pool({ connectionString: postgresUrl });
    await pool.query('create table if not exists floor (id text primary key, payload text)');
    await pool.query('insert into floor values ($1, $2) on conflict do nothing', ['floor', payload]);
    return () => pool.query('select * from floor where id = $1', ['floor']);
  }
  return undefined;
}
