'use strict';

/** Tests with real clients, which `npm run clients` runs: they need packages that `npm install` does not bring. */
module.exports = {
  ...require('../../jest.config.cjs'),
  rootDir: '../..',
  testMatch: ['<rootDir>/test/clients/*.client.ts'],
  testTimeout: 120_000,
};
