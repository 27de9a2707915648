/** @tier all */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import type { Pool } from 'pg';
import { createClient } from 'redis';
import { MemoryTokenStore, salesforceAuth, type OperatorWarning, type SalesforceAuth } from '../../lib';
import type { TokenStore } from '../../lib/stores';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { ManualClock } from '../helpers/clock';
import { describeWith } from '../helpers/programs';
import { openPool, startPostgres } from './servers/postgres';
import { freePort } from './servers/programs';
import { startRedisServer } from './servers/redis';

/*
 * What the operator reads when an application starts with a token store that will fail, before a user meets it.
 */

const table = `probed_${randomBytes(4).toString('hex')}`;
const closers: (() => unknown)[] = [];
let pool: Pool;
let url: string;

beforeAll(async () => {
  const server = await startPostgres();
  url = server.url;
  pool = openPool(url);
  closers.push(server.stop, () => pool.end());
  await pool.query(readFileSync('lib/stores/postgres.sql', 'utf8').replaceAll('salesforce_grants', table));
});

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

/** A turn of the event loop, in which sockets are read. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Lets time pass until something has happened. */
async function pass(clock: ManualClock, hasHappened: () => boolean): Promise<void> {
  for (let turns = 0; turns < 1_000; turns++) {
    await turn();
    if (hasHappened()) return;
    clock.advanceMs(50);
  }
  throw new Error('It did not happen.');
}

async function until(hasHappened: () => boolean): Promise<void> {
  while (!hasHappened()) await new Promise((resolve) => setTimeout(resolve, 5));
}

interface Start {
  salesforce: SalesforceAuth;
  told: OperatorWarning[];
  /** The first warning about the store. */
  first: Promise<OperatorWarning>;
}

function start(store: TokenStore, clock?: ManualClock): Start {
  const told: OperatorWarning[] = [];
  let tell: (warning: OperatorWarning) => void;
  const first = new Promise<OperatorWarning>((resolve) => (tell = resolve));
  const salesforce = salesforceAuth({
    clientID: '3MVG9.client',
    allowedOrganizations: 'any',
    encryptionKeys: ['__fake_encryption_key_of_32_chars__'],
    store,
    ...(clock ? { clock } : {}),
    report: (warning) => {
      if (!warning.code.startsWith('STORE_')) return;
      told.push(warning);
      tell(warning);
    },
  });
  closers.push(() => salesforce.close());
  return { salesforce, told, first };
}

describe('a start with a PostgreSQL store', () => {
  it('without the table tells so, and says what to do', async () => {
    const { first } = start(new PostgresTokenStore({ pool, table: 'nowhere' }));

    expect(await first).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/relation "nowhere" does not exist \(42P01\)\. Run the file .*postgres\.sql/),
    });
  });

  it('without the second table tells so', async () => {
    await pool.query(`create table ${table}_alone (like ${table} including all)`);
    const { first } = start(new PostgresTokenStore({ pool, table: `${table}_alone` }));

    expect(await first).toMatchObject({ code: 'STORE_TABLE', message: expect.stringContaining(`${table}_alone_once`) });
  });

  it('whose table another version has made tells so', async () => {
    await pool.query(
      `create table ${table}_old (grant_id text primary key, schema_version integer, expires_at timestamptz)`,
    );
    const { first } = start(new PostgresTokenStore({ pool, table: `${table}_old` }));

    expect(await first).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('42703') });
  });

  it('whose role may read and not write tells so', async () => {
    await pool.query(
      `create role ${table} login password '__fake_password__'; grant select on ${table}, ${table}_once to ${table}`,
    );
    const poor = openPool(Object.assign(new URL(url), { username: table, password: '__fake_password__' }).href);
    closers.push(() => poor.end());
    const { first } = start(new PostgresTokenStore({ pool: poor, table }));

    expect(await first).toMatchObject({
      code: 'STORE_PERMISSION',
      message: expect.stringContaining(`The role ${table} may not insert on ${table}`),
    });
  });

  it('whose server is down, or whose database or role is missing, tells so', async () => {
    const password = '__fake_password_of_a_database__';
    const parts = [
      [{ port: String(await freePort()) }, 'ECONNREFUSED'],
      [{ pathname: '/nowhere' }, '3D000'],
      [{ username: 'nobody', password }, '28'],
    ] as const;
    for (const [part, code] of parts) {
      const broken = openPool(Object.assign(new URL(url), part).href);
      closers.push(() => broken.end());
      const { message } = await start(new PostgresTokenStore({ pool: broken, table })).first;

      expect(message).toContain(code);
      expect(message).not.toContain(password);
    }
  });

  it('that never answers tells so, while the application serves', async () => {
    const silent: Server = createServer((socket) => closers.push(() => socket.destroy()));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as { port: number };
    const hanging = openPool(`postgres://postgres@127.0.0.1:${port}/postgres`);
    closers.push(() => silent.close());
    const clock = new ManualClock();
    const { first, told } = start(new PostgresTokenStore({ pool: hanging, table }), clock);
    expect(told).toEqual([]);

    clock.advanceMs(5_000);

    expect(await first).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('TIMEOUT') });
  });

  it('that is as it should be tells nothing', async () => {
    const store = new PostgresTokenStore({ pool, table });
    const diagnose = jest.spyOn(store, 'diagnose');
    const { told } = start(store);

    await until(() => diagnose.mock.results.length > 0);
    await diagnose.mock.results[0]!.value;
    await turn();

    expect(told).toEqual([]);
  });
});

describeWith('Redis')('a start with a Redis store', () => {
  async function redis(...settings: string[]): Promise<{ port: number; url: string }> {
    const server = await startRedisServer(...settings);
    closers.push(server.stop);
    return server;
  }

  it('whose client is connected only after the start tells nothing', async () => {
    const client = createClient({ url: (await redis()).url });
    const store = new RedisTokenStore({ client });
    const clock = new ManualClock();
    const read = jest.spyOn(store, 'read');
    const diagnose = jest.spyOn(store, 'diagnose');
    const { told } = start(store, clock);
    await expect(read.mock.results[0]!.value).rejects.toThrow('The client is closed');
    await client.connect();
    closers.push(() => client.destroy());

    await pass(clock, () => read.mock.results.length > 1);
    await read.mock.results[1]!.value;
    await until(() => diagnose.mock.results.length > 0);
    await diagnose.mock.results[0]!.value;
    await turn();

    expect(told).toEqual([]);
  });

  it('whose client is never connected tells so', async () => {
    const clock = new ManualClock();
    const store = new RedisTokenStore({ client: createClient() });
    const read = jest.spyOn(store, 'read');
    const { first } = start(store, clock);

    await pass(clock, () => read.mock.results.length > 1);

    expect(await first).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringMatching(/The client is closed\. Connect the client .*await client\.connect\(\)/),
    });
  });

  it('that may evict grants, or whose user lacks a permission, tells so', async () => {
    const { port, url: address } = await redis('--maxmemory', '64mb', '--maxmemory-policy', 'volatile-lru');
    const client = new Redis(address);
    closers.push(() => client.disconnect());
    const evicting = await start(new RedisTokenStore({ client })).first;
    await client.call('ACL', 'SETUSER', 'poor', 'on', 'nopass', '~*', '+info', '+auth', '+client');
    const poor = new Redis(port, '127.0.0.1', { username: 'poor', password: 'x' });
    closers.push(() => poor.disconnect());
    const forbidden = await start(new RedisTokenStore({ client: poor })).first;

    expect(evicting).toMatchObject({ code: 'STORE_EVICTION', message: expect.stringContaining('noeviction') });
    expect(forbidden).toMatchObject({ code: 'STORE_UNAVAILABLE', message: expect.stringContaining('NOPERM') });
  });

  it('whose user may not ask for settings tells nothing', async () => {
    const { port, url: address } = await redis();
    const admin = new Redis(address);
    await admin.call('ACL', 'SETUSER', 'app', 'on', 'nopass', '~*', '&*', '+@all', '-info');
    const client = new Redis(port, '127.0.0.1', { username: 'app', password: 'x', enableReadyCheck: false });
    closers.push(
      () => admin.disconnect(),
      () => client.disconnect(),
    );
    const store = new RedisTokenStore({ client });
    const diagnose = jest.spyOn(store, 'diagnose');
    const { told } = start(store);

    await until(() => diagnose.mock.results.length > 0);
    const findings = (await diagnose.mock.results[0]!.value) as { level: string }[];
    expect(findings.map(({ level }) => level)).toEqual(['unknown', 'unknown', 'unknown']);
    await turn();

    expect(told).toEqual([]);
  });

  it('hands the store the reporter of the middleware', async () => {
    const client = new Redis((await redis()).url);
    closers.push(() => client.disconnect());
    const store = new RedisTokenStore({ client, waitReplicas: { replicas: 1, timeoutMs: 1 } });
    const { first } = start(store);
    const session = { writer: 'login', holder: 'session', holderMs: 60_000, softMs: null, hardMs: null };
    const labels = { organizationId: 'o', userId: 'u', clientID: 'c' };

    await store.put('grant', { ...session, expected: null, generation: 'first', payload: 'tokens', labels });

    expect(await first).toMatchObject({ code: 'STORE_REPLICAS' });
  });
});

describe('a start with another store', () => {
  it('tells what a store of the application throws, and nothing after the end', async () => {
    const rest = new MemoryTokenStore();
    const failing = new Proxy({} as TokenStore, {
      get: (_, name) =>
        name === 'diagnose' || name === 'reportTo' || name === 'close'
          ? undefined
          : name === 'read'
            ? () => Promise.reject(Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
            : (rest[name as 'list'] as () => never).bind(rest),
    });
    expect((await start(failing).first).message).toContain('ECONNREFUSED');

    const { salesforce, told } = start(failing);
    await salesforce.close();
    await turn();

    expect(told).toEqual([]);
  });

  it('leaves the memory of the process alone', () => {
    const store = new MemoryTokenStore();
    const read = jest.spyOn(store, 'read');

    start(store);

    expect(read).not.toHaveBeenCalled();
  });
});
