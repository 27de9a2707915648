/**
 * `npm run outages`: all outages of test/outages, on a Node.js that has SQLite. Writes docs/internals/outages.md. Arguments go to
 * jest.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { installPrograms, requireProgram } from './servers/programs.mjs';

installPrograms(['SQLite']);
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const { status } = spawnSync(requireProgram('SQLite'), [jest, 'test/outages', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, OUTAGES: 'full' },
});
process.exitCode = status ?? 1;
