import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { MemoryTokenStore, type SalesforceAuth, type SalesforceEventName } from '../../lib';
import type { ClientPolicy } from '../../lib/emulator';
import { eventNames } from '../../lib/coordinator/events';
import { logIn, onClient, startApp, type TestApp } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { collect } from '../helpers/collect';
import { startTestEmulator } from '../helpers/emulator';

/** An event as these tests compare it: its name, and its data without the grant, which is the same throughout. */
type Told = [name: SalesforceEventName, data: Record<string, unknown>];

interface Process extends TestApp {
  clock: ManualClock;
  /** What this process told since it was last asked. */
  told: () => Told[];
}

const subscriptions: [channel: string, subscriber: (message: unknown) => void][] = [];

afterEach(() => {
  for (const [channel, subscriber] of subscriptions.splice(0)) unsubscribe(channel, subscriber);
});

/** Applications on one store, whose events are written down from the first login on. */
async function startProcesses(
  count: number,
  options: { policy?: Partial<ClientPolicy>; cacheMs?: number; scope?: string } = {},
) {
  const emulator = await startTestEmulator();
  const storeClock = new ManualClock();
  const store = new MemoryTokenStore({ clock: storeClock });
  const client = emulator.registerClient({
    callbackURLs: [],
    policy: { rotateRefreshTokens: true, ...options.policy },
  });
  const processes: Process[] = [];
  for (let index = 0; index < count; index++) {
    const clock = new ManualClock();
    const app = await startApp({
      emulator,
      create: onClient(emulator, client, {
        store,
        clock,
        refresh: { cacheMs: options.cacheMs ?? 0 },
        // Of the first; the others log in with everything.
        ...(index === 0 && options.scope !== undefined && { scope: options.scope }),
      }),
    });
    let news: Told[] = [];
    for (const name of eventNames) {
      app.salesforce.events.on(name, ({ grantId: _, ...data }: Record<string, unknown>) => news.push([name, data]));
    }
    const told = (): Told[] => {
      const all = news;
      news = [];
      return all;
    };
    processes.push({ ...app, clock, told });
  }
  const [first, second] = processes as [Process, Process];
  const tab = first.browser();
  await logIn(tab, emulator);
  const { grantId } = (await tab.get('/me')).body as { grantId: string };
  const elapse = (seconds: number): void => {
    storeClock.advanceSeconds(seconds);
    for (const { clock } of processes) clock.advanceSeconds(seconds);
  };
  const token = async (process: Process, rejected?: string): Promise<string> => {
    const grant = await process.salesforce.tokens.get(grantId);
    return rejected === undefined ? grant.accessToken : grant.getAccessToken({ rejected });
  };
  return { emulator, store, first, second, tab, grantId, elapse, token };
}

function eventually(salesforce: SalesforceAuth, name: SalesforceEventName): Promise<unknown> {
  return new Promise((resolve) => salesforce.events.once(name, resolve));
}

const durationMs = expect.any(Number) as number;

describe('events', () => {
  it('tell the source of each token', async () => {
    const { emulator, first, second, elapse, token } = await startProcesses(2, { cacheMs: 2_000 });
    expect(first.told()).toEqual([
      ['login.succeeded', { tokens: 'new' }],
      ['token.served', { from: 'memory' }],
    ]);

    const accessToken = await token(first);
    expect(first.told()).toEqual([['token.served', { from: 'memory' }]]);
    await token(second);
    expect(second.told()).toEqual([['token.served', { from: 'store' }]]);

    emulator.expireAccessTokens();
    await token(first, accessToken);
    expect(first.told()).toEqual([
      ['token.served', { from: 'memory' }],
      ['refresh.started', { cause: 'rejected' }],
      ['refresh.succeeded', { cause: 'rejected', durationMs, rotated: true }],
      ['token.served', { from: 'refreshed' }],
    ]);

    elapse(7_199);
    const done = eventually(first.salesforce, 'refresh.succeeded');
    await Promise.all([token(first), token(first)]);
    await token(first);
    await done;
    await token(first);
    expect(first.told()).toEqual([
      ['token.served', { from: 'stale' }],
      ['token.served', { from: 'stale' }],
      ['token.served', { from: 'stale' }],
      ['refresh.started', { cause: 'soft' }],
      ['refresh.succeeded', { cause: 'soft', durationMs, rotated: true }],
      ['token.served', { from: 'memory' }],
    ]);

    // The attempt that told of its success ends after that, and a request would still join it.
    await new Promise((resolve) => setImmediate(resolve));
    elapse(7_200);
    await Promise.all([token(first), token(first)]);
    expect(first.told()).toEqual([
      ['refresh.started', { cause: 'hard' }],
      ['refresh.succeeded', { cause: 'hard', durationMs, rotated: true }],
      ['token.served', { from: 'refreshed' }],
      ['token.served', { from: 'refreshed' }],
    ]);
  });

  it('tell of a guard that lets a request pass', async () => {
    const { first, tab } = await startProcesses(1, { cacheMs: 2_000 });
    first.told();

    await tab.get('/me');

    expect(first.told()).toEqual([['token.served', { from: 'memory' }]]);
  });

  it('tell of a refresh that will be tried again, and of the caller that got nothing', async () => {
    const { emulator, first, elapse, token } = await startProcesses(1, { policy: { expiresInSeconds: 600 } });
    first.told();
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 429, retryAfterSeconds: 30 });
    elapse(600);

    await expect(token(first)).rejects.toThrow();
    await expect(token(first)).rejects.toThrow();

    expect(first.told()).toEqual([
      ['refresh.started', { cause: 'hard' }],
      [
        'refresh.failed',
        {
          cause: 'hard',
          durationMs,
          code: 'ERR_SALESFORCE_RATE_LIMITED',
          verdict: 'try later',
          retryInMs: expect.any(Number),
        },
      ],
      ['token.failed', { code: 'ERR_SALESFORCE_REFRESH_DELAYED' }],
      ['token.failed', { code: 'ERR_SALESFORCE_REFRESH_DELAYED' }],
    ]);
  });

  it('tell of a grant that is served for as long as it may be good', async () => {
    const { emulator, first, elapse, token } = await startProcesses(1);
    first.told();
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 429 });
    elapse(7_200);

    await token(first);

    expect(first.told().map(([name, { from }]) => from ?? name)).toEqual([
      'refresh.started',
      'refresh.failed',
      'stale',
    ]);
  });

  it('tell of a lost answer, and of what became of it', async () => {
    const { emulator, first, elapse, token } = await startProcesses(1, { policy: { expiresInSeconds: 600 } });
    first.told();
    const code = 'ERR_SALESFORCE_CONNECTION_LOST';
    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'before' });
    elapse(600);
    await expect(token(first)).rejects.toThrow();
    elapse(6);
    await token(first);
    expect(first.told()).toEqual([
      ['refresh.started', { cause: 'hard' }],
      ['refresh.doubted', { cause: 'hard', durationMs, code }],
      ['token.failed', { code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' }],
      ['refresh.started', { cause: 'hard' }],
      ['refresh.succeeded', { cause: 'hard', durationMs, rotated: true }],
      ['token.served', { from: 'refreshed' }],
    ]);

    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'after' });
    elapse(600);
    await expect(token(first)).rejects.toThrow();
    elapse(6);
    await expect(token(first)).rejects.toThrow();
    await expect(token(first)).rejects.toThrow();
    const over = ['token.failed', { code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' }];
    expect(first.told()).toEqual([
      ['refresh.started', { cause: 'hard' }],
      ['refresh.doubted', { cause: 'hard', durationMs, code }],
      ['token.failed', { code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' }],
      ['refresh.ended', { cause: 'hard', durationMs: 0, code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' }],
      over,
      over,
    ]);
  });

  it('tell once of a claim whose process was killed', async () => {
    const { store, first, second, grantId, elapse, token } = await startProcesses(2, {
      policy: { expiresInSeconds: 600 },
    });
    first.told();
    elapse(600);
    const { generation, version } = (await store.read(grantId))!;
    await store.claim(grantId, { generation, version, owner: 'a process that dies', leaseMs: 15_000 });
    elapse(16);

    await expect(token(first)).rejects.toThrow();
    await expect(token(second)).rejects.toThrow();

    const failed: Told = ['token.failed', { code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' }];
    expect(first.told()).toEqual([['refresh.doubted', { cause: 'hard', durationMs: 0, code: undefined }], failed]);
    expect(second.told()).toEqual([failed]);
  });

  it('tell of a refusal that ends the grant', async () => {
    const { emulator, first, tab, elapse, token } = await startProcesses(1, { policy: { expiresInSeconds: 600 } });
    const errorDescription = 'expired access/refresh token';
    first.told();
    emulator.faults.inject({ on: 'refresh', kind: 'error', error: 'invalid_grant', errorDescription });
    elapse(600);
    const code = 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED';
    const revoked = eventually(first.salesforce, 'revocation.succeeded');

    expect((await tab.get('/me').set('accept', 'text/html')).status).toBe(302);
    await revoked;
    await expect(token(first)).rejects.toThrow();

    expect(first.told()).toEqual([
      ['refresh.started', { cause: 'hard' }],
      ['refresh.ended', { cause: 'hard', durationMs, code }],
      ['token.failed', { code }],
      // What is left of the grant is revoked; nobody logged out.
      ['revocation.succeeded', { durationMs }],
      ['token.failed', { code }],
    ]);
  });

  it('tell of a login that ends because it has no refresh token', async () => {
    const { emulator, first, token } = await startProcesses(1, { scope: 'id api' });
    first.told();
    emulator.expireAccessTokens();
    const code = 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED';

    const accessToken = await token(first);
    for (let request = 0; request < 2; request++) await expect(token(first, accessToken)).rejects.toThrow();

    expect(first.told()).toEqual([
      ['token.served', { from: 'store' }],
      ['token.served', { from: 'store' }],
      ['refresh.ended', { cause: 'rejected', durationMs: 0, code }],
      ['token.failed', { code }],
      ['token.failed', { code }],
    ]);
  });

  it('tell of one wait for another process, however often it looks', async () => {
    const { emulator, first, second, elapse, token } = await startProcesses(2);
    first.told();
    elapse(7_200);
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    const mine = token(first);
    await held.reached;
    const theirs = token(second);
    await eventually(second.salesforce, 'claim.delayed');
    for (let look = 0; look < 20; look++) {
      second.clock.advanceMs(250);
      await new Promise((resolve) => setImmediate(resolve));
    }
    held.release();
    await mine;
    await second.clock.advanceUntil(theirs);

    expect(second.told()).toEqual([
      ['claim.delayed', {}],
      ['claim.waited', { durationMs }],
      ['token.served', { from: 'refreshed' }],
    ]);
  });

  it('tell of a refresh that a logout, or a login, has overtaken', async () => {
    const { emulator, first, second, tab, grantId, elapse, token } = await startProcesses(2);
    first.told();
    elapse(7_200);
    const before = emulator.faults.inject({ on: 'refresh', kind: 'hold', when: 'after' });
    const refreshing = token(first);
    await before.reached;
    await logIn(second.browser(), emulator);
    before.release();
    await refreshing;
    expect(first.told()).toEqual([
      ['refresh.started', { cause: 'hard' }],
      ['refresh.superseded', { cause: 'hard', durationMs, by: 'update' }],
      ['revocation.succeeded', { durationMs }],
      ['token.served', { from: 'refreshed' }],
    ]);
    expect(second.told()).toEqual([['login.succeeded', { tokens: 'replaced' }]]);

    elapse(7_200);
    const after = emulator.faults.inject({ on: 'refresh', kind: 'hold', when: 'after' });
    const over = expect(token(first)).rejects.toThrow();
    await after.reached;
    const leaving = second.salesforce.tokens.revoke(grantId);
    await eventually(second.salesforce, 'grant.loggedOut');
    after.release();
    await over;
    await second.clock.advanceUntil(leaving);
    expect(first.told()).toEqual([
      ['refresh.started', { cause: 'hard' }],
      ['refresh.superseded', { cause: 'hard', durationMs, by: 'logout' }],
      ['revocation.succeeded', { durationMs }],
      ['token.failed', { code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' }],
    ]);
    expect(second.told()).toEqual([
      ['grant.loggedOut', { ended: true }],
      ['revocation.succeeded', { durationMs }],
      ['revocation.succeeded', { durationMs }],
      // What the login replaced while it was being refreshed, once that refresh had its time.
      ['revocation.succeeded', { durationMs }],
    ]);
    await tab.post('/auth/salesforce/logout');
    expect(first.told()).toEqual([['grant.loggedOut', { ended: false }]]);
  });

  it('tell of a login whose tokens can do less, and of sessions that leave one by one', async () => {
    const { emulator, first, second, tab } = await startProcesses(2, { scope: 'id api' });
    first.told();
    const other = second.browser();

    let revoked = eventually(second.salesforce, 'revocation.succeeded');
    await logIn(other, emulator);
    await revoked;
    expect(second.told()).toEqual([
      ['login.succeeded', { tokens: 'replaced' }],
      ['revocation.succeeded', { durationMs }],
    ]);

    revoked = eventually(first.salesforce, 'revocation.succeeded');
    const third = first.browser();
    await logIn(third, emulator);
    await revoked;
    expect(first.told()).toEqual([
      ['login.succeeded', { tokens: 'kept' }],
      ['refresh.started', { cause: 'login' }],
      ['refresh.succeeded', { cause: 'login', durationMs, rotated: true }],
      ['revocation.succeeded', { durationMs }],
    ]);

    await third.post('/auth/salesforce/logout');
    await tab.post('/auth/salesforce/logout');
    await other.post('/auth/salesforce/logout');

    expect(first.told()).toEqual([
      ['grant.loggedOut', { ended: false }],
      ['grant.loggedOut', { ended: false }],
    ]);
    expect(second.told()).toEqual([
      ['grant.loggedOut', { ended: true }],
      ['revocation.succeeded', { durationMs }],
    ]);
  });

  it('tell of a revocation that failed once it is given up', async () => {
    const { emulator, first, grantId } = await startProcesses(1);
    first.told();
    emulator.faults.inject({ on: 'revoke', kind: 'status', status: 503, times: Infinity });

    await first.salesforce.tokens.revoke(grantId);
    expect(first.told()).toEqual([['grant.loggedOut', { ended: true }]]);
    await first.clock.advanceUntil(eventually(first.salesforce, 'revocation.failed'), 5_000);

    const [[name, { durationMs: tookMs }]] = first.told() as [Told];
    expect(name).toBe('revocation.failed');
    expect(tookMs).toBeGreaterThanOrEqual(156_000);
  });

  it('tell of every call a store fails, with the time it took', async () => {
    const { store, first, grantId, elapse, token } = await startProcesses(1);
    first.told();
    jest.spyOn(store, 'claim').mockImplementationOnce(async () => {
      first.clock.advanceSeconds(3);
      await Promise.resolve();
      throw new Error('down');
    });
    jest.spyOn(store, 'commit').mockRejectedValueOnce(new Error('down'));
    jest.spyOn(store, 'logOut').mockRejectedValueOnce(new Error('down'));
    jest.spyOn(store, 'list').mockImplementationOnce(() => {
      throw new Error('down');
    });

    elapse(7_200);
    await token(first);
    await first.clock.advanceUntil(token(first));
    await expect(first.salesforce.tokens.revoke(grantId)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_TOKEN_STORE' });
    await expect(collect(first.salesforce.tokens.list())).rejects.toMatchObject({ code: 'ERR_SALESFORCE_TOKEN_STORE' });

    expect(first.told()).toEqual([
      ['store.failed', { operation: 'claim', code: undefined, reason: 'Error', durationMs: 3_000 }],
      ['token.served', { from: 'stale' }],
      ['refresh.started', { cause: 'hard' }],
      ['store.failed', { operation: 'commit', code: undefined, reason: 'Error', durationMs: 0 }],
      ['refresh.succeeded', { cause: 'hard', durationMs, rotated: true }],
      ['token.served', { from: 'refreshed' }],
      ['store.failed', { operation: 'logOut', code: undefined, reason: 'Error', durationMs: 0 }],
      ['store.failed', { operation: 'list', code: undefined, reason: 'Error', durationMs: 0 }],
    ]);
  });

  it('stop nothing when a listener throws or rejects, and call one that listens once, once', async () => {
    const { first, elapse, token } = await startProcesses(1);
    const { events } = first.salesforce;
    const heard: string[] = [];
    events.prependListener('refresh.started', () => {
      throw new Error('from a listener');
    });
    // eslint-disable-next-line @typescript-eslint/no-misused-promises -- what people do all the same
    events.prependListener('refresh.started', async () => {
      await Promise.resolve();
      throw new Error('from an async listener');
    });
    events.once('refresh.started', () => heard.push('once'));
    events.on('refresh.started', () => heard.push('on'));

    for (let refresh = 0; refresh < 2; refresh++) {
      elapse(7_200);
      await token(first);
    }

    expect(heard).toEqual(['once', 'on', 'on']);
    expect(events.listenerCount('refresh.started')).toBe(4);
  });

  it('are published to diagnostics channels as well, the very same', async () => {
    const published: [string, unknown][] = [];
    for (const name of eventNames) {
      const channel = `express-salesforce-auth:${name}`;
      const subscriber = (message: unknown): void => void published.push([name, message]);
      subscribe(channel, subscriber);
      subscriptions.push([channel, subscriber]);
    }
    const { first, tab, elapse, token } = await startProcesses(1);
    const emitted: [string, unknown][] = [];
    for (const name of eventNames) first.salesforce.events.on(name, (event: unknown) => emitted.push([name, event]));
    published.length = 0;

    elapse(7_200);
    await token(first);
    await tab.post('/auth/salesforce/logout');

    expect(emitted.map(([name]) => name)).toEqual([
      'refresh.started',
      'refresh.succeeded',
      'token.served',
      'grant.loggedOut',
      'revocation.succeeded',
    ]);
    expect(published).toEqual(emitted);
  });
});
