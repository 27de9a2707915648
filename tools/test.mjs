/** `npm test`: sees to the real programs the tests drive and to a fresh dist/, then runs jest with the arguments given. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { provideParts } from './test/parts.mjs';

const env = { ...process.env, ...provideParts() };
if (isStale()) run('tools/build.mjs');
process.exitCode = run(createRequire(import.meta.url).resolve('jest/bin/jest'), ...process.argv.slice(2));

function run(script, ...args) {
  const { status } = spawnSync(process.execPath, [script, ...args], { stdio: 'inherit', env });
  if (status !== 0 && script === 'tools/build.mjs') process.exit(1);
  return status ?? 1;
}

/** Tests of the example and of the command line use the built package. */
function isStale() {
  if (!existsSync('dist/types')) return true;
  const built = statSync('dist/types').mtimeMs;
  return ['lib', 'tools/build']
    .flatMap((folder) => readdirSync(folder, { recursive: true }).map((file) => `${folder}/${file}`))
    .concat('package.json')
    .some((file) => statSync(file).mtimeMs > built);
}
