import type { StoredGrant } from '../stored-grant';

type Holders = Pick<StoredGrant, 'references' | 'forgottenUntil'>;

/** A session that is new to the grant may cost it the holders that end soonest, which the grant then remembers to have had. */
export function addHolder(stored: Holders, name: string, now: number, holdsMs: number, maxHolders: number): void {
  const { references } = stored;
  if (!references.has(name) && references.size >= maxHolders) {
    dropEndedHolders(stored, now);
    for (const [soonest, until] of bySoonestEnd(references).slice(0, references.size - maxHolders + 1)) {
      references.delete(soonest);
      stored.forgottenUntil = Math.max(stored.forgottenUntil, until);
    }
  }
  references.set(name, now + holdsMs);
}

/** Whether another session than the named one uses the grant, be it one that was forgotten. */
export function isHeldByOthers(stored: Holders, name: string | undefined, now: number): boolean {
  if (stored.forgottenUntil > now) return true;
  return [...stored.references].some(([holder, until]) => holder !== name && until > now);
}

export function dropEndedHolders(stored: Holders | undefined, now: number): void {
  stored?.references.forEach((until, name, references) => {
    if (until <= now) references.delete(name);
  });
}

function bySoonestEnd(references: Holders['references']): [name: string, until: number][] {
  return [...references].sort(([, one], [, other]) => one - other);
}
