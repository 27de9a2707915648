import assert from 'node:assert/strict';
import { leaseMs, randomName, recordOf, type Part } from './bench';

export function describeSessions({ describe, it }: Part, sessionCount: number): void {
  describe('reference()', () => {
    it('adds a session, which keeps the grant until it is released', async (bench) => {
      const first = await bench.logIn();
      const second = { ...first, reference: randomName() };
      const before = await bench.read();

      assert.equal(await bench.store.reference(bench.grantId, { ...second, referenceMs: 3_600_000 }), true);

      await bench.assertUnchanged(before);
      assert.deepEqual(await bench.release(first), { outcome: 'released' });
      await bench.assertUnchanged(before);
      assert.equal((await bench.release(second)).outcome, 'ended');
    });

    it('is a lease: a session that is not extended holds nothing', async (bench) => {
      const first = await bench.logIn();
      const second = { ...first, reference: randomName() };
      await bench.store.reference(bench.grantId, { ...second, referenceMs: 100_000 });
      await bench.elapse(100_000);

      assert.equal((await bench.release(first)).outcome, 'ended');
    });

    it('extends a session’s lease', async (bench) => {
      const first = await bench.logIn();
      const second = { ...first, reference: randomName() };
      await bench.store.reference(bench.grantId, { ...second, referenceMs: 100_000 });
      await bench.elapse(70_000);
      assert.equal(await bench.store.reference(bench.grantId, { ...second, referenceMs: 100_000 }), true);
      await bench.elapse(70_000);

      assert.equal((await bench.release(first)).outcome, 'released');
    });

    it('is false where that generation is gone', async (bench) => {
      const hold = (generation: string): Promise<boolean> =>
        bench.store.reference(bench.grantId, { generation, reference: randomName(), referenceMs: 3_600_000 });
      assert.equal(await hold(randomName()), false);
      assert.equal(await bench.store.read(bench.grantId), undefined);
      const login = await bench.logIn();

      assert.equal(await hold(randomName()), false);

      assert.equal((await bench.release(login)).outcome, 'ended');
      assert.equal(await hold(login.generation), false);
      assert.equal((await bench.read()).state, 'gone');
    });

    it('holds however many sessions there are', async (bench) => {
      const login = await bench.logIn();
      const sessions = Array.from({ length: sessionCount }, () => ({ ...login, reference: randomName() }));
      const held = await Promise.all(
        sessions.map((session) => bench.store.reference(bench.grantId, { ...session, referenceMs: 3_600_000 })),
      );
      assert(held.every(Boolean));

      const answers = await Promise.all([login, ...sessions].map((session) => bench.release(session)));

      assert.equal(answers.filter(({ outcome }) => outcome === 'ended').length, 1);
      assert.equal(answers.filter(({ outcome }) => outcome === 'released').length, sessionCount);
    });
  });

  describe('release()', () => {
    it('gives the last record back to be revoked, and leaves a tombstone without tokens', async (bench) => {
      const login = await bench.logIn();
      await bench.settle(login, await bench.hold(login), { failed: true, errorCode: 'ERR_ONCE' });
      const before = await bench.read();
      await bench.elapse(30_000);

      const answer = await bench.release(login);

      assert.equal(answer.outcome, 'ended');
      const { state, payload, version, generation, errorCode } = recordOf(answer);
      assert.deepEqual(
        { state, payload, version, generation, errorCode },
        {
          state: 'idle',
          payload: before.payload,
          version: before.version,
          generation: before.generation,
          errorCode: 'ERR_ONCE',
        },
      );
      const tombstone = await bench.read();
      assert.equal(tombstone.state, 'gone');
      assert.equal(tombstone.payload, '');
      assert.equal(tombstone.generation, login.generation);
      assert.equal(tombstone.leaseInMs, 0);
      bench.assertAge(tombstone.stateAgeMs, 0);
    });

    it('ends the grant everywhere, whoever else holds it', async (bench) => {
      const first = await bench.logIn();
      const second = await bench.logIn({ expected: first, generation: first.generation });

      assert.equal((await bench.release(first, { everywhere: true })).outcome, 'ended');

      assert.deepEqual(await bench.release(second), { outcome: 'gone' });
    });

    it('ends only the version the caller read, and changes nothing where it has moved on', async (bench) => {
      const login = await bench.logIn();
      const { version } = await bench.read();
      const later = await bench.logIn({ expected: { ...login, version }, generation: login.generation });
      await bench.release(later);

      assert.deepEqual(await bench.release(login, { version }), { outcome: 'moved' });
      assert.deepEqual(await bench.release(login, { version, everywhere: true }), { outcome: 'moved' });
      assert.equal((await bench.read()).state, 'idle');
      assert.equal((await bench.release(login, { version: version + 1 })).outcome, 'ended');
    });

    it('takes a session out whatever the version, where another one stays', async (bench) => {
      const first = await bench.logIn();
      const { version } = await bench.read();
      const second = await bench.logIn({ expected: { ...first, version }, generation: first.generation });

      assert.deepEqual(await bench.release(first, { version }), { outcome: 'released' });
      assert.equal((await bench.release(second, { version: version + 1 })).outcome, 'ended');
    });

    it('needs no reference', async (bench) => {
      const login = await bench.logIn();

      assert.deepEqual(await bench.release(login, { reference: undefined }), { outcome: 'released' });
      assert.equal((await bench.release(login, { reference: undefined, everywhere: true })).outcome, 'ended');
    });

    it('of a session it does not know removes nobody else’s', async (bench) => {
      const login = await bench.logIn();

      assert.deepEqual(await bench.release({ ...login, reference: randomName() }), { outcome: 'released' });
      assert.equal((await bench.release(login)).outcome, 'ended');
    });

    it('answers `gone` where it was over already', async (bench) => {
      const never = { generation: randomName(), version: 1, reference: randomName() };
      assert.deepEqual(await bench.release(never), { outcome: 'gone' });
      assert.equal(await bench.store.read(bench.grantId), undefined);
      const login = await bench.logIn();
      assert.deepEqual(await bench.release({ ...login, generation: randomName() }, { everywhere: true }), {
        outcome: 'gone',
      });
      assert.equal((await bench.read()).state, 'idle');

      await bench.release(login);

      assert.deepEqual(await bench.release(login, { everywhere: true }), { outcome: 'gone' });
    });

    it('gives the record to exactly one of many', async (bench) => {
      const login = await bench.logIn();

      const answers = await Promise.all(Array.from({ length: 20 }, () => bench.release(login, { everywhere: true })));

      assert.equal(answers.filter(({ outcome }) => outcome === 'ended').length, 1);
      assert.equal(answers.filter(({ outcome }) => outcome === 'gone').length, 19);
    });

    it('shows the flight that is under way, in the record and in the tombstone, until its owner settles', async (bench) => {
      const login = await bench.logIn();
      const owner = await bench.hold(login);

      const answer = await bench.release(login);

      assert.equal(recordOf(answer).state, 'inflight');
      bench.assertLeft(recordOf(answer).leaseInMs, leaseMs);
      bench.assertLeft((await bench.read()).leaseInMs, leaseMs);
      await bench.elapse(leaseMs - 20_000);
      assert.equal(await bench.store.renew(bench.grantId, { ...login, owner, leaseMs }), true);
      bench.assertLeft((await bench.read()).leaseInMs, leaseMs);
      const tombstone = await bench.read();
      assert.equal(await bench.settle(login, randomName()), false);
      assert.equal(await bench.settle({ ...login, generation: randomName() }, owner), false);
      await bench.assertUnchanged(tombstone);

      assert.equal(await bench.settle(login, owner, { state: 'dead' }), false);

      const { state, leaseInMs, payload } = await bench.read();
      assert.deepEqual({ state, leaseInMs, payload }, { state: 'gone', leaseInMs: 0, payload: '' });
    });

    it('holds a tombstone as long as it is told, and no longer', async (bench) => {
      const login = await bench.logIn();
      await bench.release(login, { tombstoneMs: 600_000 });
      await bench.elapse(500_000);
      assert.equal((await bench.read()).state, 'gone');
      assert.equal(await bench.store.arm(bench.grantId, { ...login, owner: randomName(), leaseMs }), false);

      await bench.elapse(100_000);

      assert.equal(await bench.store.read(bench.grantId), undefined);
      await bench.logIn({ payload: 'new' });
      await bench.elapse(600_000);
      assert.equal((await bench.read()).payload, 'new');
    });

    it('never forgets a live grant by itself while a session holds it', async (bench) => {
      await bench.logIn({ referenceMs: 90 * 86_400_000, softMs: 1_000, hardMs: 2_000 });
      await bench.elapse(60 * 86_400_000);

      assert.equal((await bench.read()).payload, 'tokens of the login');
    });
  });
}
