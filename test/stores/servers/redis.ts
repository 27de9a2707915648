import { onFreePort, startProgram, stopProgram, temporaryFolder, type RunningServer } from './programs';

const missing =
  'These tests need a real Redis. Install redis-server (Debian: apt-get install redis-server; macOS: brew install redis), ' +
  'or set REDIS_URL to a server that may be filled with test data.';

/** The server of `REDIS_URL`, or a `redis-server` from PATH on a port of its own. */
export async function startRedis(): Promise<RunningServer> {
  const given = process.env['REDIS_URL'] ?? process.env['TEST_REDIS_URL'];
  if (given) return { url: given, stop: () => Promise.resolve() };
  return startRedisServer();
}

/** A `redis-server` from PATH, with further settings as on its command line. */
export function startRedisServer(...settings: string[]): Promise<RunningServer & { port: number }> {
  return startServerOf({ command: process.env['REDIS_SERVER_PATH'] ?? 'redis-server', missing }, settings);
}

/** The same of another program that takes the settings of Redis. @param missing what to say if the program is missing */
export function startServerOf(
  { command, missing }: { command: string; missing: string },
  settings: readonly string[],
): Promise<RunningServer & { port: number }> {
  return onFreePort(async (port) => {
    const folder = temporaryFolder();
    try {
      const { program } = await startProgram(
        command,
        [...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder.path], ...settings],
        { ready: /Ready to accept connections/, missing },
      );
      const stop = async (): Promise<void> => {
        await stopProgram(program, 'SIGKILL');
        folder.remove();
      };
      return { url: `redis://127.0.0.1:${port}`, port, stop };
    } catch (error) {
      folder.remove();
      throw error;
    }
  });
}
