import { MemoryTokenStore } from '../../lib';
import type { Claim, ClaimOutcome, GrantCommit, LogOut, ClaimRelease } from '../../lib/stores';
import { ManualClock } from '../helpers/clock';
import type { SharedStore } from './world';

/** Stores that break their contract, each in one way a store could be written wrong. */
export const breakages: Record<string, (store: MemoryTokenStore) => Partial<MemoryTokenStore>> = {
  'commit goes through whatever the version': (store) => ({
    async commit(grantId: string, commit: GrantCommit) {
      const now = await store.read(grantId);
      return store.commit(grantId, { ...commit, version: now?.version ?? commit.version });
    },
  }),
  'commit brings a grant back that was logged out': (store) => ({
    async commit(grantId: string, commit: GrantCommit) {
      const outcome = await store.commit(grantId, commit);
      if (outcome !== 'loggedOut') return outcome;
      const { generation, payload, softMs, hardMs } = commit;
      const { organizationId, userId, clientID } = JSON.parse(payload) as Record<string, string>;
      const labels = { organizationId: organizationId!, userId: userId!, clientID: clientID! };
      const session = { holder: 'revived', holderMs: 1e12, writer: payload };
      await store.put(grantId, { expected: null, generation, payload, labels, softMs, hardMs, ...session });
      return 'committed';
    },
  }),
  'a grant is given up whatever its version': (store) => ({
    async releaseClaim(grantId: string, release: ClaimRelease) {
      const now = await store.read(grantId);
      const isDead = release.state === 'ended' && now !== undefined;
      return store.releaseClaim(grantId, isDead ? { ...release, version: now.version } : release);
    },
  }),
  'two may claim at once': (store) => ({
    async claim(grantId: string, claim: Claim): Promise<ClaimOutcome> {
      const answer = await store.claim(grantId, claim);
      return answer.outcome === 'busy' ? { outcome: 'claimed', record: answer.record } : answer;
    },
  }),
  'a claim of a process that died leaves no doubt': (store) => ({
    async claim(grantId: string, claim: Claim): Promise<ClaimOutcome> {
      const answer = await store.claim(grantId, claim);
      if (answer.outcome !== 'resolve') return answer;
      await store.arm(grantId, claim);
      return { outcome: 'claimed', record: { ...answer.record, state: 'presenting' } };
    },
  }),
  'a claim does not ask for the version': (store) => ({
    async claim(grantId: string, claim: Claim): Promise<ClaimOutcome> {
      const now = await store.read(grantId);
      const answer = await store.claim(grantId, { ...claim, version: now?.version ?? claim.version });
      // The caller has the tokens of the version it read.
      return answer.outcome === 'claimed'
        ? { outcome: 'claimed', record: { ...answer.record, version: claim.version } }
        : answer;
    },
  }),
  'a logout everywhere ends whatever there is, and says what it read first': (store) => ({
    async logOut(grantId: string, logOut: LogOut) {
      const before = await store.read(grantId);
      await new Promise((resolve) => setImmediate(resolve));
      const outcome = await store.logOut(grantId, { ...logOut, version: null });
      return outcome.outcome === 'loggedOut' && before ? { outcome: 'loggedOut' as const, record: before } : outcome;
    },
  }),
};

/** The memory store with one of its operations replaced. */
export function broken(name: string): SharedStore {
  const clock = new ManualClock();
  const store = new MemoryTokenStore({ clock });
  const replaced = breakages[name]!(store);
  const proxy = new Proxy(store, {
    get: (target, property: keyof MemoryTokenStore): unknown => {
      const own = replaced[property] ?? (Reflect.get(target, property) as unknown);
      return typeof own === 'function' ? (own as () => unknown).bind(target) : own;
    },
  });
  return { store: proxy, clock };
}
