/** @tier all */
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describeWith } from '../helpers/programs';
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
