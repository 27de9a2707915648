import { optionalBoolean, optionalWholeNumber } from '../options/check';
import { parsePart } from '../options/names';
import { appOptions } from '../options/parts/calls';
import { text, type OptionSpec } from '../options/spec';
import type { DiagnoseOptions } from './findings';

const diagnoseOptions = {
  origin: { ...text(), text: 'Origin of the application, if `callbackURL` is a path' },
  tenant: { ...text(), text: 'Tenant to ask the `configuration` function for' },
  processes: {
    values: 'number, from 1',
    default: 'not known',
    text: 'How many processes run the application',
    parse: (option: string, value: unknown) => optionalWholeNumber(option, value, [1, Number.MAX_SAFE_INTEGER]),
  },
  rotation: {
    values: 'boolean',
    default: 'not known',
    text: 'Whether rotation is on',
    parse: optionalBoolean,
  },
  // Values in it are checked with the app token.
  app: { values: 'object', default: 'none', text: 'Options of an app token', options: appOptions },
} as const satisfies Record<keyof DiagnoseOptions, OptionSpec>;

/** @throws SalesforceOptionError for an option that does not exist, or a wrong value */
export function checkGiven(given: DiagnoseOptions): void {
  parsePart(diagnoseOptions, given, 'diagnose()');
}
