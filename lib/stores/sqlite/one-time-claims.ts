import type { ClaimResolution, OneTimeClaimOutcome } from '../store';
import type { Database } from './database';

/** Takes a key for its first owner. Runs in a transaction of the caller. */
export function claimOnce(
  database: Database,
  { key, owner, lifeMs }: { key: string; owner: string; lifeMs: number },
  now: number,
): OneTimeClaimOutcome {
  database.prepare('delete from salesforce_grants_once where ends_at <= ?').run(now);
  // A claim that ends later was taken before the clock of the machine was set back.
  database
    .prepare('update salesforce_grants_once set ends_at = ? where claim_key = ? and ends_at > ?')
    .run(now + lifeMs, key, now + lifeMs);
  const claim = database.prepare('select * from salesforce_grants_once where claim_key = ?').get(key);
  if (!claim) {
    database
      .prepare('insert into salesforce_grants_once (claim_key, owner, ends_at) values (?, ?, ?)')
      .run(key, owner, now + lifeMs);
    return { outcome: 'claimed' };
  }
  const { owner: first, result, result_ends_at: resultEndsAt } = claim;
  if (first === owner && resultEndsAt === null) return { outcome: 'claimed' };
  return { outcome: 'taken', result: Number(resultEndsAt) > now ? String(result) : undefined };
}

/** Stores the result of a claim. Runs in a transaction of the caller. */
export function resolveClaim(
  database: Database,
  { key, owner, result, keptMs }: ClaimResolution & { key: string; owner: string },
  now: number,
): boolean {
  const claim = database
    .prepare('select 1 from salesforce_grants_once where claim_key = ? and owner = ? and ends_at > ?')
    .get(key, owner, now);
  if (!claim) return false;
  database
    .prepare('update salesforce_grants_once set result = ?, result_ends_at = ? where claim_key = ?')
    .run(result, now + keptMs, key);
  return true;
}
