import { once } from 'node:events';
import expressSession from 'express-session';
import { MemoryTokenStore, salesforceAuth, type GrantSummary, type SalesforceEvent } from '../../lib';
import type { TokenStore } from '../../lib/stores';
import type { Emulator } from '../../lib/emulator';
import { logIn, onClient, startApp, type TestApp } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { collect } from '../helpers/collect';
import { startTestEmulator } from '../helpers/emulator';

const daySeconds = 24 * 60 * 60;

/** An application whose clock is moved by hand, and with it that of its store. Its sessions last for 60 days. */
async function start(options: Record<string, unknown> = { refresh: { keepAlive: true } }, maxAgeDays = 60) {
  const clock = new ManualClock();
  const store = quietStore(clock);
  const emulator = await startTestEmulator({ app: 'current' });
  const app = await startApp({
    emulator,
    sessionMiddleware: sessionsOf(maxAgeDays),
    options: { clock, store, ...options },
  });
  watch(app);
  return { clock, emulator, ...app };
}

/** Sessions whose cookie lasts for some days. Time does not move for them. */
function sessionsOf(days: number) {
  const cookie = { maxAge: days * daySeconds * 1000 };
  return expressSession({
    secret: '__test_session_secret__',
    resave: false,
    saveUninitialized: false,
    cookie,
  }) as never;
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

/** A store as an application can write one, whose grants outlive the process. */
function lastingStore(clock: ManualClock): TokenStore {
  const inner = quietStore(clock);
  const names = ['read', 'put', 'claim', 'renew', 'arm', 'releaseClaim', 'commit', 'addHolder', 'logOut'] as const;
  const operations = Object.fromEntries(
    names.map((name) => [name, (inner[name] as (...given: never[]) => unknown).bind(inner)]),
  );
  const list: TokenStore['list'] = (filter) => inner.list(filter);
  const takeIdle: TokenStore['takeIdle'] = (query) => inner.takeIdle(query);
  return { ...operations, list, takeIdle } as unknown as TokenStore;
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
  for (let step = 0; step < 1_000_000; step++) {
    for (let turn = 0; turn < 4; turn++) await new Promise(setImmediate);
    if (pending.size === 0) return watched;
    if (underWay > 0) continue;
    clock.advanceMs(clock.nextInMs > 31_000 ? clock.nextInMs : 50);
  }
  throw new Error('It did not come.');
}

async function nextRound({ events }: TestApp['salesforce']): Promise<SalesforceEvent<'keepAlive.finished'>> {
  const [event] = (await once(events, 'keepAlive.finished')) as [SalesforceEvent<'keepAlive.finished'>];
  return event;
}

/** Lets days pass at the application and at Salesforce, day by day, and each round of the sweeper come to its end. */
async function passDays(days: number, both: { clock: ManualClock; emulator: Emulator }): Promise<void> {
  for (let day = 0; day < days; day++) await passSeconds(daySeconds, both);
}

async function passSeconds(
  seconds: number,
  { clock, emulator }: { clock: ManualClock; emulator: Emulator },
): Promise<void> {
  emulator.clock.advanceSeconds(seconds);
  const end = clock.now() + seconds * 1000;
  while (clock.now() < end) {
    for (let turn = 0; turn < 8; turn++) await new Promise(setImmediate);
    if (underWay > 0) continue;
    const leftMs = end - clock.now();
    clock.advanceMs(Math.min(leftMs, clock.nextInMs > 31_000 ? Math.max(1, clock.nextInMs) : 50));
  }
}

describe('thirty idle days', () => {
  const dayMs = daySeconds * 1000;

  async function startLasting(refresh?: object, maxAgeDays?: number) {
    const clock = new ManualClock();
    const started = await start({ clock, store: lastingStore(clock), refresh }, maxAgeDays);
    const expiring: SalesforceEvent<'grant.expiring'>[] = [];
    started.salesforce.events.on('grant.expiring', (event) => expiring.push(event));
    return { ...started, clock, expiring };
  }

  it.each([
    ['by default: the user is still logged in after 31 days', undefined, 200, 1],
    ['with keepAlive: false: the user logs in again after 31 days', { keepAlive: false }, 401, 0],
    ['with idleLimitSeconds: false: nothing is kept alive', { idleLimitSeconds: false }, 401, 0],
  ])('%s', async (_title, refresh, status, sweeps) => {
    const { browser, clock, emulator, salesforce } = await startLasting(refresh);
    const tab = browser();
    await logIn(tab, emulator);
    const causes: string[] = [];
    salesforce.events.on('refresh.started', ({ cause }) => causes.push(cause));

    await passDays(31, { clock, emulator });

    expect(causes).toEqual(Array(sweeps).fill('sweep'));
    expect((await tab.get('/accounts')).status).toBe(status);
  });

  it.each([
    ['the memory store, whose grants end with the process', {}],
    ['a scope without refresh_token', { scope: 'openid id api' }],
  ])('does nothing by itself with %s', async (_title, options) => {
    const clock = new ManualClock();
    const store = 'scope' in options ? lastingStore(clock) : quietStore(clock);
    const { browser, emulator, salesforce } = await start({ clock, store, ...options });
    await logIn(browser(), emulator);
    const heard = jest.fn();
    salesforce.events.on('keepAlive.finished', heard);

    await passDays(31, { clock, emulator });

    expect(refreshes(emulator)).toBe(0);
    expect(heard).not.toHaveBeenCalled();
  });

  it('keeps a grant whose limit is an hour, with a refresh each hour', async () => {
    const { browser, clock, emulator } = await startLasting({ idleLimitSeconds: 3_600 });
    const tab = browser();
    await logIn(tab, emulator);
    for (const { clientID } of emulator.clients) emulator.setPolicy(clientID, { locked: false, idleTTLSeconds: 3_600 });

    for (let minute = 0; minute < 300; minute++) await passSeconds(60, { clock, emulator });

    expect(refreshes(emulator)).toBeGreaterThanOrEqual(5);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('tells once a day of the end of a grant without a holder, and ends none itself', async () => {
    const { browser, clock, emulator, expiring, salesforce } = await startLasting(undefined, 1);
    await logIn(browser(), emulator);
    const idleUntil = new Date(clock.now() + 30 * dayMs);
    const { grantId } = await only(salesforce);

    await passDays(29, { clock, emulator });

    expect(expiring).toEqual(Array(4).fill({ grantId, idleUntil: around(idleUntil), isHeld: false }));
    expect(refreshes(emulator)).toBe(0);
    expect(emulator.liveTokens()).toMatchObject({ refreshTokens: 1 });
    await passDays(5, { clock, emulator });
    expect(expiring.length).toBeLessThanOrEqual(6);
    expect((await only(salesforce)).state).toBe('idle');
  });

  it('keeps a grant for the user who was away for a month, and lets it end for one who stays away', async () => {
    const { browser, clock, emulator, expiring } = await startLasting();
    const tab = browser();
    await logIn(tab, emulator);

    await passDays(40, { clock, emulator });
    expect((await tab.get('/accounts')).status).toBe(200);
    expect(refreshes(emulator)).toBe(2);
    expect(expiring).toEqual([]);

    // A use on day 40, a refresh on day 65, and none on day 90, because nobody came for 50 days.
    await passDays(56, { clock, emulator });
    expect(refreshes(emulator)).toBe(3);
    expect(expiring.every(({ isHeld }) => isHeld)).toBe(true);
    expect((await tab.get('/accounts')).status).toBe(401);
  });

  it('tells of the end of a grant in use that cannot be refreshed', async () => {
    const { browser, clock, emulator, expiring } = await startLasting();
    await logIn(browser(), emulator);
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503, times: 1_000 });

    await passDays(28, { clock, emulator });

    expect(expiring.length).toBeGreaterThanOrEqual(2);
    expect(expiring[0]).toMatchObject({ isHeld: true });
  });

  it('keeps a user logged in although Salesforce refuses to refresh many others for a reason that is not known', async () => {
    const { browser, clock, emulator } = await startLasting();
    const tabs = await loginsOf(7, emulator, browser);
    const refused = new Set<unknown>();
    const isRefused = (refreshToken: unknown): boolean => {
      if (refused.size < 6) refused.add(refreshToken);
      return refused.has(refreshToken);
    };
    emulator.faults.inject({
      ...{
        on: 'refresh',
        kind: 'error',
        error: 'invalid_grant',
        errorDescription: 'a brand new text',
        times: Infinity,
      },
      match: ({ body }) => isRefused(body?.['refresh_token']),
    });

    await passDays(31, { clock, emulator });

    expect((await tabs.at(-1)!.get('/accounts')).status).toBe(200);
  });

  it('says of each grant until when it may stay unused', async () => {
    const { browser, clock, emulator, salesforce } = await startLasting({ keepAlive: false });
    await logIn(browser(), emulator);
    const { grantId, idleUntil } = await only(salesforce);
    expect(idleUntil).toEqual(around(new Date(clock.now() + 30 * dayMs)));

    clock.advanceSeconds(10 * daySeconds);
    expect(await salesforce.tokens.find(grantId)).toMatchObject({ idleUntil: around(idleUntil!) });
    await salesforce.tokens.get(grantId);
    const later = new Date(clock.now() + 30 * dayMs);
    expect(await salesforce.tokens.find(grantId)).toMatchObject({ idleUntil: around(later) });
  });

  it.each([
    ['no limit', { idleLimitSeconds: false }, 'openid id api refresh_token'],
    ['nothing to refresh with', {}, 'openid id api'],
  ])('says nothing of that with %s', async (_title, refresh, scope) => {
    const { browser, emulator, salesforce } = await start({ refresh, scope });
    await logIn(browser(), emulator);

    expect((await only(salesforce)).idleUntil).toBeUndefined();
  });

  describe('for jobs', () => {
    it('tokens.keepAlive() keeps a grant without a holder, with one refresh a day at most', async () => {
      const { browser, clock, emulator, expiring, salesforce } = await startLasting({ keepAlive: false }, 1);
      await logIn(browser(), emulator);
      const { grantId } = await only(salesforce);

      for (let week = 1; week <= 5; week++) {
        await passDays(7, { clock, emulator });
        const kept = await salesforce.tokens.keepAlive(grantId);
        expect(kept.idleUntil).toEqual(around(new Date(clock.now() + 30 * dayMs)));
        await salesforce.tokens.keepAlive(grantId);
        expect(refreshes(emulator)).toBe(week);
      }

      const access = await salesforce.tokens.get(grantId);
      expect((await access.fetch('/services/data/v68.0/limits')).status).toBe(200);
      expect(expiring).toEqual([]);
    });

    it('tokens.keepAlive() keeps a limit of less than a day as well', async () => {
      const refresh = { keepAlive: false, idleLimitSeconds: 3600 };
      const { browser, clock, emulator, salesforce } = await startLasting(refresh);
      await logIn(browser(), emulator);
      const { grantId } = await only(salesforce);

      clock.advanceSeconds(1_700);
      await salesforce.tokens.keepAlive(grantId);
      expect(refreshes(emulator)).toBe(0);
      clock.advanceSeconds(200);
      await salesforce.tokens.keepAlive(grantId);
      expect(refreshes(emulator)).toBe(1);
    });

    it('keepAlive: { jobs: true } keeps grants that have no holder and are not used', async () => {
      const { browser, clock, emulator, salesforce } = await startLasting({ keepAlive: { jobs: true } }, 1);
      await logIn(browser(), emulator);

      await passDays(70, { clock, emulator });

      expect(refreshes(emulator)).toBe(2);
      await expect(salesforce.tokens.get((await only(salesforce)).grantId)).resolves.toBeDefined();
    });

    it('tokens.keepAlive() says that a login is needed if the grant is over, logged out, or cannot be refreshed', async () => {
      const { browser, clock, emulator, salesforce } = await startLasting();
      await logIn(browser(), emulator);
      const { grantId } = await only(salesforce);
      const code = 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED';

      emulator.revokeRefreshTokens();
      clock.advanceSeconds(2 * daySeconds);
      await expect(salesforce.tokens.keepAlive(grantId)).rejects.toMatchObject({ code });
      await expect(salesforce.tokens.keepAlive(grantId)).rejects.toMatchObject({ code });
      await salesforce.tokens.revoke(grantId);
      await expect(salesforce.tokens.keepAlive(grantId)).rejects.toMatchObject({ code });

      const other = await start({ scope: 'openid id api' });
      await logIn(other.browser(), other.emulator);
      const bare = (await only(other.salesforce)).grantId;
      await expect(other.salesforce.tokens.keepAlive(bare)).rejects.toMatchObject({ code });
    });
  });
});

async function only({ tokens }: TestApp['salesforce']) {
  const grants: GrantSummary[] = [];
  for await (const grant of tokens.list()) grants.push(grant);
  expect(grants).toHaveLength(1);
  return grants[0]!;
}

/** A moment, give or take the time that a test takes. */
function around(moment: Date): unknown {
  return {
    asymmetricMatch: (other: unknown) => other instanceof Date && Math.abs(other.getTime() - moment.getTime()) < 60_000,
  };
}

describe('keepAlive', () => {
  it('refreshes an unused grant after 25 days, and again 25 days later', async () => {
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

  it('refreshes although the access token looks fresh', async () => {
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

  it('revokes a grant that has had no holder for abandonedAfterSeconds', async () => {
    const keepAlive = { jobs: true, abandonedAfterSeconds: 30 * daySeconds };
    const { browser, clock, emulator, salesforce } = await start({ refresh: { keepAlive } }, 1);
    await logIn(browser(), emulator);

    // The session of a browser that is closed without a logout is held for a while after its last request.
    expect(await pass(clock, 25, { salesforce })).toMatchObject({ refreshed: 1, ended: 0 });
    const events = [await pass(clock, 25, { salesforce }), await pass(clock, 25, { salesforce })];

    expect(events.map(({ ended }) => ended).reduce((sum, ended) => sum + ended)).toBe(1);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('logs no user out while Salesforce fails, gives up the round after three failures, and goes on in the next', async () => {
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
    const create = onClient(emulator, client, options);
    const other = watch(await startApp({ emulator, create, sessionMiddleware: sessionsOf(60) }));
    await loginsOf(4, emulator, browser);

    await Promise.all([pass(clock, 26, { salesforce }), pass(clock, 0, other)]);
    await Promise.all([pass(clock, 0, { salesforce }), pass(clock, 0, other)]);

    expect(refreshes(emulator)).toBe(4);
  });

  it.each([
    ['abandons', { jobs: true, abandonedAfterSeconds: 30 * daySeconds }, 60],
    ['refreshes', true, 26],
  ])('neither counts nor %s a grant of another middleware on the same store', async (_what, keepAlive, days) => {
    const clock = new ManualClock();
    const store = quietStore(clock);
    const { emulator, salesforce } = await start({ clock, store, refresh: { keepAlive } });
    const options = { clock, store, refresh: { keepAlive: false } };
    const other = await startApp({ emulator, options, sessionMiddleware: sessionsOf(1) });
    await logIn(other.browser(), emulator);
    const [grant] = await collect(other.salesforce.tokens.list());

    expect(await pass(clock, days, { salesforce })).toMatchObject({ refreshed: 0, ended: 0, failed: 0, unused: 0 });

    const job = await other.salesforce.tokens.get(grant!.grantId);
    expect((await job.fetch('/services/data/v62.0/limits')).status).toBe(200);
  });

  it('asks a configuration function once for each client, and counts and tells grants whose client it does not give', async () => {
    const clock = new ManualClock();
    const store = quietStore(clock);
    const emulator = await startTestEmulator({ app: 'current' });
    const asked: unknown[] = [];
    const told: string[] = [];
    const configuration = ({ tenant }: { tenant?: string | undefined }): never => {
      asked.push(tenant);
      throw new Error('The configuration service is down.');
    };
    const report = ({ code }: { code: string }): void => void told.push(code);
    const create = () => salesforceAuth({ configuration, store, clock, report, refresh: { keepAlive: true } });
    const { salesforce } = await startApp({ emulator, create });
    const other = await startApp({
      emulator,
      options: { clock, store, refresh: { keepAlive: false } },
      sessionMiddleware: sessionsOf(60),
    });
    await loginsOf(3, emulator, other.browser);

    expect(await pass(clock, 26, { salesforce })).toMatchObject({ refreshed: 0, ended: 0, failed: 3, unused: 0 });
    expect(asked).toEqual([undefined]);
    expect(told).toContain('ERR_SALESFORCE_CONFIGURATION');
  });

  it('ends with close() although a configuration function does not answer', async () => {
    const clock = new ManualClock();
    const store = quietStore(clock);
    const emulator = await startTestEmulator({ app: 'current' });
    let ask = (): void => undefined;
    const isAsked = new Promise<void>((resolve) => (ask = resolve));
    const configuration = (): Promise<never> => {
      ask();
      return new Promise(() => undefined);
    };
    const create = () => salesforceAuth({ configuration, store, clock, report: false, refresh: { keepAlive: true } });
    const { salesforce } = await startApp({ emulator, create });
    const options = { clock, store, refresh: { keepAlive: false } };
    const other = await startApp({ emulator, options, sessionMiddleware: sessionsOf(60) });
    await logIn(other.browser(), emulator);
    clock.advanceSeconds(26 * daySeconds);
    await advanceUntil(clock, isAsked);

    await expect(salesforce.close()).resolves.toBeUndefined();
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
        sessionMiddleware: sessionsOf(60),
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
    [1, 'refresh.keepAlive must be true, false or an object of options such as'],
    [{ after: 3 }, "no option 'refresh.keepAlive.after'."],
    [{ afterSecond: 3 }, "Did you mean 'refresh.keepAlive.afterSeconds'?"],
    [{ afterSeconds: 0 }, 'refresh.keepAlive.afterSeconds must be a whole number from 1 to 315360000.'],
    [
      { abandonedAfterSeconds: 0 },
      'refresh.keepAlive.abandonedAfterSeconds must be a whole number from 1 to 315360000.',
    ],
    [
      { afterSeconds: 2_592_000 },
      'refresh.keepAlive.afterSeconds must be less than refresh.idleLimitSeconds, which is 2592000.',
    ],
    [{ jobs: 'yes' }, 'refresh.keepAlive.jobs must be true or false.'],
    [{ everySeconds: 86_401 }, 'refresh.keepAlive.everySeconds must be a whole number from 1 to 86400.'],
  ])('refuses %j', (keepAlive, message) => {
    expect(() => salesforceAuth({ clientID: 'fake', refresh: { keepAlive } } as never)).toThrow(message);
  });

  it.each([true, '30 days', 59, 1.5])('refuses idleLimitSeconds: %j', (idleLimitSeconds) => {
    expect(() => salesforceAuth({ clientID: 'fake', refresh: { idleLimitSeconds } } as never)).toThrow(
      'refresh.idleLimitSeconds must be a whole number from 60 to 315360000.',
    );
  });

  it('is off by itself with a store that cannot tell idle grants', async () => {
    const clock = new ManualClock();
    const store = { ...lastingStore(clock), takeIdle: undefined };
    const { browser, emulator, salesforce } = await start({ clock, store });
    await logIn(browser(), emulator);
    const heard = jest.fn();
    salesforce.events.on('keepAlive.finished', heard);

    await passDays(2, { clock, emulator });

    expect(heard).not.toHaveBeenCalled();
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
