import type { Clock } from '../clock';
import { checkFunction, invalid, isPlainObject, oneOf, optionalBoolean, optionalText, wholeNumber } from './check';

/** What is known of an option. The checks, and the tables of the documentation, follow from it. */
export interface OptionSpec<T = unknown> {
  /** The values it takes, with their unit and bounds. */
  readonly values: string;
  readonly default: string;
  /** The parameter that Salesforce sees. */
  readonly wire?: string;
  /** What it does, in one sentence. */
  readonly text: string;
  /** Checks a value, and gives what counts: the default if the option is left out. Without it the value is taken as it is. */
  readonly parse?: (option: string, value: unknown) => T;
  /** The options inside, if it is an object of options. Their names are checked with those around them. */
  readonly options?: Part;
  /** Whether an array of such objects may be given, too. */
  readonly isList?: boolean;
}

/** The options of one part, by name. */
export interface Part {
  readonly [name: string]: OptionSpec;
}

/** What the options of a part are after the check. */
export type Parsed<P extends Part> = {
  [Name in keyof P]: P[Name] extends { parse: (option: string, value: unknown) => infer T } ? T : unknown;
};

/**
 * Checks the values of a part, beside which options of other parts may stand. Names are checked by `checkNames`.
 *
 * @param prefix what stands before the name of an option in an error, for instance `refresh.`
 * @throws SalesforceOptionError
 */
export function parseValues<P extends Part>(part: P, given: object, prefix = ''): Parsed<P> {
  const values = given as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(part).map(([name, { parse }]) => [name, parse ? parse(prefix + name, values[name]) : values[name]]),
  ) as Parsed<P>;
}

type Bounds = readonly [least: number, most: number];
type Kind<T> = Pick<Required<OptionSpec<T>>, 'values' | 'default' | 'parse'>;

/** A whole number of something. */
export function whole(unit: string, fallback: number, bounds: Bounds): Kind<number> {
  return {
    values: `${unit}, from ${bounds[0]} to ${bounds[1]}`,
    default: `\`${fallback}\`${inWords(unit, fallback)}`,
    parse: (option, value) => wholeNumber(option, value, fallback, bounds),
  };
}

/** Days are easier to read than their milliseconds. */
function inWords(unit: string, value: number): string {
  const days = value / ({ milliseconds: 86_400_000, seconds: 86_400 }[unit] ?? Infinity);
  return days >= 1 ? `, ${days} days` : '';
}

/** One of a few words; without a fallback, the option may be left out. */
export function word<const T extends string>(words: readonly T[]): Kind<T | undefined>;
export function word<const T extends string>(words: readonly T[], fallback: T): Kind<T>;
export function word<const T extends string>(words: readonly T[], fallback?: T): Kind<T | undefined> {
  return {
    values: words.map((one) => `\`${one}\``).join(', '),
    default: fallback === undefined ? 'none' : `\`${fallback}\``,
    parse: (option, value) => oneOf(option, value, words) ?? fallback,
  };
}

/** True or false. */
export function flag(fallback: boolean): Kind<boolean> {
  return {
    values: 'boolean',
    default: `\`${fallback}\``,
    parse: (option, value) => optionalBoolean(option, value) ?? fallback,
  };
}

/** Options that belong together, in an object. */
export function group<P extends Part>(options: P, example: string): Omit<Kind<Parsed<P>>, 'default'> & { options: P } {
  return {
    options,
    values: 'object',
    parse: (option, value = {}) => {
      if (isPlainObject(value)) return parseValues(options, value, `${option}.`);
      throw invalid(option, `an object of options such as ${example}`);
    },
  };
}

/** A string that is not empty; without a fallback, the option may be left out. */
export function text(): Kind<string | undefined>;
export function text(fallback: string): Kind<string>;
export function text(fallback?: string): Kind<string | undefined> {
  return {
    values: 'string',
    default: fallback === undefined ? 'none' : `\`${fallback}\``,
    parse: (option, value) => optionalText(option, value) ?? fallback,
  };
}

/** A function of the application. */
export function callback<T>(signature: string, fallback: string): Kind<T | undefined> {
  return {
    values: signature,
    default: fallback,
    parse: (option, value) => {
      checkFunction(option, value);
      return value as T | undefined;
    },
  };
}

/** A function of the application, or false to have none. */
export function callbackOrFalse<T>(signature: string, fallback: string): Kind<T | false | undefined> {
  const { values, parse } = callback<T>(signature, fallback);
  return {
    values: `${values}; or \`false\``,
    default: fallback,
    parse: (option, value) => (value === false ? false : parse(option, value)),
  };
}

/** A source of time. */
export const clock: Kind<Clock | undefined> & Pick<OptionSpec, 'text'> = {
  values: '`Clock`',
  default: "the machine's",
  text: 'Source of time, for tests',
  parse: (option, value) => {
    const given = value as Partial<Clock> | null | undefined;
    if (given === undefined) return undefined;
    const names = ['now', 'monotonic', 'setTimer'] as const;
    if (names.every((name) => typeof given?.[name] === 'function')) return given as Clock;
    throw invalid(option, 'an object with the functions now, monotonic and setTimer');
  },
};

/** A path below the application's root. */
export function path(option: string, value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^\/(?![/\\])[^\s?#\\]*$/.test(value)) return value;
  throw invalid(option, "a path that begins with '/' and has no query");
}
