import type { StoredGrant } from '../stored-grant';

type Holders = Pick<StoredGrant, 'holders' | 'forgottenUntil'>;

/** A session that is new to the grant may cost it the holders that end soonest, which the grant then remembers to have had. */
export function addHolder(stored: Holders, name: string, now: number, holdsMs: number, maxHolders: number): void {
  const { holders } = stored;
  if (!holders.has(name) && holders.size >= maxHolders) {
    dropEndedHolders(stored, now);
    for (const [soonest, until] of bySoonestEnd(holders).slice(0, holders.size - maxHolders + 1)) {
      holders.delete(soonest);
      stored.forgottenUntil = Math.max(stored.forgottenUntil, until);
    }
  }
  holders.set(name, now + holdsMs);
}

/** Whether another session than the named one uses the grant, be it one that was forgotten. */
export function isHeldByOthers(stored: Holders, name: string | undefined, now: number): boolean {
  if (stored.forgottenUntil > now) return true;
  return [...stored.holders].some(([holder, until]) => holder !== name && until > now);
}

export function dropEndedHolders(stored: Holders | undefined, now: number): void {
  stored?.holders.forEach((until, name, holders) => {
    if (until <= now) holders.delete(name);
  });
}

function bySoonestEnd(holders: Holders['holders']): [name: string, until: number][] {
  return [...holders].sort(([, one], [, other]) => one - other);
}
