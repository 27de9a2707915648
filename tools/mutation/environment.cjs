'use strict';

const { TestEnvironment } = require('jest-environment-node');

/** The mutant for which a test has failed. The run needs no further test for this mutant. */
let noticed;

function change() {
  return process.env.__STRYKER_ACTIVE_MUTANT__;
}

function isNoticed() {
  return noticed !== undefined && noticed === change();
}

/** Runs no further test after a failed test. A test file that is slow to load can check `hasFailed` first. */
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
