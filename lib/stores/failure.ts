import { isError } from '../errors';

/** Why a store failed, in words that an operator may log: no values, no connection strings, no tokens. */
export interface StoreFailure {
  /** The driver's code: a SQLSTATE (`42P01`), a system code (`ECONNREFUSED`), Redis' first word (`NOAUTH`), or `TIMEOUT`. */
  code: string | undefined;
  /** The driver's sentence without what may be secret; the error's name if nothing of the sentence is safe. */
  reason: string;
  /** What the operator does next. */
  fix: string;
}

const longestReason = 200;
const sql = 'Run the file express-salesforce-auth/stores/postgres.sql on this database, or correct the option table.';
const address = 'Check that the server runs, and the address and port the client is given.';
const connection = 'Connect the client before the first request, with await client.connect(), and close it last.';
const credentials = "Check the user and password of the store's client.";
const acl = 'Give the Redis user the permission for scripts, and for the keys and the channel of the option prefix.';
const primary = 'Connect the client to the primary, which takes writes.';
const readOnly =
  'Connect the pool to the primary, which takes writes. If it is the primary, set default_transaction_read_only to off for the database and the role.';
const general = "Check the store's server, its connection and its permissions.";

const fixes: Readonly<Record<string, string>> = {
  '42P01': sql,
  '42703': 'The table has another form: run the migration that comes with this version of the package.',
  '3F000': sql,
  '3D000': 'Create the database, or correct its name in the address of the pool.',
  '42501':
    "Grant the application's role the permissions that express-salesforce-auth/stores/postgres.sql names, and usage of the table's schema.",
  '28P01': credentials,
  '28000': credentials,
  '25006': readOnly,
  '53300': 'Raise max_connections of PostgreSQL, or use fewer connections for each pool.',
  '57P03': 'Wait until PostgreSQL has started.',
  ECONNREFUSED: address,
  ENOTFOUND: address,
  EAI_AGAIN: address,
  ETIMEDOUT: address,
  EHOSTUNREACH: address,
  ECONNRESET: address,
  NOAUTH: credentials,
  WRONGPASS: credentials,
  NOPERM: acl,
  READONLY: primary,
  WRONGTYPE: 'Give the store a prefix of its own: another program uses its keys.',
  CLUSTERDOWN: 'Check the nodes and slots of the Redis cluster.',
  MOVED: 'Use the cluster client: createCluster() of redis, or Cluster of ioredis.',
  OOM: 'Give Redis more memory; grants must not be evicted.',
  MISCONF: 'Redis cannot write to disk: see its log.',
  NOREPLICAS: 'Check the replicas, or lower min-replicas-to-write of Redis.',
  LOADING: 'Wait until Redis has loaded its data.',
  TIMEOUT: `The server does not answer in time, or the client is not connected. ${address}`,
};

/** Sentences without a code that are known to hold no data of a grant. */
const knownSentences: readonly [sentence: RegExp, fix: string][] = [
  [/^The client is closed$|^Socket closed unexpectedly$|^The client is offline$/, connection],
  [/^Connection is closed\.$/, `${address} ${connection}`],
  [/^Stream isn't writeable and enableOfflineQueue options is false$/, connection],
  [/^Reached the max retries per request limit/, address],
  [/^Cannot use a pool after calling end on the pool$/, 'End the pool after salesforce.close(), not before.'],
  [/^The SQLite store is closed/, 'Close the store after salesforce.close(), not before.'],
  // The time limits of ioredis (commandTimeout) and of pg (query_timeout).
  [/^Command timed out$|^Query read timeout$/, `The server did not answer in the time that the client has. ${address}`],
  [/^(timeout exceeded when trying to connect|Connection terminated)/, address],
  [
    /^A grant in (Redis|PostgreSQL|SQLite) has the schema/,
    'Run the migration, or update all processes to one version.',
  ],
  [/^Too few Redis replicas have/, 'Check the replicas, or lower the option waitReplicas.'],
  [/^The (grant|login) kept changing\.$/, 'Try again.'],
];

export function storeFailureOf(error: unknown): StoreFailure {
  const found = theOneThatSays(error);
  if (!isError(found)) return { code: undefined, reason: 'an error without a message', fix: general };
  const code = codeOf(found);
  const known = knownSentences.find(([sentence]) => sentence.test(found.message));
  const isSafe = code !== undefined || known !== undefined;
  return {
    code,
    reason: (isSafe && safeSentence(found.message)) || (code === 'TIMEOUT' ? 'no answer in time' : found.name),
    fix: known?.[1] ?? (code === undefined ? general : (fixes[code] ?? general)),
  };
}

/** The error of a store that did not answer in time. */
export function noAnswerWithin(ms: number): Error {
  return Object.assign(new Error(`no answer within ${ms} ms`), { code: 'TIMEOUT' });
}

/** A failure as a sentence. */
export function noAnswer(failure: StoreFailure): string {
  return `The token store does not answer: ${reasonOf(failure)}.`;
}

/** Why a store failed, with the code, as the end of a sentence. */
export function reasonOf({ code, reason }: StoreFailure): string {
  const why = code === undefined || reason.includes(code) ? reason : `${reason} (${code})`;
  return why.replace(/\.$/, '');
}

/** A host with several IP addresses fails with one error for each address, and has no error of its own. */
function theOneThatSays(error: unknown): unknown {
  const { errors } = (error ?? {}) as { errors?: unknown };
  return Array.isArray(errors) && errors.length > 0 ? (errors[0] as unknown) : error;
}

function codeOf(error: Error): string | undefined {
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && /^([0-9A-Z]{5}|[A-Z][A-Z0-9_]{2,60})$/.test(code)) return code;
  // The client of node-redis gives such an error neither a code nor a message.
  if (error.constructor.name === 'TimeoutError') return 'TIMEOUT';
  const isReply = ['ReplyError', 'ErrorReply', 'SimpleError', 'BlobError'].includes(error.constructor.name);
  return isReply ? /^[A-Z]{2,20}(?= )/.exec(error.message)?.[0] : undefined;
}

/** Keeps words and the names of what is missing. Drops other quotations, URLs with passwords, and long texts. */
function safeSentence(sentence: string): string {
  const [line = ''] = sentence.split('\n');
  return (
    line
      .replace(/[a-z][\w+.-]*:\/\/\S*/gi, '…')
      .replace(/\b(relation|table|schema|role|user|database|column|sequence) "([\w.-]{1,63})"/g, '$1 <$2>')
      // The apostrophe of "can't" begins no quotation.
      .replace(/\b([a-z]+)'(t|s|re|ve|ll)\b/gi, '$1’$2')
      .replace(/"[^"]*"?|'[^']*'?|`[^`]*`?/g, '…')
      .replace(/<([\w.-]{1,63})>/g, '"$1"')
      .replace(/(?<!")[\w+/=.!~:-]{40,}(?!")/g, '…')
      .slice(0, longestReason)
  );
}
