import { checkNames, invalid, wholeNumber } from '../options/check';

const dayMs = 24 * 60 * 60 * 1000;

/** Checks the options of a store. */
export class StoreOptions {
  readonly #store: string;

  /** @throws SalesforceOptionError if an option is given that does not exist */
  constructor(store: string, given: unknown, names: readonly string[]) {
    this.#store = store;
    if (typeof given !== 'object' || given === null) throw invalid(store, 'called with an object of options');
    checkNames(given, names, `${store}()`);
  }

  /** The full name of an option, for an error. */
  nameOf(option: string): string {
    return `${this.#store}.${option}`;
  }

  /** How long a grant is kept that no session holds and nobody refreshes: 90 days, unless the option says otherwise. */
  retentionMs(given: unknown): number {
    return wholeNumber(this.nameOf('retentionMs'), given, 90 * dayMs, [60_000, 3_650 * dayMs]);
  }

  /** How many holders the store knows of one grant. */
  maxHolders(given: unknown): number {
    return wholeNumber(this.nameOf('maxHolders'), given, 1_000, [1, 10_000]);
  }
}
