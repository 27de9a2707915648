import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';
import { describeTokenStore } from '../../lib/stores/contract';
import { RedisTokenStore, type RedisTokenStoreOptions } from '../../lib/stores/redis';
import passTime from './pass-time.lua';

/** A server, or a cluster, on which the contract suite runs. */
export interface RedisUnderTest {
  /** Connected, by the library under test. */
  client: RedisTokenStoreOptions['client'];
  /** A connection to each node that takes writes, to move the time of keys and to remove them. */
  nodes: Redis[];
}

/** Runs the contract suite on `RedisTokenStore`. `server` is asked before each test. */
export function describeRedisTokenStore(name: string, server: () => RedisUnderTest): void {
  describeTokenStore(
    name,
    () => {
      const { client, nodes } = server();
      const prefix = `test[${randomBytes(6).toString('hex')}]:`;
      /** Does something with each key of this test, on its node. */
      const each = async (work: (node: Redis, key: string) => Promise<unknown>): Promise<void> => {
        for (const node of nodes) {
          const keys = (await node.keys('*')).filter((key) => key.startsWith(prefix));
          for (const key of keys) await work(node, key);
        }
      };
      return {
        store: new RedisTokenStore({ client, prefix, notify: true, maxHolders: 101 }),
        elapse: (ms) => each((node, key) => node.eval(passTime, 1, key, String(ms))),
        setSchema: (grantId, schema) =>
          each(async (node, key) => {
            if (key === `${prefix}{${grantId}}`) await node.hset(key, 'schema', String(schema));
          }),
        close: () => each((node, key) => node.del(key)),
      };
    },
    { maxHolders: 101 },
  );
}
