/* eslint no-unused-vars: ['error', { argsIgnorePattern: '^_' }] -- Passport and Express count parameters */
/* global setImmediate */
/** Runs what ends a process with passport-oauth2, and says of each whether this one would have ended. */
import { once } from 'node:events';
import express from 'express4';
import expressSession from 'express-session';
import passportModule from 'passport';
import { startEmulator } from '../../../dist/emulator.mjs';
import { salesforceAuth, SalesforceStrategy } from '../../../dist/index.mjs';

const app = express();
const server = app.listen(0);
await once(server, 'listening');
const url = `http://localhost:${server.address().port}`;
const emulator = await startEmulator({ callbackURLs: [] });
const passport = new passportModule.Passport();
const crashes = [];
let crashed = () => undefined;
for (const name of ['uncaughtException', 'unhandledRejection']) {
  process.on(name, () => {
    crashes.push(name);
    crashed();
  });
}

const ok = (_accessToken, _refreshToken, _profile, done) => done(null, { id: 1 });
const boom = () => new RangeError('no');
const cases = {
  'custom callback throws its error': {
    custom: () => (error) => {
      if (error) throw error;
      throw boom();
    },
  },
  'custom callback throws after the response began': {
    custom: (res) => () => {
      res.end('begun');
      throw boom();
    },
  },
  'async custom callback rejects after a login': { custom: () => async () => Promise.reject(boom()) },
  'verify rejects': { verify: async (_a, _r, _p, _done) => Promise.reject(boom()) },
  'verify rejects with nothing': { verify: async (_a, _r, _p, _done) => Promise.reject() },
  'verify throws nothing': {
    verify: (_a, _r, _p, _done) => {
      throw undefined;
    },
  },
  'verify answers twice': {
    verify: (_a, _r, _p, done) => {
      done(null, { id: 1 });
      done(null, { id: 2 });
    },
  },
  'verify throws after its answer': {
    verify: (_a, _r, _p, done) => {
      done(null, { id: 1 });
      throw boom();
    },
  },
  'userProfile rejects': { userProfile: async () => Promise.reject(boom()) },
  'skipUserProfile rejects': { skipUserProfile: async (_token, _done) => Promise.reject(boom()) },
};

app.use(expressSession({ secret: '__test__', resave: false, saveUninitialized: false }));
passport.serializeUser((user, done) => done(null, user));
for (const [name, { verify = ok, custom, userProfile, skipUserProfile }] of Object.entries(cases)) {
  const path = `/${name.replaceAll(' ', '-')}`;
  const { clientID, clientSecret } = emulator.registerClient({ callbackURLs: [`${url}${path}/callback`] });
  const client = { clientID, clientSecret, callbackURL: `${path}/callback`, baseUrl: emulator.url, scope: 'id api' };
  const strategy = new SalesforceStrategy({ ...client, skipUserProfile }, verify);
  if (userProfile) strategy.userProfile = userProfile;
  passport.use(name, strategy);
  app.get(`${path}/login`, passport.authenticate(name));
  app.get(
    `${path}/callback`,
    (req, res, next) => {
      passport.authenticate(name, ...(custom ? [custom(res)] : []))(req, res, next);
    },
    (_req, res) => res.send('logged in'),
  );
}

// The middleware, and a handler that forgets a promise.
const { clientID, clientSecret } = emulator.registerClient({ callbackURLs: [`${url}/auth/salesforce/callback`] });
app.use(
  salesforceAuth({
    clientID,
    clientSecret,
    baseUrl: emulator.url,
    scope: 'id api refresh_token',
    encryptionKeys: false,
  }),
);
app.get('/forgets', (req, res) => {
  req.salesforce.fetch('/services/data/');
  res.send('served');
});
app.use((error, _req, res, _next) => {
  if (res.headersSent) res.end();
  else res.status(500).send(`${error.name}: ${error.message}`);
});

for (const name of Object.keys(cases)) await say(name, await open(`/${name.replaceAll(' ', '-')}`));
await say('anonymous error at the callback', () => fetch(`${url}/custom-callback-throws-its-error/callback?error=x`));
await say('a handler that forgets a promise', () => fetch(`${url}/forgets`));
process.exit();

async function say(name, ask) {
  crashes.length = 0;
  const crash = new Promise((resolve) => (crashed = () => resolve(undefined)));
  const answer = await Promise.race([ask(), crash]);
  const text = answer ? `${answer.status} ${(await answer.text()).split(' Guard')[0]}` : 'no answer';
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  console.log(`${name} | ${text} | ${crashes[0] ?? 'lives'}`);
}

async function open(path) {
  const start = await fetch(`${url}${path}/login`, { redirect: 'manual' });
  return walk(start);
}

async function walk(start) {
  const callback = await emulator.logIn({ authorizeUrl: start.headers.get('location') });
  return () => fetch(callback, { redirect: 'manual', headers: { cookie: cookiesOf(start) } });
}

function cookiesOf(answer) {
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
}
