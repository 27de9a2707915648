/**
 * Takes parts away from an installation of the package while the application runs, as an update does, and brings them back. What
 * the user, the operator and the token store see is printed as JSON. The arguments are the folder of the installation and,
 * to take away nothing but a package, the name of the package.
 */
import { once } from 'node:events';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { pathToFileURL } from 'node:url';
import express from 'express';
import session from 'express-session';
import { startEmulator } from '../../../dist/emulator.mjs';

const [, , folder, dependency] = process.argv;
const { MemoryTokenStore, salesforceAuth } = await import(pathToFileURL(join(folder, 'dist/index.mjs')));

/** Time that is moved by hand. */
const time = { at: Date.now() };
const clock = {
  now: () => time.at,
  monotonic: () => time.at,
  setTimer(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};

const app = express();
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://localhost:${server.address().port}`;
const emulator = await startEmulator({ callbackURLs: [`${url}/auth/salesforce/callback`] });
const [client] = emulator.clients;
const store = new MemoryTokenStore({ clock });
const warnings = [];
const salesforce = salesforceAuth({
  clientID: client.clientID,
  clientSecret: client.clientSecret,
  callbackURL: client.callbackURLs[0],
  baseUrl: emulator.url,
  scope: ['id', 'api', 'refresh_token'],
  sessionTimeoutSeconds: 3_600,
  store,
  clock,
  report: ({ code, message }) => void warnings.push({ code, message }),
});
const events = [];
for (const name of ['login.failed', 'token.failed', 'refresh.started', 'refresh.failed', 'refresh.succeeded']) {
  salesforce.events.on(name, ({ code, cause, verdict }) => events.push({ name, code, cause, verdict }));
}
const errors = [];
app.use(session({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }));
app.use(salesforce);
app.get('/token', salesforce.require(), (req, res) => void res.json({ token: req.salesforce.accessToken }));
app.get('/refused', salesforce.require(), async (req, res) => {
  await req.salesforce.getAccessToken({ rejected: req.salesforce.accessToken });
  res.end();
});
app.get('/connection', salesforce.require(), async (req, res) => {
  await req.salesforce.connection();
  res.end();
});
app.use((error, _req, res, next) => {
  if (res.headersSent) return next(error);
  errors.push({ name: error.name, code: error.code, message: error.message });
  res
    .status(error.status ?? 500)
    .set(error.headers ?? {})
    .end();
});

let cookie = '';
const answers = {};

if (dependency) {
  await during('login without the package', `node_modules/${dependency}`, () => open('/auth/salesforce'));
  await see('login with the package', () => open('/auth/salesforce'));
  end({ answers });
}

await during('login without its steps', 'dist/chunks/login-steps.js', () => open('/auth/salesforce'));
await during('login without the strategy', 'dist/chunks/strategy.js', () => open('/auth/salesforce'));
await see('login', logIn);
const before = await (await open('/token')).json();
await during('connection', 'dist/chunks/connection.js', () => open('/connection'));

time.at += 3_180_000;
await during('soft refresh', 'dist/chunks/run.js', async () => {
  const answer = await open('/token');
  await new Promise((resolve) => setImmediate(resolve));
  return answer;
});
time.at += 3_600_000;
await during('hard refresh', 'dist/chunks/run.js', () => open('/token'));
await during('refused token', 'dist/chunks/run.js', () => open('/refused'));
await see('refresh', () => open('/token'));

const after = await (await open('/token')).json();
end({ answers, isNew: after.token !== before.token, violations: emulator.violations.length });

function end(seen) {
  console.log(JSON.stringify(seen));
  process.exit();
}

/** Notes what comes of `act` while a file or folder of the installation is away. */
async function during(name, path, act) {
  const whole = join(folder, path);
  renameSync(whole, `${whole}.away`);
  try {
    await see(name, act);
  } finally {
    renameSync(`${whole}.away`, whole);
  }
}

async function see(name, act) {
  for (const list of [warnings, events, errors]) list.splice(0);
  // The operator is told of a cause once a minute.
  time.at += 61_000;
  const { status, headers } = await act();
  const states = [];
  for await (const { state, version } of store.list()) states.push({ state, version });
  const seen = { warnings: [...warnings], events: [...events], errors: [...errors] };
  answers[name] = { status, retryAfter: headers.get('retry-after'), states, ...seen };
}

async function logIn() {
  const start = await open('/auth/salesforce');
  const { pathname, search } = new URL(await emulator.logIn({ authorizeUrl: start.headers.get('location') }));
  return open(pathname + search);
}

async function open(path) {
  const answer = await fetch(url + path, { redirect: 'manual', headers: { cookie, accept: 'application/json' } });
  const jar = new Map(cookie.split('; ').map((line) => line.split('=')));
  for (const line of answer.headers.getSetCookie()) {
    const [name, value] = line.split(';')[0].split('=');
    jar.set(name, value);
  }
  cookie = [...jar].map(([name, value]) => `${name}=${value ?? ''}`).join('; ');
  return answer;
}
