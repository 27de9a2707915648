import assert from 'node:assert/strict';
import { leaseMs, randomName, recordOf, type Part } from './bench';

export function describeClaims({ describe, it }: Part): void {
  describe('claim()', () => {
    it('marks the grant as `presenting` and answers `claimed` with the record', async (bench) => {
      const login = await bench.logIn();
      await bench.elapse(30_000);

      const answer = await bench.claim(login);

      assert.equal(answer.outcome, 'claimed');
      const record = recordOf(answer);
      assert.equal(record.state, 'presenting');
      assert.equal(record.payload, 'tokens of the login');
      assert.equal(record.version, login.version);
      bench.assertLeft(record.leaseInMs, leaseMs);
      bench.assertAge(record.stateAgeMs, 0);
      await bench.assertUnchanged(record);
    });

    it('answers `busy` while the lease of another caller runs, and tells for how long', async (bench) => {
      const login = await bench.logIn();
      await bench.takeClaim(login);
      await bench.elapse(leaseMs / 2);
      const before = await bench.read();

      const answer = await bench.claim(login);

      assert.equal(answer.outcome, 'busy');
      bench.assertLeft(recordOf(answer).leaseInMs, leaseMs / 2);
      await bench.assertUnchanged(before);
    });

    it('answers the same call of the owner again as the first time, and changes nothing', async (bench) => {
      const login = await bench.logIn();
      for (const outcome of ['claimed', 'resolve']) {
        const owner = randomName();
        const first = await bench.claim(login, { owner });
        await bench.elapse(leaseMs / 2);
        const before = await bench.read();

        const again = await bench.claim(login, { owner });

        assert.deepEqual([first.outcome, again.outcome], [outcome, outcome]);
        bench.assertLeft(recordOf(again).leaseInMs, leaseMs / 2);
        await bench.assertUnchanged(before);
        assert.equal((await bench.claim(login)).outcome, 'busy');
        await bench.elapse(leaseMs / 2);
      }
    });

    it('answers `moved` with the newer record if the caller knew an older version', async (bench) => {
      const login = await bench.logIn();
      assert.equal(await bench.commit(login), 'committed');

      const answer = await bench.claim(login);

      assert.equal(answer.outcome, 'moved');
      assert.equal(recordOf(answer).payload, 'refreshed tokens');
      assert.equal(recordOf(answer).version, login.version + 1);
      assert.equal(recordOf(answer).state, 'idle');
    });

    it('answers `moved` even while another caller presents the newer version', async (bench) => {
      const login = await bench.logIn();
      await bench.commit(login);
      await bench.takeClaim({ ...login, version: login.version + 1 });

      assert.equal((await bench.claim(login)).outcome, 'moved');
    });

    it('answers `backoff` to every caller until the pause is over', async (bench) => {
      const login = await bench.logIn();
      await bench.releaseClaim(login, await bench.takeClaim(login), {
        backoffMs: 90_000,
        errorCode: 'ERR_BUSY',
        failed: true,
      });
      await bench.elapse(30_000);

      const answer = await bench.claim(login);

      assert.equal(answer.outcome, 'backoff');
      bench.assertLeft(recordOf(answer).backoffInMs, 60_000);
      assert.equal(recordOf(answer).errorCode, 'ERR_BUSY');
      await bench.elapse(60_000);
      await bench.takeClaim(login);
    });

    it('answers `ended` if the refresh token has ended', async (bench) => {
      const login = await bench.logIn();
      await bench.releaseClaim(login, await bench.takeClaim(login), {
        state: 'ended',
        errorCode: 'ERR_DEAD',
        failed: true,
      });

      const answer = await bench.claim(login);

      assert.equal(answer.outcome, 'ended');
      assert.equal(recordOf(answer).errorCode, 'ERR_DEAD');
    });

    it('answers `loggedOut` without a record, for a tombstone, and for another generation', async (bench) => {
      const never = { generation: randomName(), version: 1, holder: randomName() };
      assert.deepEqual(await bench.claim(never), { outcome: 'loggedOut' });

      const login = await bench.logIn();
      assert.deepEqual(await bench.claim({ ...login, generation: randomName() }), { outcome: 'loggedOut' });

      await bench.logOut(login);
      assert.deepEqual(await bench.claim(login), { outcome: 'loggedOut' });
    });

    it('answers `resolve` to one caller once the lease of the presenting owner is over', async (bench) => {
      const login = await bench.logIn();
      await bench.takeClaim(login);
      await bench.elapse(leaseMs);
      const left = await bench.read();
      assert.deepEqual({ state: left.state, leaseInMs: left.leaseInMs }, { state: 'presenting', leaseInMs: 0 });

      const answer = await bench.claim(login);

      assert.equal(answer.outcome, 'resolve');
      const record = recordOf(answer);
      assert.equal(record.state, 'inDoubt');
      bench.assertAge(record.stateAgeMs, 0);
      bench.assertLeft(record.leaseInMs, leaseMs);
      await bench.assertUnchanged(record);
      assert.equal((await bench.claim(login)).outcome, 'busy');
    });

    it('keeps how long a grant has been in doubt, whichever caller looks', async (bench) => {
      const login = await bench.logIn();
      await bench.doubt(login);
      await bench.elapse(leaseMs);

      const answer = await bench.claim(login);

      assert.equal(answer.outcome, 'resolve');
      bench.assertAge(recordOf(answer).stateAgeMs, leaseMs);
    });

    it('is granted to exactly one of a hundred', async (bench) => {
      const login = await bench.logIn();

      const answers = await Promise.all(Array.from({ length: 100 }, () => bench.claim(login)));

      assert.equal(answers.filter(({ outcome }) => outcome === 'claimed').length, 1);
      assert.equal(answers.filter(({ outcome }) => outcome === 'busy').length, 99);
    });

    it('lets exactly one of a hundred resolve a grant in doubt', async (bench) => {
      const login = await bench.logIn();
      await bench.takeClaim(login);
      await bench.elapse(leaseMs);

      const answers = await Promise.all(Array.from({ length: 100 }, () => bench.claim(login)));

      assert.equal(answers.filter(({ outcome }) => outcome === 'resolve').length, 1);
      assert.equal(answers.filter(({ outcome }) => outcome === 'busy').length, 99);
    });
  });

  describe('renew()', () => {
    it('extends the claim of its owner', async (bench) => {
      const login = await bench.logIn();
      const owner = await bench.takeClaim(login);
      await bench.elapse(leaseMs - 20_000);

      assert.equal(await bench.store.renew(bench.grantId, { ...login, owner, leaseMs }), true);

      const { state, stateAgeMs, leaseInMs } = await bench.read();
      assert.equal(state, 'presenting');
      bench.assertAge(stateAgeMs, leaseMs - 20_000);
      bench.assertLeft(leaseInMs, leaseMs);
    });

    it('extends a claim that ran out if no other caller has taken it', async (bench) => {
      const login = await bench.logIn();
      const owner = await bench.takeClaim(login);
      await bench.elapse(leaseMs + 1_000);

      assert.equal(await bench.store.renew(bench.grantId, { ...login, owner, leaseMs }), true);
      assert.equal((await bench.claim(login)).outcome, 'busy');
    });

    it('is false for any other caller, and for an owner who has lost the claim', async (bench) => {
      const renew = (generation: string, owner: string): Promise<boolean> =>
        bench.store.renew(bench.grantId, { generation, owner, leaseMs: 10 * leaseMs });
      assert.equal(await renew(randomName(), randomName()), false);
      const login = await bench.logIn();
      assert.equal(await renew(login.generation, randomName()), false);
      const { dead, owner } = await bench.doubt(login);
      const before = await bench.read();

      assert.equal(await renew(login.generation, dead), false);
      assert.equal(await renew(login.generation, randomName()), false);
      assert.equal(await renew(randomName(), owner), false);
      await bench.assertUnchanged(before);
      assert.equal(await bench.releaseClaim(login, owner, { state: 'inDoubt' }), true);
      assert.equal(await renew(login.generation, owner), false);
    });
  });

  describe('arm()', () => {
    it('turns the claim of a grant in doubt into one that presents', async (bench) => {
      const login = await bench.logIn();
      const { owner } = await bench.doubt(login);
      await bench.elapse(leaseMs / 2);

      assert.equal(await bench.store.arm(bench.grantId, { ...login, owner, leaseMs }), true);

      const record = await bench.read();
      assert.equal(record.state, 'presenting');
      bench.assertAge(record.stateAgeMs, 0);
      bench.assertLeft(record.leaseInMs, leaseMs);
      await bench.elapse(leaseMs);
      await bench.takeClaim(login, 'resolve');
    });

    it('is true again for the owner whose lease runs, and changes nothing', async (bench) => {
      const login = await bench.logIn();
      const { owner } = await bench.doubt(login);
      const arm = { ...login, owner, leaseMs };
      assert.equal(await bench.store.arm(bench.grantId, arm), true);
      await bench.elapse(leaseMs / 2);
      const before = await bench.read();

      assert.equal(await bench.store.arm(bench.grantId, arm), true);

      await bench.assertUnchanged(before);
      bench.assertLeft(before.leaseInMs, leaseMs / 2);
      await bench.elapse(leaseMs / 2);
      await bench.takeClaim(login, 'resolve');
    });

    it('is false again once the lease has run out, or the attempt has ended', async (bench) => {
      const login = await bench.logIn();
      const { owner } = await bench.doubt(login);
      const arm = { ...login, owner, leaseMs };
      assert.equal(await bench.store.arm(bench.grantId, arm), true);
      await bench.elapse(leaseMs);
      const before = await bench.read();

      assert.equal(await bench.store.arm(bench.grantId, arm), false);
      await bench.assertUnchanged(before);
      const next = await bench.takeClaim(login, 'resolve');
      assert.equal(await bench.store.arm(bench.grantId, arm), false);
      assert.equal(await bench.store.arm(bench.grantId, { ...arm, owner: next }), true);
      assert.equal(await bench.releaseClaim(login, next, { state: 'inDoubt' }), true);
      assert.equal(await bench.store.arm(bench.grantId, { ...arm, owner: next }), false);
      assert.equal((await bench.read()).state, 'inDoubt');
    });

    it('is false for an armed owner whose grant was logged out', async (bench) => {
      const login = await bench.logIn();
      const { owner } = await bench.doubt(login);
      assert.equal(await bench.store.arm(bench.grantId, { ...login, owner, leaseMs }), true);
      await bench.logOut(login);

      assert.equal(await bench.store.arm(bench.grantId, { ...login, owner, leaseMs }), false);
      assert.equal((await bench.read()).state, 'loggedOut');
    });

    it('is false for any other caller', async (bench) => {
      const arm = (generation: string, owner: string): Promise<boolean> =>
        bench.store.arm(bench.grantId, { generation, owner, leaseMs });
      assert.equal(await arm(randomName(), randomName()), false);
      const login = await bench.logIn();
      const first = await bench.takeClaim(login);
      assert.equal(await arm(login.generation, randomName()), false);
      assert.equal(await arm(randomName(), first), false);
      await bench.elapse(leaseMs);
      const owner = await bench.takeClaim(login, 'resolve');
      const before = await bench.read();

      assert.equal(await arm(login.generation, first), false);
      assert.equal(await arm(randomName(), owner), false);
      await bench.assertUnchanged(before);
      await bench.commit(login);
      assert.equal(await arm(login.generation, owner), false);
      assert.equal((await bench.read()).state, 'idle');
    });
  });
}
