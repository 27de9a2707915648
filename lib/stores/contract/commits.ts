import assert from 'node:assert/strict';
import { grantSchema } from '../stored-grant';
import { leaseMs, randomName, type Part } from './bench';

export function describeCommits({ describe, it }: Part): void {
  describe('commit()', () => {
    it('stores refreshed tokens, and ends claim and failures', async (bench) => {
      const login = await bench.logIn();
      await bench.releaseClaim(login, await bench.takeClaim(login), { failed: true, errorCode: 'ERR_ONCE' });
      const owner = await bench.takeClaim(login);
      await bench.elapse(30_000);

      assert.equal(await bench.commit(login, { payload: 'new', softMs: 100_000, hardMs: null }), 'committed');

      const { softInMs, hardInMs, stateAgeMs, tokensAgeMs, ...rest } = await bench.read();
      assert.deepEqual(rest, {
        schema: grantSchema,
        grantId: bench.grantId,
        generation: login.generation,
        version: login.version + 1,
        state: 'idle',
        payload: 'new',
        labels: bench.labels,
        leaseInMs: 0,
        backoffInMs: 0,
        failures: 0,
        errorCode: undefined,
        errorAgeMs: 0,
        refused: undefined,
        spare: undefined,
      });
      bench.assertAge(tokensAgeMs, 0);
      bench.assertLeft(softInMs, 100_000);
      assert.equal(hardInMs, null);
      bench.assertAge(stateAgeMs, 0);
      assert.equal(await bench.store.renew(bench.grantId, { ...login, owner, leaseMs }), false);
      await bench.takeClaim({ ...login, version: login.version + 1 });
    });

    it('answers the same call again as the first time, and changes nothing', async (bench) => {
      const login = await bench.logIn();
      await bench.takeClaim(login);
      assert.equal(await bench.commit(login), 'committed');
      await bench.takeClaim({ ...login, version: login.version + 1 });
      const before = await bench.read();

      assert.equal(await bench.commit(login), 'committed');

      assert.equal(before.state, 'presenting');
      await bench.assertUnchanged(before);
      await bench.commit({ ...login, version: login.version + 1 }, { payload: 'newer' });
      assert.equal(await bench.commit(login), 'moved');
    });

    it('accepts tokens from an owner whose lease ran out and who lost the claim', async (bench) => {
      const login = await bench.logIn();
      const { owner } = await bench.doubt(login);

      assert.equal(await bench.commit(login), 'committed');

      const record = await bench.read();
      assert.equal(record.state, 'idle');
      assert.equal(record.payload, 'refreshed tokens');
      assert.equal(record.leaseInMs, 0);
      assert.equal(await bench.store.arm(bench.grantId, { ...login, owner, leaseMs }), false);
      assert.equal(await bench.releaseClaim(login, owner, { state: 'ended' }), false);
      assert.equal((await bench.read()).state, 'idle');
    });

    it('accepts tokens during a backoff, and for a grant that has ended', async (bench) => {
      const login = await bench.logIn();
      await bench.releaseClaim(login, await bench.takeClaim(login), {
        state: 'ended',
        backoffMs: 90_000,
        errorCode: 'ERR_DEAD',
      });

      assert.equal(await bench.commit(login), 'committed');

      const { state, errorCode, backoffInMs } = await bench.read();
      assert.deepEqual({ state, errorCode, backoffInMs }, { state: 'idle', errorCode: undefined, backoffInMs: 0 });
      await bench.takeClaim({ ...login, version: login.version + 1 });
    });

    it('stores nothing if there is a newer version', async (bench) => {
      const login = await bench.logIn();
      await bench.commit(login);
      const before = await bench.read();

      assert.equal(await bench.commit(login, { payload: 'late' }), 'moved');
      assert.equal(await bench.commit({ ...login, version: login.version + 2 }, { payload: 'early' }), 'moved');
      await bench.assertUnchanged(before);
    });

    it('stores nothing of an older version while another caller refreshes the newer one', async (bench) => {
      const login = await bench.logIn();
      const again = await bench.logIn({ expected: login, generation: login.generation });
      await bench.takeClaim(again);

      assert.equal(await bench.commit(login, { payload: 'late' }), 'moved');
      assert.equal((await bench.read()).state, 'presenting');
      assert.equal(await bench.commit(again), 'committed');
    });

    it('stores nothing if the grant is gone, or is of another generation', async (bench) => {
      const never = { generation: randomName(), version: 1, holder: randomName() };
      assert.equal(await bench.commit(never), 'loggedOut');
      assert.equal(await bench.store.read(bench.grantId), undefined);

      const login = await bench.logIn();
      const before = await bench.read();
      assert.equal(await bench.commit({ ...login, generation: randomName() }), 'loggedOut');
      await bench.assertUnchanged(before);

      await bench.logOut(login);
      const tombstone = await bench.read();
      assert.equal(await bench.commit(login), 'loggedOut');
      await bench.assertUnchanged(tombstone);
      await bench.elapse(600_000);
      assert.equal(await bench.commit(login), 'loggedOut');
    });

    it('leaves the sessions as they are', async (bench) => {
      const first = await bench.logIn();
      const second = { ...first, holder: randomName() };
      await bench.store.addHolder(bench.grantId, { ...second, holderMs: 3_600_000 });
      await bench.commit(first);

      assert.equal((await bench.logOut(first)).outcome, 'holderRemoved');
      assert.equal((await bench.logOut(second)).outcome, 'loggedOut');
    });

    it('is granted to exactly one of a hundred with the same version', async (bench) => {
      const login = await bench.logIn();
      const payloads = Array.from({ length: 100 }, (_, index) => String(index));

      const answers = await Promise.all(payloads.map((payload) => bench.commit(login, { payload })));

      assert.equal(answers.filter((answer) => answer === 'committed').length, 1);
      assert.equal(answers.filter((answer) => answer === 'moved').length, 99);
      const record = await bench.read();
      assert.equal(record.version, login.version + 1);
      assert.equal(record.payload, payloads[answers.indexOf('committed')]);
    });

    it('counts versions one by one, exactly', async (bench) => {
      const login = await bench.logIn();
      for (let version = login.version; version < login.version + 25; version++) {
        assert.equal(await bench.commit({ ...login, version }), 'committed');
      }

      assert.equal((await bench.read()).version, login.version + 25);
    });
  });
}
