// @ts-check
import { randomBytes } from 'node:crypto';
import { URLSearchParams } from 'node:url';
import express from 'express';
import session from 'express-session';
import salesforceAuth, { requireSalesforce } from 'express-salesforce-auth';
import { readReply, showError } from './errors.mjs';
import { accountsPage, errorPage, homePage } from './pages.mjs';

const accountsQuery = 'SELECT Name, Industry, BillingCity FROM Account ORDER BY Name LIMIT 10';

/**
 * @param {import('express-salesforce-auth').ClientOptions} client your app in Salesforce
 * @param {import('express-salesforce-auth').StaticOptions & Parts} options of the middleware, such as `store`, and parts
 *
 * @typedef {object} Parts
 * @property {session.Store} [sessionStore] default: in memory, for one process
 * @property {typeof revokeAccessToken} [expire] ends an access token before its time
 */
export function createApp(client, { sessionStore, expire = revokeAccessToken, ...options } = {}) {
  const salesforce = salesforceAuth({ ...client, ...options });
  const refreshes = countRefreshes(salesforce);
  const app = express();

  app.use((_req, res, next) => {
    // The pages show personal data, which no Back button may bring back after a logout.
    res.set('Cache-Control', 'no-store');
    next();
  });
  app.use(
    session({
      store: sessionStore,
      secret: process.env.SESSION_SECRET || randomBytes(32).toString('hex'),
      resave: false,
      saveUninitialized: false,
      // Lax keeps other sites from posting the forms of these pages in the user's name.
      cookie: { sameSite: 'lax', secure: 'auto' },
    }),
  );
  app.use(salesforce);

  app.get('/', (req, res) => {
    const { user, grantId } = req.salesforce;
    res.send(homePage({ user, refreshes: refreshes.get(grantId), isExpired: 'expired' in req.query }));
  });

  app.get('/accounts', requireSalesforce(), async (req, res) => {
    const { user, grantId } = salesforce.get(req);
    const reply = await req.salesforce.fetch(`/services/data/v62.0/query?q=${encodeURIComponent(accountsQuery)}`);
    const { records } = await readReply(reply);
    res.send(accountsPage({ user, refreshes: refreshes.get(grantId), accounts: records }));
  });

  app.post('/expire', requireSalesforce(), async (req, res) => {
    await expire(salesforce.get(req));
    res.redirect(303, '/?expired');
  });

  app.use((req, res) => {
    res.status(404).send(errorPage({ message: `There is no page at ${req.path}.`, retry: '/' }));
  });
  // A login that ended while a page was being made leads to the login page, and everything else to an error page.
  app.use(salesforce.errorHandler(), showError);

  return { app, salesforce };
}

/**
 * Ends an access token at Salesforce and leaves its refresh token alone, as happens when a session times out.
 *
 * @param {import('express-salesforce-auth').GuardedRequest} salesforce
 */
async function revokeAccessToken({ accessToken, instanceUrl }) {
  const body = new URLSearchParams({ token: accessToken });
  const reply = await globalThis.fetch(`${instanceUrl}/services/oauth2/revoke`, { method: 'POST', body });
  if (!reply.ok) throw new Error(`Salesforce answered the revocation with ${reply.status}.`);
}

/**
 * Counts the refreshes of each grant, for show.
 *
 * @param {import('express-salesforce-auth').SalesforceAuth} salesforce
 */
function countRefreshes({ events }) {
  /** @type {Map<string | undefined, { count: number, last: Date }>} */
  const refreshes = new Map();
  events.on('refresh.success', ({ grantId }) => {
    const { count } = refreshes.get(grantId) ?? { count: 0 };
    refreshes.set(grantId, { count: count + 1, last: new Date() });
  });
  events.on('logout', ({ grantId, ended }) => {
    if (ended) refreshes.delete(grantId);
  });
  return refreshes;
}
