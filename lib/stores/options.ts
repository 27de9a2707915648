import { invalid } from '../options/check';
import { parsePart } from '../options/names';
import type { Parsed, Part } from '../options/spec';

/** Checks the options of a store. @throws SalesforceOptionError */
export function parseStoreOptions<P extends Part>(store: string, part: P, given: unknown): Parsed<P> {
  if (typeof given !== 'object' || given === null) throw invalid(store, 'called with an object of options');
  return parsePart(part, given, `${store}()`, `${store}.`);
}
