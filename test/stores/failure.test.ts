import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { TokenStore } from '../../lib/stores';
import { storeFailureOf, type StoreFailure } from '../../lib/stores/failure';
import { PostgresTokenStore } from '../../lib/stores/postgres';
import { RedisTokenStore } from '../../lib/stores/redis';
import { login } from './grants';
import { openPool, startPostgres } from './servers/postgres';
import { freePort } from './servers/programs';
import { startRedisServer } from './servers/redis';

const payload = '__fake_payload_of_a_grant__';
const password = '__fake_password_of_a_server__';
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
}, 60_000);

/** Why a login could not be stored. */
async function failureOf(store: TokenStore): Promise<StoreFailure> {
  const written = await store.put('grant', { ...login, payload }).catch((error: unknown) => storeFailureOf(error));
  if ('outcome' in written) throw new Error('It was stored.');
  expect(JSON.stringify(written)).not.toContain(payload);
  expect(JSON.stringify(written)).not.toContain(password);
  return written;
}

function ioredis(port: number, options: object = {}): Redis {
  const client = new Redis({ port, maxRetriesPerRequest: 0, retryStrategy: () => null, ...options });
  client.on('error', () => undefined);
  closers.push(() => client.disconnect());
  return client;
}

describe('PostgreSQL says why it failed', () => {
  it('without the table, without permission, with a wrong password, and when it is down', async () => {
    const server = await startPostgres();
    const pool = openPool(server.url);
    closers.push(
      () => server.stop(),
      () => pool.end(),
    );
    const unique = `why_${randomBytes(4).toString('hex')}`;

    expect(await failureOf(new PostgresTokenStore({ pool, table: unique }))).toEqual({
      code: '42P01',
      reason: `relation "${unique}" does not exist`,
      fix: expect.stringContaining('postgres.sql') as string,
    });

    await pool.query(`create role ${unique} login; create table ${unique} (like pg_class)`);
    closers.push(() => pool.query(`drop table ${unique}; drop role ${unique}`));
    const poor = openPool(server.url.replace(/\/\/[^@/]*@/, `//${unique}:${password}@`));
    closers.push(() => poor.end());
    const failure = await failureOf(new PostgresTokenStore({ pool: poor, table: unique }));
    // The server's own rules decide whether the password is looked at.
    expect(['42501', '28P01', '42703']).toContain(failure.code);
    expect(failure.fix).not.toContain('its connection and its permissions');

    const port = await freePort();
    const down = openPool(`postgres://postgres:${password}@127.0.0.1:${port}/postgres`);
    closers.push(() => down.end());
    expect(await failureOf(new PostgresTokenStore({ pool: down }))).toEqual({
      code: 'ECONNREFUSED',
      reason: `connect ECONNREFUSED 127.0.0.1:${port}`,
      fix: expect.stringContaining('address and port') as string,
    });
  }, 60_000);

  it('after the pool has been ended', async () => {
    const pool = openPool('postgres://127.0.0.1:1/nowhere');
    await pool.end();

    expect(await failureOf(new PostgresTokenStore({ pool }))).toMatchObject({
      reason: 'Cannot use a pool after calling end on the pool',
      fix: expect.stringContaining('salesforce.close()') as string,
    });
  });
});

describe('Redis says why it failed', () => {
  it.each(['redis', 'ioredis'])('when %s was never connected, or is closed', async (library) => {
    const client = library === 'redis' ? createClient() : ioredis(1, { lazyConnect: true, enableOfflineQueue: false });
    if (client instanceof Redis) client.disconnect();

    const failure = await failureOf(new RedisTokenStore({ client }));

    expect(failure.fix).toContain('await client.connect()');
    expect(failure.reason).toMatch(/closed|writeable/);
  });

  it('when the password is missing, a command forbidden, a key foreign, the server read-only or down', async () => {
    const server = await startRedisServer('--requirepass', password);
    closers.push(() => server.stop());
    const storeOn = (client: Redis): TokenStore => new RedisTokenStore({ client });
    const admin = ioredis(server.port, { password });

    expect(await failureOf(storeOn(ioredis(server.port, { enableReadyCheck: false })))).toMatchObject({
      code: 'NOAUTH',
      fix: expect.stringContaining('password') as string,
    });
    await admin.call('ACL', 'SETUSER', 'poor', 'on', `>${password}`, '~*', '+info', '+auth', '+client');
    expect(await failureOf(storeOn(ioredis(server.port, { username: 'poor', password })))).toMatchObject({
      code: 'NOPERM',
      fix: expect.stringContaining('permission') as string,
    });
    await admin.set('salesforce:grant:{grant}', 'foreign');
    expect(await failureOf(storeOn(admin))).toMatchObject({
      code: 'WRONGTYPE',
      fix: expect.stringContaining('prefix') as string,
    });
    await admin.del('salesforce:grant:{grant}');
    await admin.call('REPLICAOF', '127.0.0.1', String(await freePort()));
    expect(await failureOf(storeOn(admin))).toMatchObject({
      code: 'READONLY',
      fix: expect.stringContaining('primary') as string,
    });
    const port = await freePort();
    expect((await failureOf(storeOn(ioredis(port)))).fix).toContain('address');
  }, 60_000);
});

describe('the reason', () => {
  const long = 'x'.repeat(41);

  it.each([
    [
      { code: '22P02', message: 'invalid input syntax for type json: "secret payload"' },
      'invalid input syntax for type json: …',
    ],
    [{ code: '42501', message: 'permission denied for table grants' }, 'permission denied for table grants'],
    [
      { code: '28P01', message: 'password authentication failed for user "app"' },
      'password authentication failed for user "app"',
    ],
    [{ code: 'ENOTFOUND', message: 'redis://app:secret@db.example:6379/0 was not found\nsecond' }, '… was not found'],
    [
      { code: 'ECONNRESET', message: `lost ${long} at ${'y '.repeat(200)}` },
      `lost … at ${'y '.repeat(200)}`.slice(0, 200),
    ],
    [
      { code: 'READONLY', message: "READONLY You can't write against a read only replica." },
      'READONLY You can’t write against a read only replica.',
    ],
    [{ code: 'XX000', message: "it's the value 'secret payload' and 'another secret" }, 'it’s the value … and …'],
    [{ code: undefined, message: 'Unexpected token in {"accessToken": "secret"}' }, 'Error'],
    [{ code: 'secret payload', message: 'something secret' }, 'Error'],
  ])('holds nothing secret: %j', ({ code, message }, reason) => {
    expect(storeFailureOf(Object.assign(new Error(message), { code })).reason).toBe(reason);
  });

  it('is that no answer came in time, if the client of node-redis says no more', async () => {
    const server = await startRedisServer();
    const client = createClient({ url: server.url, commandOptions: { timeout: 100 } });
    client.on('error', () => undefined);
    await client.connect();
    closers.push(() => client.destroy());
    const store = new RedisTokenStore({ client });
    await store.read('none');
    await server.stop();

    expect(await failureOf(store)).toEqual({
      code: 'TIMEOUT',
      reason: 'no answer in time',
      fix: expect.stringContaining('does not answer in time') as string,
    });
  });

  it.each(['Command timed out', 'Query read timeout'])('is a time limit of the client: %s', (message) => {
    expect(storeFailureOf(new Error(message))).toMatchObject({
      reason: message,
      fix: expect.stringContaining('in the time that the client has') as string,
    });
  });

  it('is that of the first address, if a name has several', () => {
    const one = Object.assign(new Error('connect ECONNREFUSED ::1:5432'), { code: 'ECONNREFUSED' });

    expect(storeFailureOf(new AggregateError([one]))).toMatchObject({ code: 'ECONNREFUSED', reason: one.message });
  });

  it.each([undefined, null, 'a text', 7, {}])('does not need an error: %p', (thrown) => {
    expect(storeFailureOf(thrown)).toMatchObject({ code: undefined, reason: 'an error without a message' });
  });
});
