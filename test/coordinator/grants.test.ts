import type { GrantHolder } from '../../lib/coordinator/grants';
import type { GrantRecord } from '../../lib/stores/store';
import { collect } from '../helpers/collect';
import { claimMs, essence, failure, Laboratory } from './laboratory';

const full = 'id api refresh_token';
const fewer = 'api refresh_token';
const store503 = { code: 'TOKEN_STORE', status: 503, retryAfterSeconds: 5 };
const down = () => Promise.reject(new Error('The store is down.'));

/** Logs the user in once more. Undefined where that failed. */
function logIn(lab: Laboratory, scope = full, index = 0): Promise<GrantHolder | undefined> {
  return lab.during(lab.world.login(lab.process(index), scope), 100);
}

/** Logs a session out; the error if that failed. */
function logOut(lab: Laboratory, session: GrantHolder, everywhere = false): Promise<object | string | undefined> {
  const process = lab.process();
  return process.run(() => failure(process.core.grants.logOut(session, everywhere)));
}

const revoked = ['revocation.succeeded', { durationMs: 10 }];

/** What Salesforce would still take. */
function live(lab: Laboratory): number {
  return [...lab.world.salesforce.grants.keys()].filter((grant) => lab.world.salesforce.isLive(grant)).length;
}

describe('a login', () => {
  it('begins a grant, and its session is a holder', async () => {
    const lab = await Laboratory.open();

    expect(await lab.record()).toMatchObject({
      generation: lab.session.generation,
      version: 1,
      state: 'idle',
      labels: { clientID: '3MVG9__fake__schedules' },
    });
    expect((await lab.record()).labels).not.toHaveProperty('tenant');
    expect(lab.session.grantId).toMatch(/^[\w-]{43}$/);
    expect(lab.session.generation).toMatch(/^[\w-]{16}$/);
    expect(lab.session.holder).not.toBe(lab.session.generation);
  });

  it('of a tenant has a grant of its own, labeled with the tenant', async () => {
    const lab = await Laboratory.open();
    const { grants } = lab.process().core;
    const tokens = { ...(await lab.tokens()), tenant: 'one' };
    await lab.during(
      lab.process().run(() => grants.establish(tokens, { sessionTimeoutSeconds: 7_200, holderMs: 60_000 })),
      100,
    );

    const records: GrantRecord[] = [];
    await lab.during(
      (async () => {
        for await (const record of grants.list({ tenant: 'one' })) records.push(record);
      })(),
      100,
    );
    expect(records.map(({ labels }) => labels.tenant)).toEqual(['one']);
    expect(records[0]?.grantId).not.toBe(lab.session.grantId);
  });

  it('replaces the tokens of the one before, which are revoked, in the same grant', async () => {
    const lab = await Laboratory.open();
    const before = await lab.tokens();
    await lab.get();
    lab.told();

    const second = (await logIn(lab))!;

    expect(second).toMatchObject({ grantId: lab.session.grantId, generation: lab.session.generation });
    expect(second.holder).not.toBe(lab.session.holder);
    expect((await lab.record()).version).toBe(2);
    expect(lab.told()).toEqual([['login.succeeded', { tokens: 'replaced' }], revoked]);
    expect(await lab.get()).not.toBe(before.accessToken);
    expect(live(lab)).toBe(1);
  });

  it.each([
    ['fewer scopes', fewer],
    ['no refresh token', 'id api'],
  ])('with %s leaves the tokens that are there, and its own are revoked', async (_what, scope) => {
    const lab = await Laboratory.open();
    const before = await lab.tokens();
    lab.told();

    const second = (await logIn(lab, scope))!;

    await lab.world.elapse(100);
    expect(lab.told()).toEqual([
      ['login.succeeded', { tokens: 'kept' }],
      ['refresh.started', { cause: 'login' }],
      ['refresh.succeeded', { cause: 'login', durationMs: 12, rotated: true }],
      revoked,
    ]);
    expect((await lab.tokens()).scope).toEqual(before.scope);
    expect((await lab.tokens()).loginId).toBe(before.loginId);
    expect(live(lab)).toBe(1);
    // It holds the grant all the same.
    await lab.during(logOut(lab, lab.session), 100);
    expect((await lab.record()).state).toBe('idle');
    await lab.during(logOut(lab, second), 100);
    expect((await lab.record()).state).toBe('loggedOut');
  });

  it('with fewer scopes replaces tokens an administrator has revoked, though the grant looked healthy', async () => {
    const lab = await Laboratory.open();
    const before = await lab.tokens();
    lab.world.revoke();
    lab.told();

    await logIn(lab, fewer);
    await lab.world.elapse(1_000);

    expect(lab.told().map(([name]) => name)).toEqual(['login.succeeded', 'refresh.started', 'refresh.ended']);
    const now = await lab.tokens();
    expect(now.loginId).not.toBe(before.loginId);
    expect(await lab.record()).toMatchObject({ state: 'idle' });
    expect(await lab.get()).toBe(now.accessToken);
    expect(live(lab)).toBe(1);
  });

  it('with fewer scopes keeps both while Salesforce cannot be asked', async () => {
    const lab = await Laboratory.open();
    const before = await lab.tokens();
    lab.world.fail('refused');
    await logIn(lab, fewer);
    await lab.world.elapse(1_000);
    expect(live(lab)).toBe(2);

    await lab.world.elapse(10_000);

    expect((await lab.tokens()).loginId).toBe(before.loginId);
    expect(live(lab)).toBe(1);
  });

  it('with more scopes replaces tokens that can do less', async () => {
    const lab = await Laboratory.open({ scope: fewer });
    lab.told();
    await logIn(lab, full);

    expect(lab.told()[0]).toEqual(['login.succeeded', { tokens: 'replaced' }]);
    expect((await lab.tokens()).scope).toContain('id');
  });

  it('with fewer scopes replaces tokens that have no refresh token', async () => {
    const lab = await Laboratory.open({ scope: 'id api' });
    lab.told();
    await logIn(lab, fewer);

    expect(lab.told()[0]).toEqual(['login.succeeded', { tokens: 'replaced' }]);
  });

  it.each(['ended', 'inDoubt'] as const)('with fewer scopes replaces tokens that are %s', async (state) => {
    const lab = await Laboratory.open();
    const { grantId, generation } = lab.session;
    const claim = { generation, version: 1, owner: 'owner', leaseMs: 1_000 };
    await lab.store.claim(grantId, claim);
    await lab.store.releaseClaim(grantId, { ...claim, state, backoffMs: 0, errorCode: undefined, failed: true });
    lab.told();
    await logIn(lab, fewer);

    expect(lab.told()[0]).toEqual(['login.succeeded', { tokens: 'replaced' }]);
    expect(await lab.record()).toMatchObject({ state: 'idle', version: 2 });
  });

  it('with fewer scopes leaves tokens that are being refreshed', async () => {
    const lab = await Laboratory.open();
    lab.world.fail('slow-before');
    void lab.getOther().catch(() => undefined);
    await lab.world.elapse(50);
    lab.told();
    await logIn(lab, fewer);

    expect(lab.told()[0]).toEqual(['login.succeeded', { tokens: 'kept' }]);
  });

  it('leaves the tokens it replaced to a refresh under way until the lease ends', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('hang-before');
    const refresh = lab.ask({ rejected }, 1);
    await lab.world.elapse(1_000);
    await lab.world.kill(1);
    lab.told();

    await logIn(lab);
    await lab.world.elapse(claimMs - 1_500);
    expect(lab.told()).toEqual([['login.succeeded', { tokens: 'replaced' }]]);
    await lab.world.elapse(500);
    expect(lab.told()).toEqual([revoked]);
    refresh.catch(() => undefined);
  });

  it('replaces a grant that cannot be decrypted', async () => {
    const lab = await Laboratory.open();
    const { labels } = await lab.record();
    const { grantId, generation } = lab.session;
    const session = { holder: 'session', holderMs: 1e9, writer: 'another login' };
    const life = { softMs: 1e6, hardMs: 1e6 };
    const expected = { generation, version: 1 };
    await lab.store.put(grantId, { expected, generation, payload: '{', labels, ...session, ...life });
    lab.told();

    const second = await logIn(lab);

    expect(second).toMatchObject({ grantId, generation });
    // Nobody can revoke the former tokens, and the operator hears so.
    expect(lab.told()).toEqual([
      ['revocation.failed', { durationMs: 0, code: 'ERR_SALESFORCE_GRANT_UNREADABLE' }],
      ['login.succeeded', { tokens: 'replaced' }],
    ]);
    expect((await lab.tokens()).clientID).toBe(labels.clientID);
  });

  it('begins again if the grant that cannot be decrypted was removed meanwhile', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const record = await lab.record();
    const { grantId, generation } = lab.session;
    await lab.store.logOut(grantId, {
      generation,
      version: null,
      holder: undefined,
      everywhere: true,
      tombstoneMs: 0,
    });
    jest.spyOn(store, 'read').mockResolvedValueOnce({ ...record, payload: '{' });
    lab.told();

    const second = await logIn(lab);

    expect(second!.generation).not.toBe(generation);
    expect(lab.told()[0]).toEqual(['login.succeeded', { tokens: 'new' }]);
  });

  it('begins again if the grant that cannot be decrypted was replaced by another login meanwhile, and leaves no token behind', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    const { labels } = await lab.record();
    const { grantId, generation } = lab.session;
    lab.world.revoke();
    const life = { holder: 'session', holderMs: 1e9, softMs: 1e6, hardMs: 1e6 };
    const write = { expected: { generation, version: 1 }, generation, writer: 'another login', payload: '{', labels };
    await lab.store.put(grantId, { ...write, ...life });

    // Another read of the second login would come after the first login.
    const { store } = lab.process(1);
    const read = store.read.bind(store);
    jest
      .spyOn(store, 'read')
      .mockImplementationOnce(read)
      .mockImplementationOnce(async (...given) => {
        await new Promise<void>((resolve) => lab.world.after(200, resolve));
        return read(...given);
      });

    const both = [0, 1].map((index) => lab.world.login(lab.process(index), full));
    await lab.world.elapse(2_000);

    expect(await Promise.all(both)).toEqual([expect.anything(), expect.anything()]);
    expect(live(lab)).toBe(1);
    const unreadable = [...lab.told(0), ...lab.told(1)].filter(([name]) => name === 'revocation.failed');
    expect(unreadable).toHaveLength(1);
  });

  it('revokes what it replaced if the client of the store sends the write twice, as after a lost connection', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const once = store.put.bind(store);
    jest.spyOn(store, 'put').mockImplementationOnce(async (...given) => {
      await once(...given);
      return once(...given);
    });
    lab.told();

    expect(await logIn(lab)).toBeDefined();
    await lab.world.elapse(1_000);

    expect(live(lab)).toBe(1);
    expect(lab.told()).toEqual([['login.succeeded', { tokens: 'replaced' }], revoked]);
  });

  it('brings no grant back that was logged out between a write and the same write again', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    await lab.store.logOut(lab.session.grantId, { ...lab.session, version: null, everywhere: true, tombstoneMs: 1e6 });
    const once = store.put.bind(store);
    jest.spyOn(store, 'put').mockImplementationOnce(async (grantId, write) => {
      await once(grantId, write);
      await lab.store.logOut(grantId, { ...write, version: null, everywhere: true, tombstoneMs: 1e6 });
      return once(grantId, write);
    });

    const session = await logIn(lab);

    expect(await lab.record()).toMatchObject({ generation: session!.generation, state: 'loggedOut', payload: '' });
  });

  it('begins again if another login stored first, and fails after waitMs', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const put = jest.spyOn(store, 'put').mockResolvedValueOnce({ outcome: 'conflict' });
    expect(await logIn(lab)).toBeDefined();
    expect(put).toHaveBeenCalledTimes(2);

    put.mockReset();
    put.mockResolvedValue({ outcome: 'conflict' });

    const login = lab.world.login(lab.process(), full);
    await lab.world.elapse(9_000);
    const calls = put.mock.calls.length;
    expect(await lab.during(login, 1_500)).toBeUndefined();
    expect(put.mock.calls.length).toBeGreaterThan(calls);
    expect(put.mock.calls.length).toBeGreaterThan(20);
    expect(put.mock.calls.length).toBeLessThan(200);
  });

  it('begins again if the grant that it would have kept has ended meanwhile', async () => {
    const lab = await Laboratory.open();
    jest.spyOn(lab.process().store, 'addHolder').mockResolvedValueOnce(false);
    lab.told();

    expect(await logIn(lab, fewer)).toBeDefined();
    const told = lab.told();
    expect([told[0], told.at(-1)]).toEqual([['login.succeeded', { tokens: 'kept' }], revoked]);
  });

  it('that begins a grant fails as well if the store does not write it', async () => {
    const lab = await Laboratory.open();
    jest.spyOn(lab.process().store, 'put').mockImplementationOnce(down);
    lab.told();

    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);

    expect(await lab.during(lab.world.login(lab.process(), full, 1), 100)).toBeUndefined();
    process.off('unhandledRejection', unhandled);

    expect(lab.told().map(([name]) => name)).toEqual(['store.failed', 'revocation.succeeded']);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('fails while the store does not answer, and its tokens are revoked', async () => {
    const lab = await Laboratory.open();
    jest.spyOn(lab.process().store, 'read').mockImplementationOnce(down);
    lab.told();

    expect(await logIn(lab)).toBeUndefined();
    expect(lab.told().map(([name]) => name)).toEqual(['store.failed', 'revocation.succeeded']);
    expect(live(lab)).toBe(1);
  });
});

describe('a login whose store loses the answer', () => {
  /** Which tokens live on: those of the grant, or others. */
  async function kept(lab: Laboratory): Promise<{ others: number; isKeptLive: boolean }> {
    const { grants } = lab.world.salesforce.provider;
    const { refreshToken } = await lab.tokens();
    const isKeptLive = grants.isRefreshTokenLive(refreshToken!);
    return { others: live(lab) - Number(isKeptLive), isKeptLive };
  }

  it.each([
    ['was carried out', (work: () => Promise<unknown>) => work()],
    ['was not', () => Promise.resolve<unknown>(undefined)],
  ])('leaves alone what the grant has, and revokes the rest: it %s', async (_what, how) => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const put = store.put.bind(store);
    jest.spyOn(store, 'put').mockImplementationOnce(async (...given) => {
      await how(() => put(...given));
      return down();
    });

    expect(await logIn(lab)).toBeUndefined();
    await lab.world.elapse(1_000);
    expect(await kept(lab)).toEqual({ others: 0, isKeptLive: true });
  });

  it('waits for the answer for ten minutes, and then reads the grant', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const put = store.put.bind(store);
    jest.spyOn(store, 'put').mockImplementationOnce(async (...given) => {
      await put(...given);
      return new Promise(() => undefined);
    });
    void lab.world.login(lab.process(), full);
    // After the five seconds of storeTimeoutMs, when the login failed.
    await lab.world.elapse(604_000);
    expect(await kept(lab)).toEqual({ others: 1, isKeptLive: true });
    await lab.world.elapse(2_000);

    expect(await kept(lab)).toEqual({ others: 0, isKeptLive: true });
  });

  it('reads the grant at once at shutdown', async () => {
    const lab = await Laboratory.open();
    const { store, core } = lab.process();
    const put = store.put.bind(store);
    jest.spyOn(store, 'put').mockImplementationOnce(async (...given) => {
      await put(...given);
      return new Promise(() => undefined);
    });
    void lab.world.login(lab.process(), full);
    await lab.world.elapse(6_000);

    await lab.during(
      lab.process().run(() => core.revocations.close()),
      100,
    );

    expect(await kept(lab)).toEqual({ others: 0, isKeptLive: true });
  });
});

describe('a logout', () => {
  it('of one session of two ends nothing', async () => {
    const lab = await Laboratory.open();
    const second = (await logIn(lab))!;
    lab.told();

    expect(await lab.during(logOut(lab, lab.session), 100)).toBeUndefined();
    expect(lab.told()).toEqual([['grant.loggedOut', { ended: false }]]);
    expect(typeof (await lab.get())).toBe('string');
    expect(await lab.during(logOut(lab, second), 100)).toBeUndefined();
    expect(lab.told()).toEqual([['token.served', { from: 'memory' }], ['grant.loggedOut', { ended: true }], revoked]);
    expect(live(lab)).toBe(0);
  });

  it('everywhere closes the grant for all holders, in memory as well', async () => {
    const lab = await Laboratory.open();
    await logIn(lab);
    await lab.get();
    lab.told();

    await lab.during(logOut(lab, lab.session, true), 100);

    expect(lab.told()).toEqual([['grant.loggedOut', { ended: true }], revoked]);
    expect(essence(await lab.get())).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });
    expect(live(lab)).toBe(0);
  });

  it('of a grant that is logged out already succeeds', async () => {
    const lab = await Laboratory.open();
    await lab.during(logOut(lab, lab.session), 100);
    lab.told();

    expect(await lab.during(logOut(lab, lab.session), 100)).toBeUndefined();
    expect(lab.told()).toEqual([['grant.loggedOut', { ended: false }]]);
  });

  it('revokes the tokens if the client of the store sends the logout twice, as after a lost connection', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const once = store.logOut.bind(store);
    jest.spyOn(store, 'logOut').mockImplementation(async (...given) => {
      await once(...given);
      return once(...given);
    });
    lab.told();

    await lab.during(logOut(lab, lab.session), 500);

    expect(lab.told()).toEqual([
      ['grant.loggedOut', { ended: true }],
      ['revocation.succeeded', expect.anything()],
    ]);
    expect((await lab.record()).state).toBe('loggedOut');
  });

  it('without a generation, as by a job, logs out the present grant, or does nothing', async () => {
    const lab = await Laboratory.open();
    const { grantId } = lab.session;
    const { grants } = lab.process().core;
    lab.told();
    await lab.during(
      lab.process().run(() => grants.logOut({ grantId: 'nobody' }, true)),
      100,
    );
    expect(lab.told()).toEqual([]);
    await lab.during(
      lab.process().run(() => grants.logOut({ grantId }, true)),
      100,
    );

    expect(lab.told()).toEqual([['grant.loggedOut', { ended: true }], revoked]);
  });

  it.each(['removeHolder', 'abandon'] as const)('has no event if no user logged out: %s()', async (how) => {
    const lab = await Laboratory.open();
    const { grantId, generation, holder } = lab.session;
    if (how === 'abandon')
      await lab.store.logOut(grantId, {
        generation,
        version: null,
        everywhere: false,
        holder,
        tombstoneMs: 60_000,
      });
    const { grants } = lab.process().core;
    lab.told();
    await lab.during(
      lab.process().run(() => grants[how](lab.session)),
      100,
    );

    expect(lab.told().filter(([name]) => name === 'grant.loggedOut')).toEqual([]);
    expect((await lab.record()).state).toBe('loggedOut');
  });

  it.each(['removeHolder', 'abandon'] as const)('of one session leaves the grant to another: %s()', async (how) => {
    const lab = await Laboratory.open();
    await logIn(lab);
    const { grants } = lab.process().core;
    await lab.during(
      lab.process().run(() => grants[how](lab.session)),
      100,
    );

    expect((await lab.record()).state).toBe('idle');
    expect(typeof (await lab.get())).toBe('string');
  });

  it('is tried again up to ten times if the grant got new tokens meanwhile', async () => {
    const lab = await Laboratory.open();
    const call = jest.spyOn(lab.process().store, 'logOut').mockResolvedValueOnce({ outcome: 'moved' });
    lab.told();
    expect(await lab.during(logOut(lab, lab.session), 100)).toBeUndefined();
    expect(call).toHaveBeenCalledTimes(2);
    expect(lab.told()[0]).toEqual(['grant.loggedOut', { ended: true }]);

    call.mockReset();
    call.mockResolvedValue({ outcome: 'moved' });

    expect(await lab.during(logOut(lab, lab.session), 100)).toEqual(store503);
    expect(call).toHaveBeenCalledTimes(10);
  });

  it('fails while the store does not answer; the tokens are revoked once the logout is confirmed', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const original = store.logOut.bind(store);
    const call = jest.spyOn(store, 'logOut').mockImplementationOnce(down);
    expect(await lab.during(logOut(lab, lab.session), 100)).toEqual(store503);
    await lab.world.elapse(10_000);
    expect(live(lab)).toBe(1);
    call.mockImplementationOnce(async (...given) => {
      await original(...given);
      return down();
    });

    expect(await lab.during(logOut(lab, lab.session), 100)).toEqual(store503);
    expect(live(lab)).toBe(1);
    await lab.world.elapse(10_000);

    expect(live(lab)).toBe(0);
  });

  it('that is tried again and again while the store refuses it has the store asked once at a time', async () => {
    const lab = await Laboratory.open();
    const { clock, store } = lab.process();
    const original = store.logOut.bind(store);
    const call = jest.spyOn(store, 'logOut').mockImplementation(down);
    const before = clock.pending;
    for (let times = 0; times < 20; times++) {
      expect(await lab.during(logOut(lab, lab.session), 10)).toEqual(store503);
    }
    expect(clock.pending - before).toBe(1);
    const read = jest.spyOn(store, 'read');
    call.mockImplementationOnce(async (...given) => {
      await original(...given);
      return down();
    });
    expect(await lab.during(logOut(lab, lab.session), 10)).toEqual(store503);
    await lab.world.elapse(10_000);

    // For the logout, and for the look whether it was carried out.
    expect(read).toHaveBeenCalledTimes(2);
    expect(live(lab)).toBe(0);
    expect(clock.pending).toBe(before);
  });

  it('that is carried out while the store is asked about an earlier one revokes the tokens all the same', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const original = store.logOut.bind(store);
    const call = jest.spyOn(store, 'logOut').mockImplementationOnce(down);
    expect(await lab.during(logOut(lab, lab.session), 10)).toEqual(store503);
    const read = store.read.bind(store);
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    jest.spyOn(store, 'read').mockImplementationOnce(async (grantId) => {
      const record = await read(grantId);
      await held;
      return record;
    });
    await lab.world.elapse(1_000);
    call.mockImplementationOnce(async (...given) => {
      await original(...given);
      return down();
    });
    expect(await lab.during(logOut(lab, lab.session), 10)).toEqual(store503);
    answer();
    await lab.world.elapse(10_000);

    expect(live(lab)).toBe(0);
  });

  it('whose answer comes too late revokes the tokens all the same, once', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const original = store.logOut.bind(store);
    let answer: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answer = resolve));
    jest.spyOn(store, 'logOut').mockImplementationOnce(async (...given) => {
      const outcome = await original(...given);
      await held;
      return outcome;
    });
    lab.told();
    expect(await lab.during(logOut(lab, lab.session), 5_010)).toEqual(store503);
    answer();
    await lab.world.elapse(10_000);

    expect(lab.told().map(([name]) => name)).toEqual(['store.failed', 'grant.loggedOut', 'revocation.succeeded']);
    expect(live(lab)).toBe(0);
  });

  it('waits for the refresh under way in this process, and revokes its old and new tokens', async () => {
    const lab = await Laboratory.open();
    lab.world.fail('slow-before');
    const refresh = lab.ask({ rejected: (await lab.tokens()).accessToken });
    await lab.world.elapse(1_000);
    lab.told();
    const logout = logOut(lab, lab.session);
    await lab.world.elapse(2_000);
    expect(live(lab)).toBe(1);

    expect(await lab.during(logout, 1_500)).toBeUndefined();

    expect(essence(await refresh)).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });
    expect(live(lab)).toBe(0);
    expect(lab.told().map(([name, { by, ended }]) => by ?? ended ?? name)).toEqual([
      true,
      'logout',
      'revocation.succeeded',
      'token.failed',
      'revocation.succeeded',
      'revocation.succeeded',
    ]);
  });

  it('waits for the refresh of another process', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    lab.world.fail('slow-before');
    const refresh = lab.ask({ rejected: (await lab.tokens()).accessToken }, 1);
    await lab.world.elapse(1_000);
    lab.told();
    const read = jest.spyOn(lab.process().store, 'read');
    const logout = logOut(lab, lab.session);
    await lab.world.elapse(2_900);
    // Before the end, and then every tenth of a second.
    expect(read.mock.calls.length).toBeGreaterThan(25);
    expect(read.mock.calls.length).toBeLessThan(31);
    expect(lab.told()).toEqual([['grant.loggedOut', { ended: true }]]);

    expect(await lab.during(logout, 1_000)).toBeUndefined();

    await refresh;
    expect(live(lab)).toBe(0);
    expect(lab.told().map(([name]) => name)).toEqual(['revocation.succeeded', 'revocation.succeeded']);
  });

  it('waits for another process no longer than its lease, or waitMs', async () => {
    for (const [waitMs, atMs] of [
      [60_000, claimMs],
      [2_000, 3_000],
    ] as const) {
      const lab = await Laboratory.open({ processes: 2, options: { refresh: { waitMs } } });
      lab.world.fail('hang-before');
      void lab.ask({ rejected: (await lab.tokens()).accessToken }, 1);
      await lab.world.elapse(1_000);
      await lab.world.kill(1);
      lab.told();
      const logout = logOut(lab, lab.session);
      await lab.world.elapse(atMs - 1_000 - 100);
      expect(lab.told()).toEqual([['grant.loggedOut', { ended: true }]]);
      expect(await lab.during(logout, 300)).toBeUndefined();
      expect(lab.told().map(([name]) => name)).toEqual(['revocation.succeeded', 'revocation.succeeded']);
    }
  });

  it('waits for no attempt if waitMs is 0', async () => {
    const lab = await Laboratory.open({ processes: 2, options: { refresh: { waitMs: 0 } } });
    lab.world.fail('hang-before');
    void lab.ask({ rejected: (await lab.tokens()).accessToken }, 1);
    await lab.world.elapse(1_000);
    const read = jest.spyOn(lab.process().store, 'read');

    expect(await lab.during(logOut(lab, lab.session), 100)).toBeUndefined();
    // To see what it is that ends.
    expect(read).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['the store does not answer', () => Promise.reject(new Error('The store is down.'))],
    ['the grant is gone for good', () => Promise.resolve(undefined)],
  ])('waits no longer if %s', async (_what, answer) => {
    const lab = await Laboratory.open({ processes: 2 });
    lab.world.fail('hang-before');
    void lab.ask({ rejected: (await lab.tokens()).accessToken }, 1);
    await lab.world.elapse(1_000);
    const read = jest.spyOn(lab.process().store, 'read');
    const logout = logOut(lab, lab.session);
    await lab.world.elapse(20);
    read.mockImplementation(answer);
    lab.told();

    expect(await lab.during(logout, 200)).toBeUndefined();
    expect(lab.told().map(([name]) => name)).toContain('revocation.succeeded');
  });

  it('does not wait for the refresh of a login after it', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    lab.world.fail('hang-before');
    void lab.ask({ rejected: (await lab.tokens()).accessToken }, 1);
    await lab.world.elapse(1_000);
    const logout = logOut(lab, lab.session);
    await lab.world.elapse(20);
    const { grantId, generation } = (await logIn(lab))!;
    expect(generation).not.toBe(lab.session.generation);
    await lab.store.claim(grantId, {
      generation,
      version: (await lab.record()).version,
      owner: 'owner',
      leaseMs: 60_000,
    });

    expect(await lab.during(logout, 200)).toBeUndefined();
  });

  it.each([false, true])(
    'ends a grant that cannot be read, and tells the operator that its tokens are not revoked (being refreshed: %s)',
    async (isClaimed) => {
      const lab = await Laboratory.open();
      const { grantId, generation } = lab.session;
      if (isClaimed) await lab.store.claim(grantId, { generation, version: 1, owner: 'owner', leaseMs: 50 });
      const { store } = lab.process();
      const original = store.logOut.bind(store);
      jest.spyOn(store, 'logOut').mockImplementationOnce(async (...given) => {
        const outcome = await original(...given);
        return outcome.outcome === 'loggedOut' ? { ...outcome, record: { ...outcome.record, payload: '{' } } : outcome;
      });
      lab.told();

      expect(await lab.during(logOut(lab, lab.session), 100)).toBeUndefined();
      expect(lab.told()).toEqual([
        ['grant.loggedOut', { ended: true }],
        ['revocation.failed', { durationMs: 0, code: 'ERR_SALESFORCE_GRANT_UNREADABLE' }],
      ]);
    },
  );

  it.each([
    ['a token is being refreshed', true],
    ['none is', false],
  ])(
    'is over after waitMs while Salesforce answers no revocation, and revokes later, if %s',
    async (_what, isRefreshed) => {
      const lab = await Laboratory.open();
      const { grantId, generation } = lab.session;
      if (isRefreshed) await lab.store.claim(grantId, { generation, version: 1, owner: 'owner', leaseMs: 60_000 });
      lab.faults.inject({ on: 'revoke', kind: 'hang', times: 1 });

      const logout = logOut(lab, lab.session);

      expect(await lab.during(logout, 10_100)).toBeUndefined();
      expect((await lab.record()).state).toBe('loggedOut');
      expect(live(lab)).toBe(1);
      await lab.world.elapse(200_000);
      expect(live(lab)).toBe(0);
    },
  );

  it('does not wait for the refresh of another process while its own process ends', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    lab.world.fail('hang-before');
    void lab.ask({ rejected: (await lab.tokens()).accessToken }, 1);
    await lab.world.elapse(1_000);
    await lab.world.kill(1);
    void logOut(lab, lab.session);
    await lab.world.elapse(50);
    expect(live(lab)).toBe(1);

    void lab.process().run(() => lab.process().core.revocations.close());
    await lab.world.elapse(100);

    expect(live(lab)).toBe(0);
  });

  it('leaves a tombstone for ten minutes, which refuses the tokens of an attempt under way', async () => {
    const lab = await Laboratory.open();
    await lab.during(logOut(lab, lab.session), 100);
    await lab.world.elapse(599_000);
    expect((await lab.record()).state).toBe('loggedOut');
    await lab.world.elapse(1_000);

    expect(await lab.store.read(lab.session.grantId)).toBeUndefined();
  });
});

describe('a session that goes on', () => {
  it('extends its time as a holder, if the grant is there', async () => {
    const lab = await Laboratory.open();
    const { grants } = lab.process().core;
    const addHolder = (session: GrantHolder) =>
      lab.during(
        lab.process().run(() => grants.addHolder(session, 60_000)),
        100,
      );

    expect(await addHolder(lab.session)).toBe(true);
    expect(await addHolder({ ...lab.session, generation: 'another' })).toBe(false);
    expect(await addHolder({ ...lab.session, grantId: 'nobody' })).toBe(false);
  });
});

describe('the list of grants', () => {
  it('holds the grants that match', async () => {
    const lab = await Laboratory.open();
    const { grants } = lab.process().core;
    const { userId } = await lab.tokens();
    const list = (filter: { userId?: string }) =>
      lab.during(
        lab.process().run(() => collect(grants.list(filter))),
        10,
      );

    expect((await list({ userId })).map(({ grantId }) => grantId)).toEqual([lab.session.grantId]);
    expect(await list({ userId: 'nobody' })).toEqual([]);
  });
});
