import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cells, play, promised, type Cell, type Outcome } from './cells';

/*
 * An hour of outage of each shape, in virtual time. `npm run outages` plays all of them and writes docs/internals/outages.md; the tests
 * play a few, and compare them with what stands there.
 */

const isFull = process.env['OUTAGES'] === 'full';
const quick = ['answers 500', 'answers 503', 'drops the connection', 'cannot be resolved for now'];
const played = cells.filter(({ shape }) => isFull || quick.includes(shape));
const path = join(__dirname, '../../docs/internals/outages.md');
const results = new Map<Cell, Outcome>();

function line({ shape, rotation, client, isCarriedOut }: Cell, { loggedOut, logins, wrong }: Outcome): string {
  const row = [shape, rotation, client, isCarriedOut ? 'yes' : 'no', loggedOut, logins, wrong];
  return `| ${row.join(' | ')} |`;
}

jest.setTimeout(120_000);

it.each(
  played.map(
    (cell) =>
      [`${cell.shape}, rotation ${cell.rotation}, ${cell.client}, carried out: ${cell.isCarriedOut}`, cell] as const,
  ),
)('an hour of outage: %s', async (_name, cell) => {
  const outcome = await play(cell);
  results.set(cell, outcome);

  const { loggedOut, logins, wrong } = outcome;
  expect({ loggedOut, logins, wrong }).toEqual(promised(cell));
  expect(outcome.presented).toBeGreaterThan(0);
});

it('stands in docs/internals/outages.md', () => {
  const lines = [...results].map(([cell, outcome]) => line(cell, outcome));
  const text = readFileSync(path, 'utf8');
  if (isFull) {
    const [start, end] = ['<!-- table -->\n\n', '\n\n<!-- end of table -->'];
    const head =
      '| Token and introspection endpoint | Rotation | Client | Carried out | Logged out while the token works | Logins afterwards | Spent or overlapping |\n' +
      `|${' --- |'.repeat(7)}`;
    const table = [head, ...lines].join('\n');
    writeFileSync(path, text.slice(0, text.indexOf(start) + start.length) + table + text.slice(text.indexOf(end)));
    process.stdout.write(`${table}\n`);
  }
  for (const each of lines) expect(readFileSync(path, 'utf8')).toContain(each);
});
