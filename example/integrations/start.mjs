// @ts-check
/** `npm run integration -- <name>` runs an integration. It uses an emulator if `SALESFORCE_CLIENT_ID` is not set. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { startEmulator } from 'express-salesforce-auth/emulator';
import { explainStart, portFromEnv } from '../port.mjs';

const names = ['apis', 'download', 'job', 'jsforce', 'nestjs', 'passport', 'websocket'];
const [name = ''] = process.argv.slice(2);
const here = (/** @type {string} */ path) => fileURLToPath(new URL(path, import.meta.url));

if (!names.includes(name)) {
  console.error(`Name the integration to run: npm run integration -- <name>. The names are ${names.join(', ')}.`);
  process.exit(1);
}
try {
  const port = portFromEnv();
  if (!process.env.SALESFORCE_CLIENT_ID) await startOffline(port);
  const { default: started } = await import(name === 'nestjs' ? compiled() : `./${name}.mjs`);
  await started?.started;
} catch (error) {
  console.error(explainStart(error, `npm run integration -- ${name}`));
  // The emulator would keep the process open.
  process.exit(1);
}

/** @param {number} port */
async function startOffline(port) {
  const { origin } = new URL(`http://localhost:${port}`);
  const callbackURLs = [`${origin}/auth/salesforce/callback`];
  const { clients, users, url } = await startEmulator({ callbackURLs });
  console.log('SALESFORCE_CLIENT_ID is not set, so an emulator with made-up data takes the place of Salesforce.');
  for (const { username, password } of users) console.log(`  ${username}  with password  ${password}`);
  const { clientID = '', clientSecret } = clients[0] ?? {};
  Object.assign(process.env, {
    SALESFORCE_CLIENT_ID: clientID,
    SALESFORCE_CLIENT_SECRET: clientSecret,
    SALESFORCE_BASE_URL: url,
  });
}

/** Compiles the NestJS application, which is TypeScript. */
function compiled() {
  const compiler = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  const { status } = spawnSync(process.execPath, [compiler, '-p', here('nestjs')], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  return './.nestjs/main.js';
}
