import { Client, Pool } from 'pg';
import { MemoryTokenStore } from '../../lib';
import { SalesforceOptionError } from '../../lib/errors';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';

const client = { evalsha: () => undefined, eval: () => undefined };
const pool = { query: () => undefined, connect: () => undefined };
const stores: Record<string, { make: (options: never) => object; base: object }> = {
  MemoryTokenStore: { make: (options) => new MemoryTokenStore(options), base: {} },
  RedisTokenStore: { make: (options) => new RedisTokenStore(options), base: { client } },
  PostgresTokenStore: { make: (options) => new PostgresTokenStore(options), base: { pool } },
};
type Store = keyof typeof stores;

function make(store: Store, options: object): object {
  const { make: construct, base } = stores[store]!;
  return construct({ ...base, ...options } as never);
}

function refusal(store: Store, options: object): SalesforceOptionError {
  try {
    make(store, options);
  } catch (error) {
    expect(error).toBeInstanceOf(SalesforceOptionError);
    return error as SalesforceOptionError;
  }
  throw new Error(`${store} took ${JSON.stringify(options)}.`);
}

const tooMany = 1_000_000_000_000;

describe('a mistake in the options of a store', () => {
  it.each<[Store, object, string]>([
    ['MemoryTokenStore', { maxHolder: 5 }, "MemoryTokenStore() has no option 'maxHolder'. Did you mean 'maxHolders'?"],
    ['MemoryTokenStore', { retention: 5 }, 'Did you mean'],
    ['MemoryTokenStore', { sweepInterval: 60_000 }, "Did you mean 'sweepIntervalMs'?"],
    ['MemoryTokenStore', { nonsense: 1 }, 'Known are: sweepIntervalMs, retentionMs, maxHolders, clock.'],
    ['MemoryTokenStore', { clock: {} }, 'MemoryTokenStore.clock must be an object with the functions'],
    ['RedisTokenStore', { keyPrefix: 'app:' }, "RedisTokenStore() has no option 'keyPrefix'. Did you mean 'prefix'?"],
    ['RedisTokenStore', { waitReplica: {} }, "Did you mean 'waitReplicas'?"],
    [
      'RedisTokenStore',
      { client: undefined },
      'RedisTokenStore.client must be a client of the package redis or ioredis',
    ],
    ['RedisTokenStore', { client: 'redis://127.0.0.1' }, 'RedisTokenStore.client must be'],
    ['RedisTokenStore', { client: null }, 'RedisTokenStore.client must be'],
    ['RedisTokenStore', { notify: 'yes' }, 'RedisTokenStore.notify must be true, false or a client'],
    [
      'RedisTokenStore',
      { notify: true, client: { ...client, duplicate: undefined } },
      'makes no copy of itself with duplicate()',
    ],
    [
      'RedisTokenStore',
      { waitReplicas: { replicas: 1, timeoutMs: 50 }, client: { ...client, execute: () => 0, duplicate: undefined } },
      'RedisTokenStore.waitReplicas must be left out with a pool',
    ],
    ['RedisTokenStore', { notify: null }, 'RedisTokenStore.notify must be'],
    ['RedisTokenStore', { detectFailover: 'no' }, 'RedisTokenStore.detectFailover must be true or false'],
    [
      'RedisTokenStore',
      { waitReplicas: 1 },
      'RedisTokenStore.waitReplicas must be an object with replicas and timeoutMs',
    ],
    [
      'RedisTokenStore',
      { waitReplicas: { replicas: 1 } },
      'RedisTokenStore.waitReplicas.timeoutMs must be a whole number',
    ],
    [
      'RedisTokenStore',
      { waitReplicas: { replicas: -1, timeoutMs: 100 } },
      'waitReplicas.replicas must be a whole number',
    ],
    ['RedisTokenStore', { waitReplicas: { replica: 1, timeoutMs: 100 } }, "Did you mean 'waitReplicas.replicas'?"],
    ['RedisTokenStore', { waitReplicas: { replicas: 1, timeoutMs: 3_600_000 } }, 'from 1 to 60000'],
    [
      'PostgresTokenStore',
      { tableName: 'grants' },
      "PostgresTokenStore() has no option 'tableName'. Did you mean 'table'?",
    ],
    [
      'PostgresTokenStore',
      { pool: 'postgres://127.0.0.1' },
      'PostgresTokenStore.pool must be a Pool of the package pg',
    ],
    ['PostgresTokenStore', { pool: undefined }, 'PostgresTokenStore.pool must be'],
    ['PostgresTokenStore', { notify: 1 }, 'PostgresTokenStore.notify must be true, false or a Pool'],
    ['PostgresTokenStore', { pool: new Pool({ max: 1 }), notify: true }, 'set max to 2 or more'],
    ['PostgresTokenStore', { notify: null }, 'PostgresTokenStore.notify must be'],
    [
      'PostgresTokenStore',
      { notify: new Client() },
      'PostgresTokenStore.notify must be true, false or a Pool of the package pg, and not a Client',
    ],
    [
      'PostgresTokenStore',
      { pool: new Client(), notify: true },
      'PostgresTokenStore.pool must be a Pool of the package pg, and not a Client',
    ],
  ])('is told by %s: %j', (store, options, message) => {
    expect(refusal(store, options).message).toContain(message);
  });

  it('is no pool of pg, and no pool of another library that has connect()', () => {
    for (const notify of [true, false, new Pool(), { connect: () => undefined }]) {
      expect(make('PostgresTokenStore', { notify })).toBeDefined();
    }
    expect(make('PostgresTokenStore', { pool: new Pool(), notify: true })).toBeDefined();
    // Only the pool that listens needs a second connection.
    expect(make('PostgresTokenStore', { pool: new Pool({ max: 1 }), notify: new Pool({ max: 1 }) })).toBeDefined();
  });

  it.each(Object.keys(stores))('is told by %s if a number is out of bounds', (store) => {
    for (const maxHolders of [0, -1, 1.5, 10_001, NaN, Infinity, '5', null]) {
      expect(refusal(store, { maxHolders }).message).toBe(
        `${store}.maxHolders must be a whole number from 1 to 10000.`,
      );
    }
    for (const retentionMs of [0, 1_000, 59_999, -1, NaN, Infinity, tooMany, '90 days', null]) {
      expect(refusal(store, { retentionMs }).option).toBe(`${store}.retentionMs`);
    }
    expect(make(store, { maxHolders: 10_000, retentionMs: 60_000 })).toBeDefined();
  });

  it.each([0, 9, 2_147_483_648, Infinity, '1000'])(
    'is told of an interval that no timer keeps: %p',
    (sweepIntervalMs) => {
      expect(refusal('MemoryTokenStore', { sweepIntervalMs }).option).toBe('MemoryTokenStore.sweepIntervalMs');
    },
  );

  it.each(['', '{app}:', 'a{', 'a}', 'a'.repeat(201), 5, null])('is told of a prefix: %j', (prefix) => {
    expect(refusal('RedisTokenStore', { prefix }).message).toContain('without { and }');
  });

  it.each(['Grants', 'grants; drop table grants', 'a"b', 'a.b.c', '', '1st', 'grants ', 'a'.repeat(59), 5, null])(
    'is told of the name of a table: %j',
    (table) => {
      expect(refusal('PostgresTokenStore', { table }).message).toContain('table must be a name in lower case');
    },
  );

  it.each(Object.keys(stores))('is told by %s if there are no options where some are needed', (store) => {
    const { make: construct } = stores[store]!;

    for (const given of [null, 'grants']) expect(() => construct(given as never)).toThrow(`${store} must be`);
    if (store !== 'MemoryTokenStore') expect(() => construct(undefined as never)).toThrow(`${store} must be`);
  });
});
