/** Logs in and out more often than Node lets one signal be listened to, while Salesforce revokes nothing. */
import { once } from 'node:events';
import cookieSession from 'cookie-session';
import express from 'express';
import { startEmulator } from '../../../dist/emulator.mjs';
import { salesforceAuth } from '../../../dist/index.mjs';

const app = express();
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://localhost:${server.address().port}`;
const emulator = await startEmulator({ callbackURLs: [`${url}/auth/salesforce/callback`] });
const [client] = emulator.clients;
const salesforce = salesforceAuth({
  clientID: client.clientID,
  clientSecret: client.clientSecret,
  callbackURL: client.callbackURLs[0],
  baseUrl: emulator.url,
  scope: ['id', 'api', 'refresh_token'],
});
app.use(cookieSession({ name: 'app', keys: ['__test_cookie_key__'] }));
app.use(salesforce);
emulator.faults.inject({ on: 'revoke', kind: 'status', status: 503, times: Infinity });

for (let times = 0; times < 12; times++) {
  const start = await open('/auth/salesforce');
  const { pathname, search } = new URL(await emulator.logIn({ authorizeUrl: start.headers.get('location') }));
  const answer = await open(pathname + search, cookiesOf(start));
  const { status } = await open('/auth/salesforce/logout', cookiesOf(answer), 'POST');
  console.log(`logged out: ${status}`);
}
process.exit();

function open(path, cookie = '', method = 'GET') {
  return fetch(url + path, { method, redirect: 'manual', headers: { cookie } });
}

function cookiesOf(answer) {
  return answer.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ');
}
