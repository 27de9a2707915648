// @ts-check
import { createHmac, randomBytes } from 'node:crypto';
import { fileURLToPath, URLSearchParams } from 'node:url';
import express from 'express';
import session from 'express-session';
import salesforceAuth from 'express-salesforce-auth';
import { errorHandler, notFound } from './errors.mjs';
import { History } from './history.mjs';
import { errorPage } from './pages/error.mjs';
import { dashboard } from './routes/dashboard.mjs';
import { faults } from './routes/faults.mjs';
import { frames } from './routes/frame.mjs';
import { live } from './routes/live.mjs';
import { setup } from './routes/setup.mjs';
import { refuseForeignPosts, securityHeaders } from './security.mjs';
import { Settings } from './settings.mjs';

const publicFolder = fileURLToPath(new URL('public', import.meta.url));

/**
 * @param {import('express-salesforce-auth').ClientOptions} client your app in Salesforce
 * @param {Omit<import('express-salesforce-auth').SalesforceAuthOptions, keyof import('express-salesforce-auth').ClientOptions | 'configuration'> & Parts} given options of the middleware, such as `store`, and parts
 *
 * @typedef {object} Parts
 * @property {session.Store} [sessionStore] default: in memory, for one process
 * @property {typeof revokeAccessToken} [expire] ends an access token before its time
 * @property {import('express-salesforce-auth/emulator').Emulator} [emulator] what stands in for Salesforce
 * @property {import('./routes/parts.mjs').Offline} [offline] the same, where it is in another process
 * @property {import('node:events').EventEmitter} [elsewhere] events of the middleware in other processes
 * @property {string} [servedBy] name of this process, to be shown
 */
export function createApp(client, given = {}) {
  const {
    sessionStore,
    expire = revokeAccessToken,
    emulator,
    offline = emulator,
    elsewhere,
    servedBy,
    ...options
  } = given;
  const secret = process.env.SESSION_SECRET || randomBytes(32).toString('hex');
  const settings = new Settings(client);
  const salesforce = salesforceAuth({
    encryptionKeys: [createHmac('sha256', secret).update('encryption key').digest('hex')],
    // An example: everybody may look at it.
    allowedOrganizations: 'any',
    ...options,
    // Errors of the package, with what the user can do next, in the frame of this application.
    pages: { ...options.pages, error: (details, req, res) => void res.send(errorPage(frameOf(req), details)) },
    // Asked for at each login and refresh, so that what the setup page changes needs no restart.
    configuration: () => settings.current,
  });
  const history = new History(salesforce, elsewhere);
  const frameOf = frames({ settings, emulator, offline, servedBy });
  const isAlone = servedBy === undefined;
  const parts = { settings, salesforce, history, frameOf, emulator, offline, expire, isAlone };
  const streams = live(parts);
  const app = express();

  app.disable('x-powered-by');
  app.use(securityHeaders(settings), express.static(publicFolder, { cacheControl: false }), refuseForeignPosts);
  app.use(
    session({
      store: sessionStore,
      secret,
      resave: false,
      saveUninitialized: false,
      // Lax keeps other sites from posting the forms of these pages in the user's name.
      cookie: { sameSite: 'lax', secure: 'auto' },
    }),
  );
  app.use(salesforce);
  app.use(express.urlencoded({ extended: false, limit: '10kb' }));
  app.use(dashboard(parts), streams.router, faults(parts), setup(parts));
  app.post('/logout-everywhere', salesforce.logout({ everywhere: true }));
  app.use(notFound(frameOf));
  // A login that ended while a page was being made leads to the login page, and everything else to an error page. What
  // errorHandler() passes on of the package's errors gets the page of `pages.error` above.
  app.use(salesforce.errorHandler(), errorHandler(parts));

  return { app, salesforce, endStreams: streams.end };
}

/**
 * Ends an access token at Salesforce and leaves its refresh token alone, as happens when a session times out.
 *
 * @param {{ accessToken: string, instanceUrl: string, user: import('express-salesforce-auth').SalesforceUser }} salesforce
 */
async function revokeAccessToken({ accessToken, instanceUrl }) {
  const body = new URLSearchParams({ token: accessToken });
  const reply = await globalThis.fetch(`${instanceUrl}/services/oauth2/revoke`, { method: 'POST', body });
  if (!reply.ok) throw new Error(`Salesforce answered the revocation with ${reply.status}.`);
}
