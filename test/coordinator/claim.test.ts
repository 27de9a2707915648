import { digestOf } from '../../lib/coordinator/grant';
import type { ClaimOutcome } from '../../lib/stores/store';
import { essence, Laboratory, reauthentication } from './laboratory';

/** Has the store answer the next claim otherwise. */
async function answer(
  lab: Laboratory,
  outcome: ClaimOutcome['outcome'],
  changes: object = {},
): Promise<jest.SpyInstance> {
  const record = { ...(await lab.record()), ...changes };
  const claimed = outcome === 'loggedOut' ? { outcome } : { outcome, record };
  return jest.spyOn(lab.process().store, 'claim').mockResolvedValueOnce(claimed);
}

describe('a claim', () => {
  it('has an owner of its own, the version that was read, and a lease that outlives its request', async () => {
    const lab = await Laboratory.open({ options: { refresh: { leaseMs: 12_000 }, httpTimeoutMs: 20_000 } });
    const tokens = await lab.tokens();
    const claim = jest.spyOn(lab.process().store, 'claim');
    await lab.getOther();
    await lab.getOther();

    const [one, two] = claim.mock.calls.map(([, given]) => given);
    expect(one).toEqual({
      generation: lab.session.generation,
      version: 1,
      owner: expect.stringMatching(/^[\w-]{16}$/) as string,
      leaseMs: 26_000,
      refused: digestOf(tokens.accessToken),
    });
    expect(two).toMatchObject({ version: 2 });
    expect(two!.owner).not.toBe(one!.owner);
  });

  it('of a grant with a newer version is made again', async () => {
    const lab = await Laboratory.open();
    const claim = await answer(lab, 'moved');

    expect(await lab.getOther()).toBe((await lab.tokens()).accessToken);
    expect(claim).toHaveBeenCalledTimes(2);
  });

  it.each([
    ['loggedOut', 'The login has ended.'],
    ['ended', 'Salesforce no longer accepts the refresh token.'],
  ] as const)('of a grant that is %s asks for a login', async (outcome, why) => {
    const lab = await Laboratory.open();
    const claim = await answer(lab, outcome);

    const error = await lab.getOther();
    expect(essence(error)).toEqual(reauthentication);
    expect((error as Error).message).toContain(why);
    expect(claim).toHaveBeenCalledTimes(1);
    expect(lab.presentations).toEqual([]);
  });

  it('of a grant that has ended presents nothing, and records that the access token was refused', async () => {
    const lab = await Laboratory.open();
    const record = await lab.record();
    const claim = jest.spyOn(lab.process().store, 'claim').mockResolvedValueOnce({ outcome: 'moved', record });
    jest
      .spyOn(lab.process().store, 'read')
      .mockResolvedValueOnce(record)
      .mockResolvedValueOnce({ ...record, state: 'ended' });

    const rejected = (await lab.tokens()).accessToken;
    claim.mockResolvedValueOnce({ outcome: 'ended', record: { ...record, state: 'ended' } });

    expect(essence(await lab.get({ rejected }))).toEqual(reauthentication);
    expect(claim.mock.calls.map(([, { refused }]) => refused)).toEqual(Array(2).fill(digestOf(rejected)));
    expect(lab.presentations).toEqual([]);
  });

  it.each([
    ['idle', 'REFRESH_DELAYED'],
    ['inDoubt', 'REFRESH_IN_DOUBT'],
  ])('of a grant that is %s, and not to be tried yet, says when it is', async (state, code) => {
    const lab = await Laboratory.open();
    await answer(lab, 'backoff', { state, backoffInMs: 6_001, errorCode: 'ERR_SALESFORCE_UPSTREAM' });

    expect(essence(await lab.getOther())).toEqual({ code, status: 503, retryAfterSeconds: 7 });
  });

  it('of another process is looked at again after 31.25 ms, or when its lease is over', async () => {
    for (const [leaseInMs, pauseMs] of [
      [10_000, 31.25],
      [20, 20],
    ] as const) {
      const lab = await Laboratory.open();
      const { clock } = lab.process();
      const claim = await answer(lab, 'busy', { leaseInMs });
      const times: number[] = [];
      const read = jest.spyOn(lab.process().store, 'read');
      read.mockClear();
      lab.told();
      const asked = lab.ask({ rejected: (await lab.tokens()).accessToken });
      lab.process().core.events.emitter.on('claim.delayed', () => times.push(clock.monotonic()));
      lab.process().core.events.emitter.on('claim.waited', () => times.push(clock.monotonic()));
      await lab.during(asked, 1_000);

      // Two trips to the store after the pause: what the grant is now, and the claim.
      expect(times[1]! - times[0]!).toBe(pauseMs + 2 + 2);
      expect(claim).toHaveBeenCalledTimes(2);
      expect(lab.told().map(([name]) => name)).toEqual([
        'claim.delayed',
        'claim.waited',
        'refresh.started',
        'refresh.succeeded',
        'token.served',
      ]);
    }
  });

  it('of another process is waited for by reads alone, until it is over', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    const { store } = lab.process();
    const claim = jest.spyOn(store, 'claim');
    const read = jest.spyOn(store, 'read');
    lab.world.fail('slow-before');
    const rejected = (await lab.tokens()).accessToken;
    const first = lab.ask({ rejected }, 1);
    await lab.world.elapse(20);

    const answers = await lab.during(Promise.all([first, lab.ask({ rejected })]), 10_000);

    expect(answers).toEqual(Array(2).fill((await lab.tokens()).accessToken));
    expect(claim).toHaveBeenCalledTimes(1);
    expect(read.mock.calls.length).toBeGreaterThan(10);
  });

  it('is no longer waited for once this process shuts down', async () => {
    const lab = await Laboratory.open();
    jest
      .spyOn(lab.process().store, 'claim')
      .mockResolvedValue({ outcome: 'busy', record: { ...(await lab.record()), leaseInMs: 1e6 } });
    lab.told();
    const asked = lab.ask({ rejected: (await lab.tokens()).accessToken });
    await lab.world.elapse(20);
    await lab.during(
      lab.process().run(() => lab.process().core.coordinator.close()),
      10,
    );

    expect(essence(await asked)).toEqual({ code: 'CLOSED', status: 503, retryAfterSeconds: 1 });
    expect(lab.told().map(([name]) => name)).toEqual(['claim.delayed', 'claim.waited', 'token.failed']);
  });

  it('is not used after a pause in which another process may have claimed the grant', async () => {
    const lab = await Laboratory.open();
    const { clock, store } = lab.process();
    const original = store.claim.bind(store);
    const claim = jest.spyOn(store, 'claim').mockImplementationOnce(async (...given) => {
      const claimed = await original(...given);
      clock.jumpMs(7_500);
      return claimed;
    });
    const releaseClaim = jest.spyOn(store, 'releaseClaim');
    lab.told();

    expect(typeof (await lab.getOther())).toBe('string');
    expect(lab.told().map(([name]) => name)).toEqual(['refresh.started', 'refresh.succeeded', 'token.served']);
    expect(claim).toHaveBeenCalledTimes(2);
    expect(releaseClaim.mock.calls[0]![1]).toMatchObject({
      state: 'idle',
      backoffMs: 0,
      failed: false,
      errorCode: undefined,
    });
    expect(lab.presentations).toEqual([1]);
  });
});

describe('before a refresh token is presented', () => {
  it('the client is asked for, and a host that it does not trust gets nothing', async () => {
    const lab = await Laboratory.open();
    const { grantId, generation } = lab.session;
    const { labels } = await lab.record();
    const payload = JSON.stringify({ ...(await lab.tokens()), baseUrl: 'https://login.example.com' });
    const session = { holder: 'session', holderMs: 1e9, writer: 'another login' };
    const life = { softMs: 1e6, hardMs: 1e6 };
    await lab.store.put(grantId, {
      expected: { generation, version: 1 },
      generation,
      payload,
      labels,
      ...session,
      ...life,
    });
    lab.forget();
    const claim = jest.spyOn(lab.process().store, 'claim');

    expect(essence(await lab.getOther())).toMatchObject({ code: 'CLIENT_CHANGED' });
    expect(claim).not.toHaveBeenCalled();
    expect(lab.presentations).toEqual([]);
  });

  it('a grant is put in doubt instead if the store has lost a write of it', async () => {
    const lab = await Laboratory.open({ options: { refresh: { cacheMs: 0 } } });
    const old = await lab.record();
    await lab.getOther();
    // A replica that was promoted without the last write.
    const { grantId, generation } = lab.session;
    const { labels, payload } = old;
    await lab.store.logOut(grantId, {
      generation,
      version: null,
      holder: undefined,
      everywhere: true,
      tombstoneMs: 0,
    });
    const session = { holder: lab.session.holder, holderMs: 1e9, writer: 'another login' };
    const life = { softMs: 1e6, hardMs: 1e6 };
    await lab.store.put(grantId, { expected: null, generation, payload, labels, ...session, ...life });
    lab.told();

    const answer = await lab.getOther();

    expect(essence(answer)).toEqual({ code: 'REFRESH_IN_DOUBT', status: 503, retryAfterSeconds: 5 });
    expect(lab.told()).toEqual([
      ['refresh.doubted', { cause: 'rejected', durationMs: 0, code: 'ERR_SALESFORCE_TOKEN_STORE' }],
      ['token.failed', { code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' }],
    ]);
    expect(lab.presentations).toEqual([1]);
    await lab.world.elapse(5_000);
    expect(essence(await lab.getOther())).toEqual(reauthentication);
    expect(lab.presentations).toEqual([1]);
  });

  it('the lease is checked once more: after a pause while the connection was made, the claim is released', async () => {
    const lab = await Laboratory.open();
    const { clock } = lab.process();
    const releaseClaim = jest.spyOn(lab.process().store, 'releaseClaim');
    let isFirst = true;
    lab.process().core.events.emitter.on('refresh.started', () => {
      if (isFirst) clock.jumpMs(7_500);
      isFirst = false;
    });
    lab.told();

    expect(typeof (await lab.getOther())).toBe('string');
    expect(releaseClaim.mock.calls[0]![1]).toMatchObject({
      state: 'idle',
      backoffMs: 0,
      failed: false,
      errorCode: undefined,
    });
    expect(lab.told()).toEqual([
      ['refresh.started', { cause: 'rejected' }],
      ['refresh.superseded', { cause: 'rejected', durationMs: 2, by: 'update' }],
      ['refresh.started', { cause: 'rejected' }],
      ['refresh.succeeded', { cause: 'rejected', durationMs: 12, rotated: true }],
      ['token.served', { from: 'refreshed' }],
    ]);
    expect(lab.presentations).toEqual([1]);
  });
});

describe('a refresh that fails after the grant got newer tokens', () => {
  it.each([
    ['transient', 'status-503'],
    ['inDoubt', 'drop-before'],
    ['ended', undefined],
  ] as const)('(%s) uses the newer tokens', async (_what, fault) => {
    const lab = await Laboratory.open();
    if (fault) lab.world.fail(fault);
    else lab.world.revoke();
    lab.process().core.events.emitter.once('refresh.started', () => {
      void lab.world.login(lab.process(), 'id api refresh_token');
    });
    jest.spyOn(lab.process().store, 'releaseClaim').mockImplementationOnce(async (grantId, release) => {
      await new Promise<void>((resolve) => lab.world.after(100, resolve));
      return lab.world.releaseClaim(grantId, release);
    });
    lab.told();

    const answer = await lab.during(lab.ask({ rejected: (await lab.tokens()).accessToken }), 400);

    expect(answer).toBe((await lab.tokens()).accessToken);
    const told = lab.told();
    expect(told.map(([name]) => name)).not.toContain('refresh.failed');
    expect(told.map(([name]) => name)).not.toContain('refresh.doubted');
    expect(told.map(([name]) => name)).not.toContain('refresh.ended');
    expect(told).toContainEqual([
      'refresh.superseded',
      { cause: 'rejected', durationMs: expect.any(Number) as number, by: 'update' },
    ]);
  });

  it('asks for a login if the user logged out', async () => {
    const lab = await Laboratory.open();
    lab.world.fail('status-503');
    const { grantId, generation } = lab.session;
    lab.process().core.events.emitter.once('refresh.started', () => {
      void lab.store.logOut(grantId, {
        generation,
        version: null,
        holder: undefined,
        everywhere: true,
        tombstoneMs: 0,
      });
    });
    lab.told();

    expect(essence(await lab.getOther())).toEqual(reauthentication);
    expect(lab.told()[1]).toEqual(['refresh.superseded', { cause: 'rejected', durationMs: 14, by: 'logout' }]);
  });

  it('is reported as a failure if the store cannot say whether the grant has newer tokens', async () => {
    const lab = await Laboratory.open();
    lab.world.fail('status-503');
    const { store } = lab.process();
    lab.process().core.events.emitter.once('refresh.started', () => {
      jest.spyOn(store, 'releaseClaim').mockRejectedValueOnce(new Error('The store is down.'));
      jest.spyOn(store, 'read').mockRejectedValueOnce(new Error('The store is down.'));
    });
    lab.told();

    expect(essence(await lab.getOther())).toMatchObject({ code: 'REFRESH_DELAYED' });
    expect(lab.told().map(([name]) => name)).toEqual([
      'refresh.started',
      'store.failed',
      'store.failed',
      'refresh.failed',
      'token.failed',
    ]);
  });
});
