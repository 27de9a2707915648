import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storeKindsInOrder } from './stage';

/** Whether this run was asked for by its own command: it is the full one, prints its table, and writes it to the docs. */
export const isReported = process.env['CRASH_REPORT'] === 'write';

/** In the order of the tables. */
const stores: readonly string[] = storeKindsInOrder;

/**
 * Prints a Markdown table, and puts it between its markers in docs/internals/fault-matrix.md. A store that did not run keeps the rows
 * that it has there.
 */
export function report(name: string, lines: readonly string[]): void {
  process.stdout.write(`\n${lines.join('\n')}\n`);
  if (!isReported) return;
  const path = join(__dirname, '../../docs/internals/fault-matrix.md');
  const text = readFileSync(path, 'utf8');
  const begin = `<!-- begin ${name} -->\n`;
  const end = `\n<!-- end ${name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/internals/fault-matrix.md has no markers for ${name}.`);
  const before = text
    .slice(from + begin.length, to)
    .trim()
    .split('\n');
  const table = [...lines.slice(0, 2), ...withOthers(lines.slice(2), before.slice(2))].join('\n');
  writeFileSync(path, `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`);
}

export function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** The rows of this run, and those of the stores that did not run: together by fault, and by store within a fault. */
function withOthers(rows: readonly string[], before: readonly string[]): string[] {
  const ran = new Set(rows.map(storeOf));
  const all = [...rows, ...before.filter((line) => !ran.has(storeOf(line)))];
  const faults = [...new Set(all.map(faultOf))];
  const orderOf = (line: string): number =>
    faults.indexOf(faultOf(line)) * stores.length + stores.indexOf(storeOf(line));
  return all.sort((one, other) => orderOf(one) - orderOf(other));
}

function storeOf(line: string): string {
  return cellsOf(line).find((cell) => stores.includes(cell)) ?? '';
}

/** The first cell, if it is not the store. */
function faultOf(line: string): string {
  const [first = ''] = cellsOf(line);
  return stores.includes(first) ? '' : first;
}

function cellsOf(line: string): string[] {
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());
}
