import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describeWith } from '../helpers/programs';
import { describeRedisTokenStore } from './redis-suite';
import { startRedis } from './servers/redis';

let nodeRedis: ReturnType<typeof createClient>;
let ioredis: Redis;
const closers: (() => unknown)[] = [];

beforeAll(async () => {
  const server = await startRedis();
  closers.push(() => server.stop());
  nodeRedis = createClient({ url: server.url });
  closers.push(() => {
    nodeRedis.destroy();
  });
  await nodeRedis.connect();
  ioredis = new Redis(server.url);
  closers.push(() => {
    ioredis.disconnect();
  });
});

afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

const clients = { redis: () => nodeRedis, ioredis: () => ioredis };

describeWith('Redis').each(Object.entries(clients))('with %s', (library, client) => {
  describeRedisTokenStore(`RedisTokenStore on ${library}`, () => ({ client: client(), nodes: [ioredis] }));
});
