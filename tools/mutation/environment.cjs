'use strict';

const { TestEnvironment } = require('jest-environment-node');

/** The change that a test has noticed: what a mutation run wants to know of it is known then. */
let noticed;

function change() {
  return process.env.__STRYKER_ACTIVE_MUTANT__;
}

function isNoticed() {
  return noticed !== undefined && noticed === change();
}

/** Runs no further test after one that failed; a test file that is slow to load can ask `hasFailed` before it does. */
module.exports = class BailEnvironment extends TestEnvironment {
  constructor(...given) {
    super(...given);
    this.global.hasFailed = isNoticed();
  }

  handleTestEvent({ name, test }) {
    if (name === 'test_start' && isNoticed()) test.mode = 'skip';
    if (name === 'test_done' && test.errors.length > 0) noticed = change();
  }
};
