/**
 * @tier all
 * @again newest-node
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteTokenStore } from '../../lib/stores/sqlite';
import { ManualClock } from '../helpers/clock';
import { describeWithOwnSqlite } from '../helpers/programs';
import { memory } from '../schedules/play';
import type { SharedStore } from '../schedules/world';
import { cells, play, promised, type Cell, type Outcome } from './cells';

/*
 * An hour of outage of each shape, in virtual time. `npm run outages` plays all of them and writes docs/internals/outages.md; the tests
 * play a few, and compare them with what stands there.
 */

const isFull = process.env['OUTAGES'] === 'full';
const quick = ['answers 500', 'answers 503', 'drops the connection', 'cannot be resolved for now'];
const played = cells.filter(({ shape }) => isFull || quick.includes(shape));
const path = join(__dirname, '../../docs/internals/outages.md');

/** A store for each cell, and what to do after it. */
interface Place {
  shared: SharedStore;
  close: () => void | Promise<void>;
}

const stores: Readonly<Record<string, () => Place>> = {
  MemoryTokenStore: () => ({ shared: memory(), close: () => undefined }),
  SqliteTokenStore: () => {
    const folder = mkdtempSync(join(tmpdir(), 'outages-'));
    const clock = new ManualClock();
    const store = new SqliteTokenStore({ file: join(folder, 'tokens.db'), clock });
    return {
      shared: { store, clock },
      close: async () => {
        await store.close();
        rmSync(folder, { recursive: true });
      },
    };
  },
};

/** What came of each cell, on each store that played it. */
const results = new Map<Cell, Outcome[]>();

function line({ shape, rotation, client, isCarriedOut }: Cell, { loggedOut, logins, wrong }: Outcome): string {
  const row = [shape, rotation, client, isCarriedOut ? 'yes' : 'no', loggedOut, logins, wrong];
  return `| ${row.join(' | ')} |`;
}

jest.setTimeout(120_000);

for (const [name, open] of Object.entries(stores)) {
  const describeHere = name === 'SqliteTokenStore' ? describeWithOwnSqlite : describe;
  describeHere(name, () => {
    it.each(
      played.map(
        (cell) =>
          [
            `${cell.shape}, rotation ${cell.rotation}, ${cell.client}, carried out: ${cell.isCarriedOut}`,
            cell,
          ] as const,
      ),
    )('an hour of outage: %s', async (_name, cell) => {
      const { shared, close } = open();
      const outcome = await play(cell, shared).finally(close);
      results.set(cell, [...(results.get(cell) ?? []), outcome]);

      const { loggedOut, logins, wrong } = outcome;
      expect({ loggedOut, logins, wrong }).toEqual(promised(cell));
      expect(outcome.presented).toBeGreaterThan(0);
    });
  });
}

it('stands in docs/internals/outages.md', () => {
  const lines = [...results].map(([cell, outcomes]) => {
    const [first, ...others] = outcomes.map((outcome) => line(cell, outcome));
    // One row holds for all stores.
    expect(others).toEqual(others.map(() => first));
    return first!;
  });
  const text = readFileSync(path, 'utf8');
  if (isFull) {
    expect([...results.values()].every(({ length }) => length === Object.keys(stores).length)).toBe(true);
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
