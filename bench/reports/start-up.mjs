import { bytes, range, table } from '../lib/report.mjs';

export function report({ variants, idle }) {
  const rows = Object.entries(variants).map(([name, { importMs, timesForcedotcom, packages, bytes: size }]) => [
    name,
    range(importMs, 0),
    range(timesForcedotcom, 2),
    packages,
    bytes(size),
  ]);
  const head = [
    'beside Express and express-session',
    'import, ms of CPU',
    'times passport-forcedotcom',
    'packages',
    'installed size',
  ];
  return { text: [table([head, ...rows]), memoryTable(idle)].join('\n\n') };
}

function memoryTable(idle) {
  const [floor] = Object.values(idle);
  const rows = Object.entries(idle).map(([name, { heapBytes, residentBytes }]) => [
    name,
    megabytes(heapBytes),
    heapBytes !== floor.heapBytes ? bytes(heapBytes.median - floor.heapBytes.median) : '',
    megabytes(residentBytes),
  ]);
  return table([['an application that waits', 'heap, MB', 'more heap', 'resident, MB'], ...rows]);
}

function megabytes(summary) {
  return range(Object.fromEntries(Object.entries(summary).map(([key, value]) => [key, value / 1e6])), 1);
}
