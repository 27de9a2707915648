/** jest's global setup: starts only the servers that the chosen files need. */
import { build } from './built.mjs';
import filter from './filter.cjs';
import { adviceOn, findProgram, installPrograms, programs } from '../servers/programs.mjs';
import { startPostgres } from '../servers/postgres.mjs';
import { startRedis } from '../servers/redis.mjs';
import { isCI } from './ci.mjs';

/** One server of each kind for all files. Each file uses its own names there. */
const shared = { Redis: [startRedis, 'TEST_REDIS_URL'], PostgreSQL: [startPostgres, 'TEST_DATABASE_URL'] };

export default async function setUp() {
  const needed = Object.keys(programs).filter((name) => filter.needs.has(name));
  const missing = installPrograms(needed.filter((name) => isCI || programs[name].isFromNpm));
  const lacking = missing.filter((name) => !programs[name].isOptional);
  if (isCI && lacking.length > 0)
    throw new Error(lacking.map((name) => `${name} is missing. ${adviceOn(name)}`).join('\n'));
  for (const name of needed) {
    const path = findProgram(name);
    if (path !== undefined) process.env[programs[name].env] = path;
  }
  const wanted = Object.keys(shared).filter((name) => filter.needs.has(name) && isFound(name));
  globalThis.sharedServers = [];
  await Promise.all([
    filter.needs.has('build') && build(),
    ...wanted.map(async (name) => {
      const [start, variable] = shared[name];
      const server = await start();
      globalThis.sharedServers.push({ ...server, variable });
      process.env[variable] = server.url;
    }),
  ]);
}

function isFound(name) {
  return !(name in programs) || findProgram(name) !== undefined;
}
