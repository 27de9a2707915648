'use strict';

/** oauth4webapi and jose are ESM only: the transform takes them, as the build does. */
const esmOnly = ['oauth4webapi', 'jose'];

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // Generous: a test fails by what it sees, never by how slow the machine is.
  testTimeout: 120_000,
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '\\.lua$': '<rootDir>/tools/test/text.cjs',
    '\\.(m?js|ts)$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs', ignoreDynamic: false },
      },
    ],
  },
  transformIgnorePatterns: [`/node_modules/(?!(${esmOnly.join('|')})/)`],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/coverage/', '<rootDir>/test/package/consumers/'],
  // Marks in a file and what it imports tell when it runs and what has to be there: see tools/test/needs.cjs.
  filter: '<rootDir>/tools/test/filter.cjs',
  globalSetup: '<rootDir>/tools/test/setup.mjs',
  globalTeardown: '<rootDir>/tools/test/teardown.mjs',
  reporters: ['default', '<rootDir>/tools/test/reporter.mjs'],
  // Tests wait for servers and browsers a good part of their time.
  maxWorkers: process.env.TEST_WORKERS ?? '100%',
  setupFilesAfterEnv: ['<rootDir>/test/helpers/oracle.ts', '<rootDir>/test/helpers/leaks.ts'],
};
