import { distance } from 'fastest-levenshtein';
import { SalesforceOptionError, type SalesforceOptionErrorCode } from '../errors';

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
 * @throws SalesforceOptionError `ERR_SALESFORCE_OPTION_UNKNOWN` with the closest known name
 */
export function checkNames(given: object, known: readonly string[], what: string): void {
  for (const name of Object.keys(given)) {
    if (known.includes(name)) continue;
    const guess = suggestion(name, known);
    throw new SalesforceOptionError(
      'ERR_SALESFORCE_OPTION_UNKNOWN',
      name,
      `${what} has no option '${name}'.${guess === undefined ? ` Known are: ${known.join(', ')}.` : ` Did you mean '${guess}'?`}`,
    );
  }
}

/** The known word closest to `given`, if one is close enough to be meant. */
function suggestion(given: string, known: readonly string[]): string | undefined {
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
export function oneOf<const T extends string>(
  option: string,
  value: unknown,
  allowed: readonly T[],
  code: SalesforceOptionErrorCode = 'ERR_SALESFORCE_OPTION_INVALID',
): T | undefined {
  if (value === undefined) return undefined;
  const match = allowed.find((word) => word === value);
  if (match !== undefined) return match;
  const guess = typeof value === 'string' ? suggestion(value, allowed) : undefined;
  const list = allowed.map((word) => `'${word}'`).join(', ');
  throw new SalesforceOptionError(
    code,
    option,
    `${option} must be one of ${list}${typeof value === 'string' ? `; it is '${shorten(value)}'` : ''}.` +
      (guess === undefined ? '' : ` Did you mean '${guess}'?`),
  );
}

/** A function, or undefined where the option was left out. */
export function checkFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw invalid(option, 'a function');
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
