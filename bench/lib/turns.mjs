/**
 * Measurements that take turns, a short while each, in random order. A machine is faster at one moment than at the next, and
 * whatever it is, it is so for all of them.
 */
import { shuffle } from './statistics.mjs';

/** What each of `drives` measures: one row for each turn, with one figure for each of them. */
export async function takeTurns(drives, turns) {
  const rows = [];
  for (let turn = 0; turn < turns; turn++) {
    const row = [];
    for (const at of shuffle([...drives.keys()])) row[at] = await drives[at]();
    rows.push(row);
  }
  return rows;
}

/**
 * The mean of each column over the quietest quarter of the turns: those that took least, all columns together, so that none of
 * them is favoured.
 */
export function quietMeans(rows) {
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const quiet = [...rows].sort((a, b) => sum(a) - sum(b)).slice(0, Math.ceil(rows.length / 4));
  return rows[0].map((_, column) => sum(quiet.map((row) => row[column])) / quiet.length);
}
