'use strict';
/** jest's filter: chooses the files of the pass in TEST_PASS. Without TEST_PASS, all requested files run. */
const { describeFile } = require('./needs.cjs');

/** @type {Record<string, (file: ReturnType<typeof describeFile>) => boolean>} */
const passes = {
  unit: ({ isUnit }) => isUnit,
  quick: ({ tier }) => tier === 'quick',
  rest: ({ tier, again }) => tier === 'all' || again.includes('properties'),
  'newest-node': ({ again }) => again.includes('newest-node'),
  'legacy-policy': ({ again }) => again.includes('legacy-policy'),
};

module.exports = async (paths) => {
  const name = process.env.TEST_PASS;
  const isWanted = name === undefined ? () => true : passes[name];
  if (!isWanted) throw new Error(`There is no pass ${name}; there are: ${Object.keys(passes).join(', ')}.`);
  const files = paths.map((path) => ({ path, ...describeFile(path) }));
  const unknown = files.filter(
    ({ tier, again }) =>
      !['quick', 'all'].includes(tier) || again.some((one) => !(one in passes) && one !== 'properties'),
  );
  if (unknown.length > 0) throw new Error(`Unknown marks: ${unknown.map(({ path }) => path).join(', ')}`);
  const chosen = files.filter(isWanted);
  module.exports.needs = new Set(chosen.flatMap(({ needs }) => needs));
  // jest 30 expects paths, although its documentation shows objects.
  return { filtered: chosen.map(({ path }) => path) };
};
module.exports.needs = new Set();
