import assert from 'node:assert/strict';
import type { GrantWrite } from '../store';
import { grantSchema } from '../stored-grant';
import { leaseMs, randomName, type Part } from './bench';

export function describeLogins({ describe, it }: Part): void {
  describe('read()', () => {
    it('answers undefined for a grant that never was', async ({ store }) => {
      assert.equal(await store.read(randomName()), undefined);
    });

    it('gives what was put, with times as durations', async (bench) => {
      const payload = '{"text":"naïve – 🔐 \\" \' \\\\ % ${x} \n"}';
      const { generation, version } = await bench.logIn({ payload });

      const record = await bench.read();

      const { softInMs, hardInMs, stateAgeMs, tokensAgeMs, ...rest } = record;
      assert.deepEqual(rest, {
        schema: grantSchema,
        grantId: bench.grantId,
        generation,
        version,
        state: 'idle',
        payload,
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
      bench.assertLeft(softInMs, 5_400_000);
      bench.assertLeft(hardInMs, 7_200_000);
      bench.assertAge(stateAgeMs, 0);
    });

    it('gives durations as they are at that moment, below zero for tokens that are past', async (bench) => {
      await bench.logIn({ softMs: 100_000, hardMs: 200_000 });
      await bench.elapse(300_000);

      const { softInMs, hardInMs, stateAgeMs } = await bench.read();

      bench.assertLeft(softInMs, -200_000);
      bench.assertLeft(hardInMs, -100_000);
      bench.assertAge(stateAgeMs, 300_000);
    });

    it('gives null if tokens do not expire', async (bench) => {
      await bench.logIn({ softMs: null, hardMs: null });

      const { softInMs, hardInMs } = await bench.read();

      assert.deepEqual({ softInMs, hardInMs }, { softInMs: null, hardInMs: null });
    });

    it('takes durations that are no whole numbers, or below zero', async (bench) => {
      await bench.logIn({ softMs: -0.5, hardMs: 100_000.25, holderMs: 100_000.75 });

      const { softInMs, hardInMs } = await bench.read();

      bench.assertLeft(softInMs, -0.5);
      bench.assertLeft(hardInMs, 100_000.25);
    });

    it('keeps a payload of any length, and a tenant beside the other labels', async (bench) => {
      const payload = randomName().repeat(4_000);
      const labels = { ...bench.labels, tenant: 'a tenant’s "name"' };
      await bench.logIn({ payload, labels });

      const record = await bench.read();

      assert.equal(record.payload, payload);
      assert.deepEqual(record.labels, labels);
    });

    it('keeps grants apart', async (bench) => {
      await bench.logIn({ payload: 'one' });
      const other = randomName();
      await bench.logIn({ payload: 'other' }, other);

      assert.equal((await bench.read()).payload, 'one');
      assert.equal((await bench.store.read(other))?.payload, 'other');
    });
  });

  describe('put()', () => {
    it('refuses a new grant if there is one', async (bench) => {
      await bench.logIn();
      const before = await bench.read();

      assert.deepEqual(await bench.store.put(bench.grantId, bench.write({ payload: 'late' })), { outcome: 'conflict' });
      await bench.assertUnchanged(before);
    });

    it('refuses to replace a grant that is not there', async (bench) => {
      const write = bench.write({ expected: { generation: randomName(), version: 1 } });

      assert.deepEqual(await bench.store.put(bench.grantId, write), { outcome: 'conflict' });
      assert.equal(await bench.store.read(bench.grantId), undefined);
    });

    it('refuses to replace another version or generation than was read', async (bench) => {
      const { generation, version } = await bench.logIn();
      const before = await bench.read();

      for (const expected of [
        { generation, version: version + 1 },
        { generation, version: version - 1 },
        { generation: randomName(), version },
      ]) {
        const write = bench.write({ expected, generation, payload: 'late' });
        assert.deepEqual(await bench.store.put(bench.grantId, write), { outcome: 'conflict' });
      }
      await bench.assertUnchanged(before);
    });

    it('replaces tokens, and everything that was known of the former ones', async (bench) => {
      const first = await bench.logIn({ labels: { ...bench.labels, tenant: 'old' } });
      const failed = { state: 'ended', backoffMs: 90_000, errorCode: 'ERR_OLD', failed: true } as const;
      assert(await bench.releaseClaim(first, await bench.takeClaim(first), failed));

      const second = await bench.logIn({
        expected: first,
        generation: first.generation,
        payload: 'new',
        softMs: 1_000_000,
      });

      const record = await bench.read();
      assert.equal(second.version, first.version + 1);
      assert.equal(record.version, second.version);
      assert.equal(record.generation, first.generation);
      assert.equal(record.state, 'idle');
      assert.equal(record.payload, 'new');
      assert.deepEqual(record.labels, bench.labels);
      assert.equal(record.failures, 0);
      assert.equal(record.errorCode, undefined);
      assert.equal(record.backoffInMs, 0);
      bench.assertLeft(record.softInMs, 1_000_000);
      bench.assertAge(record.stateAgeMs, 0);
    });

    it('ends the claim of an attempt, whose commit then answers `moved`', async (bench) => {
      const first = await bench.logIn();
      const owner = await bench.takeClaim(first);
      const second = await bench.logIn({ expected: first, generation: first.generation, payload: 'new' });
      const before = await bench.read();

      assert.equal(before.leaseInMs, 0);
      assert.equal(await bench.store.renew(bench.grantId, { ...first, owner, leaseMs: 1_000 }), false);
      assert.equal(await bench.releaseClaim(first, owner), false);
      assert.equal(await bench.commit(first), 'moved');
      await bench.assertUnchanged(before);
      await bench.takeClaim(second);
    });

    it('keeps the sessions that hold the grant, and adds its own', async (bench) => {
      const first = await bench.logIn();
      const second = await bench.logIn({ expected: first, generation: first.generation });

      assert.equal((await bench.logOut(second)).outcome, 'holderRemoved');
      assert.equal((await bench.logOut(first)).outcome, 'loggedOut');
    });

    it('begins anew over a tombstone, which needs a null', async (bench) => {
      const first = await bench.logIn();
      const owner = await bench.takeClaim(first);
      await bench.logOut(first, { everywhere: true });
      const overTombstone = bench.write({ expected: first, generation: first.generation });
      assert.deepEqual(await bench.store.put(bench.grantId, overTombstone), { outcome: 'conflict' });

      const second = await bench.logIn({ payload: 'new' });

      const record = await bench.read();
      assert.equal(record.generation, second.generation);
      assert.equal(record.state, 'idle');
      assert.equal(record.payload, 'new');
      assert.equal(record.leaseInMs, 0);
      assert.equal(await bench.commit(first), 'loggedOut');
      assert.equal(await bench.releaseClaim(first, owner), false);
      assert.equal((await bench.claim(first)).outcome, 'loggedOut');
      await bench.elapse(3_500_000);
      assert.equal((await bench.read()).payload, 'new', 'The tombstone’s end took the new grant with it.');
      assert.equal((await bench.logOut(second)).outcome, 'loggedOut');
    });

    it('answers the same write again as the first time, and changes nothing', async (bench) => {
      const write = bench.write();
      const written = await bench.store.put(bench.grantId, write);
      const before = await bench.read();
      assert.deepEqual(await bench.store.put(bench.grantId, write), written);
      await bench.assertUnchanged(before);
      const over = bench.write({ expected: before, generation: before.generation, payload: 'new', softMs: 1_000_000 });

      const replaced = await bench.store.put(bench.grantId, over);
      const after = await bench.read();
      await bench.elapse(30_000);
      assert.deepEqual(await bench.store.put(bench.grantId, over), replaced);

      assert.deepEqual(replaced, { outcome: 'written', version: before.version + 1 });
      await bench.assertUnchanged(after);
    });

    it('leaves other logins that came between a write and the same write again', async (bench) => {
      const write = bench.write();
      const written = await bench.store.put(bench.grantId, write);
      let last = { ...write, version: 1 };
      for (let logins = 0; logins < 7; logins++) {
        last = { ...last, ...(await bench.logIn({ expected: last, generation: last.generation })) };
      }
      const before = await bench.read();

      assert.deepEqual(await bench.store.put(bench.grantId, write), written);

      await bench.assertUnchanged(before);
      assert.equal(before.version, 8);
    });

    it('answers the same write that comes many times at once as the first time', async (bench) => {
      const all = async (write: GrantWrite): Promise<unknown[]> =>
        Promise.all(Array.from({ length: 20 }, () => bench.store.put(bench.grantId, write)));
      const write = bench.write();

      const created = await all(write);
      const replaced = await all(bench.write({ expected: { ...write, version: 1 }, generation: write.generation }));

      for (const answer of created) assert.deepEqual(answer, { outcome: 'written', version: 1 });
      for (const answer of replaced) assert.deepEqual(answer, { outcome: 'written', version: 2 });
      assert.equal((await bench.read()).version, 2);
    });

    it('leaves a refresh that came between a write and the same write again', async (bench) => {
      const write = bench.write();
      const written = await bench.store.put(bench.grantId, write);
      const login = { ...write, version: 1 };
      await bench.commit(login);
      const owner = await bench.takeClaim({ ...login, version: 2 });
      const before = await bench.read();

      assert.deepEqual(await bench.store.put(bench.grantId, write), written);

      await bench.assertUnchanged(before);
      assert.equal(await bench.store.renew(bench.grantId, { ...login, owner, leaseMs }), true);
    });

    it('leaves a logout that came between a write and the same write again', async (bench) => {
      const first = await bench.logIn();
      await bench.logOut(first);
      const write = bench.write();
      const written = await bench.store.put(bench.grantId, write);
      const over = bench.write({ expected: { ...write, version: 2 }, generation: write.generation });
      const replaced = await bench.store.put(bench.grantId, over);
      await bench.logOut({ ...over, version: 3 }, { everywhere: true });
      const tombstone = await bench.read();

      assert.deepEqual(written, { outcome: 'written', version: 2 });
      assert.deepEqual(await bench.store.put(bench.grantId, over), replaced);
      await bench.assertUnchanged(tombstone);
      assert.equal(tombstone.state, 'loggedOut');
      await bench.logIn();
      const anew = await bench.read();
      assert.deepEqual(await bench.store.put(bench.grantId, over), replaced);
      await bench.assertUnchanged(anew);
    });

    it('lets one of many simultaneous logins create the grant', async (bench) => {
      const writes = Array.from({ length: 50 }, (_, index) => bench.write({ payload: String(index) }));

      const answers = await Promise.all(writes.map((write) => bench.store.put(bench.grantId, write)));

      const winners = answers.flatMap(({ outcome }, index) => (outcome === 'written' ? [writes[index]] : []));
      assert.equal(winners.length, 1);
      assert.equal((await bench.read()).payload, winners[0]?.payload);
    });

    it('lets one of many simultaneous logins replace the grant', async (bench) => {
      const first = await bench.logIn();

      const answers = await Promise.all(
        Array.from({ length: 50 }, () =>
          bench.store.put(bench.grantId, bench.write({ expected: first, generation: first.generation })),
        ),
      );

      assert.equal(answers.filter(({ outcome }) => outcome === 'written').length, 1);
      assert.equal((await bench.read()).version, first.version + 1);
    });
  });
}
