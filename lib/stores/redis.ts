import { escapePattern, type RedisConnection, type ScriptArguments, type WaitReplicas } from './redis/client';
import { diagnoseRedis } from './redis/diagnose';
import { parseRedisOptions, type RedisTokenStoreOptions } from './redis/options';
import { isYes, recordIn, type Reply } from './redis/reply';
import { scripts } from './redis/scripts';
import { subscribe } from './redis/subscription';
import { warn } from '../reporter';
import { Listeners } from './listeners';
import { grantSchema, isSelected, rememberedWrites } from './stored-grant';
import type {
  Claim,
  ClaimOutcome,
  GrantCommit,
  GrantFilter,
  GrantRecord,
  GrantWrite,
  IdleGrant,
  IdleQuery,
  OneTimeClaimOutcome,
  Reseal,
  LogOut,
  LogOutOutcome,
  SessionHolder,
  ClaimRelease,
  ClaimResolution,
  StoreFinding,
  StoreReport,
  TokenStore,
} from './store';

type ScriptName = keyof typeof scripts;

export type { IoredisClient, NodeRedisClient, WaitReplicas } from './redis/client';
export type { RedisTokenStoreOptions } from './redis/options';

/** Grants that `takeIdle` asks for side by side. A process that stops early has taken so many at most that it does not look at. */
const takenAtOnce = 50;

/**
 * Keeps grants in Redis 5 or later, or Valkey: one hash and one sorted set for each, and one Lua script for each operation, on the server's
 * clock. A grant stays until it is logged out, or abandoned for `retentionMs`.
 *
 * `list()` walks over all keys of the server, of every master in a cluster.
 *
 * @example
 * import express from 'express';
 * import { createClient } from 'redis';
 * import { salesforceAuth } from 'express-salesforce-auth';
 * import { RedisTokenStore } from 'express-salesforce-auth/stores/redis';
 *
 * const app = express();
 * const client = createClient({ url: process.env['REDIS_URL'] ?? '' });
 * client.on('error', (error) => console.error('Redis', error));
 * await client.connect();
 * const encryptionKeys = [process.env['TOKEN_KEY'] ?? ''];
 * app.use(salesforceAuth({ clientID: '3MVG9…', store: new RedisTokenStore({ client }), encryptionKeys }));
 */
export class RedisTokenStore implements TokenStore {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #waitReplicas: WaitReplicas | undefined;
  readonly #detectFailover: boolean;
  #report: StoreReport = warn;
  readonly #retentionMs: string;
  readonly #maxHolders: string;
  /** The channel of changes; empty for none. */
  readonly #channel: string;
  readonly #listeners: Listeners;

  constructor(options: RedisTokenStoreOptions) {
    const { client, connection, prefix, waitReplicas, notify, ...rest } = parseRedisOptions(options);
    this.#connection = connection;
    this.#prefix = prefix;
    this.#waitReplicas = waitReplicas;
    this.#retentionMs = text(rest.retentionMs);
    this.#maxHolders = String(rest.maxHolders);
    this.#detectFailover = rest.detectFailover;
    this.#channel = notify === false ? '' : `${prefix}changed`;
    const tellLoss = (message: string): void => this.#report('STORE_NOTIFY', message);
    this.#listeners = new Listeners((tell) =>
      notify === false ? () => undefined : subscribe({ client, notify, channel: this.#channel, tell, warn: tellLoss }),
    );
  }

  reportTo(report: StoreReport): void {
    this.#report = report;
  }

  async read(grantId: string): Promise<GrantRecord | undefined> {
    const reply = await this.#run('read', grantId, []);
    return reply[0] === 'found' ? recordIn(reply, grantId) : undefined;
  }

  async put(grantId: string, write: GrantWrite): ReturnType<TokenStore['put']> {
    const { expected } = write;
    const [outcome, version] = await this.#writeKeys('put', this.#keysWithHolders(grantId), [
      expected === null ? 'new' : 'over',
      expected?.generation ?? '',
      String(expected?.version ?? ''),
      write.generation,
      write.payload,
      JSON.stringify(write.labels),
      text(write.softMs),
      text(write.hardMs),
      write.holder,
      text(write.holderMs),
      this.#retentionMs,
      this.#channel,
      this.#maxHolders,
      write.knownSpare ?? '',
      write.writer,
      String(rememberedWrites),
    ]);
    return outcome === 'written' ? { outcome, version: Number(version) } : { outcome: 'conflict' };
  }

  async claim(grantId: string, { generation, version, owner, leaseMs, refused = '' }: Claim): Promise<ClaimOutcome> {
    const detects = this.#detectFailover ? '1' : '0';
    const args = [generation, String(version), owner, text(leaseMs), detects, refused, this.#channel];
    const { reply, isLagging } = await this.#send(
      'claim',
      { keys: [this.#grantKey(grantId)], args },
      this.#waitReplicas,
    );
    const [outcome] = reply;
    if (outcome === 'claimed' && isLagging) {
      await this.#run('unclaim', grantId, [generation, owner, this.#channel]);
      throw new Error('Too few Redis replicas have the claim of a grant; after a failover it might be claimed twice.');
    }
    return outcome === 'loggedOut'
      ? { outcome }
      : { outcome: outcome as Exclude<ClaimOutcome['outcome'], 'loggedOut'>, record: recordIn(reply, grantId) };
  }

  async renew(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): Promise<boolean> {
    return isYes(await this.#run('renew', grantId, [claim.generation, claim.owner, text(claim.leaseMs)]));
  }

  async arm(grantId: string, claim: Pick<Claim, 'generation' | 'owner' | 'leaseMs'>): Promise<boolean> {
    const args = [claim.generation, claim.owner, text(claim.leaseMs)];
    const { reply, isLagging } = await this.#send('arm', { keys: [this.#grantKey(grantId)], args }, this.#waitReplicas);
    // The grant stays in doubt, and the claim runs out.
    if (isYes(reply) && isLagging) throw new Error('Too few Redis replicas have the claim of a grant in doubt.');
    return isYes(reply);
  }

  async releaseClaim(grantId: string, release: ClaimRelease): Promise<boolean> {
    const { generation, version, owner, state, backoffMs, failed, errorCode } = release;
    const rest = [text(backoffMs), failed ? '1' : '0', errorCode ?? '', this.#channel];
    return isYes(await this.#run('releaseClaim', grantId, [generation, String(version), owner, state, ...rest]));
  }

  async commit(grantId: string, commit: GrantCommit): Promise<'committed' | 'moved' | 'loggedOut'> {
    const { generation, version, payload, knownSpare = '' } = commit;
    const args = [generation, String(version), payload, text(commit.softMs), text(commit.hardMs)];
    const [outcome] = await this.#write('commit', grantId, [...args, this.#retentionMs, this.#channel, knownSpare]);
    return outcome as 'committed' | 'moved' | 'loggedOut';
  }

  async addHolder(grantId: string, { generation, holder, holderMs, spare = '' }: SessionHolder): Promise<boolean> {
    const args = [generation, holder, text(holderMs), this.#retentionMs, this.#maxHolders, spare];
    return isYes(await this.#runKeys('addHolder', this.#keysWithHolders(grantId), args));
  }

  async logOut(grantId: string, logOut: LogOut): Promise<LogOutOutcome> {
    const { generation, version, holder, everywhere, tombstoneMs } = logOut;
    const reply = await this.#writeKeys('logOut', this.#keysWithHolders(grantId), [
      generation,
      holder === undefined ? 'none' : 'one',
      holder ?? '',
      everywhere ? '1' : '0',
      whole(tombstoneMs),
      this.#channel,
      version === null ? '' : String(version),
    ]);
    const outcome = reply[0] as LogOutOutcome['outcome'];
    return outcome === 'loggedOut' ? { outcome, record: recordIn(reply, grantId) } : { outcome };
  }

  async *list(filter: GrantFilter = {}): AsyncIterable<GrantRecord> {
    for await (const grantIds of this.#grantIds()) {
      const records = await Promise.all(grantIds.map((grantId) => this.read(grantId)));
      yield* records.filter((found) => found !== undefined && isSelected(found, filter)) as GrantRecord[];
    }
  }

  subscribe(listener: (grantId: string) => void): () => void {
    return this.#listeners.add(listener);
  }

  async *takeIdle({ idleMs, takenMs }: IdleQuery): AsyncIterable<IdleGrant> {
    const take = async (grantId: string): Promise<IdleGrant | undefined> => {
      const args = [text(idleMs), text(takenMs)];
      const [outcome, generation = '', unheldMs] = await this.#run('take', grantId, args).catch(skipOtherSchema);
      return outcome === 'yes' ? { grantId, generation, unheldMs: Number(unheldMs) } : undefined;
    };
    for await (const grantIds of this.#grantIds()) {
      // One after the other, the round trips of a large store would take hours.
      for (let at = 0; at < grantIds.length; at += takenAtOnce) {
        const taken = await Promise.all(grantIds.slice(at, at + takenAtOnce).map(take));
        for (const idle of taken) if (idle) yield idle;
      }
    }
  }

  async reseal(grantId: string, { generation, version, from, to }: Reseal): Promise<boolean> {
    const texts = [from.payload, from.spare ?? '', to.payload, to.spare ?? ''];
    return isYes(await this.#run('reseal', grantId, [generation, String(version), ...texts]));
  }

  async claimOnce(key: string, owner: string, lifeMs: number): Promise<OneTimeClaimOutcome> {
    const args = [owner, whole(lifeMs)];
    const [outcome, result] = await this.#writeKeys('claimOnce', [this.#claimKey(key)], args);
    return outcome === 'claimed' ? { outcome } : { outcome: 'taken', result };
  }

  async resolveClaim(key: string, owner: string, { result, keptMs }: ClaimResolution): Promise<boolean> {
    return isYes(await this.#writeKeys('resolveClaim', [this.#claimKey(key)], [owner, result, whole(keptMs)]));
  }

  /** Ends the connection that listens to changes. The application closes the clients that it passed. */
  close(): void {
    this.#listeners.close();
  }

  /** Ids of all grants there are, each once, in pages. */
  async *#grantIds(): AsyncIterable<string[]> {
    const seen = new Set<string>();
    const start = `${this.#prefix}{`;
    for await (const keys of this.#connection.scan(`${escapePattern(start)}*}`)) {
      const grantIds = new Set(keys.map((key) => key.slice(start.length, -1)).filter((grantId) => !seen.has(grantId)));
      grantIds.forEach((grantId) => seen.add(grantId));
      yield [...grantIds];
    }
  }

  diagnose(): Promise<StoreFinding[]> {
    return diagnoseRedis(this.#connection, this.#waitReplicas);
  }

  /** A write whose loss in a failover would cost a login. */
  async #write(name: ScriptName, grantId: string, args: string[]): Promise<Reply> {
    return this.#writeKeys(name, [this.#grantKey(grantId)], args);
  }

  async #writeKeys(name: ScriptName, keys: string[], args: string[]): Promise<Reply> {
    const { reply, isLagging } = await this.#send(name, { keys, args }, this.#waitReplicas);
    if (isLagging)
      this.#report('STORE_REPLICAS', 'Too few Redis replicas have the last write; a failover now would lose it.');
    return reply;
  }

  async #run(name: ScriptName, grantId: string, args: string[]): Promise<Reply> {
    return this.#runKeys(name, [this.#grantKey(grantId)], args);
  }

  async #runKeys(name: ScriptName, keys: string[], args: string[]): Promise<Reply> {
    const { reply } = await this.#send(name, { keys, args }, undefined);
    return reply;
  }

  #grantKey(grantId: string): string {
    return `${this.#prefix}{${grantId}}`;
  }

  /** A key in one slot of a cluster. */
  #keysWithHolders(grantId: string): string[] {
    const key = this.#grantKey(grantId);
    return [key, `${key}:holders`];
  }

  /** Not the key of a grant, which has the curly bracket at once after the prefix. */
  #claimKey(key: string): string {
    return `${this.#prefix}once:{${key}}`;
  }

  async #send(
    name: ScriptName,
    given: ScriptArguments,
    wait: WaitReplicas | undefined,
  ): Promise<{ reply: Reply; isLagging: boolean }> {
    const { reply, replicas } = await this.#connection.run(scripts[name], given, wait);
    const texts = (reply as unknown[]).map(String);
    if (texts[0] === 'schema') {
      throw new OtherSchema(
        `A grant in Redis has the schema ${texts[1] ?? ''}; this version of the package knows ${grantSchema}.`,
      );
    }
    return { reply: texts, isLagging: wait !== undefined && replicas < wait.replicas };
  }
}

/** A record of another version of this package. */
class OtherSchema extends Error {}

/** One such record does not end the work on all others. */
function skipOtherSchema(error: unknown): Reply {
  if (error instanceof OtherSchema) return [];
  throw error;
}

function text(ms: number | null): string {
  return ms === null ? '' : String(ms);
}

/** For commands that take whole milliseconds only. */
function whole(ms: number): string {
  return String(Math.ceil(ms));
}
