import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { onFreePort, startProgram, stopProgram, temporaryFolder } from '../../stores/servers/programs';
import { Line } from '../proxy';
import { storeOptionsOf, type Stage } from '../stage';
import type { Replica, StoreServer } from '../store-server';

/** A Redis of the cell's own is a real server that is stopped, killed and promoted. */
export class RedisServer implements StoreServer {
  readonly #stage: Stage;
  readonly #line: Line | undefined;
  readonly #closers: (() => Promise<void> | void)[] = [];
  #redis: OwnRedis | undefined;

  private constructor(stage: Stage, line?: Line, redis?: OwnRedis) {
    this.#stage = stage;
    this.#line = line;
    this.#redis = redis;
  }

  static async of(stage: Stage, isOwn: boolean): Promise<StoreServer> {
    if (!isOwn) return new RedisServer(stage);
    const redis = await OwnRedis.start();
    return new RedisServer(stage, await Line.to(redis.port), redis);
  }

  get options(): object {
    return storeOptionsOf(this.#stage, this.#line ? `redis://127.0.0.1:${this.#line.port}` : this.#stage.url);
  }

  async goDown(): Promise<void> {
    await this.#line!.cut();
  }

  async comeBack(): Promise<void> {
    await this.#line!.mend();
  }

  freeze(): Promise<void> {
    this.#redis!.signal('SIGSTOP');
    return Promise.resolve();
  }

  thaw(): Promise<void> {
    this.#redis!.signal('SIGCONT');
    return Promise.resolve();
  }

  /** Redis without persistence. */
  async restartEmpty(): Promise<void> {
    await this.#line!.cut();
    const { port } = this.#redis!;
    await this.#redis!.stop();
    this.#redis = await OwnRedis.start(port);
    await this.#line!.mend();
  }

  async addReplica(): Promise<Replica> {
    const master = this.#redis!;
    const toMaster = await Line.to(master.port);
    const replica = await OwnRedis.start(undefined, '--replicaof', '127.0.0.1', String(toMaster.port));
    this.#closers.push(
      () => toMaster.close(),
      () => replica.stop(),
    );
    await replica.hasCaughtUpWith(master);
    return {
      caughtUp: () => replica.hasCaughtUpWith(master),
      fallBehind: () => toMaster.freeze(),
      promote: async () => {
        await master.stop();
        await toMaster.close();
        await replica.call('REPLICAOF', 'NO', 'ONE');
        this.#line!.retarget(replica.port);
        await this.#line!.cut();
        await this.#line!.mend();
      },
    };
  }

  async setSchema(grantId: string, schema: number): Promise<void> {
    await this.#edit((redis, key) => redis.hset(key, 'schema', schema), grantId);
  }

  async makeDue(grantId: string): Promise<void> {
    await this.#edit((redis, key) => redis.hset(key, 'softAt', 1), grantId);
  }

  contentOf(grantId: string): Promise<string> {
    return this.#edit(async (redis, key) => JSON.stringify(await redis.hgetall(key)), grantId);
  }

  async close(): Promise<void> {
    await this.#line?.close();
    for (const close of this.#closers) await close();
    await this.#redis?.stop();
  }

  #edit<T>(edit: (redis: Redis, key: string) => Promise<T>, grantId: string): Promise<T> {
    const { name, url } = this.#stage;
    return withRedis(url, (redis) => edit(redis, `${name}:{${grantId}}`));
  }
}

/** A `redis-server` of the cell's own. */
class OwnRedis {
  readonly port: number;
  readonly #program: ChildProcess;
  readonly #remove: () => void;

  private constructor(port: number, program: ChildProcess, remove: () => void) {
    this.port = port;
    this.#program = program;
    this.#remove = remove;
  }

  static async start(given?: number, ...settings: string[]): Promise<OwnRedis> {
    if (given === undefined) return onFreePort((free) => OwnRedis.start(free, ...settings));
    const port = given;
    const folder = temporaryFolder();
    const { program } = await startProgram(
      process.env['REDIS_SERVER_PATH'] ?? 'redis-server',
      [
        ...['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder.path],
        ...['--repl-diskless-sync-delay', '0', ...settings],
      ],
      { ready: /Ready to accept connections/, missing: 'These tests need a real redis-server on PATH.' },
    );
    return new OwnRedis(port, program, () => folder.remove());
  }

  signal(signal: NodeJS.Signals): void {
    this.#program.kill(signal);
  }

  async stop(): Promise<void> {
    await stopProgram(this.#program, 'SIGKILL');
    this.#remove();
  }

  call(command: string, ...given: string[]): Promise<unknown> {
    return withRedis(`redis://127.0.0.1:${this.port}`, (redis) => redis.call(command, ...given));
  }

  /** Waits until this replica has every byte its master has written. */
  async hasCaughtUpWith(master: OwnRedis): Promise<void> {
    for (;;) {
      const [mine, its] = await Promise.all([this.#replication(), master.#replication()]);
      if (/master_link_status:up/.test(mine) && offsetOf(mine) === offsetOf(its)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  async #replication(): Promise<string> {
    return String(await this.call('INFO', 'replication'));
  }
}

function offsetOf(info: string): string | undefined {
  return /master_repl_offset:(\d+)/.exec(info)?.[1];
}

async function withRedis<T>(url: string, run: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url);
  redis.on('error', () => undefined);
  try {
    return await run(redis);
  } finally {
    const ended = once(redis, 'end');
    redis.disconnect();
    await ended;
  }
}
