/** The contract of token stores with each major of the client libraries, on real servers. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../../tools/servers/programs.mjs';
import { startPostgres } from '../../tools/servers/postgres.mjs';
import { startRedis } from '../../tools/servers/redis.mjs';
import { startRedisCluster } from '../../tools/servers/redis-cluster.mjs';
import { run } from './harness.mjs';

/** Aliases by library. docs/guide/stores.md has the same table. */
const versions = {
  redis: { 'redis-4': 'redis@4', 'redis-5': 'redis@5', 'redis-6': 'redis@6' },
  ioredis: { 'ioredis-4': 'ioredis@4', 'ioredis-5': 'ioredis@5', 'ioredis-6': 'ioredis@6' },
  pg: { 'pg-8.0': 'pg@8.0.3', 'pg-8': 'pg@8' },
};

/** Installs them side by side in a folder and runs the contract with each. Redis is left out where it is missing. */
export async function checkStoreClients(checks, { folder, tarball }) {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'consumer', private: true }));
  for (const file of [
    '../package/consumers/store-contract.mjs',
    '../stores/pass-time.lua',
    '../stores/pass-time.sql',
  ]) {
    cpSync(join(import.meta.dirname, file), join(folder, file.split('/').at(-1)));
  }
  const aliases = Object.values(versions).flatMap((each) =>
    Object.entries(each).map(([alias, version]) => `${alias}@npm:${version}`),
  );
  await run(folder, 'npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', tarball, 'express@5', ...aliases);
  const hasRedis = findProgram('Redis') !== undefined;
  if (!hasRedis) console.log('skipped the contract with redis and ioredis: there is no Redis');
  const servers = await startAll(hasRedis);
  try {
    for (const [library, each] of Object.entries(versions)) {
      for (const [server, urls] of Object.entries(servers[library])) {
        for (const [alias, version] of Object.entries(each)) {
          await checks.check(`the store contract with ${version}, on ${server}`, () =>
            runContract(alias, library, urls),
          );
        }
      }
    }
  } finally {
    await servers.stop();
  }

  async function runContract(client, library, urls) {
    const env = { CLIENT: client, LIBRARY: library, SERVERS: urls.join(' ') };
    const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    const node = [process.execPath, '--test', '--test-reporter=tap', 'store-contract.mjs'];
    const output = await run(folder, 'env', ...settings, ...node);
    const passed = Number(/^# pass (\d+)/m.exec(output)?.[1]);
    assert.ok(passed > 100, `Only ${passed} tests of the contract have run.`);
  }
}

async function startAll(hasRedis) {
  const postgres = await startPostgres();
  const [redis, cluster] = hasRedis ? await Promise.all([startRedis(), startRedisCluster()]) : [];
  const onRedis = hasRedis ? { 'one server': [redis.url], 'a cluster of three': cluster.urls } : {};
  return {
    redis: onRedis,
    ioredis: onRedis,
    pg: { PostgreSQL: [postgres.url] },
    stop: () => Promise.all([postgres, redis, cluster].map((server) => server?.stop())),
  };
}
