import assert from 'node:assert/strict';
import type { OneTimeClaimOutcome } from '../store';
import { randomName, type Bench, type Part } from './bench';

/** Longer than any test takes, as the life of an authorization code is longer than a login. */
const lifeMs = 900_000;
const keptMs = 120_000;

export function describeOneTimeClaims({ describe, it }: Part): void {
  const claimed = { outcome: 'claimed' } as const;
  const taken = (result?: string): OneTimeClaimOutcome => ({ outcome: 'taken', result });
  const claimOnce = (bench: Bench, key: string, owner = randomName(), life = lifeMs): Promise<OneTimeClaimOutcome> => {
    const outcome = bench.store.claimOnce?.(key, owner, life);
    assert(outcome, 'The store has no claimOnce(); say so with the option claimsOnce: false.');
    return outcome;
  };
  const resolve = (bench: Bench, key: string, owner: string, result: string, kept = keptMs): Promise<boolean> => {
    const isStored = bench.store.resolveClaim?.(key, owner, result, kept);
    assert(isStored, 'A store with claimOnce() needs resolveClaim() as well.');
    return isStored;
  };

  describe('claimOnce()', () => {
    it('gives a key to the first owner, and to no other', async (bench) => {
      const key = randomName();

      assert.deepEqual(await claimOnce(bench, key), claimed);
      assert.deepEqual(await claimOnce(bench, key), taken());
      assert.deepEqual(await claimOnce(bench, randomName()), claimed, 'Another key was taken.');
    });

    it('gives one of many that ask at once the key', async (bench) => {
      const key = randomName();

      const outcomes = await Promise.all(Array.from({ length: 50 }, () => claimOnce(bench, key)));

      assert.equal(outcomes.filter(({ outcome }) => outcome === 'claimed').length, 1);
      assert.equal(outcomes.filter(({ outcome }) => outcome === 'taken').length, 49);
    });

    it('answers the owner again as the first time, and does not extend its claim', async (bench) => {
      const [key, owner] = [randomName(), randomName()];
      await claimOnce(bench, key, owner);
      await bench.elapse(lifeMs - 100_000);

      const again = await Promise.all(Array.from({ length: 5 }, () => claimOnce(bench, key, owner)));

      assert.deepEqual(again, Array<unknown>(5).fill(claimed));
      await bench.elapse(100_000);
      assert.deepEqual(await claimOnce(bench, key), claimed, 'The claim was extended.');
    });

    it('keeps the key from others for as long as it was told, and no longer', async (bench) => {
      const [key, owner] = [randomName(), randomName()];
      await claimOnce(bench, key, owner);
      await bench.elapse(lifeMs - 100_000);
      assert.deepEqual(await claimOnce(bench, key), taken());

      await bench.elapse(100_000);

      assert.equal(await resolve(bench, key, owner, 'too late'), false);
      assert.deepEqual(await claimOnce(bench, key), claimed);
      assert.deepEqual(await claimOnce(bench, key, owner), taken());
    });

    it('gives a key that has become free to one of many', async (bench) => {
      const [key, owner] = [randomName(), randomName()];
      await claimOnce(bench, key, owner);
      await resolve(bench, key, owner, 'old');
      await bench.elapse(lifeMs);

      const outcomes = await Promise.all(Array.from({ length: 50 }, () => claimOnce(bench, key)));

      assert.equal(outcomes.filter(({ outcome }) => outcome === 'claimed').length, 1);
      assert.equal(outcomes.filter((answer) => answer.outcome === 'taken' && answer.result === undefined).length, 49);
    });

    it('takes durations that are no whole numbers, and any text as a key', async (bench) => {
      const owner = randomName();
      const key = `${randomName()} {a} "b" 'c' \\ % * – 🔐`.padEnd(500, 'x');

      assert.deepEqual(await claimOnce(bench, key, owner, lifeMs + 0.25), claimed);
      assert.equal(await resolve(bench, key, owner, 'result', keptMs + 0.75), true);
      assert.deepEqual(await claimOnce(bench, key), taken('result'));
    });

    it('knows nothing of grants: a grant may have the id that is a key', async (bench) => {
      await claimOnce(bench, bench.grantId);
      assert.equal(await bench.store.read(bench.grantId), undefined);

      const login = await bench.logIn();

      assert.deepEqual(await claimOnce(bench, bench.grantId), taken());
      assert.equal((await bench.logOut(login)).outcome, 'loggedOut');
      assert.deepEqual(await claimOnce(bench, bench.grantId), taken());
    });
  });

  describe('resolveClaim()', () => {
    it('gives the result to all who ask afterwards, the owner too', async (bench) => {
      const [key, owner] = [randomName(), randomName()];
      await claimOnce(bench, key, owner);

      assert.equal(await resolve(bench, key, owner, 'the result'), true);

      assert.deepEqual(await claimOnce(bench, key), taken('the result'));
      assert.deepEqual(await claimOnce(bench, key, owner), taken('the result'));
    });

    it('replaces a result of the same owner', async (bench) => {
      const [key, owner] = [randomName(), randomName()];
      await claimOnce(bench, key, owner);
      await resolve(bench, key, owner, 'first', 1_000);

      assert.equal(await resolve(bench, key, owner, 'second'), true);

      assert.deepEqual(await claimOnce(bench, key), taken('second'));
    });

    it('keeps a result of any length, to the letter', async (bench) => {
      const [key, owner] = [randomName(), randomName()];
      const result = `{"text":"naïve – 🔐 \\" ' \n"}${randomName().repeat(4_000)}`;
      await claimOnce(bench, key, owner);

      assert.equal(await resolve(bench, key, owner, result), true);

      assert.deepEqual(await claimOnce(bench, key), taken(result));
    });

    it('tells a result that is an empty text from no result', async (bench) => {
      const [key, owner] = [randomName(), randomName()];
      await claimOnce(bench, key, owner);

      assert.equal(await resolve(bench, key, owner, ''), true);

      assert.deepEqual(await claimOnce(bench, key), taken(''));
    });

    it('stores nothing for another owner, or without a claim', async (bench) => {
      const [key, owner] = [randomName(), randomName()];
      assert.equal(await resolve(bench, key, owner, 'nothing'), false);
      assert.deepEqual(await claimOnce(bench, key, owner), claimed);

      assert.equal(await resolve(bench, key, randomName(), 'forged'), false);

      assert.deepEqual(await claimOnce(bench, key), taken());
    });

    it('forgets the result in time; the key stays taken until the claim ends', async (bench) => {
      const [key, owner] = [randomName(), randomName()];
      await claimOnce(bench, key, owner);
      await bench.elapse(300_000);
      await resolve(bench, key, owner, 'result');
      await bench.elapse(keptMs - 60_000);
      assert.deepEqual(await claimOnce(bench, key), taken('result'));

      await bench.elapse(60_000);

      assert.deepEqual(await claimOnce(bench, key), taken());
      assert.deepEqual(await claimOnce(bench, key, owner), taken(), 'The owner may not begin again.');
      await bench.elapse(lifeMs - 300_000 - keptMs);
      assert.deepEqual(await claimOnce(bench, key), claimed);
    });

    it('gives no result longer than the claim lives, nor to the next claim', async (bench) => {
      const [key, owner] = [randomName(), randomName()];
      await claimOnce(bench, key, owner);
      await resolve(bench, key, owner, 'old', 2 * lifeMs);
      await bench.elapse(lifeMs);

      const next = randomName();

      assert.deepEqual(await claimOnce(bench, key, next), claimed);
      assert.deepEqual(await claimOnce(bench, key), taken());
      assert.equal(await resolve(bench, key, owner, 'late'), false);
      assert.equal(await resolve(bench, key, next, 'new'), true);
      assert.deepEqual(await claimOnce(bench, key), taken('new'));
    });
  });
}
