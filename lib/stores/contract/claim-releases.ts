import assert from 'node:assert/strict';
import { leaseMs, randomName, type Part } from './bench';

export function describeClaimReleases({ describe, it }: Part): void {
  describe('releaseClaim()', () => {
    it('releases a claim, so that any caller may claim at once', async (bench) => {
      const login = await bench.logIn();
      const owner = await bench.takeClaim(login);
      await bench.elapse(30_000);

      assert.equal(await bench.releaseClaim(login, owner), true);

      const record = await bench.read();
      assert.equal(record.state, 'idle');
      assert.equal(record.version, login.version);
      assert.equal(record.payload, 'tokens of the login');
      assert.equal(record.leaseInMs, 0);
      assert.equal(record.backoffInMs, 0);
      bench.assertAge(record.stateAgeMs, 0);
      await bench.takeClaim(login);
    });

    it('keeps the reason and the pause, and counts failures in a row', async (bench) => {
      const login = await bench.logIn();
      for (const failures of [1, 2, 3]) {
        const failed = { backoffMs: 30_000, errorCode: `ERR_${failures}`, failed: true };
        assert.equal(await bench.releaseClaim(login, await bench.takeClaim(login), failed), true);
        const record = await bench.read();
        assert.equal(record.failures, failures);
        assert.equal(record.errorCode, `ERR_${failures}`);
        bench.assertLeft(record.backoffInMs, 30_000);
        await bench.elapse(30_000);
      }

      assert.equal(await bench.releaseClaim(login, await bench.takeClaim(login)), true);

      const { failures, errorCode, backoffInMs } = await bench.read();
      assert.deepEqual({ failures, errorCode, backoffInMs }, { failures: 0, errorCode: undefined, backoffInMs: 0 });
    });

    it('leaves a grant in doubt, to be resolved after the pause', async (bench) => {
      const login = await bench.logIn();
      const doubtful = { state: 'inDoubt', backoffMs: 30_000, errorCode: 'ERR_LOST', failed: true } as const;

      assert.equal(await bench.releaseClaim(login, await bench.takeClaim(login), doubtful), true);

      assert.equal((await bench.read()).state, 'inDoubt');
      assert.equal((await bench.claim(login)).outcome, 'backoff');
      assert.equal((await bench.read()).state, 'inDoubt');
      await bench.elapse(30_000);
      await bench.takeClaim(login, 'resolve');
      bench.assertAge((await bench.read()).stateAgeMs, 30_000);
    });

    it('keeps the age of a state that does not change', async (bench) => {
      const login = await bench.logIn();
      const { owner } = await bench.doubt(login);
      await bench.elapse(40_000);

      assert.equal(await bench.releaseClaim(login, owner, { state: 'inDoubt', failed: true }), true);

      const { stateAgeMs, failures } = await bench.read();
      bench.assertAge(stateAgeMs, 40_000);
      assert.equal(failures, 1);
    });

    it('is false for any caller but the owner', async (bench) => {
      assert.equal(await bench.releaseClaim({ generation: randomName(), version: 1, holder: '' }, randomName()), false);
      const login = await bench.logIn();
      assert.equal(await bench.releaseClaim(login, randomName()), false);
      const { dead, owner } = await bench.doubt(login);
      const before = await bench.read();

      for (const state of ['idle', 'inDoubt'] as const) {
        assert.equal(await bench.releaseClaim(login, dead, { state }), false);
        assert.equal(await bench.releaseClaim(login, randomName(), { state }), false);
        assert.equal(await bench.releaseClaim({ ...login, version: login.version + 1 }, owner, { state }), false);
        assert.equal(await bench.releaseClaim({ ...login, generation: randomName() }, owner, { state }), false);
      }
      await bench.assertUnchanged(before);
    });

    it('marks a grant as `ended` by its version, for any caller', async (bench) => {
      const login = await bench.logIn();
      const { owner } = await bench.doubt(login);
      const dead = { state: 'ended', errorCode: 'ERR_DEAD', failed: true } as const;
      const before = await bench.read();
      assert.equal(await bench.releaseClaim({ ...login, version: login.version - 1 }, owner, dead), false);
      assert.equal(await bench.releaseClaim({ ...login, version: login.version + 1 }, owner, dead), false);
      assert.equal(await bench.releaseClaim({ ...login, generation: randomName() }, owner, dead), false);
      await bench.assertUnchanged(before);

      assert.equal(await bench.releaseClaim(login, randomName(), dead), true);

      const record = await bench.read();
      assert.equal(record.state, 'ended');
      assert.equal(record.errorCode, 'ERR_DEAD');
      assert.equal(record.leaseInMs, 0);
      bench.assertAge(record.stateAgeMs, 0);
      assert.equal(await bench.store.renew(bench.grantId, { ...login, owner, leaseMs }), false);
    });
  });
}
