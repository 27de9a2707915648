/** @tier all */
import { Redis } from 'ioredis';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { describeEachOn } from '../helpers/programs';
import { isReported, report, row } from './report';
import { Siege, type StoreView } from './siege';
import { openStage, storeKinds, type Stage } from './stage';

// The command takes its time; an ordinary run that hangs must not.
jest.setTimeout(isReported || process.env['KILLS'] ? 3_600_000 : 600_000);

/** The full count runs by `npm run kills`; `KILLS=20` has another one, and `KILLS_SEED` the same moments once more. */
const times = Number(process.env['KILLS'] ?? (isReported ? 200 : 8));
const seed = Number(process.env['KILLS_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

const columns = [
  'Store',
  'SIGKILL',
  'SIGSTOP',
  'Requests',
  'Refreshes',
  'Logins',
  'API connections broken by a stop',
  'Unexplained',
  'Spent',
  'Overlapping',
];
const lines = [row(columns), row(columns.map(() => '---'))];

describeEachOn(storeKinds)('processes that are killed or stopped at random moments on %s', (kind) => {
  it(`lose, in ${times} times, nothing but tokens that no process received`, async () => {
    const stage = await openStage(kind);
    const { store, disconnect } = connect(stage);
    const siege = await Siege.open(stage, { store, random: generator(seed), processes: 4, users: 10 });
    try {
      const toll = await siege.endure(times);
      const { kills, stops, requests, refreshes, logins, broken, unexplained, spent, overlapping } = toll;
      const seen = [kills, stops, requests, refreshes, logins, broken, unexplained.length, spent, overlapping];
      lines.push(row([kind, ...seen]));
      process.stdout.write(`${kind}, seed ${seed}: ${JSON.stringify(toll)}\n`);
      expect(unexplained).toEqual([]);
      expect({ spent, overlapping }).toEqual({ spent: 0, overlapping: 0 });
      expect(kills + stops).toBe(times);
    } finally {
      await siege.close();
      disconnect();
      await stage.end();
    }
  });
});

afterAll(() => {
  if (isReported) report('kills', lines);
});

function connect({ kind, url, name, database, file }: Stage): {
  store: StoreView;
  disconnect: () => void;
} {
  if (kind === 'SQLite') return { store: file!, disconnect: () => undefined };
  if (kind === 'PostgreSQL') {
    return { store: new PostgresTokenStore({ pool: database!, table: name }), disconnect: () => undefined };
  }
  const client = new Redis(url);
  return { store: new RedisTokenStore({ client, prefix: `${name}:` }), disconnect: () => client.disconnect() };
}

/** Mulberry32. The moments depend on the machine as well, so a seed gives the same choices, not the same run. */
function generator(seedOfChoices: number): () => number {
  let state = seedOfChoices;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
