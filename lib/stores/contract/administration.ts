import assert from 'node:assert/strict';
import { grantSchema } from '../stored-grant';
import type { GrantFilter, GrantRecord } from '../store';
import { leaseMs, randomName, type Bench, type Part } from './bench';

export function describeAdministration({ describe, it }: Part): void {
  describe('list()', () => {
    const listed = async (bench: Bench, filter?: GrantFilter): Promise<GrantRecord[]> => {
      const records: GrantRecord[] = [];
      for await (const record of bench.store.list(filter)) records.push(record);
      return records;
    };
    const ids = async (bench: Bench, filter?: GrantFilter): Promise<string[]> =>
      (await listed(bench, filter)).map(({ grantId }) => grantId).sort();

    it('gives every record once, as read() does', async (bench) => {
      await bench.logIn();
      const others = Array.from({ length: 40 }, randomName);
      await Promise.all(others.map((grantId) => bench.logIn({}, grantId)));

      const records = await listed(bench);

      const mine = new Set([bench.grantId, ...others]);
      const found = records.filter(({ grantId }) => mine.has(grantId));
      assert.deepEqual(found.map(({ grantId }) => grantId).sort(), [...mine].sort());
      await bench.assertUnchanged(found.find(({ grantId }) => grantId === bench.grantId) as GrantRecord);
    });

    it('selects by any label, and by several', async (bench) => {
      const { labels } = bench;
      const [second, third] = [randomName(), randomName()];
      await bench.logIn();
      await bench.logIn({ labels: { ...labels, userId: '005other', tenant: 'acme' } }, second);
      await bench.logIn({ labels: { ...labels, clientID: '3MVG9.other' } }, third);
      const { organizationId, userId, clientID } = labels;

      assert.deepEqual(await ids(bench, { organizationId }), [bench.grantId, second, third].sort());
      assert.deepEqual(await ids(bench, { userId }), [bench.grantId, third].sort());
      assert.deepEqual(await ids(bench, { clientID }), [bench.grantId, second].sort());
      assert.deepEqual(await ids(bench, { organizationId, tenant: 'acme' }), [second]);
      assert.deepEqual(await ids(bench, { organizationId, userId, clientID }), [bench.grantId]);
      assert.deepEqual(await ids(bench, { organizationId, tenant: 'nobody' }), []);
    });

    it('leaves tombstones out', async (bench) => {
      const { organizationId } = bench.labels;
      const login = await bench.logIn();
      assert.deepEqual(await ids(bench, { organizationId }), [bench.grantId]);

      await bench.logOut(login);

      assert.deepEqual(await ids(bench, { organizationId }), []);
    });
  });
}

export function describeForeignRecords({ describe, it }: Part): void {
  describe('a record of another format', () => {
    it('is refused by every operation, and not touched', async (bench) => {
      const { store, grantId, setSchema } = bench;
      assert(setSchema, 'make() gives no setSchema; a store in memory needs none with the option isShared: false.');
      const login = await bench.logIn();
      const owner = await bench.takeClaim(login);
      const before = await bench.read();
      const list = async (): Promise<void> => {
        for await (const record of store.list({ organizationId: bench.labels.organizationId })) assert(record);
      };
      const operations: Record<string, () => Promise<unknown>> = {
        read: () => store.read(grantId),
        put: () => store.put(grantId, bench.write()),
        'put over the expected': () => store.put(grantId, bench.write({ expected: login })),
        claim: () => bench.claim(login),
        renew: () => store.renew(grantId, { ...login, owner, leaseMs: 2 * leaseMs }),
        arm: () => store.arm(grantId, { ...login, owner, leaseMs }),
        releaseClaim: () => bench.releaseClaim(login, owner),
        commit: () => bench.commit(login),
        addHolder: () => store.addHolder(grantId, { ...login, holder: randomName(), holderMs: 1_000 }),
        logOut: () => bench.logOut(login, { everywhere: true }),
        list,
      };
      for (const schema of [grantSchema - 1, grantSchema + 1]) {
        await setSchema(grantId, schema);
        for (const [name, operate] of Object.entries(operations)) {
          await assert.rejects(operate, /schema|format/i, `${name} took it.`);
        }
      }

      await setSchema(grantId, grantSchema);
      await bench.assertUnchanged(before);
      assert.equal((await bench.logOut(login)).outcome, 'loggedOut', 'A holder was added.');
    });
  });
}
