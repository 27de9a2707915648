import { storeFailureOf } from '../failure';
import type { StoreFinding } from '../store';
import type { RedisConnection, WaitReplicas } from './client';

/** Settings of Redis that lose tokens: eviction, late replicas, late writes to the disk. */
export async function diagnoseRedis(
  connection: Pick<RedisConnection, 'info'>,
  waitReplicas: WaitReplicas | undefined,
): Promise<StoreFinding[]> {
  const [memory, replication, persistence] = await Promise.all([
    read(connection, 'memory'),
    read(connection, 'replication'),
    read(connection, 'persistence'),
  ]);
  return [eviction(memory), replicas(replication, waitReplicas), disk(persistence)];
}

type Read = (field: string) => string[];

/** The values of a field, one for each node that gives it. Some services hide INFO or parts of it, or forbid it to a user. */
async function read(connection: Pick<RedisConnection, 'info'>, section: string): Promise<Read> {
  const infos = await connection.info(section).catch((error: unknown) => {
    if (['NOPERM', 'ERR'].includes(storeFailureOf(error).code ?? '')) return [];
    throw error;
  });
  return (field) =>
    infos.flatMap((info) => new RegExp(`^${field}:(\\S+)`, 'm').exec(info)?.[1] ?? []).filter((value) => value !== '');
}

function eviction(memory: Read): StoreFinding {
  const policies = memory('maxmemory_policy');
  const evicting = policies.find((policy) => policy !== 'noeviction');
  if (policies.length === 0) {
    return {
      check: 'eviction',
      level: 'unknown',
      message: 'Redis does not tell its maxmemory-policy.',
      fix: 'Make sure that it is noeviction.',
    };
  }
  if (evicting === undefined) return { check: 'eviction', level: 'ok', message: 'Redis evicts nothing.' };
  const limits = memory('maxmemory');
  if (limits.length > 0 && limits.every((bytes) => bytes === '0')) {
    return {
      check: 'eviction',
      level: 'warning',
      message: `Redis evicts nothing now, since its memory has no limit. With a limit it may evict tokens: maxmemory-policy is ${evicting}.`,
      fix: 'Set maxmemory-policy to noeviction before you set maxmemory.',
    };
  }
  return {
    check: 'eviction',
    // Grants have a time to live, so the policies for keys with one evict them too.
    level: 'error',
    message: `Redis may evict tokens when its memory is full, and so log users out: maxmemory-policy is ${evicting}.`,
    fix: 'Set maxmemory-policy to noeviction.',
  };
}

function replicas(replication: Read, waitReplicas: WaitReplicas | undefined): StoreFinding {
  if (replication('role').includes('slave')) {
    return {
      check: 'replication',
      level: 'error',
      message: 'The client is connected to a replica, which takes no writes.',
      fix: 'Connect it to the primary, through Sentinel or the cluster if there is one.',
    };
  }
  const waiting: StoreFinding = { check: 'replication', level: 'ok', message: 'Writes wait for replicas.' };
  if (replication('role').length === 0) {
    if (waitReplicas) return waiting;
    return {
      check: 'replication',
      level: 'unknown',
      message: 'Redis does not tell whether it has replicas.',
      fix: 'If it has, set the waitReplicas option of RedisTokenStore, so that a failover loses no refreshed token.',
    };
  }
  const connected = Math.max(0, ...replication('connected_slaves').map(Number));
  if (connected === 0) return { check: 'replication', level: 'ok', message: 'Redis has no replicas.' };
  if (waitReplicas) return waiting;
  return {
    check: 'replication',
    level: 'warning',
    message: `Redis replicates asynchronously to ${connected} ${connected === 1 ? 'replica' : 'replicas'}: a failover can lose a refreshed token, and with rotation its login.`,
    fix: 'Set the waitReplicas option of RedisTokenStore, for instance { replicas: 1, timeoutMs: 100 }.',
  };
}

function disk(persistence: Read): StoreFinding {
  const appends = persistence('aof_enabled');
  if (appends.length === 0) {
    return { check: 'persistence', level: 'unknown', message: 'Redis does not tell how it writes to disk.' };
  }
  if (appends.every((enabled) => enabled === '1')) {
    return { check: 'persistence', level: 'ok', message: 'Redis appends each write to a file.' };
  }
  return {
    check: 'persistence',
    level: 'warning',
    message:
      'Redis writes snapshots at most: a restart loses the tokens refreshed since the last one, and with rotation their logins.',
    fix: 'Set appendonly to yes (appendfsync everysec loses a second, always loses nothing).',
  };
}
