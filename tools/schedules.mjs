/**
 * `npm run schedules` runs many random schedules, or replays one: `-- --count 10000 --seed … --path …`. With `--servers` the
 * schedules run on a real Redis and PostgreSQL instead of the memory store.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const { count, seed, path, servers } = parseArgs({
  options: {
    count: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    path: { type: 'string' },
    servers: { type: 'boolean', default: false },
  },
}).values;
const env = {
  ...process.env,
  SCHEDULES_COUNT: count,
  ...(seed === undefined ? {} : { SCHEDULES_SEED: seed }),
  ...(path === undefined ? {} : { SCHEDULES_PATH: path }),
};
const file = servers ? 'test/schedules/servers.test.ts' : 'test/schedules/schedules.test.ts';
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const { status } = spawnSync(process.execPath, [jest, file], { stdio: 'inherit', env });
process.exitCode = status ?? 1;
