import { invalid } from '../../options/check';
import { redisStoreOptions } from '../../options/parts/stores';
import { parseStoreOptions } from '../options';
import {
  connect,
  isClient,
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
   * Has writes wait until replicas have them, so that a failover loses no refreshed token. Too few for a claim: nothing is
   * presented, and the operation fails. Too few for new tokens: a warning, since throwing them away would be worse.
   */
  waitReplicas?: WaitReplicas;
  /**
   * Publishes the ids of grants that change, and listens to them, so that processes need not wait for their next look at the
   * store, and see a logout elsewhere at once. True: on a second connection, duplicated from `client` and closed by
   * `close()`. A client: on that one, which has to be connected, and is the application's to close. In a cluster the
   * client itself opens what it needs. The same in all processes. Default false.
   */
  notify?: boolean | NodeRedisClient | IoredisClient;
  /**
   * How long a grant is kept that no session holds and nobody refreshes, in milliseconds: the time to live of its key.
   * From a minute to ten years. Default 90 days.
   */
  retentionMs?: number;
  /**
   * How many holders, which are sessions, the store knows of one grant, from 1 to 10000. One more, and the one that ends
   * soonest is forgotten: its session goes on, and until its time is over no logout of a single session ends the grant.
   * Default 1000.
   */
  maxHolders?: number;
  /**
   * Whether a refresh token that was last written by another run of the server, before a failover or restart, is taken for
   * perhaps spent, and looked into before it is presented. Default true.
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

/** A cluster finds the node of a key by what stands in its first curly brackets. */
function parsePrefix(option: string, value: unknown): string {
  if (value === undefined) return 'salesforce:grant:';
  if (typeof value === 'string' && /^[^{}]{1,200}$/.test(value)) return value;
  throw invalid(option, 'a text of 1 to 200 characters without { and }');
}
