/**
 * Measurements that take short turns in random order. The speed of a machine changes from moment to moment; short turns let
 * each change affect all measurements.
 */
import { shuffle } from './statistics.mjs';

/** Runs `drives` in turns. @returns one row for each turn, with one figure for each drive */
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
 * The mean of each column over the quietest quarter of the turns. The quietest turns have the smallest sum of all columns, so
 * that no column is favored.
 */
export function quietMeans(rows) {
  const sum = (values) => values.reduce((total, value) => total + value, 0);
  const quiet = [...rows].sort((a, b) => sum(a) - sum(b)).slice(0, Math.ceil(rows.length / 4));
  return rows[0].map((_, column) => sum(quiet.map((row) => row[column])) / quiet.length);
}
