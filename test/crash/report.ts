import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Whether this run was asked for by its own command: it is the full one, prints its table, and writes it to the docs. */
export const isReported = process.env['CRASH_REPORT'] === 'write';

/** Prints a Markdown table, and puts it between its markers in docs/internals/fault-matrix.md. */
export function report(name: string, lines: readonly string[]): void {
  const table = lines.join('\n');
  process.stdout.write(`\n${table}\n`);
  if (!isReported) return;
  const path = join(__dirname, '../../docs/internals/fault-matrix.md');
  const text = readFileSync(path, 'utf8');
  const begin = `<!-- begin ${name} -->\n`;
  const end = `\n<!-- end ${name} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/internals/fault-matrix.md has no markers for ${name}.`);
  writeFileSync(path, `${text.slice(0, from + begin.length)}\n${table}\n${text.slice(to)}`);
}

export function row(cells: readonly (string | number)[]): string {
  return `| ${cells.join(' | ')} |`;
}
