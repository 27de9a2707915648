import assert from 'node:assert/strict';
import type { GrantRecord } from '../store';
import { leaseMs, randomName, type Bench, type Login, type Part } from './bench';

/** Sealed tokens, sealed with another key. */
export function describeReseals({ describe, it }: Part): void {
  const to = { payload: 'sealed anew', spare: undefined };

  const reseal = async (bench: Bench, from: GrantRecord, given: Partial<GrantRecord> = to): Promise<boolean> => {
    const { generation, version, payload, spare } = from;
    const texts = { payload: given.payload ?? payload, spare: given.spare };
    const done = bench.store.reseal?.(bench.grantId, { generation, version, from: { payload, spare }, to: texts });
    assert(done, 'The store has no reseal(); say so with the option reseals: false.');
    return done;
  };

  const refuses = async (bench: Bench, from: GrantRecord): Promise<void> => {
    const before = await bench.read();
    assert.equal(await reseal(bench, from), false);
    await bench.assertUnchanged(before);
  };

  /** What new tokens set anew stays as it was. */
  const assertOnlyTextsChanged = async (
    bench: Bench,
    before: GrantRecord,
    texts: Partial<GrantRecord>,
  ): Promise<void> => {
    const after = await bench.read();
    assert.deepEqual([after.payload, after.spare], [texts.payload, texts.spare]);
    assert.deepEqual(
      [after.version, after.state, after.generation, after.errorCode, after.refused, after.labels],
      [before.version, before.state, before.generation, before.errorCode, before.refused, before.labels],
    );
    bench.assertLeft(after.softInMs, before.softInMs ?? 0);
    bench.assertLeft(after.hardInMs, before.hardInMs ?? 0);
    bench.assertAge(after.tokensAgeMs, before.tokensAgeMs);
    bench.assertAge(after.stateAgeMs, before.stateAgeMs);
  };

  const addSpare = async (bench: Bench, { generation }: Login, spare: string): Promise<void> => {
    const holder = { generation, holder: randomName(), holderMs: 3_600_000, spare };
    assert.equal(await bench.store.addHolder(bench.grantId, holder), true);
  };

  describe('reseal()', () => {
    it('changes the sealed texts and nothing else', async (bench) => {
      const login = await bench.logIn();
      await bench.elapse(60_000);
      const before = await bench.read();

      assert.equal(await reseal(bench, before), true);

      await assertOnlyTextsChanged(bench, before, to);
      assert.equal((await bench.logOut(login)).outcome, 'loggedOut');
    });

    it('changes spare tokens as well', async (bench) => {
      const login = await bench.logIn();
      await addSpare(bench, login, 'sealed spare');
      const before = await bench.read();
      const both = { payload: 'sealed anew', spare: 'spare, sealed anew' };

      assert.equal(await reseal(bench, before, both), true);

      await assertOnlyTextsChanged(bench, before, both);
    });

    it('changes a grant that has ended, and leaves it ended', async (bench) => {
      const login = await bench.logIn();
      const owner = await bench.takeClaim(login);
      await bench.releaseClaim(login, owner, { state: 'ended', errorCode: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' });
      const before = await bench.read();

      assert.equal(await reseal(bench, before), true);

      await assertOnlyTextsChanged(bench, before, to);
      assert.equal((await bench.claim(login)).outcome, 'ended');
    });

    it('lets a refresh of the same version store its tokens', async (bench) => {
      const login = await bench.logIn();
      await reseal(bench, await bench.read());

      await bench.takeClaim(login);
      assert.equal(await bench.commit(login), 'committed');

      assert.equal((await bench.read()).payload, 'refreshed tokens');
    });

    it('leaves a grant alone that is claimed', async (bench) => {
      const login = await bench.logIn();
      const before = await bench.read();
      const owner = await bench.takeClaim(login);
      await refuses(bench, before);

      await bench.releaseClaim(login, owner);

      assert.equal(await reseal(bench, before), true);
    });

    it('leaves a grant alone whose claim has run out, or that is in doubt', async (bench) => {
      const login = await bench.logIn();
      const before = await bench.read();
      await bench.takeClaim(login);
      await bench.elapse(leaseMs);
      await refuses(bench, before);

      const owner = await bench.takeClaim(login, 'resolve');
      await bench.releaseClaim(login, owner, { state: 'inDoubt' });
      await refuses(bench, before);
    });

    it('does not touch newer tokens, other spare tokens or another login', async (bench) => {
      const login = await bench.logIn();
      const before = await bench.read();
      await addSpare(bench, login, 'a spare of later');
      await refuses(bench, before);

      const withSpare = await bench.read();
      await bench.commit(login, { knownSpare: 'a spare of later' });
      await refuses(bench, withSpare);
      await refuses(bench, { ...(await bench.read()), payload: 'something else' });

      await bench.logOut(login, { everywhere: true });
      assert.equal(await reseal(bench, before), false);
      await bench.logIn();
      await refuses(bench, before);
    });

    it('says no for a grant that does not exist', async (bench) => {
      const from = { generation: randomName(), version: 1, payload: 'none', spare: undefined } as GrantRecord;

      assert.equal(await reseal(bench, from), false);
    });
  });
}
