import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { diagnose, type Diagnosis } from '../../lib';
import type { TokenStore } from '../../lib/stores';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { startTestEmulator } from '../helpers/emulator';
import { describeWith } from '../helpers/programs';
import { freePort } from '../stores/servers/programs';
import { openPool, startPostgres } from '../stores/servers/postgres';
import { startRedisServer } from '../stores/servers/redis';

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function diagnosisOf(store: TokenStore, given: object = {}): Promise<Diagnosis> {
  const emulator = await startTestEmulator();
  const { clientID, clientSecret, callbackURLs } = emulator.clients[0]!;
  return diagnose(
    {
      clientID,
      clientSecret: clientSecret || undefined,
      callbackURL: callbackURLs[0],
      baseUrl: emulator.url,
      scope: 'id refresh_token',
      store,
      refresh: { storeTimeoutMs: 2_000 },
      ...given,
    },
    { processes: 2, rotation: true },
  );
}

async function redisWith(...settings: string[]): Promise<TokenStore> {
  const server = await startRedisServer(...settings);
  const client = new Redis(server.url);
  closers.push(
    () => server.stop(),
    () => client.disconnect(),
  );
  return new RedisTokenStore({ client });
}

async function postgres() {
  const server = await startPostgres();
  const pool = openPool(server.url);
  closers.push(
    () => server.stop(),
    () => pool.end(),
  );
  return { url: server.url, pool };
}

describeWith('Redis')('the doctor, of a Redis', () => {
  it('that may evict grants and does not write to disk', async () => {
    const { ok, findings } = await diagnosisOf(
      await redisWith('--maxmemory', '64mb', '--maxmemory-policy', 'allkeys-lru'),
    );

    expect(ok).toBe(false);
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'store.eviction', level: 'error', fix: expect.stringContaining('noeviction') }),
    );
    expect(findings).toContainEqual(expect.objectContaining({ check: 'store.persistence', level: 'warning' }));
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'encryption-keys', level: 'warning', fix: expect.stringContaining('openssl') }),
    );
  });

  it('with the right settings', async () => {
    const store = await redisWith('--maxmemory-policy', 'noeviction', '--appendonly', 'yes', '--appendfsync', 'always');
    const { ok, findings } = await diagnosisOf(store, { encryptionKeys: ['__fake_encryption_key_of_32_chars__'] });

    expect(ok).toBe(true);
    const ofStore = findings.filter(({ check }) => /^store|^encryption/.test(check));
    expect(ofStore.filter(({ level }) => level === 'error' || level === 'warning')).toEqual([]);
    expect(ofStore.length).toBeGreaterThan(3);
  });

  it('that does not run', async () => {
    const client = new Redis({ port: await freePort(), lazyConnect: true, retryStrategy: () => null });
    client.on('error', () => undefined);
    closers.push(() => client.disconnect());
    const { ok, findings } = await diagnosisOf(new RedisTokenStore({ client }));

    expect(ok).toBe(false);
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'store', level: 'error', code: 'ERR_SALESFORCE_TOKEN_STORE' }),
    );
  });
});

describeWith('Redis')('the doctor, of a Redis that takes no writes', () => {
  it.each([
    ['since its memory is full', ['--maxmemory', '1', '--maxmemory-policy', 'noeviction'], 'OOM', 'memory'],
    ['since it has too few replicas', ['--min-replicas-to-write', '1'], 'NOREPLICAS', 'min-replicas-to-write'],
  ])('%s', async (_why, settings, word, fix) => {
    const { ok, findings } = await diagnosisOf(await redisWith(...settings));

    expect(ok).toBe(false);
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'store',
        level: 'error',
        message: expect.stringMatching(new RegExp(`takes no writes: ${word} `)),
        fix: expect.stringContaining(fix),
      }),
    );
  });

  it('is fine if the user may do all that the store needs, and not read INFO', async () => {
    const server = await startRedisServer();
    const admin = new Redis(server.url);
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>__fake_pw__', '~*', '&*', '+@all', '-@dangerous');
    const client = new Redis(server.url, { username: 'app', password: '__fake_pw__', enableReadyCheck: false });
    closers.push(
      () => server.stop(),
      () => admin.disconnect(),
      () => client.disconnect(),
    );

    const { findings } = await diagnosisOf(new RedisTokenStore({ client }));

    const ofStore = findings.filter(({ check }) => /^store/.test(check));
    expect(ofStore.filter(({ level }) => level === 'error')).toEqual([]);
    expect(ofStore.filter(({ level }) => level === 'unknown').map(({ check }) => check)).toEqual([
      'store.eviction',
      'store.replication',
      'store.persistence',
    ]);
    expect(ofStore).toContainEqual({ check: 'store', level: 'ok', message: 'The token store takes writes.' });

    const waitReplicas = { replicas: 1, timeoutMs: 50 };
    const waiting = await diagnosisOf(new RedisTokenStore({ client, waitReplicas }));
    expect(waiting.findings).toContainEqual({
      check: 'store.replication',
      level: 'ok',
      message: 'Writes wait for replicas.',
    });
  });

  it('may evict nothing yet, if its memory has no limit', async () => {
    const { findings } = await diagnosisOf(await redisWith('--maxmemory-policy', 'allkeys-lru'));

    expect(findings).toContainEqual(expect.objectContaining({ check: 'store.eviction', level: 'warning' }));
  });
});

describe('the doctor, of a PostgreSQL', () => {
  it('that is read-only', async () => {
    const { url, pool } = await postgres();
    const table = `readonly_${process.pid}`;
    const sql = readFileSync('lib/stores/postgres.sql', 'utf8').replaceAll('salesforce_grants', table);
    await pool.query(sql);
    closers.push(() => pool.query(`drop table ${table}; drop table ${table}_once`));
    const readOnlyUrl = new URL(url);
    readOnlyUrl.searchParams.set('options', '-c default_transaction_read_only=on');
    const readOnly = openPool(readOnlyUrl.href);
    closers.push(() => readOnly.end());

    const { ok, findings } = await diagnosisOf(new PostgresTokenStore({ pool: readOnly, table }));

    expect(ok).toBe(false);
    expect(findings).toContainEqual(
      expect.objectContaining({
        check: 'store',
        message: expect.stringContaining('takes no writes'),
        fix: expect.stringContaining('default_transaction_read_only'),
      }),
    );
  });

  it('without the table, and with one of another version', async () => {
    const { pool } = await postgres();

    const without = await diagnosisOf(new PostgresTokenStore({ pool, table: 'nowhere' }));
    expect(without.ok).toBe(false);
    expect(without.findings).toContainEqual(
      expect.objectContaining({ check: 'store.table', level: 'error', fix: expect.stringContaining('postgres.sql') }),
    );

    const table = `old_${process.pid}`;
    await pool.query(`create table ${table} (grant_id text primary key, payload text)`);
    closers.push(() => pool.query(`drop table ${table}`));
    const old = await diagnosisOf(new PostgresTokenStore({ pool, table }));
    expect(old.ok).toBe(false);
    expect(old.findings.filter(({ level }) => level === 'error')).not.toEqual([]);
  });

  it('that does not run', async () => {
    const password = '__fake_password_of_a_database__';
    const pool = openPool(`postgres://postgres:${password}@127.0.0.1:${await freePort()}/postgres`);
    closers.push(() => pool.end());

    const { ok, findings } = await diagnosisOf(new PostgresTokenStore({ pool }));

    expect(ok).toBe(false);
    expect(findings).toContainEqual(
      expect.objectContaining({ check: 'store', level: 'error', code: 'ERR_SALESFORCE_TOKEN_STORE' }),
    );
    expect(JSON.stringify(findings)).not.toContain(password);
  });
});
