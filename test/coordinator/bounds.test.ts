/** @tier all */
import { salesforceAuth, type SalesforceAuthOptions } from '../../lib';
import { essence, Laboratory } from './laboratory';

const valid: SalesforceAuthOptions = {
  clientID: '__fake_client_id__',
  clientSecret: '__fake_client_secret__',
  encryptionKeys: ['__fake_encryption_key_for_the_tests__'],
};

describe('a duration', () => {
  it.each([
    ['waitMs', [-1, 600_001, 3e9]],
    ['cacheMs', [-1, 60_001]],
    ['leaseMs', [0, 999, 3_600_001]],
    ['drainMs', [-1, 600_001]],
    ['inDoubtMs', [-1, 86_400_001]],
    ['storeTimeoutMs', [0, 600_001]],
    ['closeTimeoutMs', [-1, 3_600_001]],
  ])('refresh.%s is refused beyond its bounds', (name, values) => {
    for (const value of [...values, 1.5, NaN, Infinity]) {
      const start = (): unknown => salesforceAuth({ ...valid, refresh: { [name]: value } });
      expect(start).toThrow(
        expect.objectContaining({
          code: 'ERR_SALESFORCE_OPTION_INVALID',
          message: expect.stringContaining(`refresh.${name}`) as string,
        }) as Error,
      );
    }
  });
});

describe('a store whose reads lag behind its writes', () => {
  it('is asked a bounded number of times, with longer and longer pauses; then the request gets 503', async () => {
    const lab = await Laboratory.open();
    lab.forget();
    const { store } = lab.process();
    const record = await lab.record();
    const claim = jest.spyOn(store, 'claim').mockResolvedValue({ outcome: 'moved', record });
    const read = jest.spyOn(store, 'read');

    const asked = lab.ask({ rejected: (await lab.tokens()).accessToken });
    const answer = await lab.during(asked, 10_000);
    await lab.world.elapse(600_000);

    expect(essence(answer)).toEqual({ code: 'REFRESH_DELAYED', status: 503, retryAfterSeconds: 1 });
    expect(claim).toHaveBeenCalledTimes(20);
    expect(read.mock.calls.length).toBeLessThanOrEqual(21);
    expect(lab.presentations).toEqual([]);
  });

  it('causes no error once the reads have caught up', async () => {
    const lab = await Laboratory.open();
    const record = await lab.record();
    const claim = jest.spyOn(lab.process().store, 'claim');
    for (let turn = 0; turn < 19; turn++) claim.mockResolvedValueOnce({ outcome: 'moved', record });

    const asked = lab.ask({ rejected: (await lab.tokens()).accessToken });

    expect(await lab.during(asked, 10_000)).toBe((await lab.tokens()).accessToken);
    expect(claim).toHaveBeenCalledTimes(20);
  });
});

describe('a claim of another process that never ends', () => {
  it('is waited for ten minutes at most, also after the last request has stopped waiting', async () => {
    const lab = await Laboratory.open();
    const record = { ...(await lab.record()), state: 'presenting' as const, leaseInMs: 60_000 };
    const claim = jest.spyOn(lab.process().store, 'claim').mockResolvedValue({ outcome: 'busy', record });

    const asked = lab.ask({ rejected: (await lab.tokens()).accessToken });
    expect(essence(await lab.during(asked, 10_000))).toMatchObject({ code: 'REFRESH_DELAYED', status: 503 });
    await lab.world.elapse(600_000);
    const after = claim.mock.calls.length;
    await lab.world.elapse(600_000);

    expect(after).toBeGreaterThan(100);
    expect(claim).toHaveBeenCalledTimes(after);
  });
});

describe('a grant that cannot be read', () => {
  it('ends the tries to store new tokens if an earlier answer was lost', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const record = await lab.record();
    const commit = jest.spyOn(store, 'commit').mockImplementationOnce(() => {
      jest.spyOn(store, 'read').mockResolvedValue({ ...record, version: 7, payload: 'no tokens' });
      return Promise.reject(new Error('The connection broke.'));
    });
    commit.mockResolvedValue('moved');
    const asked = lab.ask({ rejected: (await lab.tokens()).accessToken });

    expect(essence(await lab.during(asked, 10_000))).toMatchObject({ code: 'GRANT_UNREADABLE', status: 503 });
    await lab.world.elapse(600_000);
    expect(commit).toHaveBeenCalledTimes(2);
  });
});
