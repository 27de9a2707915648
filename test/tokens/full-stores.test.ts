/** @tier all */
import { rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import type { TokenStore } from '../../lib/stores';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { logIn, onClient, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';
import { describeEachOn } from '../helpers/programs';
import { createTable } from '../stores/open-stores';
import { openPool, startPostgres } from '../stores/servers/postgres';
import { startRedisServer } from '../stores/servers/redis';

// A busy machine may be slow.
jest.setTimeout(120_000);

/** A store that can still be read, and takes no writes until it is mended. */
interface Filled {
  store: TokenStore;
  fill: () => Promise<void>;
  mend: () => Promise<void>;
  close: () => Promise<void>;
  /** What the server says of a write. */
  code: string;
  /** A logout takes no memory, so Redis carries it out without any left. */
  logsOut: boolean;
}

async function redis(): Promise<{ client: Redis } & Pick<Filled, 'store' | 'close'>> {
  const server = await startRedisServer();
  const client = new Redis(server.url);
  const close = async (): Promise<void> => {
    client.disconnect();
    await server.stop();
  };
  return { client, store: new RedisTokenStore({ client }), close };
}

const stores: Readonly<Record<string, () => Promise<Filled>>> = {
  'Redis, out of memory': async () => {
    const { client, ...rest } = await redis();
    const limitTo = async (bytes: number): Promise<void> => {
      await client.config('SET', 'maxmemory', bytes);
    };
    return { ...rest, fill: () => limitTo(1), mend: () => limitTo(0), code: 'OOM', logsOut: true };
  },
  'Redis, whose disk fails': async () => {
    const { client, ...rest } = await redis();
    const [, folder] = (await client.config('GET', 'dir')) as [string, string];
    const fill = async (): Promise<void> => {
      rmSync(folder, { recursive: true });
      await client.config('SET', 'save', '3600 1');
      await client.bgsave();
      while (!(await client.info('persistence')).includes('rdb_last_bgsave_status:err'));
    };
    const mend = async (): Promise<void> => {
      await client.config('SET', 'stop-writes-on-bgsave-error', 'no');
    };
    return { ...rest, fill, mend, code: 'MISCONF', logsOut: false };
  },
  'PostgreSQL, a primary that became a standby': async () => {
    const server = await startPostgres();
    const pool = openPool(server.url);
    const operator = new Client(server.url);
    await operator.connect();
    const { table, drop } = await createTable(operator);
    const { database } = operator;
    /** Connections end, and what they are made to next takes writes or not. */
    const failOver = async (isReadOnly: 'on' | 'off'): Promise<void> => {
      await operator.query(`alter database "${database!}" set default_transaction_read_only = ${isReadOnly}`);
      await operator.query(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and pid <> pg_backend_pid()',
        [database],
      );
      // On a busy machine the pool would hand out a connection whose end it has not noticed.
      while (pool.totalCount > 0) await new Promise((resolve) => setImmediate(resolve));
    };
    const close = async (): Promise<void> => {
      await failOver('off');
      await drop();
      await pool.end();
      await operator.end();
      await server.stop();
    };
    const store = new PostgresTokenStore({ pool, table });
    return { store, fill: () => failOver('on'), mend: () => failOver('off'), close, code: '25006', logsOut: false };
  },
};

describeEachOn(Object.keys(stores))('a store that takes no writes (%s)', (name) => {
  let filled: Filled;

  beforeEach(async () => {
    filled = await stores[name]!();
  });

  afterEach(() => filled.close());

  async function start() {
    const emulator = await startTestEmulator();
    const client = emulator.registerClient({ callbackURLs: [], policy: { rotateRefreshTokens: true } });
    const create = onClient(emulator, client, { store: filled.store, refresh: { cacheMs: 0, waitMs: 1_000 } });
    const app = await startApp({ emulator, create });
    const tab = app.browser();
    await logIn(tab, emulator);
    const failures: unknown[] = [];
    app.salesforce.events.on('store.failed', ({ operation, code }) => failures.push({ operation, code }));
    return { emulator, tab, failures, events: app.salesforce.events };
  }

  it('goes unnoticed while the access token works; then nothing is presented, and a refresh follows once it is mended', async () => {
    const { emulator, tab, failures } = await start();
    await filled.fill();

    expect((await tab.get('/accounts')).status).toBe(200);
    emulator.expireAccessTokens();
    const stale = await tab.get('/accounts');

    expect(stale).toMatchObject({ status: 503, body: { code: 'ERR_SALESFORCE_TOKEN_STORE' } });
    expect(Number(stale.headers['retry-after'])).toBeGreaterThan(0);
    expect(failures).toContainEqual({ operation: 'claim', code: filled.code });
    expect([...emulator.presentations.values()]).toEqual([]);
    await filled.mend();
    // The store's client may have a connection that the server has ended.
    let status = 503;
    while (status === 503) status = (await tab.get('/accounts')).status;
    expect(status).toBe(200);
    expect([...emulator.presentations.values()]).toEqual([1]);
  });

  it('loses no token that came when it could not be written', async () => {
    const { emulator, tab, events } = await start();
    emulator.expireAccessTokens();
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold', when: 'after' });
    const waiting = tab.get('/accounts').then((answer) => answer);
    await held.reached;
    await filled.fill();
    const stored = new Promise((resolve) => events.once('refresh.succeeded', resolve));
    held.release();

    // New tokens that are not stored are given to no request.
    expect((await waiting).status).toBe(503);
    await filled.mend();
    await stored;

    expect((await tab.get('/accounts')).status).toBe(200);
    expect([...emulator.presentations.values()]).toEqual([1]);
  });

  it('ends a login whole or not at all', async () => {
    const { emulator, tab } = await start();
    await filled.fill();

    const logout = await tab.post('/auth/salesforce/logout').set('accept', 'application/json');

    if (filled.logsOut) {
      expect(logout.status).toBe(204);
      expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    } else {
      expect(logout).toMatchObject({ status: 503, body: { code: 'ERR_SALESFORCE_TOKEN_STORE' } });
      expect((await tab.get('/accounts')).status).toBe(200);
    }
  });
});
