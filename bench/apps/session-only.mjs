/** The baseline with sessions: Express and express-session, with a session of the same size as with this package. */
import express from 'express';
import pg from 'pg';
import { createClient } from 'redis';
import { fakeTokens, fakeUser } from './fake-tokens.mjs';
import { sessionMiddleware } from './session.mjs';

export const loginPath = '/login';

let wait;

/** Functions that a benchmark can call in this process. */
export const answers = {
  forgetWait: () => {
    wait = undefined;
  },
};

/**
 * With `read`, a request reads one record of the size of a grant, in the cheapest way of the client library. With `layers`,
 * this number of empty middlewares comes before the route. With `waitUrl`, all requests wait for the same reply of this URL,
 * which the first request asks for: the least that a herd needs.
 */
export async function create(given) {
  const app = express();
  app.use(await sessionMiddleware(given));
  for (let layer = 0; layer < (given.layers ?? 0); layer++) app.use((_req, _res, next) => next());
  app.get('/login', (req, res) => {
    const holder = { grantId: 'g'.repeat(43), generation: 'n'.repeat(16), holder: 'r'.repeat(16) };
    req.session.salesforce = { current: { ...holder, user: fakeUser }, extendAt: 1_700_000_000_000 };
    res.status(204).end();
  });
  const read = await reader(given);
  app.get('/probe', (_req, res) => res.json({}));
  app.get('/token', (req, res, next) => {
    const answer = () => {
      res.json({ length: req.session.salesforce ? fakeTokens.accessToken.length : 0 });
    };
    if (given.waitUrl) (wait ??= textOf(given.waitUrl)).then(answer, next);
    else if (read) read().then(answer, next);
    else answer();
  });
  return app;
}

async function textOf(url) {
  const reply = await fetch(url);
  return reply.text();
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
