import { fileURLToPath } from 'node:url';

/**
 * `npm run mutation -- <group>`; docs/internals/mutation.md tells what survives and why.
 *
 * Tests are chosen by hand for each group: those that start servers for other reasons would only take time.
 */
const groups = {
  checks: {
    mutate: ['lib/salesforce/**/*.ts', 'lib/middleware/return-to.ts', 'lib/crypto/**/*.ts'],
    tests: ['test/middleware/return-to.test.ts', 'test/salesforce/*.test.ts', 'test/crypto/*.test.ts'],
  },
  coordinator: {
    mutate: ['lib/coordinator/**/*.ts'],
    tests: ['test/mutation/*-coordinator-*.ts'],
    // Nearly all of them are texts of messages, which no test should hold on to.
    excluded: ['StringLiteral'],
  },
  options: {
    // The parts are tables of names, bounds and texts. A test writes the reference from them and compares the documents.
    mutate: ['lib/options/*.ts'],
    tests: ['test/mutation/options.ts'],
    excluded: ['StringLiteral'],
  },
  login: {
    mutate: ['lib/login/*.ts', 'lib/address.ts'],
    tests: ['test/login/*.test.ts', 'test/mutation/login.ts'],
    excluded: ['StringLiteral'],
  },
};

const name = process.env.MUTATION_GROUP ?? 'checks';
const group = groups[name];
if (!group) throw new Error(`There is no group ${name}; there are: ${Object.keys(groups).join(', ')}.`);
// Fewer tests make a quick run of a single file: `MUTATION_TESTS=test/middleware/address.test.ts`.
const tests = process.env.MUTATION_TESTS?.split(',') ?? group.tests;

/** @type {import('@stryker-mutator/core').PartialStrykerOptions} */
export default {
  testRunner: 'jest',
  plugins: ['@stryker-mutator/jest-runner'],
  jest: {
    configFile: 'jest.config.cjs',
    enableFindRelatedTests: false,
    config: {
      testMatch: tests.map((path) => `<rootDir>/${path}`),
      testEnvironment: fileURLToPath(import.meta.resolve('./tools/mutation/environment.cjs')),
      testSequencer: fileURLToPath(import.meta.resolve('./tools/mutation/sequencer.cjs')),
      roots: ['<rootDir>/lib', '<rootDir>/test'],
      // A change may leave a test waiting for what will never come; on a busy machine a good test takes its time too.
      testTimeout: 20_000,
    },
  },
  mutate: group.mutate,
  coverageAnalysis: 'perTest',
  mutator: { excludedMutations: group.excluded ?? [] },
  ignoreStatic: false,
  incremental: true,
  incrementalFile: `coverage/mutation/${name}.incremental.json`,
  reporters: ['clear-text', 'json', 'progress-append-only'],
  jsonReporter: { fileName: `coverage/mutation/${name}.json` },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  concurrency: 2,
  timeoutMS: 10_000,
  tempDirName: 'coverage/mutation/tmp',
  ignorePatterns: ['dist', 'coverage', 'docs/images', 'bench/results', '/example'],
  disableTypeChecks: false,
  allowEmpty: false,
};
