// @ts-check
/** A WebSocket for users who are logged in. Express does not handle the upgrade request, so this file does. */
import { createServer, ServerResponse } from 'node:http';
import { promisify } from 'node:util';
import express from 'express';
import {
  configurationFromEnv,
  requireSalesforce,
  requiresLogin,
  salesforceApiError,
  salesforceAuth,
} from 'express-salesforce-auth';
import { WebSocketServer } from 'ws';
import { serve, sessions } from './common.mjs';

const salesforce = salesforceAuth({ ...configurationFromEnv(process.env), scope: 'id api refresh_token' });
const app = express();
app.use(sessions, salesforce);
app.get('/', requireSalesforce(), (req, res) => res.json({ user: req.salesforce.user?.displayName }));
app.use(salesforce.errorHandler());

const server = createServer(app);
const sockets = new WebSocketServer({ noServer: true });
/** @type {Map<string, Set<import('ws').WebSocket>>} Open sockets by grant. */
const open = new Map();

server.on('upgrade', async (req, socket, head) => {
  // Node.js does not handle errors of this socket any more. An error without a listener would end the process.
  socket.on('error', () => socket.destroy());
  try {
    const grantId = isOwn(req) ? await grantOf(req) : undefined;
    if (grantId === undefined)
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
    else sockets.handleUpgrade(req, socket, head, (ws) => welcome(ws, grantId));
  } catch {
    // The URL of the request is invalid, or the session store is down. Express would answer; here nothing catches the error.
    socket.destroy();
  }
});

/**
 * Browsers let other sites open a socket with the user's cookie, without the checks that fetch has. So the origin is checked
 * here.
 *
 * @param {import('node:http').IncomingMessage} req
 */
function isOwn({ headers: { host, origin = `http://${host}` } }) {
  return URL.canParse(origin) && new URL(origin).host === host;
}

/**
 * The grant of the session, or undefined without a login.
 *
 * @param {import('node:http').IncomingMessage} req
 */
async function grantOf(req) {
  const request = /** @type {express.Request} */ (req);
  const response = /** @type {express.Response} */ (new ServerResponse(req));
  await promisify(sessions)(request, response);
  return salesforce.of(req).grantId;
}

/**
 * @param {import('ws').WebSocket} ws
 * @param {string} grantId
 */
function welcome(ws, grantId) {
  const ofGrant = open.get(grantId) ?? new Set();
  open.set(grantId, ofGrant.add(ws));
  ws.on('close', () => {
    ofGrant.delete(ws);
    if (ofGrant.size === 0) open.delete(grantId);
  });
  ws.on('error', () => ws.terminate());
  ws.on('message', async (name) => {
    try {
      // Each message asks for a token, because a socket may stay open longer than the life of a token.
      const access = await salesforce.tokens.get(grantId);
      const query = `SELECT Name, Industry FROM Account WHERE Name LIKE '${escapeSoql(String(name))}%'`;
      const reply = await access.fetch(`/services/data/v68.0/query?q=${encodeURIComponent(query)}`);
      if (!reply.ok) throw await salesforceApiError(reply);
      /** @type {any} */
      const { records } = await reply.json();
      ws.send(JSON.stringify(records.map((/** @type {any} */ { Name }) => Name)));
    } catch (error) {
      // Nothing awaits this listener, so an error that is thrown here would end the process.
      console.error('A message failed:', error);
      if (requiresLogin(error)) ws.close(4401, 'Log in again');
      else ws.send(JSON.stringify({ error: 'Try again later.' }));
    }
  });
}

// A socket does not notice that its user has logged out, so it is closed here. A user with another session connects again.
salesforce.events.on('grant.loggedOut', ({ grantId }) => {
  for (const ws of open.get(grantId ?? '') ?? []) ws.close(4401, 'Logged out');
});

/** @param {string} text */
function escapeSoql(text) {
  return text.replace(/[\\'%_]/g, '\\$&');
}

server.on('close', () => sockets.close());
await serve(server, salesforce);
