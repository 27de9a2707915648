import type { TokenStore } from '../../lib/stores/store';
import type { Process } from './process';
import type { World } from './world';

/**
 * - `error`: refused, nothing was written
 * - `lost`: carried out, and the answer lost
 * - `hang-before`, `hang-after`: an error after twenty seconds, without or with effect
 * - `frozen`: carried out and answered, after twenty seconds
 * - `twice`: carried out, and again after a second, as clients do after a lost connection; the second answer arrives
 */
export type StoreFault = 'error' | 'lost' | 'hang-before' | 'hang-after' | 'frozen' | 'twice';

export const storeFaults: readonly StoreFault[] = ['error', 'lost', 'hang-before', 'hang-after', 'frozen', 'twice'];

const wayMs = 1;
const hangMs = 20_000;
const againMs = 1_000;

/** A process's connection to the shared store, which takes time and may fail. */
export function storeOf(world: World, process: Process): TokenStore {
  const through = <T>(operation: keyof TokenStore, work: () => Promise<T>): Promise<T> =>
    new Promise<T>((resolve, reject) => process.ask(operation, () => send(work, resolve, reject)));
  const send = <T>(work: () => Promise<T>, resolve: (answer: T) => void, reject: (error: unknown) => void): void => {
    const fault = world.takeStoreFault();
    const fail = (): void => process.deliver(() => reject(new Error('The store is down.')));
    world.after(fault === 'frozen' ? hangMs : wayMs, () => {
      if (fault === 'error') fail();
      else if (fault === 'hang-before') world.after(hangMs, fail);
      else {
        const carryOut = async (): Promise<void> => {
          if (fault === 'twice') {
            await work();
            await new Promise<void>((again) => world.after(againMs, again));
          }
          const answer = await work();
          if (!process.isAlive) await world.orphan();
          world.after(fault === 'hang-after' ? hangMs : wayMs, () => {
            if (fault === 'lost' || fault === 'hang-after') fail();
            else process.deliver(() => resolve(answer));
          });
        };
        carryOut().catch(reject);
      }
    });
  };
  const { store } = world;
  return {
    read: (id) => through('read', () => store.read(id)),
    put: (id, write) => through('put', () => store.put(id, write)),
    claim: (id, claim) => through('claim', () => store.claim(id, claim)),
    renew: (id, claim) => through('renew', () => store.renew(id, claim)),
    arm: (id, claim) => through('arm', () => store.arm(id, claim)),
    releaseClaim: (id, release) => through('releaseClaim', () => world.releaseClaim(id, release)),
    commit: (id, commit) => through('commit', () => store.commit(id, commit)),
    addHolder: (id, holder) => through('addHolder', () => store.addHolder(id, holder)),
    logOut: (id, release) =>
      through('logOut', async () => {
        const outcome = await store.logOut(id, release);
        if (outcome.outcome === 'loggedOut') {
          world.ended(release.generation);
          world.loseSpare(outcome.record.spare);
        }
        return outcome;
      }),
    ...(store.claimOnce && {
      claimOnce: (key, owner, lifeMs) => through('claimOnce', () => store.claimOnce!(key, owner, lifeMs)),
      resolveClaim: (key, owner, resolution) =>
        through('resolveClaim', () => store.resolveClaim!(key, owner, resolution)),
    }),
    list: (filter) => store.list(filter),
    takeIdle: (query) => store.takeIdle!(query),
  };
}
