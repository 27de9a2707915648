import cookieSession from 'cookie-session';
import type { Request, RequestHandler } from 'express';
import expressSession from 'express-session';
import request from 'supertest';
import { MemoryTokenStore } from '../../lib';
import type { Emulator } from '../../lib/emulator';
import { logIn, startApp, walkToCallback, type Browser, type TestApp } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { browse, startTestEmulator } from '../helpers/emulator';

/*
 * A browser keeps the session's cookie of the answer that arrives last. So a request that was refused while a login ended in
 * another request must not send that cookie: it would take the login away.
 */

const secret = '__test_session_secret__';

const sessions: Record<string, () => RequestHandler> = {
  'cookie-session': () => cookieSession({ name: 'app', keys: ['__test_cookie_key__'] }) as never,
  'express-session with maxAge': () =>
    expressSession({ secret, resave: false, saveUninitialized: false, cookie: { maxAge: 86_400_000 } }) as never,
};

interface Jar {
  getCookies: (access: unknown) => { toValueString: () => string }[];
  setCookie: (line: string, domain: string) => void;
}

interface Started extends TestApp {
  emulator: Emulator;
  /** Ends the grant of the user, which another browser of the user finds out. */
  endGrant: () => Promise<void>;
  clock: ManualClock;
  store: CountingStore;
  /** A request to the slow route has been refused its token, or one to the waiting route has its token. It waits. */
  isRefused: Promise<void>;
  goOn: () => void;
  tab: Browser;
}

class CountingStore extends MemoryTokenStore {
  extensions = 0;

  override addHolder(...given: Parameters<MemoryTokenStore['addHolder']>): ReturnType<MemoryTokenStore['addHolder']> {
    this.extensions++;
    return super.addHolder(...given);
  }
}

function signal(): [promise: Promise<void>, resolve: () => void] {
  let resolve!: () => void;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return [promise, resolve];
}

async function start(kind: string): Promise<Started> {
  const emulator = await startTestEmulator();
  const clock = new ManualClock();
  const store = new CountingStore({ clock });
  const [isRefused, reportRefusal] = signal();
  const [mayGoOn, goOn] = signal();
  const app = await startApp({
    emulator,
    options: { clock, store, scope: 'id api refresh_token' },
    sessionMiddleware: sessions[kind]!(),
    routes: (routes, salesforce) => {
      routes.get('/basket', (req, res) => {
        (req as unknown as { session: { basket: string } }).session.basket = 'full';
        res.end();
      });
      routes.get('/silent', salesforce.login({ silent: true }));
      routes.get('/login', salesforce.login({ prompt: 'login' }));
      routes.get('/slow', (req, _res, next) => {
        req.salesforce.getAccessToken().then(
          () => next(),
          async (error: unknown) => {
            reportRefusal();
            await mayGoOn;
            next(error);
          },
        );
      });
      routes.get('/waiting', salesforce.require(), async (_req, res) => {
        reportRefusal();
        await mayGoOn;
        res.end();
      });
      routes.use(salesforce.errorHandler());
    },
  });
  const endGrant = async (): Promise<void> => {
    const other = app.browser();
    await logIn(other, emulator);
    emulator.expireAccessTokens();
    emulator.revokeRefreshTokens();
    expect((await other.get('/accounts')).status).toBe(401);
  };
  return { ...app, emulator, clock, store, endGrant, isRefused, goOn, tab: app.browser() };
}

const cookiesOf = (tab: Browser): string =>
  (tab as unknown as { jar: Jar }).jar
    .getCookies({ domain: 'localhost', path: '/', secure: false, script: false })
    .map((cookie) => cookie.toValueString())
    .join('; ');

/** A request with the cookies that the browser has now. Its answer arrives when the test says so. */
async function send({ url, tab }: Started, path: string, headers: Record<string, string> = {}) {
  const cookie = cookiesOf(tab);
  const answer = await request(url)
    .get(path)
    .set({ cookie, ...headers });
  const lines = (answer.headers['set-cookie'] ?? []) as unknown as string[];
  const arrive = (): void => {
    for (const line of lines) {
      (tab as unknown as { jar: Jar }).jar.setCookie(line, 'localhost');
    }
  };
  return { status: answer.status, lines, arrive };
}

const page = { accept: 'text/html', 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' };
const script = { accept: 'application/json', 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' };

const refusals: [what: string, path: string, headers: Record<string, string>, status: number][] = [
  ['a page behind a guard', '/me', page, 302],
  ['a script behind a guard', '/me', script, 401],
  ['a prefetch of a guarded page', '/me', { ...page, 'sec-purpose': 'prefetch' }, 503],
  ['a page behind the error handler', '/slow', page, 302],
  ['a script behind the error handler', '/slow', script, 401],
];

const ofSession = (lines: readonly string[]): string[] => lines.filter((line) => /^(?:app|connect\.sid)/.test(line));

describe('with cookie-session, an answer that arrives after that of a login', () => {
  it.each(refusals)('takes no login away if %s was refused', async (_what, path, headers, status) => {
    const started = await start('cookie-session');
    const { emulator, tab, endGrant, goOn } = started;
    await tab.get('/basket');
    await logIn(tab, emulator);
    await endGrant();
    goOn();

    const late = await send(started, path, headers);
    await logIn(tab, emulator);
    late.arrive();

    expect(late.status).toBe(status);
    expect(ofSession(late.lines)).toEqual([]);
    expect((await tab.get('/me')).status).toBe(200);
  });

  it('leaves nothing of a user whose login had ended before the logout', async () => {
    const { emulator, tab, endGrant } = await start('cookie-session');
    await logIn(tab, emulator);
    await endGrant();
    expect((await tab.get('/me').set(page)).status).toBe(302);

    await tab.post('/auth/salesforce/logout');

    const [, value = ''] = /(?:^|; )app=([^;]*)/.exec(cookiesOf(tab)) ?? [];
    expect(Buffer.from(value, 'base64').toString()).not.toContain('ada@acme.example');
  });

  it('takes no login away if a silent login failed', async () => {
    const started = await start('cookie-session');
    const { emulator, tab } = started;
    await tab.get('/basket');
    const begun = await tab.get('/silent');
    const answer = await browse({ url: begun.headers['location'] as string }, new Map());
    const { pathname, search } = new URL(answer.headers.get('location')!);
    const callback = await walkToCallback(tab, emulator);
    const late = await send(started, pathname + search, page);

    await tab.get(callback);
    late.arrive();

    expect(late.status).toBe(302);
    expect((await tab.get('/me')).status).toBe(200);
  });

  it('does not bring a login back that was logged out, if it extends the time of its holder', async () => {
    const started = await start('cookie-session');
    const { emulator, tab, clock } = started;
    await logIn(tab, emulator);
    clock.advanceMs(13 * 60 * 60_000);

    const late = await send(started, '/me', page);
    await tab.post('/auth/salesforce/logout');
    late.arrive();

    expect(late.status).toBe(200);
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
  });

  it('extends the time of its holder once in half of that time all the same', async () => {
    const { emulator, tab, clock, store } = await start('cookie-session');
    await logIn(tab, emulator);
    const extended = (): number => store.extensions;
    const before = extended();
    for (const hours of [1, 12, 1, 1, 11, 1]) {
      clock.advanceMs(hours * 60 * 60_000);
      expect((await tab.get('/me')).status).toBe(200);
    }

    expect(extended() - before).toBe(2);
  });
});

describe.each(Object.keys(sessions))('with %s, a request that goes on while a login ends', (kind) => {
  it('leads to the login, also beside another request that was refused', async () => {
    const { emulator, tab, url, endGrant, isRefused, goOn } = await start(kind);
    await logIn(tab, emulator);
    await endGrant();
    const headers = { ...page, cookie: cookiesOf(tab) };
    const slow = request(url)
      .get('/slow')
      .set(headers)
      .then(({ status }) => status);
    await isRefused;

    const { status } = await request(url).get('/me').set(headers);
    goOn();

    expect([status, await slow]).toEqual([302, 302]);
  });

  it('takes no login away if it is refused afterwards', async () => {
    const started = await start(kind);
    const { emulator, tab, endGrant, isRefused, goOn } = started;
    await tab.get('/basket');
    await logIn(tab, emulator);
    await endGrant();
    const refused = send(started, '/slow', script);
    await isRefused;

    await logIn(tab, emulator);
    goOn();
    const late = await refused;
    late.arrive();

    expect(late.status).toBe(401);
    expect(ofSession(late.lines)).toEqual([]);
    expect((await tab.get('/me')).status).toBe(200);
  });
});

describe.each(Object.keys(sessions))('with %s, a request that extends the time of its holder, and goes on', (kind) => {
  it('brings no login back that was logged out meanwhile', async () => {
    const started = await start(kind);
    const { emulator, tab, clock, isRefused, goOn } = started;
    await logIn(tab, emulator);
    clock.advanceMs(13 * 60 * 60_000);
    const waiting = send(started, '/waiting', page);
    await isRefused;

    await tab.post('/auth/salesforce/logout').expect(204);
    goOn();
    const late = await waiting;
    late.arrive();

    expect(late.status).toBe(200);
    expect(ofSession(late.lines)).toEqual([]);
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
  });

  it('does not hold its grant any more if it was logged out meanwhile, so that the logout of another browser ends the grant', async () => {
    const { browser, emulator, tab, url, clock, store } = await start(kind);
    const other = browser();
    await logIn(tab, emulator);
    await logIn(other, emulator);
    clock.advanceMs(13 * 60 * 60_000);
    await other.get('/me');
    const [mayAdd, add] = signal();
    const [isAdding, noteAdding] = signal();
    const [isRemoved, noteRemoved] = signal();
    const { addHolder, logOut } = { addHolder: store.addHolder.bind(store), logOut: store.logOut.bind(store) };
    jest.spyOn(store, 'addHolder').mockImplementationOnce(async (...given) => {
      noteAdding();
      await mayAdd;
      return addHolder(...given);
    });
    const cookie = cookiesOf(tab);
    expect(
      (
        await request(url)
          .get('/me')
          .set({ ...page, cookie })
      ).status,
    ).toBe(200);
    await isAdding;
    await tab.post('/auth/salesforce/logout').expect(204);
    jest.spyOn(store, 'logOut').mockImplementationOnce(async (...given) => {
      const outcome = await logOut(...given);
      noteRemoved();
      return outcome;
    });
    add();
    await isRemoved;

    await other.post('/auth/salesforce/logout').expect(204);

    expect(emulator.liveTokens().refreshTokens).toBe(0);
  });

  it('takes the place of no other user who has logged in meanwhile', async () => {
    const started = await start(kind);
    const { browser, emulator, tab, clock, isRefused, goOn } = started;
    await logIn(tab, emulator);
    // The grant of the first user goes on in another browser.
    await logIn(browser(), emulator);
    clock.advanceMs(13 * 60 * 60_000);
    const waiting = send(started, '/waiting', page);
    await isRefused;

    await logIn(tab, emulator, { user: 1, loginPath: '/login' });
    goOn();
    (await waiting).arrive();

    expect((await tab.get('/')).body.user.username).toBe(emulator.users[1]!.username);
  });
});

describe('with a session of express-session whose life is fixed', () => {
  it('no request gives the session another end, while its holder is extended', async () => {
    const started = await start('express-session with maxAge');
    const { emulator, tab, clock, store } = started;
    await logIn(tab, emulator);
    const before = store.extensions;
    clock.advanceMs(13 * 60 * 60_000);

    const answers = [await send(started, '/me', page), await send(started, '/me', page)];

    expect(answers.map(({ status, lines }) => [status, ofSession(lines)])).toEqual([
      [200, []],
      [200, []],
    ]);
    expect(store.extensions - before).toBe(1);
  });
});

describe('a session to which onLogin gives another life', () => {
  const hourMs = 3_600_000;
  const dayMs = 24 * hourMs;
  const startWith = async (maxAge: number | undefined) => {
    const emulator = await startTestEmulator();
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock });
    const onLogin = ({ req }: { req: Request }): void => {
      if (maxAge !== undefined) req.session.cookie.maxAge = maxAge;
    };
    const app = await startApp({ emulator, options: { clock, store, onLogin } });
    const [remembered, other] = [app.browser(), app.browser()];
    return { ...app, emulator, clock, store, remembered, other };
  };

  it.each([
    ['longer', 30 * dayMs, 2 * dayMs, true],
    ['no other', undefined, 2 * dayMs, false],
    ['shorter', hourMs, 2 * hourMs, false],
    ['shorter, and not over', 3 * hourMs, 2 * hourMs, true],
  ])('holds its grant for that life: %s', async (_what, maxAge, laterMs, isHeld) => {
    const { emulator, clock, remembered, other } = await startWith(maxAge);
    await logIn(remembered, emulator);
    clock.advanceMs(laterMs);
    await logIn(other, emulator);

    await other.post('/auth/salesforce/logout').expect(204);

    expect(emulator.liveTokens().refreshTokens).toBe(isHeld ? 1 : 0);
  });

  it('is logged in although the store fails to note that life, which the next request notes', async () => {
    const { emulator, clock, store, remembered, other } = await startWith(30 * dayMs);
    jest.spyOn(store, 'addHolder').mockRejectedValueOnce(new Error('The store is down.'));

    expect((await logIn(remembered, emulator)).status).toBe(302);
    expect((await remembered.get('/token')).status).toBe(200);

    clock.advanceMs(2 * dayMs);
    await logIn(other, emulator);
    await other.post('/auth/salesforce/logout').expect(204);
    expect((await remembered.get('/token')).status).toBe(200);
  });
});

it('a session that was short before the login holds its grant for the life that it has since', async () => {
  const emulator = await startTestEmulator();
  const clock = new ManualClock();
  const app = await startApp({
    emulator,
    sessionMiddleware: expressSession({
      ...{ secret, resave: false, saveUninitialized: false },
      cookie: { maxAge: 30 * 86_400_000 },
    }) as never,
    options: { clock, store: new MemoryTokenStore({ clock }) },
    routes: (routes) => {
      routes.get('/visit', (req, res) => {
        req.session.cookie.maxAge = 600_000;
        Object.assign(req.session, { basket: 'full' });
        res.end();
      });
    },
  });
  const [visitor, other] = [app.browser(), app.browser()];
  await visitor.get('/visit');
  await logIn(visitor, emulator);
  clock.advanceMs(2 * 86_400_000);
  await logIn(other, emulator);

  await other.post('/auth/salesforce/logout').expect(204);

  expect((await visitor.get('/token')).status).toBe(200);
});

it('a session that is used just before its hold is due holds its grant until the session ends', async () => {
  const emulator = await startTestEmulator();
  const clock = new ManualClock();
  const app = await startApp({ emulator, options: { clock, store: new MemoryTokenStore({ clock }) } });
  const [laptop, phone] = [app.browser(), app.browser()];
  await logIn(laptop, emulator);
  clock.advanceMs(11.9 * 3_600_000);
  await laptop.get('/me').expect(200);
  clock.advanceMs(12.5 * 3_600_000);
  await logIn(phone, emulator);

  await phone.post('/auth/salesforce/logout').expect(204);

  expect((await laptop.get('/token')).status).toBe(200);
});

it.each([
  [60, true],
  [undefined, false],
])('a session of cookie-session holds its grant for its maxAge: %s days', async (days, isHeld) => {
  const emulator = await startTestEmulator();
  const clock = new ManualClock();
  const maxAge = days === undefined ? {} : { maxAge: days * 86_400_000 };
  const app = await startApp({
    emulator,
    sessionMiddleware: cookieSession({ name: 'app', keys: ['__test_cookie_key__'], ...maxAge }) as never,
    options: { clock, store: new MemoryTokenStore({ clock }) },
  });
  const [phone, desktop] = [app.browser(), app.browser()];
  await logIn(phone, emulator);
  clock.advanceMs(2 * 86_400_000);
  await logIn(desktop, emulator);

  await desktop.post('/auth/salesforce/logout').expect(204);

  expect(emulator.liveTokens().refreshTokens).toBe(isHeld ? 1 : 0);
});

describe.each(Object.keys(sessions))('with %s, a login that has ended', (kind) => {
  it('is one no more after a guard has said so, and comes back with the next login', async () => {
    const { emulator, endGrant, tab } = await start(kind);
    await logIn(tab, emulator);
    await endGrant();

    const refused = await tab.get('/me').set('Accept', 'text/html');
    const home = await tab.get('/');

    expect(refused.status).toBe(302);
    expect(home.body.isAuthenticated).toBe(false);
    await logIn(tab, emulator, { loginPath: refused.headers['location'] as string });
    expect((await tab.get('/me')).status).toBe(200);
    expect((await tab.get('/')).body.isAuthenticated).toBe(true);
  });
});

it('a session whose id is encoded in its cookie is not brought back after a logout by the answer of a silent login', async () => {
  const emulator = await startTestEmulator();
  let count = 0;
  const sessionStore = new expressSession.MemoryStore();
  const sessionMiddleware = expressSession({
    ...{ secret, resave: false, saveUninitialized: false, store: sessionStore },
    cookie: { maxAge: 86_400_000 },
    genid: () => `user:${String(++count)}/+=`,
  }) as never;
  const app = await startApp({
    emulator,
    sessionMiddleware,
    routes: (routes, salesforce) => {
      routes.get('/silent', salesforce.login({ silent: true }));
      routes.get('/basket', (req, res) => {
        Object.assign(req.session, { basket: 'full' });
        res.end();
      });
    },
  });
  const tab = app.browser();
  await tab.get('/basket');
  const begun = await tab.get('/silent');
  const answer = await browse({ url: begun.headers['location'] as string }, new Map());
  const { pathname, search } = new URL(answer.headers.get('location')!);
  const cookie = cookiesOf(tab);
  const [mayRead, read] = signal();
  const [isAsked, ask] = signal();
  const get = sessionStore.get.bind(sessionStore);
  jest.spyOn(sessionStore, 'get').mockImplementationOnce((id, done) => {
    ask();
    get(id, (error, found) => void mayRead.then(() => done(error, found)));
  });
  const late = request(app.url)
    .get(pathname + search)
    .set({ ...page, cookie })
    .then(({ headers }) => (headers['set-cookie'] ?? []) as unknown as string[]);
  await isAsked;
  await logIn(tab, emulator);
  read();

  expect(ofSession(await late)).toEqual([]);
});

describe.each(Object.keys(sessions))('with %s, callbacks of one browser at the same moment', (kind) => {
  it.each([
    ['of two tabs', 2],
    ['of one tab, twice', 1],
  ])('leave one login, whose logout revokes the tokens: %s', async (_what, tabs) => {
    const started = await start(kind);
    const { emulator, tab, url } = started;
    const callbacks: string[] = [];
    for (let index = 0; index < tabs; index++) callbacks.push(await walkToCallback(tab, emulator));
    const cookie = cookiesOf(tab);
    const open = (path: string) =>
      request(url)
        .get(path)
        .set({ ...page, cookie });

    const answers = await started.clock.advanceUntil(Promise.all([open(callbacks[0]!), open(callbacks.at(-1)!)]));
    for (const { headers } of answers)
      for (const line of headers['set-cookie'] as unknown as string[])
        (tab as unknown as { jar: Jar }).jar.setCookie(line, 'localhost');

    expect((await tab.get('/me')).status).toBe(200);
    await tab.post('/auth/salesforce/logout').expect(204);
    expect(emulator.liveTokens().refreshTokens).toBe(0);
  });

  it('do not count as one if another browser of the user logs in meanwhile', async () => {
    const { browser, emulator, tab } = await start(kind);
    const other = browser();
    await logIn(tab, emulator);
    await logIn(other, emulator);

    await other.post('/auth/salesforce/logout').expect(204);

    expect((await tab.get('/token')).status).toBe(200);
  });
});
