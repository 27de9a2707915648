'use strict';
/** An application at a consumer's, and a browser that logs in to it over HTTP. */
const assert = require('node:assert/strict');
const { once } = require('node:events');
const http = require('node:http');
const express = require('express');
const session = require('express-session');

/**
 * Runs one login through the emulator, one call of the API, and one by jsforce, which may be installed or not.
 *
 * @param connection code of the error that connection() gives; undefined if jsforce works
 */
async function logInOnce(
  { salesforceAuth, requireSalesforce },
  { startEmulator },
  { connection = hasJsforce() ? undefined : 'ERR_SALESFORCE_JSFORCE' } = {},
) {
  const app = express();
  const server = http.createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://localhost:${server.address().port}`;
  const callbackURL = `${url}/auth/salesforce/callback`;
  const emulator = await startEmulator({ callbackURLs: [callbackURL] });
  const { clientID, clientSecret } = emulator.clients[0];
  const scope = ['openid', 'id', 'api', 'refresh_token'];
  const salesforce = salesforceAuth({ clientID, clientSecret, callbackURL, scope, baseUrl: emulator.url });
  try {
    app.use(session({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }));
    app.use(salesforce);
    app.get('/', (req, res) => res.json(req.salesforce.user));
    app.get('/accounts', requireSalesforce(), async (req, res) => {
      const reply = await req.salesforce.fetch('/services/data/v62.0/query?q=SELECT+Id+FROM+Account');
      res.status(reply.status).json(await reply.json());
    });
    app.get('/connection', requireSalesforce(), async (req, res) => {
      const query = async () => (await req.salesforce.connection()).query('SELECT Id FROM Account');
      res.json(await query().catch(({ code }) => ({ code })));
    });
    const browse = createBrowser(emulator.users[0]);
    const user = await (await browse(`${url}/auth/salesforce`)).json();
    assert.equal(user.username, emulator.users[0].username);
    const accounts = await (await browse(`${url}/accounts`)).json();
    assert.ok(accounts.records.length > 0);
    const byJsforce = await (await browse(`${url}/connection`)).json();
    if (connection === undefined) assert.equal(byJsforce.totalSize, accounts.totalSize);
    else assert.equal(byJsforce.code, connection);
    assert.equal(emulator.violations.length, 0);
  } finally {
    await salesforce.close();
    await emulator.stop();
    server.closeAllConnections();
    server.close();
  }
}

function hasJsforce() {
  try {
    return Boolean(require.resolve('jsforce'));
  } catch {
    return false;
  }
}

/** Follows redirects, keeps cookies by host and fills in the emulator's forms. */
function createBrowser({ username, password }) {
  const jars = {};
  const request = async (url, body) => {
    const jar = (jars[new URL(url).host] ??= new Map());
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { method: body ? 'POST' : 'GET', body, headers: { cookie }, redirect: 'manual' });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      jar.set(name, value);
    }
    return response;
  };
  return async function browse(url) {
    let response = await request(url);
    for (let step = 0; step < 12; step++) {
      const location = response.headers.get('location');
      if (location) {
        url = new URL(location, url).href;
        response = await request(url);
      } else if (response.headers.get('content-type')?.startsWith('text/html')) {
        const html = await response.text();
        const action = attribute(/<form method="post" action="(.*?)"/.exec(html)?.[1] ?? assert.fail(html));
        const body = new URLSearchParams({ username, pw: password, decision: 'allow' });
        for (const [, name, value] of html.matchAll(/<input type="hidden" name="(.*?)" value="(.*?)">/g)) {
          body.set(attribute(name), attribute(value));
        }
        url = new URL(action, url).href;
        response = await request(url, body);
      } else {
        assert.equal(response.status, 200);
        return response;
      }
    }
    return assert.fail('The login goes in circles.');
  };
}

function attribute(text) {
  return text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
}

module.exports = { logInOnce };
