/* eslint no-unused-vars: ['error', { argsIgnorePattern: '^_' }] -- Passport and Express count parameters */
/* global setImmediate */
/**
 * Runs code of an application that fails, with passport-oauth2 (`plain`) or SalesforceStrategy (`ours`), from a case on. The
 * first line has the names of all cases; each further line says what one request got. What ends the process is not caught here.
 */
import { once } from 'node:events';
import express from 'express4';
import expressSession from 'express-session';
import passportModule from 'passport';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import { startEmulator } from '../../../dist/emulator.mjs';
import { salesforceAuth } from '../../../dist/index.mjs';
import { SalesforceStrategy } from '../../../dist/strategy.mjs';

const [, , kind, from = '0'] = process.argv;

const ok = (_accessToken, _refreshToken, _profile, done) => done(null, { id: 1 });
const boom = () => new RangeError('no');
const cases = {
  'a custom callback that throws its error': {
    custom: () => (error) => {
      if (error) throw error;
      throw boom();
    },
  },
  'a custom callback that throws after the response has begun': {
    custom: (res) => () => {
      res.end('begun');
      throw boom();
    },
  },
  'an async custom callback that rejects after a login': { custom: () => async () => Promise.reject(boom()) },
  'an async custom callback that rejects after a denial': {
    custom: () => async () => Promise.reject(boom()),
    decision: 'deny',
  },
  'a custom callback that throws after an error without a login': {
    custom: () => (error, user) => {
      throw user === false ? boom() : error;
    },
    query: '?error=x',
  },
  'verify that rejects': { verify: async (_a, _r, _p, _done) => Promise.reject(boom()) },
  'verify that rejects with nothing': { verify: async (_a, _r, _p, _done) => Promise.reject() },
  'verify that throws nothing': {
    verify: (_a, _r, _p, _done) => {
      throw undefined;
    },
  },
  'verify that throws a text': {
    verify: (_a, _r, _p, _done) => {
      throw 'no';
    },
  },
  'verify that answers twice': {
    verify: (_a, _r, _p, done) => {
      done(null, { id: 1 });
      done(null, { id: 2 });
    },
  },
  'verify that answers, and then with an error': {
    verify: (_a, _r, _p, done) => {
      done(null, { id: 1 });
      done(boom());
    },
  },
  'verify that throws after its answer': {
    verify: (_a, _r, _p, done) => {
      done(null, { id: 1 });
      throw boom();
    },
  },
  'an async verify that rejects after its answer': {
    verify: async (_a, _r, _p, done) => {
      done(null, { id: 1 });
      throw boom();
    },
  },
  'userProfile() that rejects': { userProfile: async () => Promise.reject(boom()) },
  'userProfile() that throws': {
    userProfile: () => {
      throw boom();
    },
  },
  'skipUserProfile that rejects': { skipUserProfile: async (_token, _done) => Promise.reject(boom()) },
  'skipUserProfile that throws': {
    skipUserProfile: () => {
      throw boom();
    },
  },
};
/** The middleware in place of a strategy: Express 4 forgets the promise of a handler. */
const forgotten = 'a handler that forgets a promise';

const names = [...Object.keys(cases), ...(kind === 'ours' ? [forgotten] : [])];
console.log(JSON.stringify(names));

const app = express();
const server = app.listen(0);
await once(server, 'listening');
const url = `http://localhost:${server.address().port}`;
const emulator = await startEmulator({ callbackURLs: [] });
const passport = new passportModule.Passport();

app.use(expressSession({ secret: '__test__', resave: false, saveUninitialized: false }));
passport.serializeUser((user, done) => done(null, user));
for (const [index, { verify = ok, custom, userProfile, skipUserProfile }] of Object.values(cases).entries()) {
  const path = `/${index}`;
  const { clientID, clientSecret } = emulator.registerClient({ callbackURLs: [`${url}${path}/callback`] });
  const strategy = strategyOf({ clientID, clientSecret, callbackURL: `${path}/callback`, skipUserProfile }, verify);
  if (userProfile) strategy.userProfile = userProfile;
  passport.use(path, strategy);
  app.get(`${path}/login`, passport.authenticate(path));
  app.get(
    `${path}/callback`,
    (req, res, next) => {
      passport.authenticate(path, ...(custom ? [custom(res)] : []))(req, res, next);
    },
    (req, res) => res.send(req.user ? 'logged in' : 'let through without a user'),
  );
}
const { clientID, clientSecret } = emulator.registerClient({ callbackURLs: [`${url}/auth/salesforce/callback`] });
const scope = 'id api refresh_token';
app.use(salesforceAuth({ clientID, clientSecret, baseUrl: emulator.url, scope, encryptionKeys: false, report: false }));
app.get('/forgets', (req, res) => {
  req.salesforce.fetch('/services/data/');
  res.send('served');
});
app.use((error, _req, res, _next) => {
  if (res.headersSent) res.end();
  else res.status(500).send(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
});

for (let index = Number(from); index < names.length; index++) {
  const answer = await (names[index] === forgotten ? fetch(`${url}/forgets`) : open(index));
  const text = await answer.text();
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  console.log(JSON.stringify(`${answer.status} ${text}`));
}
process.exit();

function strategyOf(options, verify) {
  const scope = 'id api';
  if (kind === 'ours') return new SalesforceStrategy({ ...options, scope, baseUrl: emulator.url }, verify);
  const authorizationURL = `${emulator.url}/services/oauth2/authorize`;
  const tokenURL = `${emulator.url}/services/oauth2/token`;
  return new OAuth2Strategy({ ...options, scope, authorizationURL, tokenURL, state: true, pkce: true }, verify);
}

async function open(index) {
  const { query, decision } = Object.values(cases)[index];
  if (query) return fetch(`${url}/${index}/callback${query}`);
  const start = await fetch(`${url}/${index}/login`, { redirect: 'manual' });
  const callback = await emulator.logIn({ authorizeUrl: start.headers.get('location'), decision });
  return fetch(callback, { redirect: 'manual', headers: { cookie: cookiesOf(start) } });
}

function cookiesOf(answer) {
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
}
