import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { describeTokenStore } from '../../lib/stores/contract';
import { RedisTokenStore } from '../../lib/stores/redis';
import { describeWith } from '../helpers/programs';
import { startRedis } from './servers/redis';

/** Moves every time in a key back, and what is left of its time to live with them. */
const passTime = `
local ms = tonumber(ARGV[1])
local left = redis.call('PTTL', KEYS[1])
if left >= 0 then redis.call('PEXPIRE', KEYS[1], left - ms) end
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'zset' then
  local members = redis.call('ZRANGE', KEYS[1], 0, -1)
  for _, member in ipairs(members) do redis.call('ZINCRBY', KEYS[1], -ms, member) end
end
if kind ~= 'hash' then return end
local all = redis.call('HGETALL', KEYS[1])
for index = 1, #all, 2 do
  local name, value = all[index], tonumber(all[index + 1])
  local is_time = string.match(name, 'At$') or string.match(name, 'Until$') or string.match(name, 'Since$')
  if value and value ~= 0 and is_time then
    redis.call('HSET', KEYS[1], name, string.format('%.0f', value - ms))
  end
end`;

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
  describeTokenStore(
    `RedisTokenStore on ${library}`,
    () => {
      const prefix = `test[${randomBytes(6).toString('hex')}]:`;
      return {
        store: new RedisTokenStore({ client: client(), prefix, notify: true, maxHolders: 101 }),
        elapse: async (ms) => {
          for (const key of await keysOf(prefix)) await ioredis.eval(passTime, 1, key, String(ms));
        },
        setSchema: async (grantId, schema) => {
          await ioredis.hset(`${prefix}{${grantId}}`, 'schema', String(schema));
        },
        close: async () => {
          for (const key of await keysOf(prefix)) await ioredis.del(key);
        },
      };
    },
    { maxHolders: 101 },
  );
});

async function keysOf(prefix: string): Promise<string[]> {
  const keys = await ioredis.keys('*');
  return keys.filter((key) => key.startsWith(prefix));
}
