// @ts-check
import { freePort, startChild, temporaryFolder } from './child.mjs';
import { requireProgram } from './programs.mjs';

/**
 * The server of `REDIS_URL`, or a new `redis-server`.
 *
 * @param {{ detached?: boolean }} [options]
 * @returns {Promise<import('./child.mjs').Server & { isOwn: boolean }>}
 */
export async function startRedis(options) {
  const given = process.env['REDIS_URL'];
  if (given) return { url: given, isOwn: false, stop: async () => {} };
  return { ...(await startRedisServer([], options)), isOwn: true };
}

/**
 * A `redis-server` in an empty folder. It stores nothing on the disk unless the settings say so.
 *
 * @param {string[]} settings arguments of its command line
 * @param {{ detached?: boolean, port?: number }} [options]
 */
export async function startRedisServer(settings = [], { detached = false, port: given } = {}) {
  const folder = temporaryFolder();
  const port = given ?? (await freePort());
  const basic = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder.path];
  try {
    const { program, stop } = await startChild(
      requireProgram('Redis'),
      [...basic, ...settings],
      /Ready to accept connections/,
      { detached },
    );
    return {
      url: `redis://127.0.0.1:${port}`,
      port,
      program,
      stop: async () => {
        await stop('SIGKILL');
        folder.remove();
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}
