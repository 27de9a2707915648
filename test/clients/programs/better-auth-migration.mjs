/** An application with better-auth, and then, when it is told so, what docs/guide/migration.md makes of it, at the same address. */
import { createServer } from 'node:http';
import { memoryAdapter } from 'better-auth/adapters/memory';
import * as before from './better-auth-migration-before.mjs';
import * as after from './better-auth-migration-after.mjs';

const {
  SALESFORCE_URL: baseUrl,
  CLIENT_ID: clientID,
  CLIENT_SECRET: clientSecret,
  CALLBACK_URL: callbackURL,
} = process.env;
const { origin: url, port } = new URL(callbackURL);
const database = memoryAdapter({ user: [], session: [], account: [], verification: [] });
const given = { url, clientID, clientSecret, callbackURL, baseUrl, database };
let app = before.createApp(given);
process.stdin.once('data', () => {
  app = after.createApp(given);
  console.log(JSON.stringify({ step: 'after' }));
});
createServer((req, res) => app(req, res)).listen(Number(port), () => console.log(JSON.stringify({ step: 'before' })));
