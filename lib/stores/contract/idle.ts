import assert from 'node:assert/strict';
import type { IdleGrant } from '../store';
import { leaseMs, randomName, type Bench, type Part } from './bench';

const dayMs = 24 * 60 * 60 * 1000;
const query = { idleMs: 20 * dayMs, takenMs: 3_600_000 };

export function describeIdleGrants({ describe, it }: Part): void {
  /** What is taken of the grants of this test. */
  async function take(bench: Bench, given = query): Promise<Map<string, IdleGrant>> {
    const idleGrants = bench.store.takeIdle?.(given);
    assert(idleGrants, 'The store has no takeIdle(); say so with the option takesIdle: false.');
    const taken = new Map<string, IdleGrant>();
    for await (const idle of idleGrants) {
      assert(!taken.has(idle.grantId), 'A grant was given twice.');
      taken.set(idle.grantId, idle);
    }
    return taken;
  }

  describe('takeIdle()', () => {
    it('gives a grant once it has not been refreshed for so long, and not before', async (bench) => {
      const login = await bench.logIn();
      await bench.elapse(query.idleMs - dayMs);
      assert(!(await take(bench)).has(bench.grantId), 'It was given too early.');
      assert.equal(await bench.commit(login), 'committed');
      await bench.elapse(query.idleMs - dayMs);
      assert(!(await take(bench)).has(bench.grantId), 'A refresh did not count.');

      await bench.elapse(dayMs);

      assert.equal((await take(bench)).get(bench.grantId)?.generation, login.generation);
    });

    it('does not change the grant, nor count a holder or a failed try as a refresh', async (bench) => {
      const login = await bench.logIn();
      await bench.elapse(query.idleMs / 2);
      await bench.store.addHolder(bench.grantId, { ...login, holder: randomName(), holderMs: 1_000 });
      await bench.releaseClaim(login, await bench.takeClaim(login), { failed: true, errorCode: 'ERR_BUSY' });
      await bench.elapse(query.idleMs / 2);
      const before = await bench.read();

      assert((await take(bench)).has(bench.grantId));

      await bench.assertUnchanged(before);
    });

    it('keeps what it gave from others, for as long as it was told', async (bench) => {
      await bench.logIn();
      await bench.elapse(query.idleMs);
      assert((await take(bench)).has(bench.grantId));

      await bench.elapse(query.takenMs / 2);
      assert(!(await take(bench)).has(bench.grantId), 'It was given twice.');
      await bench.elapse(query.takenMs / 2);
      assert((await take(bench)).has(bench.grantId), 'It was never given again.');
    });

    it('gives each of many to one of several that take at once', async (bench) => {
      const grantIds = Array.from({ length: 30 }, randomName);
      await Promise.all(grantIds.map((grantId) => bench.logIn({}, grantId)));
      await bench.elapse(query.idleMs);

      const taken = await Promise.all(Array.from({ length: 5 }, () => take(bench)));

      const mine = new Set(grantIds);
      const found = taken.flatMap((one) => [...one.keys()]).filter((grantId) => mine.has(grantId));
      assert.deepEqual(found.sort(), grantIds.sort());
    });

    it('tells for how long no session has held the grant', async (bench) => {
      const holderMs = query.idleMs + 10 * dayMs;
      const login = await bench.logIn({ holderMs });
      await bench.elapse(query.idleMs);
      assert.equal((await take(bench)).get(bench.grantId)?.unheldMs, 0);

      await bench.elapse(12 * dayMs);
      bench.assertAge((await take(bench)).get(bench.grantId)?.unheldMs ?? -1, 2 * dayMs);

      // A hold that was extended, and then a shorter one of another session: the last to end counts.
      await bench.store.addHolder(bench.grantId, { ...login, holderMs: 5 * dayMs });
      await bench.store.addHolder(bench.grantId, { ...login, holder: randomName(), holderMs: dayMs });
      await bench.elapse(6 * dayMs);
      bench.assertAge((await take(bench)).get(bench.grantId)?.unheldMs ?? -1, dayMs);
    });

    it('gives those in doubt or left by an attempt too, but none that is ended, logged out or without a refresh token', async (bench) => {
      const [dead, gone, bare] = [randomName(), randomName(), randomName()];
      const login = await bench.logIn();
      await bench.takeClaim(login);
      const doomed = await bench.logIn({}, dead);
      const release = { state: 'ended', backoffMs: 0, errorCode: 'ERR_DEAD', failed: true, owner: '' } as const;
      assert.equal(await bench.store.releaseClaim(dead, { ...doomed, ...release }), true);
      const left = await bench.logIn({}, gone);
      await bench.store.logOut(gone, { ...left, version: null, everywhere: true, tombstoneMs: 100 * dayMs });
      await bench.logIn({ softMs: null }, bare);
      await bench.elapse(query.idleMs);

      const first = await take(bench);
      await bench.elapse(leaseMs + query.takenMs);
      await bench.takeClaim(login, 'resolve');
      const second = await take(bench);

      for (const taken of [first, second]) {
        assert(taken.has(bench.grantId), 'A grant that may yet be saved was left out.');
        for (const grantId of [dead, gone, bare]) assert(!taken.has(grantId), 'A grant was given that cannot be kept.');
      }
    });
  });
}
