import { essence, Laboratory } from './laboratory';

const down = () => Promise.reject(new Error('The store is down.'));

/** A store whose `operation` fails as often as is said, and the times it was asked at. */
function failing(lab: Laboratory, operation: 'read' | 'releaseClaim' | 'claim', times: number, index = 0): number[] {
  const { clock, store } = lab.process(index);
  const asked: number[] = [];
  const original = (store[operation] as (...given: unknown[]) => Promise<unknown>).bind(store);
  jest.spyOn(store, operation).mockImplementation(((...given: unknown[]) => {
    asked.push(clock.monotonic());
    return asked.length <= times ? down() : original(...given);
  }) as never);
  return asked;
}

/** Times between calls. */
const pauses = (times: number[]) => times.slice(1).map((time, index) => Math.round((time - times[index]!) / 1000));

describe('a claim whose release failed', () => {
  it('is released as soon as the store answers; the pauses between the tries grow', async () => {
    const lab = await Laboratory.open({ isCertain: true, options: { refresh: { leaseMs: 3_600_000 } } });
    await lab.world.elapse(600_000);
    const asked = failing(lab, 'releaseClaim', 7);
    lab.world.fail('status-503');
    lab.told();

    expect(essence(await lab.get())).toMatchObject({ code: 'REFRESH_DELAYED' });
    expect((await lab.record()).state).toBe('presenting');
    await lab.world.elapse(700_000);

    expect(pauses(asked)).toEqual([1, 4, 16, 64, 120, 120, 120]);
    expect(await lab.record()).toMatchObject({ state: 'idle', failures: 1, errorCode: 'ERR_SALESFORCE_UPSTREAM' });
    expect(lab.told().filter(([name]) => name === 'refresh.failed')).toHaveLength(1);
  });

  it('is left at shutdown, after one last try', async () => {
    const lab = await Laboratory.open({ isCertain: true, options: { refresh: { leaseMs: 3_600_000 } } });
    await lab.world.elapse(600_000);
    const asked = failing(lab, 'releaseClaim', 9);
    lab.world.fail('status-503');
    await lab.get();

    await lab.during(
      lab.process().run(() => lab.process().core.revocations.close()),
      10,
    );

    expect(asked).toHaveLength(2);
    await lab.world.elapse(700_000);
    expect(asked).toHaveLength(2);
  });
});

describe('a claim whose answer was lost', () => {
  /** A claim that the store carries out, and its answer is lost. */
  async function lose(lab: Laboratory): Promise<unknown> {
    const { store } = lab.process();
    const claim = store.claim.bind(store);
    jest.spyOn(store, 'claim').mockImplementationOnce(async (...given) => {
      await claim(...given);
      return down();
    });
    return lab.getOther();
  }
  const failed = { code: 'TOKEN_STORE', status: 503, retryAfterSeconds: 5 };

  it('is released at once: nothing was presented under it', async () => {
    const lab = await Laboratory.open();

    expect(essence((await lose(lab)) as never)).toEqual(failed);
    expect(await lab.record()).toMatchObject({ state: 'idle', leaseInMs: 0, backoffInMs: 0, failures: 0 });
    expect(typeof (await lab.getOther())).toBe('string');
  });

  it('leaves a grant in doubt if it was in doubt before', async () => {
    const lab = await Laboratory.open();
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('drop-before');
    await lab.get({ rejected });
    await lab.world.elapse(5_000);

    expect(essence((await lose(lab)) as never)).toEqual(failed);
    expect(await lab.record()).toMatchObject({
      state: 'inDoubt',
      leaseInMs: 0,
      backoffInMs: 0,
      errorCode: 'ERR_SALESFORCE_CONNECTION_LOST',
    });
  });

  it('is released later if the store goes on failing', async () => {
    const lab = await Laboratory.open({ options: { refresh: { leaseMs: 3_600_000 } } });
    const { store } = lab.process();
    const releaseClaim = jest.spyOn(store, 'releaseClaim').mockImplementationOnce(down).mockImplementationOnce(down);

    await lose(lab);
    expect((await lab.record()).state).toBe('presenting');
    await lab.world.elapse(10_000);

    expect((await lab.record()).state).toBe('idle');
    expect(releaseClaim).toHaveBeenCalledTimes(3);
  });

  it('asks the store for one claim at a time, however many claims of a grant it refuses', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const claim = jest.spyOn(store, 'claim').mockImplementation(down);
    const releaseClaim = jest.spyOn(store, 'releaseClaim').mockImplementation(down);
    for (let request = 0; request < 300; request++) await lab.getOther();
    expect(claim).toHaveBeenCalledTimes(300);
    releaseClaim.mockClear();

    await lab.world.elapse(600_000);

    // The pauses grow to two minutes.
    expect(releaseClaim.mock.calls.length).toBeLessThan(10);
    jest.restoreAllMocks();
    await lab.world.elapse(130_000);
    expect(typeof (await lab.getOther())).toBe('string');
  });

  it.each([
    ['has newer tokens', 'version'],
    ['is another', 'generation'],
    ['is gone', undefined],
  ])('is not given back where the grant %s by then', async (_what, field) => {
    const lab = await Laboratory.open();
    lab.forget();
    const { store } = lab.process();
    const releaseClaim = jest.spyOn(store, 'releaseClaim');
    const read = store.read.bind(store);
    let reads = 0;
    jest.spyOn(store, 'read').mockImplementation(async (...given) => {
      const record = (await read(...given))!;
      reads += 1;
      if (reads === 1) return record;
      return field === undefined ? undefined : { ...record, [field]: field === 'version' ? 7 : 'another' };
    });

    await lose(lab);
    await lab.world.elapse(10_000);

    expect(reads).toBe(2);
    expect(releaseClaim).not.toHaveBeenCalled();
  });

  it('that comes late is released as well, with its former state', async () => {
    for (const [outcome, state] of [
      ['claimed', 'idle'],
      ['resolve', 'inDoubt'],
    ] as const) {
      const lab = await Laboratory.open({ options: { refresh: { storeTimeoutMs: 1_000, leaseMs: 3_600_000 } } });
      const rejected = (await lab.tokens()).accessToken;
      if (outcome === 'resolve') {
        lab.world.fail('drop-before');
        await lab.get({ rejected });
        await lab.world.elapse(5_000);
      }
      const { store } = lab.process();
      const claim = store.claim.bind(store);
      jest.spyOn(store, 'claim').mockImplementationOnce(async (...given) => {
        await new Promise<void>((resolve) => lab.world.after(2_000, resolve));
        return claim(...given);
      });
      const asked = lab.ask({ rejected });

      expect(essence(await lab.during(asked, 1_010))).toEqual(failed);
      await lab.world.elapse(1_100);

      expect(await lab.record()).toMatchObject({ state, leaseInMs: 0, backoffInMs: 0 });
    }
  });

  it('that comes late and was refused needs no release', async () => {
    const lab = await Laboratory.open({ options: { refresh: { storeTimeoutMs: 1_000 } } });
    const { store } = lab.process();
    const record = await lab.record();
    jest.spyOn(store, 'claim').mockImplementationOnce(async () => {
      await new Promise<void>((resolve) => lab.world.after(2_000, resolve));
      return { outcome: 'busy', record };
    });
    const releaseClaim = jest.spyOn(store, 'releaseClaim');
    const asked = lab.ask({ rejected: (await lab.tokens()).accessToken });
    await lab.during(asked, 1_010);
    releaseClaim.mockClear();
    await lab.world.elapse(1_100);

    expect(releaseClaim).not.toHaveBeenCalled();
  });
});

describe('claims of one grant whose answers were lost', () => {
  it('are given back as soon as the store answers, also if an earlier one has failed long before', async () => {
    const lab = await Laboratory.open({ isPublic: true, processes: 2 });
    const { store } = lab.process();
    const isDown = () => Promise.reject(new Error('The store is down.'));
    const release = jest.spyOn(store, 'releaseClaim').mockImplementation(isDown);
    jest.spyOn(store, 'claim').mockImplementationOnce(isDown);
    await lab.getOther();
    await lab.world.elapse(25_000);
    release.mockRestore();
    const claim = store.claim.bind(store);
    jest.spyOn(store, 'claim').mockImplementationOnce(async (...given) => {
      await claim(...given);
      return isDown();
    });
    await lab.getOther();

    expect(await lab.record()).toMatchObject({ state: 'idle', leaseInMs: 0 });
    expect(typeof (await lab.getOther(1))).toBe('string');
  });

  it('ask a store that refuses them once at a time', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const isDown = () => Promise.reject(new Error('The store is down.'));
    jest.spyOn(store, 'claim').mockImplementation(isDown);
    let asking = 0;
    let most = 0;
    const read = store.read.bind(store);
    jest.spyOn(store, 'releaseClaim').mockImplementation(async () => {
      most = Math.max(most, ++asking);
      await read('none');
      asking -= 1;
      return isDown();
    });
    for (let each = 0; each < 20; each++) await lab.getOther();
    const asked = Array.from({ length: 50 }, () => lab.getOther());
    await lab.world.elapse(1_000);
    await Promise.all(asked);

    expect(most).toBe(1);
  });
});

describe('tokens that were not stored', () => {
  it('are not revoked before the store says that the grant does not have them', async () => {
    const lab = await Laboratory.open();
    const tokens = await lab.tokens();
    const { grants } = lab.process().core;
    const asked = failing(lab, 'read', 3);
    lab.told();
    await lab.during(
      lab.process().run(() => grants.discard(tokens)),
      10,
    );
    await lab.world.elapse(60_000);

    expect(pauses(asked)).toEqual([1, 4, 16]);
    expect(lab.told().filter(([name]) => name === 'revocation.succeeded')).toEqual([]);
  });

  it('are revoked if the grant does not have them, or does not exist', async () => {
    for (const hasGrant of [true, false]) {
      const lab = await Laboratory.open();
      const tokens = await lab.tokens();
      const { grants } = lab.process().core;
      if (hasGrant) await lab.getOther();
      else {
        const { grantId, generation } = lab.session;
        await lab.store.logOut(grantId, {
          generation,
          version: null,
          holder: undefined,
          everywhere: true,
          tombstoneMs: 0,
        });
      }
      failing(lab, 'read', 1);
      lab.told();
      await lab.during(
        lab.process().run(() => grants.discard({ ...tokens, refreshToken: '__fake_unknown__', loginId: 'another' })),
        10,
      );
      expect(lab.told().filter(([name]) => name === 'revocation.succeeded')).toEqual([]);
      await lab.world.elapse(60_000);

      expect(lab.told().map(([name]) => name)).toContain('revocation.succeeded');
    }
  });

  it('are left alone if the grant has tokens of the same login, which were refreshed since', async () => {
    const lab = await Laboratory.open();
    const tokens = await lab.tokens();
    await lab.getOther();
    lab.told();
    const { grants } = lab.process().core;
    await lab.during(
      lab.process().run(() => grants.discard(tokens)),
      1_000,
    );

    expect(lab.told()).toEqual([]);
    expect(typeof (await lab.getOther())).toBe('string');
  });
});
