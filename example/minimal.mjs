// @ts-check
/**
 * The core of the example in one file that you can copy. Without SALESFORCE_CLIENT_ID it uses an emulator in place of
 * Salesforce.
 */
import { randomBytes } from 'node:crypto';
import express from 'express';
import session from 'express-session';
import { configurationFromEnv, requireSalesforce, salesforceAuth } from 'express-salesforce-auth';
import { startEmulator } from 'express-salesforce-auth/emulator';

const port = process.env.PORT || '3000';
// `origin` leaves port 80 out, as browsers do.
const url = new URL(`http://localhost:${port}`).origin;
const client = process.env.SALESFORCE_CLIENT_ID ? configurationFromEnv(process.env) : await startOffline();
const salesforce = salesforceAuth({ scope: 'openid id api refresh_token', ...client });

/** @type {Map<string | undefined, number>} How often each grant was refreshed. */
const refreshes = new Map();
salesforce.events.on('refresh.succeeded', ({ grantId }) => refreshes.set(grantId, (refreshes.get(grantId) ?? 0) + 1));

const app = express();
const secret = process.env.SESSION_SECRET || randomBytes(32).toString('hex');
// SameSite=Lax keeps other sites from sending forms in the name of the user.
app.use(session({ secret, resave: false, saveUninitialized: false, cookie: { sameSite: 'lax', secure: 'auto' } }));
app.use(salesforce);

app.get('/', (req, res) => {
  const { user } = req.salesforce;
  if (!user) return void res.send(page('Hello', '<p><a href="/auth/salesforce">Log in with Salesforce</a></p>'));
  res.redirect('/accounts');
});

app.get('/accounts', requireSalesforce(), async (req, res) => {
  const query = encodeURIComponent('SELECT Name FROM Account ORDER BY Name LIMIT 10');
  const reply = await req.salesforce.fetch(`/services/data/v68.0/query?q=${query}`);
  if (!reply.ok) throw new Error(`Salesforce answered ${reply.status}.`);
  const { records } = /** @type {{ records: { Name: string }[] }} */ (await reply.json());
  const { user, grantId } = salesforce.get(req);
  const count = refreshes.get(grantId) ?? 0;
  res.send(
    page(
      `Hello, ${user.displayName ?? user.userId}`,
      `<ul>${records.map(({ Name }) => `<li>${escapeHtml(Name)}</li>`).join('')}</ul>
<p>The access token was refreshed <b id="refreshes">${count}</b> times.</p>
<form method="post" action="/expire"><button>Expire the token</button></form>
<form method="post" action="/auth/salesforce/logout"><button>Log out</button></form>`,
    ),
  );
});

// Ends the access token at Salesforce, as a session timeout does. The next page gets a new token and works.
app.post('/expire', requireSalesforce(), async (req, res) => {
  const { accessToken, instanceUrl } = salesforce.get(req);
  const body = new URLSearchParams({ token: accessToken });
  const reply = await fetch(`${instanceUrl}/services/oauth2/revoke`, { method: 'POST', body });
  if (!reply.ok) throw new Error(`Salesforce answered ${reply.status}.`);
  res.redirect(303, '/accounts');
});

app.use(salesforce.errorHandler());
const server = app.listen(Number(port), (error) => {
  if (!error) return console.log(`Ready: ${url}`);
  console.error(error.message);
  // The emulator would keep the process open.
  process.exit(1);
});
// Running refreshes finish. Otherwise a new refresh token could be lost before it is stored.
const stop = () => server.close(() => void salesforce.close().then(() => process.exit()));
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, stop);

/** Starts an emulator in this process. */
async function startOffline() {
  const callbackURLs = [`${url}/auth/salesforce/callback`];
  const { clients, users, url: baseUrl } = await startEmulator({ callbackURLs });
  console.log('SALESFORCE_CLIENT_ID is not set, so an emulator with made-up data takes the place of Salesforce.');
  for (const { username, password } of users) console.log(`  ${username}  with password  ${password}`);
  const { clientID = '', clientSecret } = clients[0] ?? {};
  return { clientID, clientSecret, baseUrl };
}

/**
 * @param {string} title
 * @param {string} content
 */
function page(title, content) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title><h1>${escapeHtml(title)}</h1>${content}</html>`;
}

/** @param {string} text */
function escapeHtml(text) {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
