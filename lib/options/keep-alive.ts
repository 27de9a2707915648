import { checkNames, invalid, wholeNumber } from './check';

/** When grants that nobody uses are refreshed. */
export interface KeepAliveOptions {
  /**
   * How long a grant may go without new tokens before it is refreshed in the background, in seconds. Default 2160000, 25
   * days: below the 30 days after which Salesforce is said to end idle refresh tokens of partner apps.
   */
  afterSeconds?: number | undefined;
  /** How often each process looks for such grants, in seconds, give or take a tenth; at most a day. Default 3600. */
  everySeconds?: number | undefined;
  /**
   * How long after the last session of a grant has ended it is still kept alive, in seconds; then it is revoked instead.
   * Default 2592000, 30 days.
   */
  abandonedAfterSeconds?: number | undefined;
}

/** {@link KeepAliveOptions}, checked and complete. */
export type KeepAliveSettings = { readonly [Name in keyof KeepAliveOptions]-?: number };

const daySeconds = 24 * 60 * 60;

const defaults: KeepAliveSettings = {
  afterSeconds: 25 * daySeconds,
  everySeconds: 60 * 60,
  abandonedAfterSeconds: 30 * daySeconds,
};

/** The most of each: a timer of more than 24 days would fire at once, and no grant lives unused for ten years. */
const most: KeepAliveSettings = {
  afterSeconds: 3_650 * daySeconds,
  everySeconds: daySeconds,
  abandonedAfterSeconds: 3_650 * daySeconds,
};

/** Checks the option `refresh.keepAlive`; undefined where idle grants are left alone. @throws SalesforceOptionError */
export function parseKeepAlive(value: unknown): KeepAliveSettings | undefined {
  if (value === undefined || value === false) return undefined;
  if (value === true) return defaults;
  if (typeof value !== 'object' || value === null) throw invalid('refresh.keepAlive', 'true, false or an object');
  const names = Object.keys(defaults) as (keyof KeepAliveSettings)[];
  checkNames(value, names, 'refresh.keepAlive');
  const given = value as KeepAliveOptions;
  const number = (name: keyof KeepAliveSettings): number =>
    wholeNumber(`refresh.keepAlive.${name}`, given[name], defaults[name], [1, most[name]]);
  const settings = {
    afterSeconds: number('afterSeconds'),
    everySeconds: number('everySeconds'),
    abandonedAfterSeconds: number('abandonedAfterSeconds'),
  };
  return settings;
}
