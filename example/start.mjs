// @ts-check
/** Starts the example: with your app in Salesforce where `SALESFORCE_CLIENT_ID` is set, else with the emulator. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { clearTimeout, setTimeout } from 'node:timers';
import { fileURLToPath } from 'node:url';
import { configurationFromEnv } from 'express-salesforce-auth';
import { startEmulator } from 'express-salesforce-auth/emulator';
import { createApp } from './app.mjs';
import { keepLogins } from './kept-logins.mjs';
import { explainStart, portFromEnv } from './port.mjs';
import { salesforceHosts } from './settings.mjs';

/** The path of the route `salesforceAuth()` serves where no other is set. */
const callbackPath = '/auth/salesforce/callback';

/** How long a session of the emulator may be idle. Short, so that there is something to watch. */
const sessionTimeoutSeconds = 600;

// Variables that are set already win over those of the file.
const envFile = fileURLToPath(new URL('.env', import.meta.url));
if (existsSync(envFile)) process.loadEnvFile(envFile);

/** @type {(() => Promise<void>)[]} What is to be closed, the last first. */
const open = [];
try {
  await start(portFromEnv(), process.env.SALESFORCE_CLIENT_ID?.trim() ? createRealApp : createOfflineApp);
  // Once: a second Ctrl+C ends the process at once.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void close());
} catch (error) {
  console.error(explainStart(error, 'npm start'));
  process.exitCode = 1;
  await close();
}

/**
 * @param {number} port 0 takes any free one
 * @param {typeof createRealApp | typeof createOfflineApp} create
 */
async function start(port, create) {
  const { app, salesforce, endStreams, announce } = await create();
  // Refreshes under way finish: a new refresh token that is not stored would be lost.
  open.push(() => salesforce.close());
  const server = app.listen(port);
  await once(server, 'listening');
  open.push(async () => {
    const closed = once(server, 'close');
    server.close();
    endStreams();
    // Browsers open connections in advance. Node waits a minute for the first request on such a connection.
    const grace = setTimeout(() => server.closeAllConnections(), 3_000);
    await closed;
    clearTimeout(grace);
  });
  const { port: actual } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const url = `http://localhost:${actual}`;
  announce(url);
  console.log(`\nReady: ${url} (Ctrl+C stops it)`);
}

/** With your app in Salesforce. */
async function createRealApp() {
  const client = { organizations: salesforceHosts, ...configurationFromEnv(process.env) };
  const kept = keepLogins(process.env.DATA_FOLDER || fileURLToPath(new URL('.data', import.meta.url)));
  if (kept) {
    process.env.SESSION_SECRET ||= kept.secret;
    open.push(() => kept.close());
  }
  return {
    ...createApp(client, kept && { store: kept.store, sessionStore: kept.sessionStore }),
    /** @param {string} url */
    announce(url) {
      console.log(`Logging in with Salesforce at ${client.baseUrl ?? 'https://login.salesforce.com'}`);
      console.log(`The callback URL of your app in Salesforce has to be ${client.callbackURL ?? url + callbackPath}`);
      console.log(
        kept
          ? 'Logins are kept in a file, and a restart logs no user out.'
          : 'Logins are in memory, and a restart ends them. With Node.js 22.13 or later they are kept in a file.',
      );
    },
  };
}

/** With a Salesforce that exists in this process only. */
async function createOfflineApp() {
  /** @type {string[]} */
  const callbackURLs = [];
  // Not locked, since a page of the example switches rotation.
  const emulator = await startEmulator({ callbackURLs, policy: { locked: false }, sessionTimeoutSeconds });
  open.push(() => emulator.stop());
  const [client] = emulator.clients;
  if (!client) throw new Error('The emulator has no client.');
  const { clientID, clientSecret } = client;
  return {
    ...createApp(
      {
        clientID,
        clientSecret,
        baseUrl: emulator.url,
        // Two names of the emulator, for the choice there is at Salesforce.
        organizations: { production: emulator.url, sandbox: emulator.myDomainUrl },
        scope: 'openid id api web refresh_token',
        sessionTimeoutSeconds,
      },
      {
        emulator,
        // The emulator is not still working on a request whose answer was lost, so no request has to wait for that.
        refresh: { drainMs: 1000 },
        expire: async ({ user }) => emulator.expireAccessTokens({ userId: user.userId }),
      },
    ),
    /** @param {string} url */
    announce(url) {
      client.callbackURLs.push(url + callbackPath);
      console.log(
        'SALESFORCE_CLIENT_ID is not set, so this is not Salesforce: an emulator with made-up data stands in.',
      );
      console.log(`It listens on ${emulator.url}, and forgets everything when it stops.\n`);
      console.log(`Open ${url} and log in as one of`);
      for (const { username, password } of emulator.users) console.log(`  ${username}  with password  ${password}`);
      console.log(`\nYour own Salesforce, when you have one: ${url}/setup`);
    },
  };
}

async function close() {
  for (const closeOne of open.splice(0).reverse()) await closeOne();
}
