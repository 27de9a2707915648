/** @tier all */
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import type { GrantRecord } from '../../lib/stores';
import { RedisTokenStore, type RedisTokenStoreOptions } from '../../lib/stores/redis';
import { describeWith } from '../helpers/programs';
import { claim, login, logOut } from './grants';
import { startRedisServer } from './servers/redis';
import { ioredisCluster, nodeRedisCluster, startCluster } from './servers/redis-cluster';

jest.setTimeout(60_000);

const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startServer(...settings: string[]): Promise<{ url: string; port: number; stop: () => Promise<void> }> {
  const server = await startRedisServer(...settings);
  closers.push(() => server.stop());
  return server;
}

function ioredisOf(url: string, options = {}): Redis {
  const client = new Redis(url, options);
  client.on('error', () => undefined);
  closers.push(() => {
    client.disconnect();
  });
  return client;
}

async function nodeRedisOf(url: string) {
  const client = createClient({ url });
  client.on('error', () => undefined);
  closers.push(() => {
    client.destroy();
  });
  return client.connect();
}

const libraries: [string, (url: string) => Promise<RedisTokenStoreOptions['client']>][] = [
  ['redis', nodeRedisOf],
  ['ioredis', (url) => Promise.resolve(ioredisOf(url))],
];

const commit = { generation: 'first', version: 1, payload: 'new tokens', softMs: null, hardMs: null };

async function listed(store: RedisTokenStore): Promise<string[]> {
  const records: GrantRecord[] = [];
  for await (const record of store.list()) records.push(record);
  return records.map(({ grantId }) => grantId).sort();
}

describeWith('Redis')('a single server', () => {
  it('has two keys for each grant, which live until it has been abandoned for retentionMs', async () => {
    const dayMs = 24 * 60 * 60 * 1000;
    const { url } = await startServer();
    const client = ioredisOf(url);
    const store = new RedisTokenStore({ client, retentionMs: 10 * dayMs });
    const livesDays = async (): Promise<number> => Math.round((await client.pttl('salesforce:grant:{grant}')) / dayMs);
    await store.put('grant', { ...login, holderMs: 5 * dayMs });

    expect((await client.keys('*')).sort()).toEqual(['salesforce:grant:{grant}', 'salesforce:grant:{grant}:holders']);
    expect(await livesDays()).toBe(15);
    await store.addHolder('grant', { generation: 'first', holder: 'shorter', holderMs: dayMs });
    expect(await livesDays()).toBe(15);
    await store.addHolder('grant', { generation: 'first', holder: 'longer', holderMs: 20 * dayMs });
    expect(await livesDays()).toBe(30);
    await store.put('grant', { ...login, writer: 'second login', expected: { generation: 'first', version: 1 } });
    await store.commit('grant', { ...commit, version: 2 });
    expect(await livesDays()).toBe(30);
    await store.logOut('grant', logOut);
    expect(await client.pttl('salesforce:grant:{grant}')).toBeLessThanOrEqual(logOut.tombstoneMs);
    await store.put('grant', { ...login, writer: 'third login', generation: 'second' });
    expect(await livesDays()).toBe(10);
  });

  it('forgets a one-time claim by itself at its end, which nothing moves', async () => {
    const { url } = await startServer();
    const client = ioredisOf(url);
    const store = new RedisTokenStore({ client });
    const key = 'salesforce:grant:once:{code}';
    await store.claimOnce('code', 'owner', 600_000);
    await client.pexpire(key, 300_000);

    await store.claimOnce('code', 'owner', 900_000);
    await store.resolveClaim('code', 'owner', { result: 'result', keptMs: 900_000 });
    await store.claimOnce('code', 'another', 900_000);

    expect(await client.pttl(key)).toBeGreaterThan(200_000);
    expect(await client.pttl(key)).toBeLessThanOrEqual(300_000);
    expect(await listed(store)).toEqual([]);
  });

  it.each(libraries)('may forget scripts: %s sends them again', async (_library, connect) => {
    const { url } = await startServer();
    const store = new RedisTokenStore({ client: await connect(url) });
    await store.put('grant', login);

    await ioredisOf(url).script('FLUSH');

    expect(await store.claim('grant', claim)).toMatchObject({ outcome: 'claimed' });
  });

  it('that is down makes operations fail, and answers nothing', async () => {
    const { url, stop } = await startServer();
    const client = ioredisOf(url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
    const store = new RedisTokenStore({ client });
    await store.put('grant', login);
    // Not once() of node:events, which would fail with the error that comes before the end.
    const ended = new Promise<void>((resolve) => client.once('end', resolve));

    await stop();
    await ended;

    await expect(store.read('grant')).rejects.toThrow();
    await expect(store.claim('grant', claim)).rejects.toThrow();
  });

  it('is listed by prefix, with keyPrefix of ioredis and characters of patterns in it', async () => {
    const { url } = await startServer();
    const client = ioredisOf(url, { keyPrefix: 'app*[1]:' });
    const store = new RedisTokenStore({ client, prefix: 'grants?:' });
    await new RedisTokenStore({ client, prefix: 'grantsX:' }).put('other', login);
    await new RedisTokenStore({ client: ioredisOf(url), prefix: 'grants?:' }).put('other', login);

    await store.put('mine', login);

    expect(await listed(store)).toEqual(['mine']);
  });

  it('whose key is something else is refused', async () => {
    const { url } = await startServer();
    const client = ioredisOf(url);
    const store = new RedisTokenStore({ client, prefix: 'p:' });
    await client.set('p:{text}', 'not a grant');
    await client.hset('p:{hash}', 'not', 'a grant');

    await expect(store.put('text', login)).rejects.toThrow('WRONGTYPE');
    await expect(store.put('hash', login)).rejects.toThrow('schema');
    expect(await client.hgetall('p:{hash}')).toEqual({ not: 'a grant' });
  });

  it.each(libraries)('that may evict grants is found out by %s', async (_library, connect) => {
    const { url } = await startServer('--maxmemory', '100mb', '--maxmemory-policy', 'allkeys-lru');
    const store = new RedisTokenStore({ client: await connect(url) });
    const eviction = async () => (await store.diagnose()).find(({ check }) => check === 'eviction');

    expect(await eviction()).toMatchObject({ level: 'error', message: expect.stringContaining('is allkeys-lru') });
    // Grants have a time to live, so these policies may evict them as well.
    await ioredisOf(url).config('SET', 'maxmemory-policy', 'volatile-ttl');
    expect(await eviction()).toMatchObject({ level: 'error', message: expect.stringContaining('is volatile-ttl') });
    await ioredisOf(url).config('SET', 'maxmemory-policy', 'noeviction');
    expect(await eviction()).toMatchObject({ level: 'ok' });
  });
});

describeWith('Redis').each(libraries)('waitReplicas with %s', (_library, connect) => {
  it('has writes wait for a replica', async () => {
    const { url, port } = await startServer('--repl-diskless-sync-delay', '0');
    const replica = await startServer('--replicaof', '127.0.0.1', String(port));
    const warnings: string[] = [];
    const store = new RedisTokenStore({
      client: await connect(url),
      waitReplicas: { replicas: 1, timeoutMs: 20_000 },
    });
    store.reportTo((code) => warnings.push(code));
    const copy = ioredisOf(replica.url, { readOnly: true });

    expect(await store.put('grant', login)).toEqual({ outcome: 'written', version: 1 });
    expect(await copy.hget('salesforce:grant:{grant}', 'payload')).toBe('tokens');
    expect(await store.claim('grant', claim)).toMatchObject({ outcome: 'claimed' });
    expect(await copy.hget('salesforce:grant:{grant}', 'state')).toBe('presenting');
    expect(await store.commit('grant', commit)).toBe('committed');
    expect(await copy.hget('salesforce:grant:{grant}', 'payload')).toBe('new tokens');
    expect(warnings).toEqual([]);
  });

  it('takes a claim back that no replica has, and keeps new tokens with a warning', async () => {
    const { url } = await startServer();
    const warnings: string[] = [];
    const store = new RedisTokenStore({
      client: await connect(url),
      waitReplicas: { replicas: 1, timeoutMs: 1 },
    });
    store.reportTo((code) => warnings.push(code));
    expect(await store.put('grant', login)).toEqual({ outcome: 'written', version: 1 });
    expect(warnings).toEqual(['STORE_REPLICAS']);

    await expect(store.claim('grant', claim)).rejects.toThrow('Too few Redis replicas');

    expect(await store.read('grant')).toMatchObject({ state: 'idle', leaseInMs: 0 });
    expect(await store.commit('grant', commit)).toBe('committed');
    expect(warnings).toHaveLength(2);
  });
});

describeWith('Redis')('a cluster of three', () => {
  it.each(['redis', 'ioredis'])('keeps and lists grants on all nodes, by %s', async (library) => {
    const cluster = await startCluster();
    const { client, end } = await (library === 'redis' ? nodeRedisCluster : ioredisCluster)(cluster);
    closers.push(() => cluster.stop(), end);
    const { ports } = cluster;
    const warnings: string[] = [];
    const store = new RedisTokenStore({ client, waitReplicas: { replicas: 0, timeoutMs: 100 } });
    store.reportTo((code) => warnings.push(code));
    const grantIds = Array.from({ length: 30 }, (_, index) => `grant-${index}`).sort();

    await Promise.all(grantIds.map((grantId) => store.put(grantId, login)));

    expect(await listed(store)).toEqual(grantIds);
    for (const port of ports) expect(await ioredisOf(`redis://127.0.0.1:${port}`).dbsize()).toBeGreaterThan(0);
    for (const grantId of grantIds) {
      expect(await store.claim(grantId, claim)).toMatchObject({ outcome: 'claimed' });
      expect(await store.commit(grantId, commit)).toBe('committed');
      expect(await store.logOut(grantId, logOut)).toMatchObject({ outcome: 'loggedOut' });
      expect(await store.claimOnce(grantId, 'owner', 60_000)).toEqual({ outcome: 'claimed' });
      expect(await store.resolveClaim(grantId, 'owner', { result: 'result', keptMs: 60_000 })).toBe(true);
      expect(await store.claimOnce(grantId, 'another', 60_000)).toEqual({ outcome: 'taken', result: 'result' });
    }
    expect(await listed(store)).toEqual([]);
    expect(warnings).toEqual([]);
    const third = ioredisOf(`redis://127.0.0.1:${ports[2]!}`);
    await third.config('SET', 'maxmemory-policy', 'allkeys-lfu');
    expect(await store.diagnose()).toContainEqual(expect.objectContaining({ check: 'eviction', level: 'warning' }));
    await third.config('SET', 'maxmemory', '1gb');
    expect(await store.diagnose()).toContainEqual(expect.objectContaining({ check: 'eviction', level: 'error' }));
  });
});
