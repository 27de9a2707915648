/** @tier all */
import { Redis } from 'ioredis';
import type { RedisTokenStoreOptions } from '../../lib/stores/redis';
import { describeWith } from '../helpers/programs';
import { describeRedisTokenStore } from './redis-suite';
import { ioredisCluster, nodeRedisCluster, startCluster } from './servers/redis-cluster';

/* The whole contract on a cluster of three masters. */

const clients: Record<string, RedisTokenStoreOptions['client']> = {};
const nodes: Redis[] = [];
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  const cluster = await startCluster();
  closers.push(() => cluster.stop());
  for (const port of cluster.ports) nodes.push(new Redis(port, '127.0.0.1'));
  closers.push(() => nodes.map((node) => node.disconnect()));
  for (const [library, connect] of Object.entries({ redis: nodeRedisCluster, ioredis: ioredisCluster })) {
    const { client, end } = await connect(cluster);
    clients[library] = client;
    closers.push(end);
  }
}, 60_000);

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

describeWith('Redis').each(['redis', 'ioredis'])('a cluster of three, with %s', (library) => {
  describeRedisTokenStore(`RedisTokenStore on ${library}`, () => ({ client: clients[library]!, nodes }));
});
