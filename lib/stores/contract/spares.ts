import assert from 'node:assert/strict';
import { randomName, type Bench, type Login, type Part } from './bench';

/** What a record keeps of a later login that can do less. */
export function describeSpares({ describe, it }: Part): void {
  const add = async (bench: Bench, { generation }: Login, spare?: string): Promise<void> => {
    const holder = { generation, holder: randomName(), holderMs: 3_600_000, spare };
    assert.equal(await bench.store.addHolder(bench.grantId, holder), true);
  };

  describe('spare tokens', () => {
    it('are kept beside the tokens of the grant, whose version and claim stay', async (bench) => {
      const login = await bench.logIn();
      const owner = await bench.takeClaim(login);
      const before = await bench.read();
      assert.equal(before.spare, undefined);

      await add(bench, login, 'sealed spare');

      const { spare, version, payload, state } = await bench.read();
      const { version: same, payload: unchanged, state: claimed } = before;
      assert.deepEqual([spare, version, payload, state], ['sealed spare', same, unchanged, claimed]);
      assert.equal(await bench.releaseClaim(login, owner), true);
      const claim = await bench.claim(login);
      assert.equal(claim.outcome === 'claimed' && claim.record.spare, 'sealed spare');
    });

    it('replace earlier ones, and stay when a session comes without any', async (bench) => {
      const login = await bench.logIn();
      await add(bench, login, 'first');
      await add(bench, login, 'second');
      await add(bench, login);

      assert.equal((await bench.read()).spare, 'second');
    });

    it('are cleared by refreshed tokens and by a login whose writer has read them', async (bench) => {
      const login = await bench.logIn();
      await add(bench, login, 'before a refresh');
      await bench.commit(login, { knownSpare: 'before a refresh' });
      const { generation, version, spare } = await bench.read();
      assert.equal(spare, undefined);

      await add(bench, login, 'before a login');
      await bench.logIn({ expected: { generation, version }, knownSpare: 'before a login' });
      assert.equal((await bench.read()).spare, undefined);
    });

    it('stay with new tokens whose writer has read others, or none', async (bench) => {
      const login = await bench.logIn();
      await add(bench, login, 'spare');
      await bench.commit(login);
      assert.equal((await bench.read()).spare, 'spare');
      await bench.commit({ ...login, version: 2 }, { knownSpare: 'another' });
      const { generation, version, spare } = await bench.read();
      assert.equal(spare, 'spare');

      await bench.logIn({ expected: { generation, version } });
      assert.equal((await bench.read()).spare, 'spare');
    });

    it('of a grant that was logged out are not there after a new login', async (bench) => {
      const login = await bench.logIn();
      await add(bench, login, 'spare');
      await bench.logOut(login, { everywhere: true });
      await bench.logIn({ expected: null });

      assert.equal((await bench.read()).spare, undefined);
    });

    it('come back with the last record of a logout, and the tombstone has none', async (bench) => {
      const login = await bench.logIn();
      await add(bench, login, 'sealed spare');

      const outcome = await bench.logOut(login, { everywhere: true });

      assert.equal(outcome.outcome === 'loggedOut' && outcome.record.spare, 'sealed spare');
      assert.equal((await bench.read()).spare, undefined);
    });
  });
}
