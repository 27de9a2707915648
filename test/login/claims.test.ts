import { createHash, randomBytes } from 'node:crypto';
import { KeyRing } from '../../lib/crypto/key-ring';
import { LoginClaims, ProcessClaims } from '../../lib/login/claims';
import { ManualClock } from '../helpers/clock';

const lifeMs = 1_000;

describe('claims of one process', () => {
  it('are taken by one owner, who may ask again, and give the result to others', async () => {
    const claims = new ProcessClaims(new ManualClock());

    expect(await claims.claimOnce('login', 'first', lifeMs)).toEqual({ outcome: 'claimed' });
    expect(await claims.claimOnce('login', 'first', lifeMs)).toEqual({ outcome: 'claimed' });
    expect(await claims.claimOnce('login', 'second', lifeMs)).toEqual({ outcome: 'taken', result: undefined });
    await claims.settleClaim('login', 'second', 'of the second');
    expect(await claims.claimOnce('login', 'second', lifeMs)).toEqual({ outcome: 'taken', result: undefined });
    await claims.settleClaim('login', 'first', 'of the first');
    expect(await claims.claimOnce('login', 'second', lifeMs)).toEqual({ outcome: 'taken', result: 'of the first' });
  });

  it('keep the result if the owner asks again', async () => {
    const claims = new ProcessClaims(new ManualClock());
    await claims.claimOnce('login', 'first', lifeMs);
    await claims.settleClaim('login', 'first', 'result');

    await claims.claimOnce('login', 'first', lifeMs);

    expect(await claims.claimOnce('login', 'second', lifeMs)).toEqual({ outcome: 'taken', result: 'result' });
  });

  it('live to the end of their time and no longer, each for itself', async () => {
    const clock = new ManualClock();
    const claims = new ProcessClaims(clock);
    await claims.claimOnce('old', 'first', lifeMs);
    clock.advanceMs(1);
    await claims.claimOnce('new', 'first', lifeMs);
    clock.advanceMs(lifeMs - 1);

    expect((await claims.claimOnce('old', 'second', lifeMs)).outcome).toBe('taken');
    clock.advanceMs(1);
    expect((await claims.claimOnce('new', 'second', lifeMs)).outcome).toBe('taken');
    expect((await claims.claimOnce('old', 'second', lifeMs)).outcome).toBe('claimed');
  });

  it('ignore the result of a claim that is gone', async () => {
    const claims = new ProcessClaims(new ManualClock());

    await expect(claims.settleClaim('login', 'first', 'result')).resolves.toBeUndefined();
    expect((await claims.claimOnce('login', 'second', lifeMs)).outcome).toBe('claimed');
  });
});

describe('the request that comes second', () => {
  const started = () => {
    const clock = new ManualClock();
    // The process has run for a while.
    clock.advanceMs(60_000);
    const records = new ProcessClaims(clock);
    const looks: number[] = [];
    const counted = {
      claimOnce: (...given: Parameters<ProcessClaims['claimOnce']>) => {
        looks.push(clock.monotonic() - 60_000);
        return records.claimOnce(...given);
      },
      settleClaim: records.settleClaim.bind(records),
    };
    const claims = (secret: Uint8Array) =>
      new LoginClaims(counted, new KeyRing([secret], 'transaction'), { clock, waitMs: 1_550 });
    return { clock, looks, claims };
  };

  it('looks again after growing pauses, and gives up when its time is over', async () => {
    const { clock, looks, claims } = started();
    const own = claims(randomBytes(32));
    await own.take('state');
    const second = own.take('state').then(
      () => 'taken',
      (error: unknown) => (error as { code: string }).code,
    );
    for (let at = 0; at < 60; at++) {
      await new Promise(setImmediate);
      clock.advanceMs(50);
    }

    expect(await second).toBe('ERR_SALESFORCE_LOGIN_EXPIRED');
    expect(looks).toEqual([0, 0, 50, 150, 350, 750, 1_150, 1_550]);
  });

  it('cannot read an outcome that was sealed with a key it does not have', async () => {
    const { claims } = started();
    const claim = await claims(randomBytes(32)).take('state');
    if (!('settle' in claim)) throw new Error('The first request takes the claim.');
    await claim.settle({ result: 'page' });

    await expect(claims(randomBytes(32)).take('state')).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_LOGIN_EXPIRED',
      status: 403,
    });
  });
});

describe('a claim that the store wrote without an answer', () => {
  /** Claims that are written, while the first answers are lost. */
  const started = (lost: number) => {
    const clock = new ManualClock();
    const records = new ProcessClaims(clock);
    let left = lost;
    const losing = {
      claimOnce: async (...given: Parameters<ProcessClaims['claimOnce']>) => {
        const answer = await records.claimOnce(...given);
        if (left-- > 0) throw new Error('The answer was lost.');
        return answer;
      },
      settleClaim: records.settleClaim.bind(records),
    };
    return {
      clock,
      claims: new LoginClaims(losing, new KeyRing([randomBytes(32)], 'transaction'), { clock, waitMs: 50 }),
    };
  };

  it.each([1, 3])('is taken over by the next request of the callback, after %d of them', async (lost) => {
    const { claims } = started(lost);
    for (let request = 0; request < lost; request++) await expect(claims.take('state')).rejects.toThrow('lost');

    expect(await claims.take('state')).toHaveProperty('settle');
  });

  it('is taken over by a request that waits already', async () => {
    const { clock, claims } = started(1);
    const [first, second] = [claims.take('state'), claims.take('state')];
    await expect(first).rejects.toThrow('lost');
    await new Promise(setImmediate);
    clock.advanceMs(50);

    expect(await second).toHaveProperty('settle');
  });

  it('is taken over by one request alone, which leaves its outcome to the others', async () => {
    const { clock, claims } = started(1);
    await expect(claims.take('state')).rejects.toThrow('lost');

    const [first, second] = [claims.take('state'), claims.take('state')];
    const claim = await first;
    if (!('settle' in claim)) throw new Error('The first request takes the claim.');
    await claim.settle({ result: 'page' });
    clock.advanceMs(50);

    expect(await second).toEqual({ result: 'page' });
    expect(await claims.take('state')).toEqual({ result: 'page' });
  });

  it('is asked for as before, under the names of at most ten requests and then under one more', async () => {
    const clock = new ManualClock();
    const records = new ProcessClaims(clock);
    const owners: string[] = [];
    let isDown = true;
    const failing = {
      claimOnce: (...given: Parameters<ProcessClaims['claimOnce']>) => {
        owners.push(given[1]);
        return isDown ? Promise.reject(new Error('The store is down.')) : records.claimOnce(...given);
      },
      settleClaim: records.settleClaim.bind(records),
    };
    const claims = new LoginClaims(failing, new KeyRing([randomBytes(32)], 'transaction'), { clock, waitMs: 0 });
    for (let request = 0; request < 12; request++) await expect(claims.take('state')).rejects.toThrow('down');
    const [first, ...others] = owners.splice(0);
    isDown = false;
    // Another process has the login.
    await records.claimOnce(createHash('sha256').update('login state').digest('base64url'), 'another', lifeMs);

    await expect(claims.take('state')).rejects.toMatchObject({ code: 'ERR_SALESFORCE_LOGIN_EXPIRED' });

    expect(new Set(others)).toEqual(new Set([first]));
    expect(owners[0]).toBe(first);
    expect(new Set(owners).size).toBe(11);
    expect(owners).toHaveLength(11);
  });
});
