/** `npm run schedules`: random schedules in number, or one replayed: `-- --count 10000 --seed … --path …`. */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';

const { count, seed, path } = parseArgs({
  options: { count: { type: 'string', default: '10000' }, seed: { type: 'string' }, path: { type: 'string' } },
}).values;
const env = {
  ...process.env,
  SCHEDULES_COUNT: count,
  ...(seed === undefined ? {} : { SCHEDULES_SEED: seed }),
  ...(path === undefined ? {} : { SCHEDULES_PATH: path }),
};
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const { status } = spawnSync(process.execPath, [jest, 'test/schedules/schedules.test.ts'], { stdio: 'inherit', env });
process.exitCode = status ?? 1;
