/** One process of an application: a scheduled job that acts as the app itself, and requests of a user who is logged in. */
import { once } from 'node:events';
import express from 'express';
import session from 'express-session';
import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import { requireSalesforce, salesforceAuth } from '../../../dist/index.mjs';
import { RedisTokenStore } from '../../../dist/stores/redis.mjs';

const { redisUrl, ...client } = JSON.parse(process.argv[2]);
const redis = await createClient({ url: redisUrl }).connect();
const salesforce = salesforceAuth({
  ...client,
  callbackURL: 'http://localhost:3000/auth/salesforce/callback',
  scope: 'id api refresh_token',
  store: new RedisTokenStore({ client: redis }),
  encryptionKeys: ['__test_encryption_key_of_32_chars__'],
  report: false,
});
const job = salesforce.app();
const limits = '/services/data/v62.0/limits';

const app = express();
app.set('trust proxy', true);
app.use((req, _res, next) => {
  // The address a proxy in front of both processes would have.
  req.headers.host = 'localhost:3000';
  next();
});
app.use(
  session({
    store: new RedisStore({ client: redis }),
    secret: '__fake_secret__',
    resave: false,
    saveUninitialized: false,
  }),
);
app.use(salesforce);
app.get('/user', requireSalesforce(), async (req, res) => {
  res.json((await req.salesforce.fetch(limits)).status);
});

/** So many side by side, each after the one before it: a thousand new connections in one moment are more than a listener takes. */
const lanes = 50;
async function times(count, act) {
  const results = [];
  const lane = async (_, first) => {
    for (let number = first; number < count; number += lanes) results.push(await act());
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}
/** Statuses and how often each. */
const tally = (statuses) => statuses.reduce((all, status) => ({ ...all, [status]: (all[status] ?? 0) + 1 }), {});

const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}`;

process.on('message', async ({ call, name, cookie, count }) => {
  const answers = {
    url: async () => url,
    // Both at once: the job in this process, the user by requests of a browser.
    run: async () => {
      const request = async () => (await fetch(`${url}/user`, { headers: { cookie } })).json();
      const [jobs, users] = await Promise.all([
        times(count, async () => (await job.fetch(limits)).status),
        times(count, request),
      ]);
      return { jobs: tally(jobs), users: tally(users) };
    },
  };
  process.send({ answer: call, value: await answers[name]() });
});
process.send({ news: 'ready' });
