/** @tier all */
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { RedisTokenStore } from '../../lib/stores/redis';
import { describeWith } from '../helpers/programs';
import { claim, login } from './grants';
import { describeRedisTokenStore, type RedisUnderTest } from './redis-suite';
import { ioredisCluster, nodeRedisCluster, startCluster } from './servers/redis-cluster';
import { startValkeyServer } from './servers/valkey';

/* The whole contract on Valkey, on one server and on a cluster of three masters. */

const connections: Record<string, RedisUnderTest> = {};
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  const [server, cluster] = await Promise.all([startValkeyServer(), startCluster(startValkeyServer)]);
  closers.push(
    () => server.stop(),
    () => cluster.stop(),
  );
  const nodeOf = (url: string): Redis => {
    const node = new Redis(url);
    closers.push(() => node.disconnect());
    return node;
  };
  const [own, nodes] = [nodeOf(server.url), cluster.ports.map((port) => nodeOf(`redis://127.0.0.1:${port}`))];
  expect(await own.info('server')).toContain('server_name:valkey');
  const nodeRedis = createClient({ url: server.url });
  await nodeRedis.connect();
  const [byNodeRedis, byIoredis] = [await nodeRedisCluster(cluster), await ioredisCluster(cluster)];
  closers.push(() => nodeRedis.destroy(), byNodeRedis.end, byIoredis.end);
  connections['one server, with redis'] = { client: nodeRedis, nodes: [own] };
  connections['one server, with ioredis'] = { client: nodeOf(server.url), nodes: [own] };
  connections['a cluster of three, with redis'] = { client: byNodeRedis.client, nodes };
  connections['a cluster of three, with ioredis'] = { client: byIoredis.client, nodes };
}, 60_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

const names = [
  ...['one server, with redis', 'one server, with ioredis'],
  ...['a cluster of three, with redis', 'a cluster of three, with ioredis'],
];

describeWith('Valkey').each(names)('Valkey: %s', (name) => {
  describeRedisTokenStore('RedisTokenStore', () => connections[name]!);
});

describeWith('Valkey')('a Valkey replica that stands still', () => {
  const waitReplicas = { replicas: 1, timeoutMs: 100 };

  it('fails a claim and an arm that come again on another connection, as it fails the first ones', async () => {
    const master = await startValkeyServer('--repl-diskless-sync-delay', '0');
    const replica = await startValkeyServer('--replicaof', '127.0.0.1', String(master.port));
    const connections = [master, replica, master, master].map(({ url }) => new Redis(url));
    const [first, copy, second, third] = connections as [Redis, Redis, Redis, Redis];
    closers.push(
      () => master.stop(),
      () => replica.stop(),
      ...connections.map((connection) => () => connection.disconnect()),
    );
    const store = new RedisTokenStore({ client: first });
    await store.put('doubted', login);
    await store.claim('doubted', claim);
    const doubt = { state: 'inDoubt', backoffMs: 0, errorCode: undefined, failed: true } as const;
    await store.releaseClaim('doubted', { ...claim, ...doubt });
    await store.put('claimed', login);
    await first.wait(1, 20_000);
    const processId = /process_id:(\d+)/.exec(await copy.info('server'))?.[1];
    process.kill(Number(processId), 'SIGSTOP');
    await store.claim('claimed', claim);
    await store.claim('doubted', claim);
    await store.arm('doubted', claim);

    const again = (client: Redis): RedisTokenStore => new RedisTokenStore({ client, waitReplicas });
    await expect(again(second).claim('claimed', claim)).rejects.toThrow('Too few Redis replicas');
    await expect(again(third).arm('doubted', claim)).rejects.toThrow('Too few Redis replicas');
    process.kill(Number(processId), 'SIGCONT');
  });
});
