/** @tier all */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { TokenStore } from '../../lib/stores';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { logIn, onClient, startApp, type TestApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';
import { describeEachOn, has } from '../helpers/programs';
import { startPgBouncer } from './servers/pgbouncer';
import { openPool, startPostgres } from './servers/postgres';
import { startRedis } from './servers/redis';

// A busy machine may be slow.
jest.setTimeout(300_000);

const unique = randomBytes(6).toString('hex');
const closers: (() => unknown)[] = [];
/** Makes a store with a connection of its own, as another process would have it. */
const makers: Record<string, () => Promise<TokenStore>> = {};

beforeAll(async () => {
  const [redis, postgres] = await Promise.all([has('Redis') ? startRedis() : undefined, startPostgres()]);
  closers.push(
    () => redis?.stop(),
    () => postgres.stop(),
  );
  const prefix = `test:${unique}:`;
  makers['Redis, by redis'] = async () => {
    const client = await createClient({ url: redis!.url }).connect();
    closers.push(() => {
      client.destroy();
    });
    return new RedisTokenStore({ client, prefix });
  };
  makers['Redis, by ioredis'] = () => {
    const client = new Redis(redis!.url);
    closers.push(() => {
      client.disconnect();
    });
    return Promise.resolve(new RedisTokenStore({ client, prefix }));
  };
  const table = `grants_${unique}`;
  const pool = openPool(postgres.url);
  closers.push(() => pool.end());
  await pool.query(
    readFileSync(join(__dirname, '../../lib/stores/postgres.sql'), 'utf8').replaceAll('salesforce_grants', table),
  );
  closers.push(() => pool.query(`drop table ${table}, ${table}_once`));
  makers['PostgreSQL'] = () => {
    const own = openPool(postgres.url);
    closers.push(() => own.end());
    return Promise.resolve(new PostgresTokenStore({ pool: own, table }));
  };
  if (!has('PgBouncer')) return;
  const bouncer = await startPgBouncer(postgres.url);
  closers.push(() => bouncer.stop());
  makers['PostgreSQL, through PgBouncer'] = () => {
    const own = openPool(bouncer.url);
    closers.push(() => own.end());
    return Promise.resolve(new PostgresTokenStore({ pool: own, table }));
  };
}, 60_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
}, 60_000);

const names = ['Redis, by redis', 'Redis, by ioredis', 'PostgreSQL', 'PostgreSQL, through PgBouncer'];

describeEachOn(names)('two processes on %s', (name) => {
  async function start() {
    const emulator = await startTestEmulator();
    const client = emulator.registerClient({ callbackURLs: [], policy: { rotateRefreshTokens: true } });
    const processes: TestApp[] = [];
    for (let index = 0; index < 2; index++) {
      const store = await makers[name]!();
      const create = onClient(emulator, client, { store, refresh: { cacheMs: 0 } });
      processes.push(await startApp({ emulator, create }));
    }
    const tab = processes[0]!.browser();
    await logIn(tab, emulator);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };
    const limits = async ({ salesforce }: TestApp): Promise<number> => {
      const grant = await salesforce.tokens.get(grantId);
      return (await grant.fetch('/services/data/v62.0/limits')).status;
    };
    const presented = (): number => [...emulator.presentations.values()].reduce((sum, count) => sum + count, 0);
    return { emulator, processes, tab, grantId, limits, presented };
  }

  it('refresh once for two hundred requests at each of them', async () => {
    const { emulator, processes, limits, presented } = await start();

    for (let round = 1; round <= 3; round++) {
      emulator.expireAccessTokens();
      const statuses = await Promise.all(
        processes.flatMap((process) => Array.from({ length: 200 }, () => limits(process))),
      );

      expect(new Set(statuses)).toEqual(new Set([200]));
      expect(presented()).toBe(round);
    }
  });

  it('revoke everything at a logout in one while the other refreshes', async () => {
    const { emulator, processes, grantId, limits } = await start();
    const [first, second] = processes as [TestApp, TestApp];
    emulator.expireAccessTokens();
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold', when: 'after' });
    const refreshing = limits(first);
    refreshing.catch(() => undefined);
    await held.reached;
    const tombstone = new Promise((resolve) => second.salesforce.events.once('grant.loggedOut', resolve));

    const leaving = second.salesforce.tokens.revoke(grantId);
    await tombstone;
    held.release();

    await expect(refreshing).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' });
    await leaving;
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('know a login of one in the other, and let the user in again after a logout', async () => {
    const { emulator, processes, grantId, limits } = await start();
    const [first, second] = processes as [TestApp, TestApp];
    expect(await limits(second)).toBe(200);
    await second.salesforce.tokens.revoke(grantId);
    await expect(limits(first)).rejects.toMatchObject({ status: 401 });

    await logIn(second.browser(), emulator);

    expect(await limits(first)).toBe(200);
  });
});
