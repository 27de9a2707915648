/**
 * What a tier runs, and how. A pass is one run of a program over the files that `filter.cjs` chooses for it by their marks.
 */
const node = process.execPath;
const jest = ({ jest }) => [node, jest];
/** The newest line of Node that the package promises; the npm package `node` has its program. */
const newestNode = '26';

export const passes = {
  /** Files that were named. */
  given: { command: jest, env: {} },
  unit: { command: jest, env: { TEST_PASS: 'unit' } },
  quick: { command: jest, env: { TEST_PASS: 'quick', PROPERTY_RUNS: process.env.PROPERTY_RUNS ?? '0.1' } },
  rest: { command: jest, env: { TEST_PASS: 'rest' } },
  'newest-node': {
    command: ({ jest }) => ['npx', '--yes', '--package', `node@${newestNode}`, 'node', jest],
    env: { TEST_PASS: 'newest-node' },
  },
  /** With the app of before July 2026: the other passes have the app that Salesforce makes now. */
  'legacy-policy': { command: jest, env: { TEST_PASS: 'legacy-policy', EMULATOR_APP: 'legacy' } },
  package: { command: ({ counts }) => [node, 'test/package/run.mjs', counts], env: {} },
};

/** Each holds the one before it, except that units are in all of them. */
export const tiers = {
  unit: ['unit'],
  quick: ['quick'],
  all: ['quick', 'rest', 'newest-node', 'legacy-policy', 'package'],
};
