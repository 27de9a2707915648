import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const path = join(__dirname, '../../docs/reference/strategy.md');

/** A row of a table of docs/reference/strategy.md: what each of the two does. */
export interface Row {
  name: string;
  plain: string;
  ours: string;
  verdict: string;
}

/**
 * Makes sure that a table of docs/reference/strategy.md has these rows. `UPDATE_STRATEGY_TABLE=1` writes the table anew.
 *
 * @param mark the comments around the table: `<!-- <mark> -->` and `<!-- end of <mark> -->`
 */
export function expectTable(mark: string, first: string, rows: readonly Row[]): void {
  const [start, end] = [`<!-- ${mark} -->`, `<!-- end of ${mark} -->`];
  const text = readFileSync(path, 'utf8');
  const rewritten = text.replace(
    new RegExp(`${start}[^]*${end}`),
    () => `${start}\n\n${tableOf(first, rows)}\n\n${end}`,
  );
  expect(rewritten).toContain(start);
  if (process.env['UPDATE_STRATEGY_TABLE'] === '1') writeFileSync(path, rewritten);

  expect(readFileSync(path, 'utf8')).toBe(rewritten);
}

function tableOf(first: string, rows: readonly Row[]): string {
  return [
    [first, 'passport-oauth2', 'SalesforceStrategy', 'Verdict'],
    ['---', '---', '---', '---'],
    ...rows.map(({ name, plain, ours, verdict }) => [
      name,
      code(plain),
      ours === plain ? 'the same' : code(ours),
      verdict,
    ]),
  ]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '/').replaceAll('`', "'")}\``;
}
