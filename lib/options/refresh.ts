import type { LostAnswerPolicy, RefreshSettings } from '../coordinator/settings';
import { invalid, isPlainObject } from './check';
import { parseKeepAlive, type KeepAliveOptions, type KeepAliveSettings } from './keep-alive';
import { refreshOptions } from './parts/refresh';
import { parseValues } from './spec';

/** How tokens are refreshed. All times are in milliseconds; most applications change none of them. */
export interface RefreshOptions {
  /** How long a request waits for a refresh. Default 10000, at most 600000. */
  waitMs?: number | undefined;
  /** How long a grant is served from memory before the store is asked again. Default 2000, at most 60000. */
  cacheMs?: number | undefined;
  /**
   * How long a claim on a grant holds without being renewed. A claim always outlives its request: it holds at least for
   * `httpTimeoutMs` and half of this time. Default 15000, from 1000 to 3600000.
   */
  leaseMs?: number | undefined;
  /** How long Salesforce may still work on a request whose sender is gone. Default 5000, at most 600000. */
  drainMs?: number | undefined;
  /**
   * How long Salesforce may not tell what became of a refresh whose answer was lost, before only a login helps. Time in which
   * it cannot be asked does not count. Default 300000, at most 86400000.
   */
  inDoubtMs?: number | undefined;
  /** What happens to such a grant meanwhile. Default `wait`. */
  onLostAnswer?: LostAnswerPolicy | undefined;
  /** How long one operation of the token store may take before it counts as failed. Default 5000, from 1 to 600000. */
  storeTimeoutMs?: number | undefined;
  /** How long `close()` waits for refreshes under way. Default 60000, at most 3600000. */
  closeTimeoutMs?: number | undefined;
  /**
   * How long Salesforce lets a refresh token live that is not used, in seconds; false if the app has no such limit. Default
   * 2592000, 30 days: several sources report that Salesforce sets this limit in each app made since July 2026.
   */
  idleLimitSeconds?: number | false | undefined;
  /**
   * Refresh grants in the background that no request uses, before Salesforce lets them end: those that a session holds and that
   * were used in the last 30 days. Default true with a store that outlives the process, unless `scope` has no `refresh_token` or
   * `idleLimitSeconds` is false. The store has to tell idle grants (`takeIdle`), as all stores of this package do.
   */
  keepAlive?: boolean | KeepAliveOptions | undefined;
}

/**
 * Checks the option `refresh`.
 *
 * @param hasLastingGrants whether grants outlive the process and can be refreshed, so that they can end unused
 * @throws SalesforceOptionError
 */
export function parseRefresh(
  value: unknown,
  hasLastingGrants: boolean,
): { settings: RefreshSettings; keepAlive: KeepAliveSettings | undefined } {
  const given = value === undefined ? {} : value;
  if (!isPlainObject(given)) throw invalid('refresh', 'an object of options such as { waitMs: 5000 }');
  const { idleLimitSeconds, keepAlive, ...settings } = parseValues(refreshOptions, given, 'refresh.');
  const isOnByDefault = hasLastingGrants && idleLimitSeconds !== undefined;
  return {
    settings: { ...settings, idleLimitMs: idleLimitSeconds === undefined ? undefined : idleLimitSeconds * 1000 },
    keepAlive: parseKeepAlive(keepAlive, { isOnByDefault, idleLimitSeconds }),
  };
}

/** The settings of an application that sets none. */
export const defaultRefreshSettings: RefreshSettings = parseRefresh(undefined, false).settings;

/** Whether logins that ask for these scopes may get a refresh token. Without a scope, Salesforce may grant all the app has. `full` brings none. */
export function mayGetRefreshToken(scope: readonly string[]): boolean {
  return scope.length === 0 || scope.some((name) => /^(?:refresh_token|offline_access)$/.test(name));
}
