import assert from 'node:assert/strict';
import { leaseMs, recordOf, type Part } from './bench';

/** What a record says of refused access tokens, of errors and of the age of tokens. */
export function describeRefusals({ describe, it }: Part): void {
  describe('a refused access token', () => {
    it('is kept with the record by any claim of that version', async (bench) => {
      const login = await bench.logIn();
      assert.equal((await bench.read()).refused, undefined);

      assert.equal(recordOf(await bench.claim(login, { refused: 'first' })).refused, 'first');
      assert.equal(recordOf(await bench.claim(login, { refused: 'busy' })).refused, 'busy');
      assert.equal((await bench.read()).refused, 'busy');
      assert.equal(recordOf(await bench.claim(login)).refused, 'busy');
    });

    it('is kept during a pause and after the end, and changes nothing else', async (bench) => {
      const login = await bench.logIn();
      await bench.releaseClaim(login, await bench.takeClaim(login), {
        backoffMs: 90_000,
        errorCode: 'ERR_BUSY',
        failed: true,
      });
      const paused = await bench.read();

      assert.equal((await bench.claim(login, { refused: 'paused' })).outcome, 'backoff');
      assert.deepEqual(
        {
          ...(await bench.read()),
          refused: undefined,
          backoffInMs: 0,
          errorAgeMs: 0,
          stateAgeMs: 0,
          tokensAgeMs: 0,
          softInMs: 0,
          hardInMs: 0,
        },
        { ...paused, backoffInMs: 0, errorAgeMs: 0, stateAgeMs: 0, tokensAgeMs: 0, softInMs: 0, hardInMs: 0 },
      );
      await bench.releaseClaim(login, '', { state: 'ended' });
      assert.equal((await bench.claim(login, { refused: 'ended' })).outcome, 'ended');
      const record = await bench.read();
      assert.equal(record.refused, 'ended');
      assert.equal(record.state, 'ended');
      assert.equal(record.leaseInMs, 0);
    });

    it('is kept with a grant in doubt, whose owner stays', async (bench) => {
      const login = await bench.logIn();
      const { owner } = await bench.doubt(login);

      assert.equal((await bench.claim(login, { refused: 'doubted' })).outcome, 'busy');
      assert.equal((await bench.read()).refused, 'doubted');
      assert.equal(await bench.releaseClaim(login, owner, { state: 'inDoubt' }), true);
    });

    it('is of one version: a claim of an older one keeps nothing', async (bench) => {
      const login = await bench.logIn();
      await bench.commit(login);

      assert.equal((await bench.claim(login, { refused: 'older' })).outcome, 'moved');
      assert.equal((await bench.read()).refused, undefined);
    });

    it('is cleared by new tokens of a refresh or a login', async (bench) => {
      const login = await bench.logIn();
      await bench.claim(login, { refused: 'first' });
      assert.equal(await bench.commit(login), 'committed');
      assert.equal((await bench.read()).refused, undefined);

      const next = { ...login, version: login.version + 1 };
      await bench.claim(next, { refused: 'second' });
      const { generation, version } = next;
      await bench.logIn({ generation, expected: { generation, version } });
      assert.equal((await bench.read()).refused, undefined);
    });
  });

  describe('the age of an error', () => {
    it('counts from the first of equal errors in a row', async (bench) => {
      const login = await bench.logIn();
      assert.equal((await bench.read()).errorAgeMs, 0);
      const fail = async (errorCode: string | undefined): Promise<void> => {
        assert.equal(await bench.releaseClaim(login, await bench.takeClaim(login), { errorCode, failed: true }), true);
      };
      await fail('ERR_ONE');
      await bench.elapse(60_000);
      await fail('ERR_ONE');
      await bench.elapse(30_000);
      bench.assertAge((await bench.read()).errorAgeMs, 90_000);

      await fail('ERR_OTHER');
      bench.assertAge((await bench.read()).errorAgeMs, 0);
      await bench.elapse(30_000);
      bench.assertAge((await bench.read()).errorAgeMs, 30_000);
      await fail(undefined);
      assert.equal((await bench.read()).errorAgeMs, 0);
    });
  });

  describe('the age of tokens', () => {
    it('counts from when they were stored, also after claims and releases', async (bench) => {
      const login = await bench.logIn();
      await bench.elapse(600_000);
      await bench.releaseClaim(login, await bench.takeClaim(login), { errorCode: 'ERR_ONE', failed: true });
      bench.assertAge((await bench.read()).tokensAgeMs, 600_000);

      await bench.commit(login);
      await bench.elapse(leaseMs);
      bench.assertAge((await bench.read()).tokensAgeMs, leaseMs);
    });
  });
}
