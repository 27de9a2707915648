import { invalid } from '../../options/check';
import { redisStoreOptions } from '../../options/parts/stores';
import { parseStoreOptions } from '../options';
import {
  connect,
  has,
  isClient,
  isCluster,
  type IoredisClient,
  type NodeRedisClient,
  type RedisConnection,
  type WaitReplicas,
} from './client';

/** Options of `RedisTokenStore`. */
export interface RedisTokenStoreOptions {
  /** Connected by the application, and closed by it. */
  client: NodeRedisClient | IoredisClient;
  /** Before each key: a text of at most 200 characters without curly brackets. Default `salesforce:grant:`. */
  prefix?: string;
  /**
   * Makes writes wait until replicas have them, so that a failover loses no refreshed token. If too few replicas have a claim,
   * the operation fails and nothing is presented. If too few have new tokens, there is a warning, and the tokens are kept.
   */
  waitReplicas?: WaitReplicas;
  /**
   * Publishes the ids of grants that change, and listens to them. So processes learn of new tokens and of a logout at once,
   * without waiting for their next look at the store. With `true`, the store listens on a second connection, duplicated from
   * `client` and closed by `close()`. With a client, the store listens on that client, which the application connects and
   * closes. In a cluster the client itself opens what it needs. Set the same in all processes. Default false.
   */
  notify?: boolean | NodeRedisClient | IoredisClient;
  /**
   * How long an unused grant is kept, in milliseconds: no session holds it, and it is not refreshed. It is the time to live of
   * the key, from a minute to ten years. Default 90 days.
   */
  retentionMs?: number;
  /**
   * How many holders (sessions) the store knows of one grant, from 1 to 10000. At the bound, the holder that ends soonest is
   * forgotten. Its session goes on, and until its time is over no logout of a single session ends the grant.
   * Default 1000.
   */
  maxHolders?: number;
  /**
   * Whether a refresh token that an earlier run of the server wrote, before a failover or restart, counts as in doubt. Then
   * introspection comes before it is presented. Default true.
   */
  detectFailover?: boolean;
}

export interface ParsedRedisOptions {
  client: NodeRedisClient | IoredisClient;
  connection: RedisConnection;
  prefix: string;
  waitReplicas: WaitReplicas | undefined;
  notify: boolean | NodeRedisClient | IoredisClient;
  retentionMs: number;
  maxHolders: number;
  detectFailover: boolean;
}

/** Checks the options of `RedisTokenStore`. @throws SalesforceOptionError */
export function parseRedisOptions(given: RedisTokenStoreOptions): ParsedRedisOptions {
  const options = parseStoreOptions('RedisTokenStore', redisStoreOptions, given);
  const { client, notify = false } = given;
  if (!isClient(client)) throw invalid('RedisTokenStore.client', 'a client of the package redis or ioredis');
  if (typeof notify !== 'boolean' && !isClient(notify)) {
    throw invalid('RedisTokenStore.notify', 'true, false or a client of the package redis or ioredis');
  }
  if (notify === true && !isCluster(client) && !has(client, 'duplicate')) {
    throw invalid(
      'RedisTokenStore.notify',
      'false or a client to listen on, since this client (a pool, for instance) makes no copy of itself with duplicate()',
    );
  }
  // A pool sends each command on any of its connections, and Redis waits for the writes of one connection.
  if (options.waitReplicas && !isCluster(client) && has(client, 'execute') && !has(client, 'duplicate')) {
    throw invalid(
      'RedisTokenStore.waitReplicas',
      'left out with a pool. Pass a client of one connection, by createClient()',
    );
  }
  return {
    client,
    connection: connect(client),
    prefix: parsePrefix('RedisTokenStore.prefix', given.prefix),
    waitReplicas: options.waitReplicas,
    notify,
    retentionMs: options.retentionMs,
    maxHolders: options.maxHolders,
    detectFailover: options.detectFailover,
  };
}

/** In a cluster, the text in the first curly brackets of a key decides on the node. */
function parsePrefix(option: string, value: unknown): string {
  if (value === undefined) return 'salesforce:grant:';
  if (typeof value === 'string' && /^[^{}]{1,200}$/.test(value)) return value;
  throw invalid(option, 'a text of 1 to 200 characters without { and }');
}
