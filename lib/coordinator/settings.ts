/**
 * What to do after a refresh whose answer was lost, while Salesforce does not tell whether the refresh token was spent. The
 * access token is served meanwhile, as long as it works.
 *
 * - `wait`: look again for `inDoubtMs`, then ask for a login
 * - `login`: ask for a login at once
 * - `retry`: present the refresh token once more; if it was spent, Salesforce takes it for theft and ends the grant
 */
export type LostAnswerPolicy = 'wait' | 'login' | 'retry';

/** Times and policies of refreshing, all in milliseconds. */
export interface RefreshSettings {
  /** How long a request waits for a refresh. Default 10000. */
  waitMs: number;
  /** How long a grant is served from memory before the store is asked again. Default 2000. */
  cacheMs: number;
  /** How long a claim holds without being renewed; at least half of this longer than `httpTimeoutMs`. Default 15000. */
  leaseMs: number;
  /** How long Salesforce may still be working on a request whose sender is gone. Default 5000. */
  drainMs: number;
  /** How long Salesforce may not tell what became of a refresh before only a login helps. Default 300000. */
  inDoubtMs: number;
  onLostAnswer: LostAnswerPolicy;
  /** How long one operation of the token store may take before it counts as failed. Default 5000. */
  storeTimeoutMs: number;
  /** How long `close()` waits for refreshes under way. Default 60000. */
  closeTimeoutMs: number;
  /** How long a refresh token lives that is not used; undefined for no limit. Default 30 days. */
  idleLimitMs: number | undefined;
}

/** The pause before another try: what Salesforce asked for, else doubling from one second to a minute, with jitter. */
export function backoffMs(failures: number, askedForSeconds?: number): number {
  const baseMs =
    askedForSeconds === undefined
      ? Math.min(60_000, 1_000 * 2 ** Math.min(failures, 6))
      : // A proxy may ask for no pause at all.
        Math.max(1, askedForSeconds) * 1_000;
  return Math.round(baseMs * (1 + Math.random() * 0.2));
}
