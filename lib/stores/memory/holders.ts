import type { StoredGrant } from '../stored-grant';

type Holders = Pick<StoredGrant, 'holders' | 'forgottenUntil'>;

interface NewHolder {
  name: string;
  until: number;
  now: number;
}

/** Adds a session. At the bound, the holders that end soonest are forgotten, and the grant remembers that. */
export function addHolder(stored: Holders, { name, until, now }: NewHolder, maxHolders: number): void {
  const { holders } = stored;
  if (!holders.has(name) && holders.size >= maxHolders) {
    dropEndedHolders(stored, now);
    for (const [soonest, soonestUntil] of bySoonestEnd(holders).slice(0, holders.size - maxHolders + 1)) {
      holders.delete(soonest);
      stored.forgottenUntil = Math.max(stored.forgottenUntil, soonestUntil);
    }
  }
  holders.set(name, until);
}

/** Whether a session other than the named one uses the grant, also one that was forgotten. */
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
