import { MemoryTokenStore } from '../../lib';
import { AuthContext } from '../../lib/middleware/context';
import { parseOptions } from '../../lib/middleware/options';
import { ManualClock } from '../helpers/clock';
import { essence, failure, Laboratory, reauthentication } from './laboratory';

/** A process that does not know the grant yet, with a memory that never ages unless a test says otherwise. */
async function open(setting: Parameters<typeof Laboratory.open>[0] = {}) {
  const lab = await Laboratory.open(setting);
  lab.forget();
  const { settings } = lab.process().core.options;
  if (setting.options?.refresh?.cacheMs === undefined) settings.cacheMs = 1e9;
  const { coordinator } = lab.process().core;
  const peek = () => coordinator.peek(lab.session)?.accessToken;
  return { lab, coordinator, peek, clock: lab.process().clock };
}

describe('a token from memory', () => {
  it('is known from the login on, without a read', async () => {
    const lab = await Laboratory.open();
    const read = jest.spyOn(lab.process().store, 'read');
    lab.told();

    expect(await lab.get()).toBe((await lab.tokens()).accessToken);
    expect(read).not.toHaveBeenCalled();
    expect(lab.told()).toEqual([['token.served', { from: 'memory' }]]);
  });

  it('is that of the last login of this process', async () => {
    const lab = await Laboratory.open();
    const first = await lab.get();
    await lab.during(lab.world.login(lab.process(), 'id api refresh_token'), 100);

    const second = await lab.get();
    expect(second).not.toBe(first);
    expect(second).toBe((await lab.tokens()).accessToken);
  });

  it('is served until the store has to be asked again', async () => {
    const { lab, clock, peek } = await open({ options: { refresh: { cacheMs: 2_000 } } });
    const token = (await lab.tokens()).accessToken;
    const asked = lab.ask();
    await lab.world.elapse(2);
    expect(await asked).toBe(token);

    clock.advanceMs(1_999);
    expect(peek()).toBe(token);
    clock.advanceMs(1);
    expect(peek()).toBeUndefined();
  });

  it('is served until a refresh is due', async () => {
    const { lab, clock, peek } = await open();
    const asked = lab.ask();
    await lab.world.elapse(2);
    await asked;
    // What this process read was 2 ms older when it arrived.
    clock.advanceMs((await lab.record()).softInMs! + 1);
    expect(peek()).toBe((await lab.tokens()).accessToken);
    clock.advanceMs(1);
    expect(peek()).toBeUndefined();
  });

  it('is served until its known end if there is no refresh token', async () => {
    const { lab, clock, peek } = await open({ scope: 'id api', isCertain: true });
    const asked = lab.ask();
    await lab.world.elapse(2);
    await asked;
    const { softInMs, hardInMs } = await lab.record();
    expect(softInMs).toBeNull();
    clock.advanceMs(hardInMs! + 1);
    expect(peek()).toBe((await lab.tokens()).accessToken);
    clock.advanceMs(1);
    expect(peek()).toBeUndefined();
  });

  it('emits an event when it is handed out, not when it is only looked at', async () => {
    const { lab, coordinator, peek } = await open();
    await lab.get();
    lab.told();

    peek();
    expect(lab.told()).toEqual([]);
    expect(coordinator.take(lab.session)?.accessToken).toBe(peek());
    expect(lab.told()).toEqual([['token.served', { from: 'memory' }]]);
    coordinator.forget(lab.session.grantId);
    expect(coordinator.take(lab.session)).toBeUndefined();
    expect(lab.told()).toEqual([]);
  });

  it('belongs to the login that is asked for, or to any login if none is named', async () => {
    const { lab, coordinator } = await open();
    await lab.get();
    const { grantId } = lab.session;

    expect(coordinator.peek({ grantId })).toBeDefined();
    expect(coordinator.peek({ grantId, generation: 'another' })).toBeUndefined();
  });

  it('is not the token that was refused', async () => {
    const { lab } = await open();
    const old = (await lab.tokens()).accessToken;
    const fresh = await lab.getOther();
    lab.told();

    expect(await lab.get({ rejected: old })).toBe(fresh);
    expect(lab.told()).toEqual([['token.served', { from: 'memory' }]]);
  });
});

describe('a token from the store', () => {
  it('has an event that says so', async () => {
    const { lab } = await open();
    lab.told();
    await lab.get();

    expect(lab.told()).toEqual([['token.served', { from: 'store' }]]);
  });

  it('is not available if there is no such login', async () => {
    const { lab, coordinator } = await open();
    const { grantId } = lab.session;
    const get = (key: { grantId: string; generation?: string }) =>
      lab.during(
        lab.process().run(() => coordinator.get(key).then(String, essence)),
        100,
      );
    lab.told();

    expect(await get({ grantId: 'nobody' })).toEqual(reauthentication);
    expect(await get({ grantId, generation: 'another' })).toEqual(reauthentication);
    expect(lab.told()).toEqual(Array(2).fill(['token.failed', { code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' }]));
    expect(await lab.get()).toBe((await lab.tokens()).accessToken);
  });

  it('is read once for all requests that ask at the same time', async () => {
    const { lab } = await open();
    const read = jest.spyOn(lab.process().store, 'read');

    const answers = await lab.during(Promise.all(Array.from({ length: 10 }, () => lab.ask())), 10);

    expect(new Set(answers).size).toBe(1);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('is served from memory while the store does not answer, and not each request asks the store', async () => {
    const { lab } = await open({ options: { refresh: { cacheMs: 2_000 } } });
    const token = await lab.get();
    await lab.world.elapse(2_000);
    const read = jest.spyOn(lab.process().store, 'read').mockRejectedValue(new Error('The store is down.'));
    lab.told();

    expect([await lab.get(), await lab.get()]).toEqual([token, token]);
    expect(read).toHaveBeenCalledTimes(1);
    await lab.world.elapse(1_700);
    expect(await lab.get()).toBe(token);
    expect(read).toHaveBeenCalledTimes(1);
    await lab.world.elapse(200);
    expect(await lab.get()).toBe(token);
    expect(read).toHaveBeenCalledTimes(2);
    expect(lab.told().map(([name, { from }]) => from ?? name)).toEqual([
      'store.failed',
      'memory',
      'memory',
      'memory',
      'store.failed',
      'memory',
    ]);
  });

  it('is served from memory while the store does not answer, also after a change in another process', async () => {
    const { lab, coordinator } = await open({ options: { refresh: { cacheMs: 2_000 } } });
    const token = await lab.get();
    coordinator.access.outdate(lab.session.grantId);
    const read = jest.spyOn(lab.process().store, 'read').mockRejectedValue(new Error('The store is down.'));

    expect([await lab.get(), await lab.get()]).toEqual([token, token]);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('is an error while the store does not answer and this process knows no valid token', async () => {
    const { lab } = await open({ isCertain: true });
    const { store: connection } = lab.process();
    const down = () => {
      for (const operation of ['read', 'claim'] as const)
        jest.spyOn(connection, operation).mockRejectedValue(new Error('The store is down.'));
    };
    const store = { code: 'TOKEN_STORE', status: 503, retryAfterSeconds: 5 };
    down();
    expect(essence(await lab.get())).toEqual(store);
    jest.restoreAllMocks();
    const token = await lab.get();
    down();
    expect(essence(await lab.get({ rejected: token as string }))).toEqual(store);
    jest.restoreAllMocks();
    await lab.world.elapse(600_000);
    down();

    expect(essence(await lab.get())).toEqual(store);
  });

  it('has an error of its own if the grant cannot be decrypted', async () => {
    const { lab } = await open({ options: { refresh: { cacheMs: 0 } } });
    await lab.get();
    const { store } = lab.process();
    jest.spyOn(store, 'read').mockResolvedValue({ ...(await lab.record()), payload: '{' });
    lab.told();

    expect(essence(await lab.get())).toMatchObject({ code: 'GRANT_UNREADABLE' });
    expect(lab.told()).toEqual([['token.failed', { code: 'ERR_SALESFORCE_GRANT_UNREADABLE' }]]);
  });
});

describe('a refresh in the background', () => {
  /** At the soft end of the token's life. */
  async function stale(setting: Parameters<typeof open>[0] = {}) {
    const opened = await open(setting);
    const token = await opened.lab.get();
    await opened.lab.world.elapse(6_480_000);
    opened.lab.told();
    return { token, ...opened };
  }

  it('begins once, and all requests are served meanwhile', async () => {
    const { lab, token } = await stale();
    lab.world.fail('slow-before');

    const answers = [await lab.get(), await lab.get(), await lab.get()];

    expect(answers).toEqual([token, token, token]);
    const told = lab.told();
    expect(told).toHaveLength(4);
    expect(told).toContainEqual(['refresh.started', { cause: 'soft' }]);
    expect(told.filter(([name]) => name === 'token.served')).toEqual(
      Array(3).fill(['token.served', { from: 'stale' }]),
    );
    await lab.world.elapse(4_000);
    expect(await lab.get()).toBe((await lab.tokens()).accessToken);
    expect(lab.presentations).toEqual([1]);
  });

  it('begins exactly when it is due', async () => {
    const { lab } = await open();
    const record = await lab.record();
    jest.spyOn(lab.process().store, 'read').mockResolvedValue({ ...record, softInMs: 0 });
    await lab.get();

    expect(lab.told()).toContainEqual(['refresh.started', { cause: 'soft' }]);
  });

  it('is tried again when its pause is over, and not before', async () => {
    const { lab } = await stale();
    lab.faults.inject({ on: 'refresh', kind: 'status', status: 429, retryAfterSeconds: 20, times: 2 });
    const started: number[] = [];
    const { clock, core, store } = lab.process();
    const claim = jest.spyOn(store, 'claim');
    core.events.emitter.on('refresh.started', () => started.push(clock.monotonic()));

    for (let second = 0; second < 50; second++) {
      await lab.get();
      await lab.world.elapse(900);
    }

    expect(started).toHaveLength(3);
    expect(claim).toHaveBeenCalledTimes(3);
    expect(started[1]! - started[0]!).toBeGreaterThan(22_000);
    expect(started[1]! - started[0]!).toBeLessThan(24_100);
    expect(lab.told().filter(([name]) => name === 'refresh.succeeded')).toHaveLength(1);
  });

  it('asks the store no more often than once a second while it fails', async () => {
    const { lab } = await stale();
    jest.spyOn(lab.process().store, 'claim').mockRejectedValue(new Error('The store is down.'));
    const read = jest.spyOn(lab.process().store, 'read');

    for (let tenth = 0; tenth < 50; tenth++) await lab.get();

    expect(read.mock.calls.length).toBeGreaterThan(3);
    expect(read.mock.calls.length).toBeLessThan(20);
  });

  it('that finds the refresh token ended leaves the access token in use until it is refused', async () => {
    const { lab, token } = await stale();
    lab.world.revoke();

    expect(await lab.get()).toBe(token);
    expect((await lab.record()).state).toBe('ended');
    expect(await lab.get()).toBe(token);
    expect(essence(await lab.get({ rejected: token as string }))).toEqual(reauthentication);
    expect(essence(await lab.get())).toEqual(reauthentication);
  });

  it('is not begun by a process that shuts down', async () => {
    const { lab, coordinator, token } = await stale();
    await coordinator.close();

    expect(await lab.get()).toBe(token);
    expect(lab.told()).toEqual([['token.served', { from: 'stale' }]]);
  });
});

describe('a request that waits for a refresh', () => {
  it('waits for waitMs, which includes the time of the store, and leaves no timer', async () => {
    const { lab, clock } = await open({ options: { refresh: { waitMs: 1_000 } } });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('slow-before');
    let answer: object | string | undefined;
    void lab.ask({ rejected }).then((given) => (answer = essence(given)));

    await lab.world.elapse(999);
    expect(answer).toBeUndefined();
    await lab.world.elapse(1);

    expect(answer).toEqual({ code: 'REFRESH_DELAYED', status: 503, retryAfterSeconds: 1 });
    await lab.world.elapse(4_000);
    expect(await lab.get({ rejected })).toBe((await lab.tokens()).accessToken);
    expect(clock.pending).toBe(0);
  });

  it('waits for as long as its own waitMs says', async () => {
    const { lab } = await open({ options: { refresh: { waitMs: 1_000 } } });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('slow-before');

    const answers = await lab.during(
      Promise.all([lab.ask({ rejected, waitMs: 100 }), lab.ask({ rejected, waitMs: 5_000 })]),
      5_000,
    );

    expect(essence(answers[0])).toMatchObject({ code: 'REFRESH_DELAYED' });
    expect(answers[1]).toBe((await lab.tokens()).accessToken);
  });

  it('begins another refresh if the first ended with the token that was refused', async () => {
    const { lab } = await open({ processes: 2, options: { refresh: { cacheMs: 0 } } });
    const { store } = lab.process();
    await lab.world.elapse(6_480_000);
    const claim = store.claim.bind(store);
    // That of a refresh in the background takes so long that it finds the other's tokens.
    jest.spyOn(store, 'claim').mockImplementationOnce(async (...given) => {
      await new Promise<void>((resolve) => lab.world.after(200, resolve));
      return claim(...given);
    });
    await lab.during(lab.ask(), 10);
    const rejected = (await lab.getOther(1)) as string;

    const answer = await lab.during(lab.ask({ rejected }), 300);

    expect(answer).not.toBe(rejected);
    expect(answer).toBe((await lab.tokens()).accessToken);
    expect(lab.presentations).toEqual([1, 1]);
  });

  it('does not get the result of the refresh of an earlier login', async () => {
    const { lab, coordinator } = await open();
    const { grantId } = lab.session;
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('slow-before');
    lab.told();
    const job = lab.process().run(() => coordinator.get({ grantId }, { rejected }));
    const asked = lab.ask({ rejected });

    const [tokens, answer] = await lab.during(Promise.all([job, asked]), 5_000);

    expect(answer).toBe(tokens.accessToken);
    expect(lab.presentations).toEqual([1]);
    // One after the other, rather than both at once.
    expect(lab.told().map(([name]) => name)).not.toContain('claim.delayed');
  });

  it('is not logged out by a refresh of the earlier login', async () => {
    const { lab } = await open();
    lab.world.fail('slow-before');
    const asked = lab.ask({ rejected: (await lab.tokens()).accessToken });
    await lab.world.elapse(50);
    void lab.process().run(() => lab.process().core.grants.logOut(lab.session, true));
    await lab.world.elapse(50);
    const login = lab.world.login(lab.process(), 'id api refresh_token');
    const { grantId, generation } = (await lab.during(login, 100))!;
    const rejected = (await lab.tokens()).accessToken;
    const again = lab.process().run(() => lab.process().core.coordinator.get({ grantId, generation }, { rejected }));

    expect((await lab.during(again, 5_000)).accessToken).toBe((await lab.tokens()).accessToken);
    expect(generation).not.toBe(lab.session.generation);
    expect(essence(await asked)).toEqual(reauthentication);
  });

  it('shares the refresh with all others, and sends no request of its own', async () => {
    const { lab } = await open();
    const rejected = (await lab.tokens()).accessToken;
    const read = jest.spyOn(lab.process().store, 'read');

    const answers = await lab.during(Promise.all(Array.from({ length: 10 }, () => lab.ask({ rejected }))), 100);

    expect(new Set(answers).size).toBe(1);
    // For all of them, and for the refresh as well.
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('does not ask the store while the refresh is under way', async () => {
    const { lab } = await open({ isCertain: true, options: { refresh: { cacheMs: 0 } } });
    await lab.world.elapse(7_200_000);
    const read = jest.spyOn(lab.process().store, 'read');
    lab.world.fail('slow-before');
    const first = lab.ask();
    await lab.world.elapse(100);
    const rejected = (await lab.tokens()).accessToken;

    const answers = await lab.during(Promise.all([first, lab.ask(), lab.ask({ rejected })]), 5_000);

    expect(answers).toEqual(Array(3).fill((await lab.tokens()).accessToken));
    expect(lab.presentations).toEqual([1]);
    expect(read).toHaveBeenCalledTimes(1);
  });

  it('gets no token that was refused, and asks the store once something is known to have changed', async () => {
    const { lab } = await open({ options: { refresh: { cacheMs: 0 } } });
    const rejected = (await lab.tokens()).accessToken;
    const read = jest.spyOn(lab.process().store, 'read');
    lab.world.fail('slow-before');
    const first = lab.ask({ rejected });
    await lab.world.elapse(100);
    expect(read).toHaveBeenCalledTimes(1);

    const another = lab.ask();
    await lab.world.elapse(10);
    expect(read).toHaveBeenCalledTimes(1);
    lab.process().core.coordinator.access.outdate(lab.session.grantId);
    const second = lab.ask({ rejected });
    await lab.world.elapse(10);
    expect(read).toHaveBeenCalledTimes(2);

    const answers = await lab.during(Promise.all([first, another, second]), 5_000);
    expect(answers).toEqual(Array(3).fill((await lab.tokens()).accessToken));
    expect(lab.presentations).toEqual([1]);
  });
});

describe('a refresh for no request', () => {
  it('is made even if the token works', async () => {
    const { lab, coordinator } = await open();
    const before = await lab.tokens();
    lab.told();

    await lab.during(
      lab.process().run(() => coordinator.refresh(lab.session, 'sweep')),
      100,
    );

    expect((await lab.tokens()).accessToken).not.toBe(before.accessToken);
    expect(lab.told()[0]).toEqual(['refresh.started', { cause: 'sweep' }]);
  });

  it('is not made if there is no such login', async () => {
    const { lab, coordinator } = await open();
    const refresh = lab.process().run(() => failure(coordinator.refresh({ grantId: 'nobody' }, 'sweep')));

    expect(await lab.during(refresh, 100)).toEqual(reauthentication);
  });

  it('is waited for at most waitMs', async () => {
    const { lab, coordinator } = await open({ options: { refresh: { waitMs: 1_000 } } });
    lab.world.fail('slow-before');
    const refresh = lab.process().run(() => failure(coordinator.refresh(lab.session, 'sweep')));

    expect(await lab.during(refresh, 1_000)).toMatchObject({ code: 'REFRESH_DELAYED' });
  });
});

describe('a fresh token that was refused as well', () => {
  it('is remembered for a minute, or until it is accepted', async () => {
    const { clock, coordinator } = await open();
    coordinator.refusals.note('one', 'token');
    coordinator.refusals.note('two', 'token');

    expect(coordinator.refusals.has('one', 'token')).toBe(true);
    expect(coordinator.refusals.has('one', 'another token')).toBe(false);
    expect(coordinator.refusals.has('three', 'token')).toBe(false);
    coordinator.refusals.accepted('one');
    coordinator.refusals.accepted('three');
    expect(coordinator.refusals.has('one', 'token')).toBe(false);
    clock.advanceMs(59_999);
    expect(coordinator.refusals.has('two', 'token')).toBe(true);
    clock.advanceMs(1);
    expect(coordinator.refusals.has('two', 'token')).toBe(false);
  });

  it('is forgotten after ten thousand others', async () => {
    const { coordinator } = await open();
    for (let index = 0; index < 10_000; index++) coordinator.refusals.note(String(index), 'token');
    expect(coordinator.refusals.has('0', 'token')).toBe(true);

    coordinator.refusals.note('one too many', 'token');

    expect(coordinator.refusals.has('0', 'token')).toBe(false);
    expect(coordinator.refusals.has('one too many', 'token')).toBe(true);
  });
});

describe('waiting until nothing is under way', () => {
  /** A refresh that takes four seconds, and whether `work` is over. */
  async function refreshing(work: (opened: Awaited<ReturnType<typeof open>>) => Promise<void>) {
    const opened = await open({ options: { refresh: { closeTimeoutMs: 2_000 } } });
    const { lab } = opened;
    lab.world.fail('slow-before');
    const refresh = lab.ask({ rejected: (await lab.tokens()).accessToken });
    await lab.world.elapse(10);
    let isOver = false;
    void lab.process().run(() => work(opened).then(() => (isOver = true)));
    await lab.world.elapse(1);
    return { ...opened, refresh, isOver: () => isOver };
  }

  it('ends with the refresh', async () => {
    const { lab, clock, refresh, isOver } = await refreshing(({ lab, coordinator }) =>
      coordinator.afterAttempt(lab.session.grantId, 10_000),
    );
    await lab.world.elapse(3_900);
    expect(isOver()).toBe(false);
    await lab.world.elapse(200);

    expect(isOver()).toBe(true);
    expect(typeof (await refresh)).toBe('string');
    expect(clock.pending).toBe(0);
  });

  it('ends when its time is over', async () => {
    const { lab, isOver } = await refreshing(({ lab, coordinator }) =>
      coordinator.afterAttempt(lab.session.grantId, 1_000),
    );
    await lab.world.elapse(900);
    expect(isOver()).toBe(false);
    await lab.world.elapse(200);

    expect(isOver()).toBe(true);
  });

  it('ends at once if no refresh is under way', async () => {
    const { isOver } = await refreshing(({ coordinator }) => coordinator.afterAttempt('nobody', 10_000));

    expect(isOver()).toBe(true);
  });

  it('ends with a refresh that fails', async () => {
    const { lab, isOver } = await refreshing(({ lab, coordinator }) =>
      coordinator.afterAttempt(lab.session.grantId, 10_000),
    );
    lab.world.revoke();
    await lab.world.elapse(4_100);

    expect(isOver()).toBe(true);
  });

  it('is part of closing, for closeTimeoutMs', async () => {
    const { lab, isOver } = await refreshing(({ coordinator }) => coordinator.close());
    await lab.world.elapse(1_900);
    expect(isOver()).toBe(false);
    await lab.world.elapse(200);

    expect(isOver()).toBe(true);
  });

  it('is part of closing: the refresh is stored, and another one is refused', async () => {
    const { lab, coordinator, clock } = await open();
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('slow-before');
    const refresh = lab.ask({ rejected });
    await lab.world.elapse(10);
    const closing = lab.process().run(() => coordinator.close());
    const refused = await lab.get({ rejected });
    await lab.during(closing, 4_100);

    expect(essence(refused)).toEqual({ code: 'CLOSED', status: 503, retryAfterSeconds: 1 });
    expect(await refresh).toBe((await lab.tokens()).accessToken);
    expect(clock.pending).toBe(0);
  });

  it('keeps the process alive, which nothing else may do', async () => {
    const { lab, clock, refresh } = await refreshing(({ coordinator }) => coordinator.close());
    // For the request that waits, for the attempt, and for `close()`.
    expect(clock.holds).toBe(3);
    await lab.during(refresh, 4_100);

    expect(clock.holds).toBe(0);
  });

  it('keeps the process alive for closeTimeoutMs at most, if the store does not take the new tokens', async () => {
    const { lab, clock } = await open({ options: { refresh: { closeTimeoutMs: 20_000, waitMs: 5_000 } } });
    jest.spyOn(lab.process().store, 'commit').mockRejectedValue(new Error('The disk is full.'));
    const asked = lab.ask({ rejected: (await lab.tokens()).accessToken });
    await lab.world.elapse(4_000);
    expect(clock.holds).toBe(2);
    await lab.world.elapse(1_500);
    expect(clock.holds).toBe(1);
    await lab.world.elapse(14_000);
    expect(clock.holds).toBe(1);
    await lab.world.elapse(1_000);

    expect(clock.holds).toBe(0);
    expect(essence(await asked)).toMatchObject({ code: 'REFRESH_DELAYED' });
  });

  it('holds no process if the token is at hand, or if the next try of a refresh is not due', async () => {
    const { lab, clock } = await open();
    const hold = jest.spyOn(clock, 'hold');
    await lab.get();
    expect(hold).not.toHaveBeenCalled();
    lab.world.fail('status-503');
    await lab.getOther();
    hold.mockClear();
    await lab.world.elapse(60_000);

    expect(hold).not.toHaveBeenCalled();
    expect(clock.holds).toBe(0);
  });

  it('ends the subscription to the store', async () => {
    const store = new MemoryTokenStore({ clock: new ManualClock() });
    const unsubscribe = jest.fn();
    store.subscribe = () => unsubscribe;
    const callbackURL = 'http://localhost/callback';
    const core = new AuthContext(
      parseOptions({
        clientID: '__fake_client__',
        callbackURL,
        store,
        encryptionKeys: false,
        clock: new ManualClock(),
      }),
    );
    expect(unsubscribe).not.toHaveBeenCalled();

    await core.coordinator.close();

    expect(unsubscribe).toHaveBeenCalledTimes(1);
  });
});
