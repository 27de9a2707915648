import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { onFreePort, startProgram, stopProgram, temporaryFolder } from '../stores/servers/programs';
import { Line } from './proxy';
import type { Stage, StoreKind } from './stage';

/**
 * The store's server as one cell sees it: the one all share, or one of its own that may be harmed.
 *
 * A Redis of its own is a real server that is stopped, killed and promoted. PostgreSQL is harmed on the line to it, and by
 * changing what is in its table.
 */
export class StoreServer {
  readonly kind: StoreKind;
  readonly #stage: Stage;
  readonly #line: Line | undefined;
  readonly #closers: (() => Promise<void> | void)[] = [];
  #redis: RedisServer | undefined;

  private constructor(stage: Stage, line?: Line, redis?: RedisServer) {
    this.kind = stage.kind;
    this.#stage = stage;
    this.#line = line;
    this.#redis = redis;
  }

  static async of(stage: Stage, isOwn: boolean): Promise<StoreServer> {
    if (!isOwn) return new StoreServer(stage);
    if (stage.kind === 'PostgreSQL') return new StoreServer(stage, await Line.to(Number(new URL(stage.url).port)));
    const redis = await RedisServer.start();
    return new StoreServer(stage, await Line.to(redis.port), redis);
  }

  /** What a worker opens its store with. */
  get options(): object {
    const { kind, url, name } = this.#stage;
    const own = new URL(url);
    if (this.#line) own.port = String(this.#line.port);
    if (this.#line && kind === 'Redis') own.hostname = '127.0.0.1';
    return kind === 'Redis' ? { kind, url: own.href, prefix: `${name}:` } : { kind, url: own.href, table: name };
  }

  /** Not to be reached. */
  async goDown(): Promise<void> {
    await this.#line!.cut();
  }

  async comeBack(): Promise<void> {
    await this.#line!.mend();
  }

  /** Takes requests and answers none: a real Redis is stopped, PostgreSQL's line goes dead. */
  freeze(): Promise<void> {
    if (this.#redis) this.#redis.signal('SIGSTOP');
    else this.#line!.freeze();
    return Promise.resolve();
  }

  thaw(): Promise<void> {
    if (this.#redis) this.#redis.signal('SIGCONT');
    else this.#line!.thaw();
    return Promise.resolve();
  }

  /** Comes back without any grant: Redis without persistence, a database restored from nothing. */
  async restartEmpty(clientID: string): Promise<void> {
    await this.#line!.cut();
    if (this.#redis) {
      const { port } = this.#redis;
      await this.#redis.stop();
      this.#redis = await RedisServer.start(port);
    } else {
      await this.#stage.database!.query(`delete from ${this.#stage.name} where client_id = $1`, [clientID]);
    }
    await this.#line!.mend();
  }

  /** Adds a replica that has everything so far. */
  async addReplica(): Promise<Replica> {
    const master = this.#redis!;
    const toMaster = await Line.to(master.port);
    const replica = await RedisServer.start(undefined, '--replicaof', '127.0.0.1', String(toMaster.port));
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

  /** The record as it stands, to be put back later. */
  async snapshot(clientID: string, userId: string): Promise<{ restore: () => Promise<void> }> {
    const { database, name } = this.#stage;
    const owner = [clientID, userId];
    const { rows } = await database!.query(
      `select row_to_json(t)::text as row from ${name} t where client_id = $1 and user_id = $2`,
      owner,
    );
    const { row } = rows[0] as { row: string };
    return {
      restore: async () => {
        await database!.query(`delete from ${name} where client_id = $1 and user_id = $2`, owner);
        await database!.query(`insert into ${name} select * from json_populate_record(null::${name}, $1::json)`, [row]);
      },
    };
  }

  /** Marks a grant as written by a later version of the package, or by this one. */
  async setSchema(grantId: string, schema: number): Promise<void> {
    await this.#edit(grantId, 'schema', 'schema_version', schema);
  }

  /** Has a refresh of a grant fall due, while its access token is good for longer. */
  async makeDue(grantId: string): Promise<void> {
    const { database, name, url } = this.#stage;
    if (database) await database.query(`update ${name} set soft_at = clock_timestamp() where grant_id = $1`, [grantId]);
    else await withRedis(url, (redis) => redis.hset(`${name}:{${grantId}}`, 'softAt', 1));
  }

  /** All of a record, to compare. */
  async contentOf(grantId: string): Promise<string> {
    const { database, name, url } = this.#stage;
    if (database) {
      const { rows } = await database.query(`select row_to_json(t)::text as row from ${name} t where grant_id = $1`, [
        grantId,
      ]);
      return JSON.stringify(rows);
    }
    return withRedis(url, async (redis) => JSON.stringify(await redis.hgetall(`${name}:{${grantId}}`)));
  }

  async close(): Promise<void> {
    await this.#line?.close();
    for (const close of this.#closers) await close();
    await this.#redis?.stop();
  }

  async #edit(grantId: string, field: string, column: string, value: number): Promise<void> {
    const { database, name, url } = this.#stage;
    if (database) {
      await database.query(`update ${name} set ${column} = $2 where grant_id = $1`, [grantId, value]);
      return;
    }
    await withRedis(url, (redis) => redis.hset(`${name}:{${grantId}}`, field, value));
  }
}

/** A replica of the cell's Redis. */
interface Replica {
  caughtUp: () => Promise<void>;
  /** From here on nothing of what the master writes arrives. */
  fallBehind: () => void;
  /** The master dies, and the replica takes its place. */
  promote: () => Promise<void>;
}

class RedisServer {
  readonly port: number;
  readonly #program: ChildProcess;
  readonly #remove: () => void;

  private constructor(port: number, program: ChildProcess, remove: () => void) {
    this.port = port;
    this.#program = program;
    this.#remove = remove;
  }

  static async start(given?: number, ...settings: string[]): Promise<RedisServer> {
    if (given === undefined) return onFreePort((free) => RedisServer.start(free, ...settings));
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
    return new RedisServer(port, program, () => folder.remove());
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
  async hasCaughtUpWith(master: RedisServer): Promise<void> {
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
