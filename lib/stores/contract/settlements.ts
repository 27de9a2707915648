import assert from 'node:assert/strict';
import { leaseMs, randomName, type Part } from './bench';

export function describeSettlements({ describe, it }: Part): void {
  describe('settle()', () => {
    it('gives a claim back: anybody may claim at once', async (bench) => {
      const login = await bench.logIn();
      const owner = await bench.hold(login);
      await bench.elapse(30_000);

      assert.equal(await bench.settle(login, owner), true);

      const record = await bench.read();
      assert.equal(record.state, 'idle');
      assert.equal(record.version, login.version);
      assert.equal(record.payload, 'tokens of the login');
      assert.equal(record.leaseInMs, 0);
      assert.equal(record.backoffInMs, 0);
      bench.assertAge(record.stateAgeMs, 0);
      await bench.hold(login);
    });

    it('keeps the reason and the pause, and counts failures in a row', async (bench) => {
      const login = await bench.logIn();
      for (const failures of [1, 2, 3]) {
        const failed = { backoffMs: 30_000, errorCode: `ERR_${failures}`, failed: true };
        assert.equal(await bench.settle(login, await bench.hold(login), failed), true);
        const record = await bench.read();
        assert.equal(record.failures, failures);
        assert.equal(record.errorCode, `ERR_${failures}`);
        bench.assertLeft(record.backoffInMs, 30_000);
        await bench.elapse(30_000);
      }

      assert.equal(await bench.settle(login, await bench.hold(login)), true);

      const { failures, errorCode, backoffInMs } = await bench.read();
      assert.deepEqual({ failures, errorCode, backoffInMs }, { failures: 0, errorCode: undefined, backoffInMs: 0 });
    });

    it('leaves a grant in doubt, to be resolved after the pause', async (bench) => {
      const login = await bench.logIn();
      const doubtful = { state: 'ambiguous', backoffMs: 30_000, errorCode: 'ERR_LOST', failed: true } as const;

      assert.equal(await bench.settle(login, await bench.hold(login), doubtful), true);

      assert.equal((await bench.read()).state, 'ambiguous');
      assert.equal((await bench.claim(login)).outcome, 'backoff');
      assert.equal((await bench.read()).state, 'ambiguous');
      await bench.elapse(30_000);
      await bench.hold(login, 'resolve');
      bench.assertAge((await bench.read()).stateAgeMs, 30_000);
    });

    it('leaves the age of a state as it is that was the state before', async (bench) => {
      const login = await bench.logIn();
      const { owner } = await bench.doubt(login);
      await bench.elapse(40_000);

      assert.equal(await bench.settle(login, owner, { state: 'ambiguous', failed: true }), true);

      const { stateAgeMs, failures } = await bench.read();
      bench.assertAge(stateAgeMs, 40_000);
      assert.equal(failures, 1);
    });

    it('is false for anybody but the owner', async (bench) => {
      assert.equal(await bench.settle({ generation: randomName(), version: 1, reference: '' }, randomName()), false);
      const login = await bench.logIn();
      assert.equal(await bench.settle(login, randomName()), false);
      const { dead, owner } = await bench.doubt(login);
      const before = await bench.read();

      for (const state of ['idle', 'ambiguous'] as const) {
        assert.equal(await bench.settle(login, dead, { state }), false);
        assert.equal(await bench.settle(login, randomName(), { state }), false);
        assert.equal(await bench.settle({ ...login, version: login.version + 1 }, owner, { state }), false);
        assert.equal(await bench.settle({ ...login, generation: randomName() }, owner, { state }), false);
      }
      await bench.assertUnchanged(before);
    });

    it('to `dead` goes by version, whoever says so', async (bench) => {
      const login = await bench.logIn();
      const { owner } = await bench.doubt(login);
      const dead = { state: 'dead', errorCode: 'ERR_DEAD', failed: true } as const;
      const before = await bench.read();
      assert.equal(await bench.settle({ ...login, version: login.version - 1 }, owner, dead), false);
      assert.equal(await bench.settle({ ...login, version: login.version + 1 }, owner, dead), false);
      assert.equal(await bench.settle({ ...login, generation: randomName() }, owner, dead), false);
      await bench.assertUnchanged(before);

      assert.equal(await bench.settle(login, randomName(), dead), true);

      const record = await bench.read();
      assert.equal(record.state, 'dead');
      assert.equal(record.errorCode, 'ERR_DEAD');
      assert.equal(record.leaseInMs, 0);
      bench.assertAge(record.stateAgeMs, 0);
      assert.equal(await bench.store.renew(bench.grantId, { ...login, owner, leaseMs }), false);
    });
  });
}
