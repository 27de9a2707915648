import { MemoryTokenStore } from '../../lib';
import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, walkToCallback, type ExpressMajor, type TestApp } from '../helpers/app';
import { describeEachOn } from '../helpers/programs';
import { kinds, sessionStores, type Sessions } from './stores';

const sessionsOf = sessionStores();

/** Every token, code and secret the emulator gave out or was given. */
function secretsOf(emulator: Emulator): string[] {
  const secrets = new Set<string>(emulator.presentations.keys());
  for (const { body, headers } of emulator.requests) {
    for (const name of ['code', 'code_verifier', 'client_secret', 'refresh_token', 'token']) {
      const value = body?.[name];
      if (typeof value === 'string') secrets.add(value);
    }
    const bearer = /^Bearer (.+)$/.exec(headers['authorization'] ?? '')?.[1];
    if (bearer) secrets.add(bearer);
  }
  return [...secrets];
}

const cases = kinds.flatMap((kind) => ([4, 5] as ExpressMajor[]).map((express) => [kind, express] as const));

describeEachOn(cases)('sessions in %s on Express %d', (kind, express) => {
  let emulator: Emulator;
  let sessions: Sessions;
  let app: TestApp;
  const store = (): MemoryTokenStore => tokens;
  let tokens: MemoryTokenStore;

  beforeEach(async () => {
    emulator = await startTestEmulator();
    sessions = await sessionsOf(kind);
    tokens = new MemoryTokenStore();
    app = await startApp({
      emulator,
      express,
      sessionMiddleware: sessions.middleware,
      policy: { rotateRefreshTokens: true },
      options: { store: tokens, refresh: { cacheMs: 0 } },
      routes: (routes, salesforce) => {
        routes.get('/visit', (req, res) => {
          (req.session as unknown as { visited: boolean }).visited = true;
          res.end();
        });
        routes.get('/cookie', (req, res) => void res.json(req.headers.cookie ?? ''));
        routes.use(salesforce.errorHandler());
      },
    });
  });

  const cookieOf = async (tab: ReturnType<TestApp['browser']>): Promise<string> =>
    (await tab.get('/cookie')).body as string;

  it('a login gives a new session; refreshes go on in it; a logout ends it', async () => {
    const tab = app.browser();
    await tab.get('/visit');
    const before = await cookieOf(tab);

    await logIn(tab, emulator);
    const after = await cookieOf(tab);
    emulator.expireAccessTokens();
    const refreshed = await tab.get('/accounts');
    const left = await tab.post('/auth/salesforce/logout');

    expect(after).not.toBe(before);
    expect(refreshed.status).toBe(200);
    expect(left.status).toBe(204);
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('a session id that an attacker sets before the login does not work after the login', async () => {
    const [attacker, victim] = [app.browser(), app.browser()];
    await attacker.get('/visit');
    const planted = await cookieOf(attacker);
    await victim.get('/cookie').set('Cookie', planted);
    const callback = await walkToCallback(victim, emulator);
    await victim.get(callback);

    expect((await attacker.get('/')).body.isAuthenticated).toBe(false);
    expect((await victim.get('/')).body.isAuthenticated).toBe(true);
  });

  it('two tabs log in at once, and then refresh once', async () => {
    const tabs = app.browser();
    const first = await walkToCallback(tabs, emulator);
    const second = await walkToCallback(tabs, emulator);
    expect([(await tabs.get(first)).status, (await tabs.get(second)).status]).toEqual([302, 302]);
    emulator.expireAccessTokens();

    const answers = await Promise.all([1, 2, 3].map(() => tabs.get('/accounts')));

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it('stored sessions hold no token, code or secret', async () => {
    const tab = app.browser();
    await logIn(tab, emulator);
    emulator.expireAccessTokens();
    await tab.get('/accounts');

    const stored = await sessions.stored(await cookieOf(tab));

    expect(stored).toContain(emulator.users[0]!.userId);
    const secrets = secretsOf(emulator);
    expect(secrets.length).toBeGreaterThan(5);
    for (const secret of secrets) expect(stored).not.toContain(secret);
  });

  it('answers 503 and changes nothing while the token store is down', async () => {
    const tab = app.browser();
    await logIn(tab, emulator);
    // The first page after a login tidies up after it.
    await tab.get('/me');
    const cookie = await cookieOf(tab);
    emulator.expireAccessTokens();
    const down = jest.spyOn(store(), 'read').mockRejectedValue(new Error('connection refused'));
    const logOut = jest.spyOn(store(), 'logOut');

    const answer = await tab.get('/accounts').set('Accept', 'text/html');

    expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([
      503,
      'ERR_SALESFORCE_TOKEN_STORE',
      '5',
    ]);
    expect(answer.headers['set-cookie']).toBeUndefined();
    expect(logOut).not.toHaveBeenCalled();
    down.mockRestore();
    expect((await tab.get('/accounts')).status).toBe(200);
    expect(await cookieOf(tab)).toBe(cookie);
  });
});

const onServers = cases.filter(([kind]) => kind === 'connect-redis' || kind === 'connect-pg-simple');
const failures = onServers.flatMap(([kind, express]) =>
  (['cut', 'stall'] as const).map((how) => [kind, express, how] as const),
);

describeEachOn(failures)('a session store in %s on Express %d whose server is %s', (kind, express, how) => {
  it('answers 503 with Retry-After, destroys nothing, and keeps the user logged in when the server is back', async () => {
    const emulator = await startTestEmulator();
    const { middleware, proxy } = await sessionsOf(kind);
    const tokens = new MemoryTokenStore();
    const app = await startApp({
      emulator,
      express,
      sessionMiddleware: middleware,
      options: { store: tokens },
      routes: (routes, salesforce) => void routes.use(salesforce.errorHandler()),
    });
    const tab = app.browser();
    await logIn(tab, emulator);
    await tab.get('/me');
    const logOut = jest.spyOn(tokens, 'logOut');

    proxy![how]();
    const answers = [
      await tab.get('/accounts').set('Accept', 'text/html'),
      await tab.get('/'),
      await tab.post('/auth/salesforce/logout'),
      await tab.get('/auth/salesforce'),
    ];
    proxy!.restore();

    for (const answer of answers) {
      expect([answer.status, answer.body.code, answer.headers['retry-after']]).toEqual([
        503,
        'ERR_SALESFORCE_SESSION_STORE',
        '5',
      ]);
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect(logOut).not.toHaveBeenCalled();
    let back = await tab.get('/accounts');
    // The clients take a moment to connect anew.
    for (let tries = 0; back.status === 503 && tries < 500; tries++) back = await tab.get('/accounts');
    expect(back.status).toBe(200);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 1, refreshTokens: 1 });
  });
});

describe.each<ExpressMajor>([4, 5])('a session store that says it is disconnected, on Express %d', (express) => {
  it('answers a missing session with 503, also before the first session; without a session middleware it answers 500', async () => {
    const emulator = await startTestEmulator();
    const { default: expressSession, MemoryStore } = await import('express-session');
    const store = new MemoryStore();
    const sessionMiddleware = expressSession({
      secret: '__test_session_secret__',
      resave: false,
      saveUninitialized: false,
      store,
    }) as never;
    const routes = (app: TestApp['app'], salesforce: TestApp['salesforce']): void => {
      app.get('/call', (req, res, next) => {
        req.salesforce.getAccessToken().then(() => res.end(), next);
      });
      app.post('/leave', (req, res, next) => {
        req.salesforce.logout().then(() => res.end(), next);
      });
      app.get('/frame-logout', salesforce.singleLogout());
    };
    const options = { routes: { status: '/status' } };
    const { browser } = await startApp({ emulator, express, sessionMiddleware, routes, options });
    const without = await startApp({ emulator, express, session: 'none', routes });
    const tab = browser();

    store.emit('disconnect');
    const early = await tab.get('/me');
    store.emit('connect');
    await logIn(tab, emulator);
    await tab.get('/me');
    store.emit('disconnect');
    const answers = [
      await tab.get('/me'),
      await tab.get('/call'),
      await tab.get('/auth/salesforce'),
      await tab.post('/auth/salesforce/logout'),
      await tab.post('/leave'),
      await tab.get('/frame-logout'),
      await tab.get('/status'),
    ];
    store.emit('connect');

    for (const answer of [early, ...answers]) {
      expect([answer.status, answer.body.code]).toEqual([503, 'ERR_SALESFORCE_SESSION_STORE']);
      expect(answer.headers['retry-after']).toBe('5');
      expect(answer.headers['set-cookie']).toBeUndefined();
    }
    expect((await tab.get('/me')).status).toBe(200);
    const missing = await without.browser().get('/call');
    expect([missing.status, missing.body.code]).toEqual([500, 'ERR_SALESFORCE_SESSION_MISSING']);
    const missingAtLogout = await without.browser().post('/auth/salesforce/logout');
    expect([missingAtLogout.status, missingAtLogout.body.code]).toEqual([500, 'ERR_SALESFORCE_SESSION_MISSING']);
  });

  it('answers the logout of a session that the application has ended itself', async () => {
    const emulator = await startTestEmulator();
    for (const session of ['express-session', 'cookie-session'] as const) {
      const { browser } = await startApp({
        emulator,
        express,
        session,
        routes: (app) => {
          app.post('/leave', (req, res, next) => {
            const end = (): unknown => req.salesforce.logout().then(() => res.status(204).end(), next);
            if (session === 'cookie-session') (req as { session: unknown }).session = null;
            if (session === 'cookie-session') end();
            else req.session.destroy(end);
          });
        },
      });
      const tab = browser();
      await logIn(tab, emulator);

      expect((await tab.post('/leave')).status).toBe(204);
      expect((await tab.get('/')).body.isAuthenticated).toBe(false);
    }
  });
});
