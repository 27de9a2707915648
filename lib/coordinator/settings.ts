import type { Clock } from '../clock';
import type { ConfigurationSource } from '../options/source';
import type { TokenStore } from '../stores/store';
import type { GrantChanges } from './changes';
import type { GrantCodec } from './codec';
import type { EventHub } from './events';
import type { Revocations } from './revocation';

/**
 * What to do with a refresh whose answer was lost, once introspection cannot tell either.
 *
 * - `hold`: keep the user logged in for `holdMs` in case it becomes known, then ask for a new login
 * - `reauth`: ask for a new login at once
 * - `gamble`: present the refresh token once more; if it was spent, Salesforce takes it for theft and ends the grant
 */
export type AmbiguousPolicy = 'hold' | 'reauth' | 'gamble';

/** Times and policies of refreshing, all in milliseconds. */
export interface RefreshSettings {
  /** How long a request waits for a refresh. Default 10000. */
  waitMs: number;
  /** How long a grant is served from memory before the store is asked again. Default 2000. */
  cacheMs: number;
  /** How long a claim holds without being renewed. Default 15000. */
  leaseMs: number;
  /** How long Salesforce may still be working on a request whose sender is gone. Default 5000. */
  drainMs: number;
  /** How long a grant in doubt is held. Default 300000. */
  holdMs: number;
  onAmbiguous: AmbiguousPolicy;
  /** How long one operation of the token store may take before it counts as failed. Default 5000. */
  storeTimeoutMs: number;
  /** How long `close()` waits for refreshes under way. Default 60000. */
  closeTimeoutMs: number;
}

export const defaultRefreshSettings: RefreshSettings = {
  waitMs: 10_000,
  cacheMs: 2_000,
  leaseMs: 15_000,
  drainMs: 5_000,
  holdMs: 300_000,
  onAmbiguous: 'hold',
  storeTimeoutMs: 5_000,
  closeTimeoutMs: 60_000,
};

/** What the parts of the coordinator share. */
export interface CoordinatorParts {
  store: TokenStore;
  codec: GrantCodec;
  source: ConfigurationSource;
  clock: Clock;
  events: EventHub;
  revocations: Revocations;
  settings: RefreshSettings;
  /** What other processes change. */
  changes: GrantChanges;
  /** Aborts when the application shuts down. */
  closing: AbortSignal;
}

/** {@link CoordinatorParts} as the coordinator is given them; the rest it makes itself. */
export type GivenParts = Omit<CoordinatorParts, 'changes' | 'closing'>;

/** The pause before another try: what Salesforce asked for, else doubling from one second to a minute, with jitter. */
export function backoffMs(failures: number, retryAfterSeconds?: number): number {
  const baseMs =
    retryAfterSeconds === undefined ? Math.min(60_000, 1_000 * 2 ** Math.min(failures, 6)) : retryAfterSeconds * 1000;
  return Math.round(baseMs * (1 + Math.random() * 0.2));
}
