/**
 * `npm run test:nightly` runs every long test, one command after the other, and writes the results to
 * docs/internals/nightly.json, which is committed. `-- <word>` runs only the commands whose name contains the word.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** The commands. Add a line for a new long test. */
const commands = {
  schedules: 'npm run schedules',
  'schedules on servers': 'npm run schedules -- --servers --count 1000',
  'fault matrix': 'npm run fault-matrix',
  'real clients': 'npm run clients',
  kills: 'npm run kills',
  herd: 'npm run herd',
  shutdowns: 'npm run shutdowns',
  properties: 'npm test -- test/security',
  'load on Redis': 'npm run load -- --write',
  'load on PostgreSQL': 'npm run load -- --store postgres --write',
  'mutation of the checks': 'npm run mutation -- checks',
  'mutation of the coordinator': 'npm run mutation -- coordinator',
};
const environment = { properties: { PROPERTY_RUNS: '20' } };

const file = 'docs/internals/nightly.json';
const [only = ''] = process.argv.slice(2);
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
let [passed, failed] = [0, 0];
for (const [name, command] of Object.entries(commands).filter(([name]) => name.includes(only))) {
  console.log(`=== ${command}`);
  const started = Date.now();
  const { status } = spawnSync(command, {
    shell: true,
    stdio: 'inherit',
    env: { ...process.env, CI: 'true', ...environment[name] },
  });
  const hasPassed = status === 0;
  if (hasPassed) passed += 1;
  else failed += 1;
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim();
  results[name] = { command, passed: hasPassed, seconds: Math.round((Date.now() - started) / 1000), version, commit };
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
