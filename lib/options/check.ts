import { errorFrom, SalesforceOptionError, type SalesforceOptionErrorCode } from '../errors';
import { closestWord } from './spelling';

/** An error in one option, its message beginning with the option's name. */
export function invalid(
  option: string,
  expected: string,
  code: SalesforceOptionErrorCode = 'ERR_SALESFORCE_OPTION_INVALID',
  status = 500,
): SalesforceOptionError {
  return new SalesforceOptionError(code, option, `${option} must be ${expected}.`, status);
}

/** A string that is not empty, or undefined if the option was left out. */
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
  const extra = extraIn(text ?? '');
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

/** The same without a default: undefined if the option was left out. */
export function optionalWholeNumber(
  option: string,
  value: unknown,
  bounds: readonly [least: number, most: number],
): number | undefined {
  return value === undefined ? undefined : wholeNumber(option, value, bounds[0], bounds);
}

/** One of a list of words, or undefined if the option was left out. */
export function oneOf<const T extends string>(option: string, value: unknown, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const match = allowed.find((word) => word === value);
  if (match !== undefined) return match;
  const guess = typeof value === 'string' ? closestWord(value, allowed) : undefined;
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

/** A function, or undefined if the option was left out. */
export function checkFunction(option: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw invalid(option, 'a function');
}

/**
 * Whether a value can be an object of options. All options of a plain object are its own, so that none is overlooked. A list, a
 * Map or an instance of a class could have none, and would be taken for options that were left out.
 */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Each realm has an `Object.prototype` of its own, and only that one inherits from nothing.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** What a value is, without the value, which may be a secret. */
export function kindOf(value: unknown): string {
  if (value === undefined || value === null || typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const name = Object.prototype.toString.call(value).slice('[object '.length, -1);
  return name === 'Object' ? 'an instance of a class' : `an object of the class ${name}`;
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
