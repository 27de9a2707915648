import { invalid } from '../../options/check';
import type { Script } from './scripts';

/** A client of the package `redis`, version 4 or later: single, sentinel or cluster. */
export interface NodeRedisClient {
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A client of the package `ioredis`, version 4 or later: `Redis` or `Cluster`. */
export interface IoredisClient {
  evalsha(sha: string, numberOfKeys: number, ...given: string[]): Promise<unknown>;
  eval(script: string, numberOfKeys: number, ...given: string[]): Promise<unknown>;
}

/** How many replicas have to have a write, and how long that may take. */
export interface WaitReplicas {
  /** How many replicas have to have a write before it counts. */
  replicas: number;
  /** How long to wait for them, in milliseconds. The connection is busy for so long, so keep it short. */
  timeoutMs: number;
}

/** What a script is called with. */
export interface ScriptArguments {
  keys: string[];
  args: string[];
}

/** Both client libraries in the shape the store needs. */
export interface RedisConnection {
  /** @returns the reply, and how many replicas have the write, if that was to be waited for */
  run(script: Script, given: ScriptArguments, wait?: WaitReplicas): Promise<{ reply: unknown; replicas: number }>;
  /** Keys that match, in pages; a key may come twice. */
  scan(pattern: string): AsyncIterable<string[]>;
  /** A section of `INFO` of each node that takes writes. */
  info(section: string): Promise<string[]>;
}

const pageSize = '500';

export function connect(client: NodeRedisClient | IoredisClient): RedisConnection {
  if (has(client, 'getMasters') && !has(client, 'nodeClient')) {
    throw invalid('client', 'a cluster of the package redis, version 4.7 or later. Install redis 4.7 or later');
  }
  if (has(client, 'internal_send_command')) {
    throw invalid(
      'client',
      'a client of redis 4 or later, or of ioredis; redis 3 answers by callbacks. Install redis 4 or later',
    );
  }
  return 'evalSha' in client ? new NodeRedisConnection(client) : new IoredisConnection(client);
}

export function isClient(value: unknown): value is NodeRedisClient | IoredisClient {
  return has(value, 'evalSha') || has(value, 'evalsha');
}

/** Whether a client has a method. */
export function has(client: unknown, method: string): boolean {
  return typeof (client as Record<string, unknown> | null | undefined)?.[method] === 'function';
}

/** What is used beside scripts. A client that only passes commands on does not need these. */
interface NodeRedisNode {
  scan(cursor: string, options: { MATCH: string; COUNT: number }): Promise<{ cursor: unknown; keys: unknown[] }>;
  info(section: string): Promise<unknown>;
  wait(replicas: number, timeoutMs: number): Promise<unknown>;
}

interface NodeRedisCluster {
  masters: unknown[];
  nodeClient(node: unknown): NodeRedisNode | Promise<NodeRedisNode>;
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>;
}

class NodeRedisConnection implements RedisConnection {
  readonly #client: NodeRedisClient & Partial<NodeRedisCluster>;

  constructor(client: NodeRedisClient) {
    this.#client = client;
  }

  async run(script: Script, { keys, args }: ScriptArguments, wait?: WaitReplicas): ReturnType<RedisConnection['run']> {
    const options = { keys, arguments: args };
    // Both commands are written before either is answered, so they share a connection and a round trip.
    const send = (run: Promise<unknown>): ReturnType<RedisConnection['run']> =>
      both(run, wait ? this.#wait(keys[0] ?? '', wait) : Promise.resolve(0));
    try {
      return await send(this.#eval('EVALSHA', script.sha, options));
    } catch (error) {
      if (!isScriptMissing(error)) throw error;
      return send(this.#eval('EVAL', script.text, options));
    }
  }

  /** The cluster of redis 4 takes a script's key for no key, and asks any node. So the key is named here. */
  #eval(
    command: 'EVAL' | 'EVALSHA',
    script: string,
    options: { keys: string[]; arguments: string[] },
  ): Promise<unknown> {
    const client = this.#client;
    const { keys } = options;
    if (isCluster(client)) {
      const args = [command, script, String(keys.length), ...keys, ...options.arguments];
      return client.sendCommand(keys[0] ?? '', false, args);
    }
    return command === 'EVAL' ? client.eval(script, options) : client.evalSha(script, options);
  }

  async *scan(pattern: string): AsyncIterable<string[]> {
    for (const node of await this.#nodes()) {
      let cursor = '0';
      do {
        const page = await node.scan(cursor, { MATCH: pattern, COUNT: Number(pageSize) });
        yield page.keys.map(String);
        cursor = String(page.cursor);
      } while (cursor !== '0');
    }
  }

  async info(section: string): Promise<string[]> {
    return Promise.all((await this.#nodes()).map(async (node) => String(await node.info(section))));
  }

  #wait(key: string, { replicas, timeoutMs }: WaitReplicas): Promise<unknown> {
    if (isCluster(this.#client)) {
      return this.#client.sendCommand(key, false, ['WAIT', String(replicas), String(timeoutMs)]);
    }
    return (this.#client as unknown as NodeRedisNode).wait(replicas, timeoutMs);
  }

  async #nodes(): Promise<NodeRedisNode[]> {
    const client = this.#client;
    if (!isCluster(client)) return [client as unknown as NodeRedisNode];
    return Promise.all(client.masters.map(async (master) => client.nodeClient(master)));
  }
}

export function isCluster(client: object): client is NodeRedisCluster {
  const { masters, nodeClient } = client as Partial<NodeRedisCluster>;
  return Array.isArray(masters) && typeof nodeClient === 'function';
}

interface IoredisNode {
  scan(cursor: string, ...options: string[]): Promise<[string, string[]]>;
  info(section: string): Promise<string>;
}

interface IoredisMore extends IoredisNode {
  pipeline(commands: string[][]): { exec(): Promise<[error: unknown, result: unknown][] | null> };
  nodes?(role: 'master'): IoredisNode[];
  options?: { keyPrefix?: string };
}

class IoredisConnection implements RedisConnection {
  readonly #client: IoredisClient & IoredisMore;

  constructor(client: IoredisClient) {
    this.#client = client as IoredisClient & IoredisMore;
  }

  async run(script: Script, { keys, args }: ScriptArguments, wait?: WaitReplicas): ReturnType<RedisConnection['run']> {
    const given = [...keys, ...args];
    try {
      return wait
        ? await this.#runAndWait(['evalsha', script.sha, String(keys.length), ...given], wait)
        : { reply: await this.#client.evalsha(script.sha, keys.length, ...given), replicas: 0 };
    } catch (error) {
      if (!isScriptMissing(error)) throw error;
      return wait
        ? this.#runAndWait(['eval', script.text, String(keys.length), ...given], wait)
        : { reply: await this.#client.eval(script.text, keys.length, ...given), replicas: 0 };
    }
  }

  async *scan(pattern: string): AsyncIterable<string[]> {
    // The client adds its prefix to keys. It neither adds the prefix to patterns nor removes it from keys that it reads.
    const added = this.#client.options?.keyPrefix ?? '';
    for (const node of this.#nodes()) {
      let cursor = '0';
      do {
        const [next, keys] = await node.scan(cursor, 'MATCH', escapePattern(added) + pattern, 'COUNT', pageSize);
        yield keys.map((key) => key.slice(added.length));
        cursor = next;
      } while (cursor !== '0');
    }
  }

  info(section: string): Promise<string[]> {
    return Promise.all(this.#nodes().map((node) => node.info(section)));
  }

  /** One pipeline goes to one connection, in a cluster to the node of its key. */
  async #runAndWait(command: string[], { replicas, timeoutMs }: WaitReplicas): ReturnType<RedisConnection['run']> {
    const wait = ['wait', String(replicas), String(timeoutMs)];
    const [run, waited] = (await this.#client.pipeline([command, wait]).exec()) ?? [];
    if (!run) throw new Error('The pipeline was not carried out.');
    if (run[0] != null) throw run[0] as Error;
    return { reply: run[1], replicas: waited?.[0] == null ? Number(waited?.[1] ?? 0) : 0 };
  }

  #nodes(): IoredisNode[] {
    return this.#client.nodes?.('master') ?? [this.#client];
  }
}

/** The reply of a write, which counts even if the wait fails. */
async function both(run: Promise<unknown>, wait: Promise<unknown>): ReturnType<RedisConnection['run']> {
  const [ran, waited] = await Promise.allSettled([run, wait]);
  if (ran.status === 'rejected') throw ran.reason as Error;
  return { reply: ran.value, replicas: waited.status === 'fulfilled' ? Number(waited.value) : 0 };
}

function isScriptMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** A text as a pattern of SCAN that matches nothing else. */
export function escapePattern(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&');
}
