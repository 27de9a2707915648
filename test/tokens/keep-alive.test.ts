import { once } from 'node:events';
import { MemoryTokenStore, salesforceAuth, type SalesforceEvent, type TokenStore } from '../../lib';
import type { Emulator } from '../../lib/emulator';
import { logIn, onClient, startApp, type TestApp } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';

const daySeconds = 24 * 60 * 60;

/** An application whose clock is moved by hand, and with it that of its store. */
async function start(options: Record<string, unknown> = { refresh: { keepAlive: true } }) {
  const clock = new ManualClock();
  const store = quietStore(clock);
  const emulator = await startTestEmulator();
  const app = await startApp({
    emulator,
    policy: { rotateRefreshTokens: true },
    options: { clock, store, ...options },
  });
  watch(app);
  return { clock, emulator, ...app };
}

/** Refreshes under way: real requests, which virtual time has to wait for. */
let underWay = 0;

beforeEach(() => {
  underWay = 0;
});

function watch<App extends Pick<TestApp, 'salesforce'>>(app: App): App {
  const { events } = app.salesforce;
  events.on('refresh.started', () => underWay++);
  for (const outcome of ['succeeded', 'failed', 'doubted', 'ended', 'superseded'] as const) {
    events.on(`refresh.${outcome}`, () => underWay--);
  }
  return app;
}

/** One whose own timers are far away, so that those of the sweeper are the next. */
function quietStore(clock: ManualClock): MemoryTokenStore {
  return new MemoryTokenStore({ clock, sweepIntervalMs: 1_000 * daySeconds * 20 });
}

function refreshes({ requests }: Emulator): number {
  return requests.filter(({ body }) => body?.['grant_type'] === 'refresh_token').length;
}

/** Moves on by days, and lets a round that begins then come to its end. */
async function pass(clock: ManualClock, days: number, { salesforce }: Pick<TestApp, 'salesforce'>) {
  if (days > 0) {
    const onTheWay = nextRound(salesforce);
    clock.advanceSeconds(days * daySeconds);
    await advanceUntil(clock, onTheWay);
  }
  return advanceUntil(clock, nextRound(salesforce));
}

/** From timer to timer, and slowly while one of them is a time limit of something under way. */
async function advanceUntil<T>(clock: ManualClock, done: Promise<T>): Promise<T> {
  const pending = new Set([done]);
  const watched = done.finally(() => pending.clear());
  for (;;) {
    for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
    if (pending.size === 0) return watched;
    if (underWay > 0) continue;
    clock.advanceMs(clock.nextInMs > 31_000 ? clock.nextInMs : 50);
  }
}

async function nextRound({ events }: TestApp['salesforce']): Promise<SalesforceEvent<'keepAlive.finished'>> {
  const [event] = (await once(events, 'keepAlive.finished')) as [SalesforceEvent<'keepAlive.finished'>];
  return event;
}

describe('keepAlive', () => {
  it('is off by default: a grant nobody uses is left alone', async () => {
    const { browser, clock, emulator, salesforce } = await start({});
    await logIn(browser(), emulator);
    const heard = jest.fn();
    salesforce.events.on('keepAlive.finished', heard);

    for (let day = 0; day < 40; day++) {
      clock.advanceSeconds(daySeconds);
      await new Promise(setImmediate);
    }

    expect(refreshes(emulator)).toBe(0);
    expect(heard).not.toHaveBeenCalled();
  });

  it('refreshes a grant nobody uses after 25 days, and again 25 days later', async () => {
    const { browser, clock, emulator, salesforce } = await start();
    const tab = browser();
    await logIn(tab, emulator);
    const causes: string[] = [];
    salesforce.events.on('refresh.started', ({ cause }) => causes.push(cause));

    expect(await pass(clock, 24, { salesforce })).toMatchObject({ refreshed: 0, failed: 0, ended: 0 });
    expect(await pass(clock, 1, { salesforce })).toMatchObject({ refreshed: 1 });
    expect(await pass(clock, 20, { salesforce })).toMatchObject({ refreshed: 0 });

    expect(causes).toEqual(['sweep']);
    expect(refreshes(emulator)).toBe(1);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('refreshes although the access token is fresh as far as anybody knows', async () => {
    const { browser, clock, emulator, salesforce } = await start({
      refresh: { keepAlive: { afterSeconds: 60, everySeconds: 60 } },
    });
    const tab = browser();
    await logIn(tab, emulator);

    // The first round comes at a random moment and the next ones a tenth early or late: the third is past 60 s for sure.
    for (let round = 1; round <= 3; round++) await pass(clock, 0, { salesforce });

    expect(refreshes(emulator)).toBeGreaterThan(0);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('revokes a grant that no session has held for 30 days', async () => {
    const { browser, clock, emulator, salesforce } = await start();
    await logIn(browser(), emulator);

    // The session of a browser that is closed without a logout is held for a while after its last request.
    expect(await pass(clock, 25, { salesforce })).toMatchObject({ refreshed: 1, ended: 0 });
    const events = [await pass(clock, 25, { salesforce }), await pass(clock, 25, { salesforce })];

    expect(events.map(({ ended }) => ended).reduce((sum, ended) => sum + ended)).toBe(1);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('logs nobody out while Salesforce fails, gives up the round after three failures, and goes on in the next', async () => {
    const { browser, clock, emulator, salesforce } = await start();
    const tabs = await loginsOf(5, emulator, browser);
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 429, times: 3 });

    expect(await pass(clock, 26, { salesforce })).toMatchObject({ refreshed: 0, failed: 3 });
    expect(await pass(clock, 0, { salesforce })).toMatchObject({ failed: 0 });
    await pass(clock, 0, { salesforce });
    await pass(clock, 0, { salesforce });

    expect(refreshes(emulator)).toBe(3 + 5);
    for (const tab of tabs) expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('counts a grant that Salesforce has ended, and marks it so', async () => {
    const { browser, clock, emulator, salesforce } = await start();
    const tab = browser();
    await logIn(tab, emulator);
    emulator.revokeRefreshTokens();
    const lost = jest.fn();
    salesforce.events.on('refresh.ended', lost);

    expect(await pass(clock, 26, { salesforce })).toMatchObject({ refreshed: 0, ended: 1, failed: 0 });
    expect(await pass(clock, 26, { salesforce })).toMatchObject({ refreshed: 0, ended: 0, failed: 0 });

    expect(lost).toHaveBeenCalledTimes(1);
    expect((await tab.get('/accounts')).status).toBe(401);
  });

  it('survives a store that fails or does not answer', async () => {
    const clock = new ManualClock();
    const store = quietStore(clock);
    const takeIdle = store.takeIdle.bind(store);
    const { browser, emulator, salesforce } = await start({ refresh: { keepAlive: true }, clock, store });
    await logIn(browser(), emulator);
    const errors: string[] = [];
    salesforce.events.on('store.failed', ({ operation }) => errors.push(operation));

    store.takeIdle = () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('down')) }) });
    expect(await pass(clock, 26, { salesforce })).toMatchObject({ refreshed: 0 });
    store.takeIdle = () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) });
    expect(await pass(clock, 0, { salesforce })).toMatchObject({ refreshed: 0 });
    store.takeIdle = takeIdle;
    expect(await pass(clock, 0, { salesforce })).toMatchObject({ refreshed: 1 });

    expect(errors).toEqual(['takeIdle', 'takeIdle', 'takeIdle']);
  });

  it('shares the work between processes: each grant is refreshed once', async () => {
    const clock = new ManualClock();
    const store = quietStore(clock);
    const options = { clock, store, refresh: { keepAlive: true } };
    const { browser, client, emulator, salesforce } = await start(options);
    const other = watch(await startApp({ emulator, create: onClient(emulator, client, options) }));
    await loginsOf(4, emulator, browser);

    await Promise.all([pass(clock, 26, { salesforce }), pass(clock, 0, other)]);
    await Promise.all([pass(clock, 0, { salesforce }), pass(clock, 0, other)]);

    expect(refreshes(emulator)).toBe(4);
  });

  it('stops with close(), which waits for the refresh under way', async () => {
    const { browser, clock, emulator, salesforce } = await start();
    await loginsOf(3, emulator, browser);
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    await pass(clock, 24, { salesforce });
    clock.advanceSeconds(2 * daySeconds);
    clock.advanceSeconds(daySeconds);
    await advanceUntil(clock, held.reached);

    const closed = salesforce.close();
    held.release();
    await closed;

    expect(refreshes(emulator)).toBe(1);
    await clock.advanceUntil(Promise.resolve());
    clock.advanceSeconds(daySeconds);
    expect(refreshes(emulator)).toBe(1);
  });

  it('knows the tenant of a grant without a request', async () => {
    const clock = new ManualClock();
    const emulator = await startTestEmulator();
    const tenants: unknown[] = [];
    const { browser, salesforce } = watch(
      await startApp({
        emulator,
        create: ({ clientID, clientSecret }, callbackURL) =>
          salesforceAuth({
            clock,
            store: quietStore(clock),
            refresh: { keepAlive: true },
            tenant: () => 'acme',
            configuration: ({ req, tenant }) => {
              if (!req) tenants.push(tenant);
              return { clientID, clientSecret, callbackURL, baseUrl: emulator.url, scope: 'id refresh_token' };
            },
          }),
      }),
    );
    await logIn(browser(), emulator);

    expect(await pass(clock, 26, { salesforce })).toMatchObject({ refreshed: 1 });
    expect(new Set(tenants)).toEqual(new Set(['acme']));
  });

  it.each([
    [1, 'refresh.keepAlive must be true, false or an object.'],
    [{ after: 3 }, "refresh.keepAlive has no option 'after'."],
    [{ afterSecond: 3 }, "Did you mean 'afterSeconds'?"],
    [{ afterSeconds: 0 }, 'refresh.keepAlive.afterSeconds must be a whole number from 1 to 315360000.'],
    [{ everySeconds: 86_401 }, 'refresh.keepAlive.everySeconds must be a whole number from 1 to 86400.'],
  ])('refuses %j', (keepAlive, message) => {
    expect(() => salesforceAuth({ clientID: 'fake', refresh: { keepAlive } } as never)).toThrow(message);
  });

  it('refuses a store that cannot tell idle grants', () => {
    const store = Object.assign(Object.create(new MemoryTokenStore()) as TokenStore, { takeIdle: undefined });

    expect(() => salesforceAuth({ clientID: 'fake', refresh: { keepAlive: true }, store })).toThrow(
      'refresh.keepAlive must be left out with this store, which has no takeIdle() to tell idle grants.',
    );
  });
});

/** Grants of several users. */
async function loginsOf(count: number, emulator: Emulator, browser: TestApp['browser']) {
  while (emulator.users.length < count) emulator.addUser();
  const tabs = Array.from({ length: count }, browser);
  for (const [user, tab] of tabs.entries()) await logIn(tab, emulator, { user });
  return tabs;
}
