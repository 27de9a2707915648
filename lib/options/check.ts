import type * as Levenshtein from 'fastest-levenshtein';
import { errorFrom, SalesforceOptionError, type SalesforceOptionErrorCode } from '../errors';

/** Other libraries' and Salesforce's own names for our options; a spelling distance alone would not find them. */
const otherNames: Readonly<Record<string, string>> = {
  clientId: 'clientID',
  client_id: 'clientID',
  consumerKey: 'clientID',
  client_secret: 'clientSecret',
  consumerSecret: 'clientSecret',
  callbackUrl: 'callbackURL',
  redirectUri: 'callbackURL',
  redirect_uri: 'callbackURL',
  baseURL: 'baseUrl',
  loginUrl: 'baseUrl',
  authorizationURL: 'baseUrl',
  tokenURL: 'baseUrl',
  promptType: 'prompt',
  holdMs: 'inDoubtMs',
  onAmbiguous: 'onLostAnswer',
  scopes: 'scope',
  login_hint: 'loginHint',
  encryptionKey: 'encryptionKeys',
  keyPrefix: 'prefix',
  tableName: 'table',
  connection: 'pool',
  redis: 'client',
  secret: 'encryptionKeys',
};

/** An error in one option, its message beginning with the option's name. */
export function invalid(
  option: string,
  expected: string,
  code: SalesforceOptionErrorCode = 'ERR_SALESFORCE_OPTION_INVALID',
  status = 500,
): SalesforceOptionError {
  return new SalesforceOptionError(code, option, `${option} must be ${expected}.`, status);
}

/**
 * Refuses an option that does not exist, so that a misspelt one is not silently without effect.
 *
 * @param what the function that takes the options, with its parentheses
 * @throws SalesforceOptionError `ERR_SALESFORCE_OPTION_INVALID` with the closest known name
 */
export function checkNames(given: object, known: readonly string[], what: string): void {
  refuseRequest(given, what);
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const guess = suggestion(name, known);
    throw new SalesforceOptionError(
      'ERR_SALESFORCE_OPTION_INVALID',
      name,
      `${what} has no option '${name}'.${guess === undefined ? ` Known are: ${known.join(', ')}.` : ` Did you mean '${guess}'?`}`,
    );
  }
}

/** A function that is mounted without its parentheses, as in `app.use(salesforceAuth)`, gets a request from Express. */
function refuseRequest(given: object, what: string): void {
  const { method, headers } = given as { method?: unknown; headers?: unknown };
  if (typeof method !== 'string' || typeof headers !== 'object') return;
  throw invalid(what.replace('()', ''), `called when it is mounted: write ${what}, with the parentheses`);
}

/** The known word closest to `given`, if one is close enough to be meant. */
function suggestion(given: string, known: readonly string[]): string | undefined {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded for a wrong name alone, which is told at once
  const { distance } = require('fastest-levenshtein') as typeof Levenshtein;
  const other = Object.hasOwn(otherNames, given) ? otherNames[given] : undefined;
  if (other !== undefined && known.includes(other)) return other;
  const ranked = known
    .map((name) => ({ name, edits: distance(name.toLowerCase(), given.toLowerCase()) }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  return best && best.edits <= Math.max(2, Math.floor(given.length / 3)) ? best.name : undefined;
}

/** A string that is not empty, or undefined where the option was left out. */
export function optionalText(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value.trim() === '') throw invalid(option, 'a string that is not empty');
  return value;
}

/**
 * Refuses what comes along when a text is copied from Salesforce or read from a file: Salesforce would only say that the key or
 * secret is wrong.
 */
export function checkCopied(option: string, text: string | undefined, what: string): void {
  const extra = text === undefined ? undefined : extraIn(text);
  if (extra !== undefined) throw invalid(option, `the ${what} alone, and it has ${extra}: remove that`);
}

function extraIn(text: string): string | undefined {
  if (/[\r\n]/.test(text)) return 'a line break';
  if (/\s/.test(text)) return 'a blank';
  return /^["'`]|["'`]$/.test(text) ? 'quotation marks around it' : undefined;
}

/** A whole number between the bounds, or `fallback` if the option was left out. */
export function wholeNumber(
  option: string,
  value: unknown,
  fallback: number,
  [least, most]: readonly [least: number, most: number],
): number {
  if (value === undefined) return fallback;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw invalid(option, `a whole number from ${least} to ${most}`);
  }
  return value;
}

/** One of a list of words, or undefined where the option was left out. */
export function oneOf<const T extends string>(option: string, value: unknown, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const match = allowed.find((word) => word === value);
  if (match !== undefined) return match;
  const guess = typeof value === 'string' ? suggestion(value, allowed) : undefined;
  const list = allowed.map((word) => `'${word}'`).join(', ');
  throw new SalesforceOptionError(
    'ERR_SALESFORCE_OPTION_INVALID',
    option,
    `${option} must be one of ${list}${typeof value === 'string' ? `; it is '${shorten(value)}'` : ''}.` +
      (guess === undefined ? '' : ` Did you mean '${guess}'?`),
  );
}

/**
 * What a function of the application answers, which must not wait. Express takes a thrown `undefined` for success, and so would
 * let a request past a guard.
 *
 * @throws what the function throws, as an error; SalesforceOptionError if the function gives a promise
 */
export function answerNow(option: string, ask: () => unknown): unknown {
  let answer: unknown;
  try {
    answer = ask();
  } catch (error) {
    throw errorFrom(error);
  }
  if (typeof (answer as PromiseLike<unknown> | null | undefined)?.then === 'function') {
    Promise.resolve(answer).catch(() => undefined);
    throw invalid(option, 'a function that answers at once; it gave a promise, as an async function does');
  }
  return answer;
}

/** True or false, or undefined if the option was left out. */
export function optionalBoolean(option: string, value: unknown): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw invalid(option, 'true or false');
}

/** A function, or undefined where the option was left out. */
export function checkFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw invalid(option, 'a function');
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
