import { invalid, isPlainObject, wholeNumber } from '../check';
import { clock, flag, parseValues, whole, type Parsed, type Part } from '../spec';

const dayMs = 24 * 60 * 60 * 1000;

const retentionMs = {
  ...whole('milliseconds', 90 * dayMs, [60_000, 3_650 * dayMs]),
  text: 'How long an unused grant is kept: no session holds it, and it is not refreshed',
};

const maxHolders = {
  ...whole('sessions', 1_000, [1, 10_000]),
  text: 'How many sessions the store knows of one grant; see [below](#holders)',
};

/** The longest time that a timer of Node.js keeps. */
const longestTimerMs = 24 * dayMs;

/** Options of `MemoryTokenStore`. */
export const memoryStoreOptions = {
  sweepIntervalMs: {
    ...whole('milliseconds', 60_000, [10, longestTimerMs]),
    text: 'How often outdated records are removed',
  },
  retentionMs,
  maxHolders,
  clock,
} as const satisfies Part;

/** Options of `SqliteTokenStore`. */
export const sqliteStoreOptions = {
  file: { values: 'path', default: 'required', text: "Path of the database's file, on a disk of this machine" },
  retentionMs,
  maxHolders,
  clock,
} as const satisfies Part;

/** How many replicas have a write of Redis before it counts. */
export const waitReplicasOptions = {
  replicas: { ...required('replicas', [0, 1_000]), text: 'How many replicas have to have a write before it counts' },
  timeoutMs: {
    ...required('milliseconds', [1, 60_000]),
    text: 'How long to wait for them. The connection is busy for so long, so keep it short',
  },
} as const satisfies Part;

/** Options of `RedisTokenStore`. */
export const redisStoreOptions = {
  client: { values: 'client', default: 'required', text: 'A connected client of `redis` or `ioredis`; you close it' },
  prefix: { values: 'string without `{` and `}`', default: '`salesforce:grant:`', text: 'Before each key' },
  waitReplicas: {
    values: 'object',
    default: 'none',
    text: 'Writes wait (`WAIT`) until replicas have them; see [below](#waitreplicas)',
    options: waitReplicasOptions,
    parse: parseReplicas,
  },
  notify: {
    values: 'boolean, or client',
    default: '`false`',
    text: '`true`, or a client to listen with: publishes the ids of changed grants, and listens; see [below](#notifications)',
  },
  retentionMs: {
    ...retentionMs,
    text: `${retentionMs.text}: the key's time to live`,
  },
  maxHolders,
  detectFailover: {
    ...flag(true),
    text: 'Take a token that another run of the server wrote last for perhaps spent, and look into it before it is presented',
  },
} as const satisfies Part;

/** Options of `PostgresTokenStore`. */
export const postgresStoreOptions = {
  pool: { values: 'pool', default: 'required', text: 'A `Pool` of `pg`; you end it' },
  table: {
    values: 'name in lower case',
    default: '`salesforce_grants`',
    text: 'Name of the table, if need be after a schema: `auth.grants`. A second table has this name with `_once` after it',
  },
  notify: {
    values: 'boolean, or pool',
    default: '`false`',
    text: '`true`, or a pool (no single client) to listen with: announces changed grants by `pg_notify`, and listens; see [below](#notifications)',
  },
  retentionMs,
  maxHolders,
} as const satisfies Part;

/** A whole number that has to be given. */
function required(
  unit: string,
  [least, most]: readonly [least: number, most: number],
): { values: string; default: string; parse: (option: string, value: unknown) => number } {
  return {
    values: `${unit}, from ${least} to ${most}`,
    default: 'required',
    parse: (option, value) => wholeNumber(option, value ?? null, least, [least, most]),
  };
}

function parseReplicas(option: string, value: unknown): Parsed<typeof waitReplicasOptions> | undefined {
  if (value === undefined) return undefined;
  if (!isPlainObject(value)) throw invalid(option, 'an object with replicas and timeoutMs');
  return parseValues(waitReplicasOptions, value, `${option}.`);
}
