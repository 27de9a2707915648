/**
 * Runs tests; CONTRIBUTING.md says which command runs which. The last line is "N passed, N failed", and what was skipped.
 *
 * `--tier <name>` runs the passes of a tier, `--rest` without those of the tier before. All other arguments go to jest. Paths
 * run only these files, in every tier.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adviceOn } from './servers/programs.mjs';
import { passes, tiers } from './test/tiers.mjs';

const folder = mkdtempSync(join(tmpdir(), 'tests-'));
const { tier, isRest, given } = readArguments(process.argv.slice(2));
const isWatching = given.some((argument) => argument.startsWith('--watch'));
const names =
  isWatching || given.some(isPath) ? ['given'] : tiers[tier].filter((name) => !isRest || !tiers.quick.includes(name));

let [passed, failed, skipped] = [0, 0, 0];
const without = {};
for (const name of names) {
  const counts = run(name);
  passed += counts.passed;
  failed += counts.failed;
  skipped += counts.skipped;
  for (const [program, count] of Object.entries(counts.without ?? {}))
    without[program] = (without[program] ?? 0) + count;
}
rmSync(folder, { recursive: true });

for (const [program, count] of Object.entries(without)) {
  console.log(`skipped ${count}: ${program} is missing. ${adviceOn(program)} Or run npm run test:setup.`);
  skipped += count;
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;

/** Runs one pass. A pass that failed without a counted failure is one failure. */
function run(name) {
  const { command, env } = passes[name];
  const file = join(folder, `${name}.json`);
  const started = Date.now();
  if (names.length > 1) console.log(`=== ${name}`);
  const [program, ...args] = command({ jest: createRequire(import.meta.url).resolve('jest/bin/jest'), counts: file });
  const { status } = spawnSync(program, [...args, ...given], {
    stdio: 'inherit',
    env: { ...process.env, ...env, TEST_COUNTS: file },
  });
  if (names.length > 1) console.log(`=== ${name}: ${Math.round((Date.now() - started) / 1000)} s`);
  const none = { passed: 0, failed: 0, skipped: 0 };
  const counts = { ...none, ...(existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}) };
  return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}

function readArguments(all) {
  const given = [...all];
  const isRest = take(given, '--rest');
  const at = given.indexOf('--tier');
  const [, tier = 'quick'] = at < 0 ? [] : given.splice(at, 2);
  if (!Object.hasOwn(tiers, tier))
    throw new Error(`There is no tier ${tier}; there are: ${Object.keys(tiers).join(', ')}.`);
  return { tier, isRest, given };
}

function take(list, item) {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}

/** Paths choose files. What follows an option may be its value. */
function isPath(argument, index, all) {
  return !argument.startsWith('-') && (existsSync(argument) || index === 0 || !all[index - 1].startsWith('-'));
}
