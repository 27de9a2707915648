// @ts-check
/** A WebSocket for users who are logged in. Express does not handle the upgrade request, so this file does. */
import { createServer, ServerResponse } from 'node:http';
import express from 'express';
import {
  configurationFromEnv,
  isSalesforceAuthError,
  requireSalesforce,
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

server.on('upgrade', (req, socket, head) => {
  // Browsers let other sites open a socket with the user's cookie, without the checks that fetch has. So the origin is
  // checked here.
  const { origin = `http://${req.headers.host}`, host } = req.headers;
  const isOwn = URL.canParse(origin) && new URL(origin).host === host;
  const request = /** @type {express.Request} */ (req);
  const response = /** @type {express.Response} */ (new ServerResponse(req));
  sessions(request, response, () => {
    const { grantId } = salesforce.of(req);
    if (!isOwn || grantId === undefined) {
      socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(req, socket, head, (ws) => welcome(ws, grantId));
  });
});

/**
 * @param {import('ws').WebSocket} ws
 * @param {string} grantId
 */
function welcome(ws, grantId) {
  const ofGrant = open.get(grantId) ?? new Set();
  open.set(grantId, ofGrant.add(ws));
  ws.on('close', () => ofGrant.delete(ws));
  ws.on('error', () => ws.terminate());
  ws.on('message', async (name) => {
    try {
      // Each message asks for a token, because a socket may stay open longer than the life of a token.
      const access = await salesforce.tokens.get(grantId);
      const query = `SELECT Name, Industry FROM Account WHERE Name LIKE '${escapeSoql(String(name))}%'`;
      const reply = await access.fetch(`/services/data/v68.0/query?q=${encodeURIComponent(query)}`);
      /** @type {any} */
      const { records = [] } = await reply.json();
      ws.send(JSON.stringify(records.map((/** @type {any} */ { Name }) => Name)));
    } catch (error) {
      if (!isSalesforceAuthError(error)) throw error;
      if (error.status === 401) ws.close(4401, 'Log in again');
      else ws.send(JSON.stringify({ error: error.code }));
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
