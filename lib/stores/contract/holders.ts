import assert from 'node:assert/strict';
import { randomName, type Bench, type Login, type Part } from './bench';

const longMs = 3_600_000;

export function describeHolderBound({ describe, it }: Part, maxHolders: number): void {
  /** Adds so many sessions to a grant, each of which ends a little later than the one before. */
  async function hold(bench: Bench, login: Login, count: number, fromMs = longMs): Promise<Login[]> {
    const sessions = Array.from({ length: count }, () => ({ ...login, holder: randomName() }));
    const held = sessions.map((session, index) =>
      bench.store.addHolder(bench.grantId, { ...session, holderMs: fromMs + index }),
    );
    assert(!(await Promise.all(held)).includes(false), 'The grant was gone.');
    return sessions;
  }
  async function releaseAll(bench: Bench, sessions: Login[]): Promise<string[]> {
    const outcomes: string[] = [];
    for (const session of sessions) outcomes.push((await bench.logOut(session)).outcome);
    return outcomes;
  }
  const released = (count: number): string[] => Array<string>(count).fill('holderRemoved');

  describe('the bound of holders', () => {
    it('is not reached by as many as there may be: the last logout ends the grant', async (bench) => {
      const first = await bench.logIn({ holderMs: longMs });

      const others = await hold(bench, first, maxHolders - 1);

      assert.deepEqual(await releaseAll(bench, [first, ...others]), [...released(maxHolders - 1), 'loggedOut']);
    });

    it('makes one more replace the one that ends soonest, whose time the grant remembers', async (bench) => {
      const soonest = await bench.logIn({ holderMs: longMs / 2 });
      const others = await hold(bench, soonest, maxHolders);

      assert.deepEqual(await releaseAll(bench, others), released(maxHolders), 'The forgotten session was logged out.');
      assert.equal((await bench.read()).state, 'idle');
      await bench.elapse(longMs / 2);

      assert.equal((await bench.logOut(others[0] ?? soonest)).outcome, 'loggedOut');
    });

    it('remembers the one that would have lasted longest of several', async (bench) => {
      const first = await bench.logIn({ holderMs: 100_000 });
      await hold(bench, first, 1, 600_000);
      const others = await hold(bench, first, maxHolders);
      await bench.elapse(500_000);
      assert.deepEqual(await releaseAll(bench, others), released(maxHolders));

      await bench.elapse(100_001);

      assert.equal((await bench.logOut(first)).outcome, 'loggedOut');
    });

    it('holds for a login as well', async (bench) => {
      const first = await bench.logIn({ holderMs: longMs / 2 });
      const others = await hold(bench, first, maxHolders - 1);
      const last = await bench.logIn({ expected: first, generation: first.generation, holderMs: longMs });

      assert.deepEqual(await releaseAll(bench, [...others, last]), released(maxHolders));
      await bench.elapse(longMs / 2);
      assert.equal((await bench.logOut(last)).outcome, 'loggedOut');
    });

    it('does not count sessions that have ended', async (bench) => {
      const first = await bench.logIn({ holderMs: 100_000 });
      await hold(bench, first, maxHolders - 1, 100_000);
      await bench.elapse(100_000 + maxHolders);

      const others = await hold(bench, first, maxHolders);

      assert.deepEqual(await releaseAll(bench, others), [...released(maxHolders - 1), 'loggedOut']);
    });

    it('lets a forgotten session come back, and forgets another one', async (bench) => {
      const first = await bench.logIn({ holderMs: 100_000 });
      const others = await hold(bench, first, maxHolders);
      await bench.elapse(100_000);

      await bench.store.addHolder(bench.grantId, { ...first, holderMs: 2 * longMs });

      assert.deepEqual(await releaseAll(bench, [...others, first]), released(maxHolders + 1));
      assert.equal((await bench.read()).state, 'idle', 'The session forgotten last was logged out.');
    });

    it('does not mind a session that is extended', async (bench) => {
      const first = await bench.logIn({ holderMs: longMs });
      const others = await hold(bench, first, maxHolders - 1);

      for (const session of [first, ...others]) {
        await bench.store.addHolder(bench.grantId, { ...session, holderMs: 2 * longMs });
      }

      assert.deepEqual(await releaseAll(bench, [first, ...others]), [...released(maxHolders - 1), 'loggedOut']);
    });

    it('does not keep a logout of everything from ending the grant, nor outlives the grant', async (bench) => {
      const first = await bench.logIn({ holderMs: longMs });
      await hold(bench, first, maxHolders);
      assert.equal((await bench.logOut(first, { everywhere: true })).outcome, 'loggedOut');

      const next = await bench.logIn();

      assert.equal((await bench.logOut(next)).outcome, 'loggedOut');
    });
  });
}
