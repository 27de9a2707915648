// @ts-check
/**
 * Starts the example as two processes behind one port, which share sessions and grants: `node example/many.mjs redis`, or
 * `postgres`. The emulator stands in for Salesforce.
 */
import cluster from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startEmulator } from 'express-salesforce-auth/emulator';
import { startServer } from './many/server.mjs';

const workerCount = 2;
const sessionTimeoutSeconds = 600;

/** @type {(() => Promise<unknown> | void)[]} What is to be closed, the last first. */
const open = [];
let isStopping = false;
try {
  await start(process.argv[2] ?? '', process.env.PORT || '3000');
  // Once: a second Ctrl+C ends the process at once.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void close());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
  await close();
}

/**
 * @param {string} kind
 * @param {string} port 0 takes any free one
 */
async function start(kind, port) {
  const server = await startServer(kind);
  open.push(() => server.stop());
  /** @type {string[]} */
  const callbackURLs = [];
  const emulator = await startEmulator({ callbackURLs, sessionTimeoutSeconds });
  open.push(() => emulator.stop());
  const [client] = emulator.clients;
  if (!client) throw new Error('The emulator has no client.');
  const settings = {
    port: Number(port),
    store: { kind, url: server.url },
    people: emulator.users.map(({ username, password }) => ({ username, password })),
    client: {
      clientID: client.clientID,
      clientSecret: client.clientSecret,
      baseUrl: emulator.url,
      organizations: { production: emulator.url, sandbox: emulator.myDomainUrl },
      scope: 'openid id api web refresh_token',
      sessionTimeoutSeconds,
    },
  };
  cluster.setupPrimary({ exec: fileURLToPath(new URL('many/worker.mjs', import.meta.url)) });
  const env = {
    EXAMPLE_WORKER: JSON.stringify(settings),
    // The same in all processes: it signs the cookies of sessions, and tokens are encrypted with a key of it.
    SESSION_SECRET: process.env.SESSION_SECRET || randomBytes(32).toString('hex'),
  };
  open.push(stopWorkers);
  const [actual] = await Promise.all(Array.from({ length: workerCount }, () => fork(env)));
  const url = `http://localhost:${actual}`;
  client.callbackURLs.push(`${url}/auth/salesforce/callback`);
  console.log(`\nSessions and grants are in ${server.name}. Log in as one of`);
  for (const { username, password } of emulator.users) console.log(`  ${username}  with password  ${password}`);
  console.log('\nEach page says at its foot which process it came from. Kill one, and go on: kill -9 <process>');
  console.log(`\nReady: ${url} (Ctrl+C stops it)`);
}

/**
 * Starts a worker, and another in its place whenever it ends.
 *
 * @param {Record<string, string>} env
 * @returns {Promise<number>} the port
 */
async function fork(env) {
  const worker = cluster.fork(env);
  // What one process learns of a grant, the dashboards of all draw.
  worker.on('message', (message) => {
    for (const other of Object.values(cluster.workers ?? {})) {
      // Without a callback, a message to a process that was just killed would end this process.
      if (other !== worker) other?.send(message, undefined, undefined, () => {});
    }
  });
  const ended = once(worker, 'exit');
  const listening = /** @type {Promise<[{ port: number }]>} */ (once(worker, 'listening'));
  const [first] = await Promise.race([listening, ended]);
  if (typeof first !== 'object') throw new Error('A process of the example could not start; what it said is above.');
  console.log(`Process ${worker.process.pid} listens.`);
  void ended.then(() => {
    if (isStopping) return;
    console.log(`Process ${worker.process.pid} has ended; another one starts.`);
    fork(env).catch((/** @type {Error} */ error) => console.error(error.message));
  });
  return first.port;
}

async function stopWorkers() {
  const workers = Object.values(cluster.workers ?? {}).filter((worker) => worker !== undefined);
  await Promise.all(
    workers.map(async (worker) => {
      const ended = once(worker, 'exit');
      worker.process.kill('SIGTERM');
      await ended;
    }),
  );
}

async function close() {
  isStopping = true;
  for (const closeOne of open.splice(0).reverse()) await closeOne();
}
