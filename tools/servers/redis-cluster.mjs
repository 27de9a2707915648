// @ts-check
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { freePort } from './child.mjs';
import { requireProgram } from './programs.mjs';
import { startRedisServer } from './redis.mjs';

/**
 * A Redis Cluster of three masters, made by `redis-cli --cluster create`.
 *
 * @returns {Promise<{ urls: string[], stop: () => Promise<void> }>}
 */
export async function startRedisCluster() {
  // The bus's port would else be the server's plus 10000, which there may not be.
  const nodes = [];
  for (let count = 0; count < 3; count++) {
    const settings = ['--cluster-enabled', 'yes', '--cluster-port', String(await freePort())];
    nodes.push(await startRedisServer(settings));
  }
  const stop = async () => void (await Promise.all(nodes.map((node) => node.stop())));
  const hosts = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const program = join(dirname(requireProgram('Redis')), 'redis-cli');
  const { status, stdout } = spawnSync(program, ['--cluster', 'create', ...hosts, '--cluster-yes'], {
    encoding: 'utf8',
  });
  if (status === 0) return { urls: nodes.map(({ url }) => url), stop };
  await stop();
  throw new Error(`redis-cli made no cluster:\n${stdout}`);
}
