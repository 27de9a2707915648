import type { FaultInjection, FaultKind, FaultOperation } from '../../emulator/faults/types';
import { invalid, isPlainObject, oneOf, optionalBoolean, optionalWholeNumber, wholeNumber } from '../check';
import { callback, text, word, type OptionSpec, type Part } from '../spec';

const operations = [
  'refresh',
  'code',
  'token',
  'authorize',
  'introspect',
  'revoke',
  'userinfo',
  'identity',
  'data',
  'hosted-api',
] as const satisfies readonly FaultOperation[];

type Kind = FaultKind['kind'];
type Members<K extends Kind> = Record<Exclude<keyof Extract<FaultKind, { kind: K }>, 'kind'>, OptionSpec>;

const day = 86_400_000;
const optionalFlag = { values: 'boolean', default: '`false`', parse: optionalBoolean };
const count = (unit: string, bounds: readonly [number, number]): Pick<OptionSpec, 'values' | 'default' | 'parse'> => ({
  values: unit,
  default: 'none',
  parse: (option, value) => optionalWholeNumber(option, value, bounds),
});
/** Random delays have fractions. */
const time = { values: 'milliseconds', default: 'none', parse: parseTime };
const status = { ...count('status', [200, 599]), text: 'Status of the reply' };

/** The members of each kind of fault, beside the members that all kinds have. */
const membersOf: { readonly [K in Kind]: Members<K> } = {
  status: {
    status: required(status),
    retryAfterSeconds: { ...count('seconds', [0, Number.MAX_SAFE_INTEGER]), text: 'The header Retry-After' },
    body: { values: 'string or object', default: 'a line of HTML', text: 'Body of the reply', parse: parseBody },
  },
  error: {
    error: required({ ...text(), text: 'The error' }),
    errorDescription: { values: 'string', default: 'none', text: 'Its description', parse: parseDescription },
    status,
    page: { ...optionalFlag, text: 'Whether authorize shows the error on a page' },
  },
  drop: {},
  delay: { delayMs: required({ ...time, text: 'How long the reply is delayed' }) },
  hang: {},
  html: {},
  empty: {},
  truncated: { complete: { ...optionalFlag, text: 'Whether the connection ends normally' } },
  oversized: { bytes: { ...count('bytes', [1, Number.MAX_SAFE_INTEGER]), text: 'Size of the reply' } },
  drip: { intervalMs: { ...time, default: '`100`', text: 'Time between two bytes' } },
  redirect: { location: required({ ...text(), text: 'Where the redirect leads' }), status },
  reply: { change: required({ ...callback('`(reply) => object`', 'none'), text: 'Changes the JSON reply' }) },
  hold: {},
};

/** What every fault has. */
const commonMembers = {
  on: required({ ...word(operations), text: 'The requests that the fault hits' }),
  kind: required({ ...word(Object.keys(membersOf) as Kind[]), text: 'What goes wrong' }),
  times: {
    values: 'number, from 1; or `Infinity`',
    default: '`1`',
    text: 'How many requests it hits',
    parse: parseTimes,
  },
  when: { ...word(['before', 'after']), text: 'Whether the fault comes before or after the operation' },
  match: { ...callback('`(request) => boolean`', 'all'), text: 'Which requests it hits' },
} as const satisfies Record<'kind' | Exclude<keyof FaultInjection, keyof FaultKind>, OptionSpec>;

/** The options of a fault. They depend on its kind. @throws SalesforceOptionError if there is no such kind */
export function faultOptions(injection: unknown): Part {
  const given: unknown = isPlainObject(injection) ? injection['kind'] : undefined;
  const kind = given === undefined ? undefined : oneOf('kind', given, Object.keys(membersOf) as Kind[]);
  return kind === undefined ? commonMembers : { ...commonMembers, ...membersOf[kind] };
}

/** The same option, which must be given. */
function required<S extends OptionSpec>(spec: S): S {
  const parse: OptionSpec['parse'] = (option, value) => {
    if (value === undefined) throw invalid(option, `given: ${spec.values}`);
    return spec.parse?.(option, value);
  };
  return { ...spec, default: 'required', parse };
}

function parseTimes(option: string, value: unknown): number {
  if (value === Infinity) return value;
  return wholeNumber(option, value, 1, [1, Number.MAX_SAFE_INTEGER]);
}

function parseBody(option: string, value: unknown): unknown {
  if (value === undefined || typeof value === 'string' || isPlainObject(value) || Array.isArray(value)) return value;
  throw invalid(option, 'a string, or an object that is sent as JSON');
}

function parseDescription(option: string, value: unknown): unknown {
  if (value === undefined || typeof value === 'string') return value;
  throw invalid(option, 'a string');
}

function parseTime(option: string, value: unknown): number | undefined {
  if (value === undefined || (typeof value === 'number' && value >= 0 && value <= day)) return value;
  throw invalid(option, `a number of milliseconds from 0 to ${day}`);
}
