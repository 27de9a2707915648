import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Client, Pool, type PoolConfig } from 'pg';
import { startProgram, temporaryFolder, type RunningServer } from './programs';

const program = require.resolve('../../../tools/servers/embedded-postgres.mjs');

/** The server of `DATABASE_URL`, or a new database on the server of this test run. */
export async function startPostgres(): Promise<RunningServer> {
  const given = process.env['DATABASE_URL'];
  if (given) return { url: given, stop: () => Promise.resolve() };
  const shared = process.env['TEST_DATABASE_URL'];
  return shared ? createDatabase(shared) : startServer();
}

/** A database of its own on a server that other test files use as well. */
async function createDatabase(server: string): Promise<RunningServer> {
  const url = new URL(server);
  url.pathname = `test_${randomBytes(6).toString('hex')}`;
  const name = url.pathname.slice(1);
  await administer(server, `create database ${name}`);
  // A connection of a process that is ending must not keep the database.
  return { url: url.href, stop: () => administer(server, `drop database ${name} with (force)`) };
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new Client(server);
  await client.connect();
  await client.query(statement);
  await client.end();
}

async function startServer(): Promise<RunningServer> {
  const folder = temporaryFolder();
  try {
    const { program: server, output } = await startProgram(process.execPath, [program, folder.path], {
      ready: /ready postgres:\S+\n/,
      missing: 'There is no Node to run PostgreSQL with.',
    });
    return {
      url: /ready (\S+)\n/.exec(output())![1]!,
      stop: async () => {
        const ended = once(server, 'exit');
        server.stdin!.end();
        await ended;
        folder.remove();
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

/** A pool that is quiet when the server stops: `end()` does not wait until the server has seen all connections end. */
export function openPool(connectionString: string, options: PoolConfig = {}): Pool {
  const pool = new Pool({ connectionString, ...options });
  // What fails in a query is told by the query.
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', () => undefined);
  return pool;
}
