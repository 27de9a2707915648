// @ts-check
/** `npm run integration -- <name>`: runs one of them, with an emulator where `SALESFORCE_CLIENT_ID` is not set. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { startEmulator } from 'express-salesforce-auth/emulator';

const names = ['apis', 'download', 'job', 'jsforce', 'nestjs', 'passport', 'websocket'];
const [name = ''] = process.argv.slice(2);
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

if (!names.includes(name)) {
  console.error(`Say which one to run: npm run integration -- <name>, with one of ${names.join(', ')}.`);
  process.exit(1);
}
if (!process.env.SALESFORCE_CLIENT_ID) await startOffline();
await import(name === 'nestjs' ? compiled() : `./${name}.mjs`);

async function startOffline() {
  const callbackURLs = [`http://localhost:${process.env.PORT || 3000}/auth/salesforce/callback`];
  const { clients, users, url } = await startEmulator({ callbackURLs });
  console.log('SALESFORCE_CLIENT_ID is not set, so this is not Salesforce: an emulator with made-up data stands in.');
  for (const { username, password } of users) console.log(`  ${username}  with password  ${password}`);
  const { clientID = '', clientSecret } = clients[0] ?? {};
  Object.assign(process.env, {
    SALESFORCE_CLIENT_ID: clientID,
    SALESFORCE_CLIENT_SECRET: clientSecret,
    SALESFORCE_BASE_URL: url,
  });
}

/** NestJS is TypeScript; the compiler is enough to build it. */
function compiled() {
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', here('nestjs')], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  return './.nestjs/main.js';
}
