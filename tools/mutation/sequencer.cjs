'use strict';

const Sequencer = require('@jest/test-sequencer').default;

/** Test files by name, where the order is chosen for what a file costs. */
module.exports = class ByName extends Sequencer {
  sort(tests) {
    return [...tests].sort((one, other) => one.path.localeCompare(other.path));
  }
};
