import { bytes, range, table } from '../lib/report.mjs';

export function report({ variants }) {
  const rows = Object.entries(variants).map(([name, { importMs, packages, bytes: size }]) => [
    name,
    range(importMs, 0),
    packages,
    bytes(size),
  ]);
  return { text: table([['beside Express and express-session', 'import, ms', 'packages', 'installed size'], ...rows]) };
}
