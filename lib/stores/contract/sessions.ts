import assert from 'node:assert/strict';
import { leaseMs, randomName, recordOf, type Part } from './bench';

export function describeSessions({ describe, it }: Part, sessionCount: number): void {
  describe('addHolder()', () => {
    it('adds a session, which keeps the grant until it is released', async (bench) => {
      const first = await bench.logIn();
      const second = { ...first, holder: randomName() };
      const before = await bench.read();

      assert.equal(await bench.store.addHolder(bench.grantId, { ...second, holderMs: 3_600_000 }), true);

      await bench.assertUnchanged(before);
      assert.deepEqual(await bench.logOut(first), { outcome: 'holderRemoved' });
      await bench.assertUnchanged(before);
      assert.equal((await bench.logOut(second)).outcome, 'loggedOut');
    });

    it('is a lease: a session that is not extended holds nothing', async (bench) => {
      const first = await bench.logIn();
      const second = { ...first, holder: randomName() };
      await bench.store.addHolder(bench.grantId, { ...second, holderMs: 100_000 });
      await bench.elapse(100_000);

      assert.equal((await bench.logOut(first)).outcome, 'loggedOut');
    });

    it('extends a session’s lease', async (bench) => {
      const first = await bench.logIn();
      const second = { ...first, holder: randomName() };
      await bench.store.addHolder(bench.grantId, { ...second, holderMs: 100_000 });
      await bench.elapse(70_000);
      assert.equal(await bench.store.addHolder(bench.grantId, { ...second, holderMs: 100_000 }), true);
      await bench.elapse(70_000);

      assert.equal((await bench.logOut(first)).outcome, 'holderRemoved');
    });

    it('is false if that generation is gone', async (bench) => {
      const addHolder = (generation: string): Promise<boolean> =>
        bench.store.addHolder(bench.grantId, { generation, holder: randomName(), holderMs: 3_600_000 });
      assert.equal(await addHolder(randomName()), false);
      assert.equal(await bench.store.read(bench.grantId), undefined);
      const login = await bench.logIn();

      assert.equal(await addHolder(randomName()), false);

      assert.equal((await bench.logOut(login)).outcome, 'loggedOut');
      assert.equal(await addHolder(login.generation), false);
      assert.equal((await bench.read()).state, 'loggedOut');
    });

    it('holds however many sessions there are', async (bench) => {
      const login = await bench.logIn();
      const sessions = Array.from({ length: sessionCount }, () => ({ ...login, holder: randomName() }));
      const held = await Promise.all(
        sessions.map((session) => bench.store.addHolder(bench.grantId, { ...session, holderMs: 3_600_000 })),
      );
      assert(held.every(Boolean));

      const answers = await Promise.all([login, ...sessions].map((session) => bench.logOut(session)));

      assert.equal(answers.filter(({ outcome }) => outcome === 'loggedOut').length, 1);
      assert.equal(answers.filter(({ outcome }) => outcome === 'holderRemoved').length, sessionCount);
    });
  });

  describe('logOut()', () => {
    it('gives the last record back to be revoked, and leaves a tombstone without tokens', async (bench) => {
      const login = await bench.logIn();
      await bench.releaseClaim(login, await bench.takeClaim(login), { failed: true, errorCode: 'ERR_ONCE' });
      const before = await bench.read();
      await bench.elapse(30_000);

      const answer = await bench.logOut(login);

      assert.equal(answer.outcome, 'loggedOut');
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
      assert.equal(tombstone.state, 'loggedOut');
      assert.equal(tombstone.payload, '');
      assert.equal(tombstone.generation, login.generation);
      assert.equal(tombstone.leaseInMs, 0);
      bench.assertAge(tombstone.stateAgeMs, 0);
    });

    it('ends the grant for all holders with `everywhere`', async (bench) => {
      const first = await bench.logIn();
      const second = await bench.logIn({ expected: first, generation: first.generation });

      assert.equal((await bench.logOut(first, { everywhere: true })).outcome, 'loggedOut');

      assert.deepEqual(await bench.logOut(second), { outcome: 'alreadyLoggedOut' });
    });

    it('ends only the version the caller read, and changes nothing if there is a newer one', async (bench) => {
      const login = await bench.logIn();
      const { version } = await bench.read();
      const later = await bench.logIn({ expected: { ...login, version }, generation: login.generation });
      await bench.logOut(later);

      assert.deepEqual(await bench.logOut(login, { version }), { outcome: 'moved' });
      assert.deepEqual(await bench.logOut(login, { version, everywhere: true }), { outcome: 'moved' });
      assert.equal((await bench.read()).state, 'idle');
      assert.equal((await bench.logOut(login, { version: version + 1 })).outcome, 'loggedOut');
    });

    it('removes a session of any version if another session stays', async (bench) => {
      const first = await bench.logIn();
      const { version } = await bench.read();
      const second = await bench.logIn({ expected: { ...first, version }, generation: first.generation });

      assert.deepEqual(await bench.logOut(first, { version }), { outcome: 'holderRemoved' });
      assert.equal((await bench.logOut(second, { version: version + 1 })).outcome, 'loggedOut');
    });

    it('needs no holder', async (bench) => {
      const login = await bench.logIn();

      assert.deepEqual(await bench.logOut(login, { holder: undefined }), { outcome: 'holderRemoved' });
      assert.equal((await bench.logOut(login, { holder: undefined, everywhere: true })).outcome, 'loggedOut');
    });

    it('removes no other session if it does not know the session', async (bench) => {
      const login = await bench.logIn();

      assert.deepEqual(await bench.logOut({ ...login, holder: randomName() }), { outcome: 'holderRemoved' });
      assert.equal((await bench.logOut(login)).outcome, 'loggedOut');
    });

    it('answers `alreadyLoggedOut` if it was logged out already', async (bench) => {
      const never = { generation: randomName(), version: 1, holder: randomName() };
      assert.deepEqual(await bench.logOut(never), { outcome: 'alreadyLoggedOut' });
      assert.equal(await bench.store.read(bench.grantId), undefined);
      const login = await bench.logIn();
      assert.deepEqual(await bench.logOut({ ...login, generation: randomName() }, { everywhere: true }), {
        outcome: 'alreadyLoggedOut',
      });
      assert.equal((await bench.read()).state, 'idle');

      await bench.logOut(login);

      assert.deepEqual(await bench.logOut(login, { everywhere: true }), { outcome: 'alreadyLoggedOut' });
    });

    it('gives the record to exactly one of many', async (bench) => {
      const login = await bench.logIn();

      const answers = await Promise.all(Array.from({ length: 20 }, () => bench.logOut(login, { everywhere: true })));

      assert.equal(answers.filter(({ outcome }) => outcome === 'loggedOut').length, 1);
      assert.equal(answers.filter(({ outcome }) => outcome === 'alreadyLoggedOut').length, 19);
    });

    it('shows the attempt that is under way, in the record and in the tombstone, until its owner releases the claim', async (bench) => {
      const login = await bench.logIn();
      const owner = await bench.takeClaim(login);

      const answer = await bench.logOut(login);

      assert.equal(recordOf(answer).state, 'presenting');
      bench.assertLeft(recordOf(answer).leaseInMs, leaseMs);
      bench.assertLeft((await bench.read()).leaseInMs, leaseMs);
      await bench.elapse(leaseMs - 20_000);
      assert.equal(await bench.store.renew(bench.grantId, { ...login, owner, leaseMs }), true);
      bench.assertLeft((await bench.read()).leaseInMs, leaseMs);
      const tombstone = await bench.read();
      assert.equal(await bench.releaseClaim(login, randomName()), false);
      assert.equal(await bench.releaseClaim({ ...login, generation: randomName() }, owner), false);
      await bench.assertUnchanged(tombstone);

      assert.equal(await bench.releaseClaim(login, owner, { state: 'ended' }), false);

      const { state, leaseInMs, payload } = await bench.read();
      assert.deepEqual({ state, leaseInMs, payload }, { state: 'loggedOut', leaseInMs: 0, payload: '' });
    });

    it('holds a tombstone as long as it is told, and no longer', async (bench) => {
      const login = await bench.logIn();
      await bench.logOut(login, { tombstoneMs: 600_000 });
      await bench.elapse(500_000);
      assert.equal((await bench.read()).state, 'loggedOut');
      assert.equal(await bench.store.arm(bench.grantId, { ...login, owner: randomName(), leaseMs }), false);

      await bench.elapse(100_000);

      assert.equal(await bench.store.read(bench.grantId), undefined);
      await bench.logIn({ payload: 'new' });
      await bench.elapse(600_000);
      assert.equal((await bench.read()).payload, 'new');
    });

    it('never forgets a live grant by itself while a session holds it', async (bench) => {
      await bench.logIn({ holderMs: 90 * 86_400_000, softMs: 1_000, hardMs: 2_000 });
      await bench.elapse(60 * 86_400_000);

      assert.equal((await bench.read()).payload, 'tokens of the login');
    });
  });
}
