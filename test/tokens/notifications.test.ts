import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { MemoryTokenStore, type TokenStore } from '../../lib';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { logIn, onClient, startApp, type TestApp } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { openPool, startPostgres } from '../stores/servers/postgres';
import { startRedis } from '../stores/servers/redis';

const closers: (() => unknown)[] = [];
const unique = randomBytes(6).toString('hex');
/** Makes the stores of two processes, which tell each other of changes. */
const makers: Record<string, () => [TokenStore, TokenStore]> = {
  memory: () => {
    const store = new MemoryTokenStore();
    return [store, store];
  },
};

beforeAll(async () => {
  const [redis, postgres] = await Promise.all([startRedis(), startPostgres()]);
  closers.push(
    () => redis.stop(),
    () => postgres.stop(),
  );
  const pool = openPool(postgres.url);
  closers.push(() => pool.end());
  const sql = readFileSync(join(__dirname, '../../lib/stores/postgres.sql'), 'utf8');
  const table = `grants_${unique}`;
  await pool.query(sql.replaceAll('salesforce_grants', table));
  closers.push(() => pool.query(`drop table ${table}`));
  const two = (make: () => TokenStore): [TokenStore, TokenStore] => {
    const stores: [TokenStore, TokenStore] = [make(), make()];
    closers.push(...stores.map((store) => () => store.close?.()));
    return stores;
  };
  makers['Redis'] = () =>
    two(() => {
      const client = new Redis(redis.url);
      closers.push(() => client.disconnect());
      return new RedisTokenStore({ client, prefix: `test:${unique}:`, notify: true });
    });
  makers['PostgreSQL'] = () => two(() => new PostgresTokenStore({ pool, table, notify: true }));
}, 60_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
}, 60_000);

describe.each(['memory', 'Redis', 'PostgreSQL'])('two processes that hear of changes through %s', (kind) => {
  /** Their clocks stand still: whoever waits for a next look at the store, or for its memory to age, waits for ever. */
  async function start() {
    const emulator = await startTestEmulator();
    const client = emulator.registerClient({ callbackURLs: [], policy: { rotateRefreshTokens: true } });
    const processes: TestApp[] = [];
    for (const store of makers[kind]!()) {
      const create = onClient(emulator, client, { store, clock: new ManualClock() });
      processes.push(await startApp({ emulator, create }));
    }
    const [first, second] = processes as [TestApp, TestApp];
    const tab = first.browser();
    await logIn(tab, emulator);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };
    const limits = async ({ salesforce }: TestApp): Promise<number> => {
      const grant = await salesforce.tokens.get(grantId);
      return (await grant.fetch('/services/data/v62.0/limits')).status;
    };
    expect(await limits(second)).toBe(200);
    return { emulator, first, second, grantId, limits };
  }

  it('go on as soon as the other has refreshed', async () => {
    const { emulator, first, second, limits } = await start();
    emulator.expireAccessTokens();
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    const mine = limits(first);
    await held.reached;
    const waits = new Promise((resolve) => second.salesforce.events.once('lock.wait', resolve));
    const theirs = limits(second);
    await waits;

    held.release();

    expect([await mine, await theirs]).toEqual([200, 200]);
    expect([...emulator.presentations.values()]).toEqual([1]);
  });

  it('serve nothing from memory that was logged out elsewhere', async () => {
    const { first, second, grantId } = await start();

    await first.salesforce.tokens.revoke(grantId);
    let refused: unknown;
    // The news takes a moment on its way. Salesforce is not asked, which would refuse the token.
    for (let turn = 0; refused === undefined && turn < 10_000; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
      await second.salesforce.tokens.get(grantId).catch((error: unknown) => {
        refused = error;
      });
    }

    expect(refused).toMatchObject({ code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' });
  });
});
