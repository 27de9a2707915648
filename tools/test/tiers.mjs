/**
 * The passes of each tier. A pass is one run of a program over the files that `filter.cjs` chooses by their marks.
 */
import { findNewestNode, installNewestNode } from '../servers/newest-node.mjs';

const node = process.execPath;
const jest = ({ jest }) => [node, jest];

export const passes = {
  /** The pass for files that are named on the command line. */
  given: { command: jest, env: {} },
  unit: { command: jest, env: { TEST_PASS: 'unit' } },
  quick: { command: jest, env: { TEST_PASS: 'quick', PROPERTY_RUNS: process.env.PROPERTY_RUNS ?? '0.1' } },
  rest: { command: jest, env: { TEST_PASS: 'rest' } },
  'newest-node': {
    command: ({ jest }) => {
      installNewestNode();
      return [findNewestNode() ?? 'the newest Node.js, which could not be installed', jest];
    },
    env: { TEST_PASS: 'newest-node' },
  },
  /** With the app of before July 2026. The other passes use the app that Salesforce creates now. */
  'legacy-policy': { command: jest, env: { TEST_PASS: 'legacy-policy', EMULATOR_APP: 'legacy' } },
  package: { command: ({ counts }) => [node, 'test/package/run.mjs', counts], env: {} },
};

/** Each tier contains the tier before it. Units are in all tiers. */
export const tiers = {
  unit: ['unit'],
  quick: ['quick'],
  all: ['quick', 'rest', 'newest-node', 'legacy-policy', 'package'],
};
