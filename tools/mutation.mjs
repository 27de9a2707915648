/**
 * `npm run mutation [-- <group>] [options of stryker]`: see stryker.config.mjs for the groups and docs/internals/mutation.md
 * for results.
 */
import { spawnSync } from 'node:child_process';

const [given, ...rest] = process.argv.slice(2);
const isGroup = given !== undefined && !given.startsWith('-');
const { status } = spawnSync('stryker', ['run', ...(isGroup ? rest : process.argv.slice(2))], {
  stdio: 'inherit',
  env: {
    // A few hundred inputs find nearly every mutant that ten thousand inputs find.
    PROPERTY_RUNS: '0.05',
    SCAN_FOR_SECRETS: '0',
    ...process.env,
    ...(isGroup && { MUTATION_GROUP: given }),
  },
});
process.exitCode = status ?? 1;
