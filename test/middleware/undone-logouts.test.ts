import type { Request } from 'express';
import expressSession from 'express-session';
import { MemoryTokenStore } from '../../lib';
import { startTestEmulator } from '../helpers/emulator';
import {
  logIn,
  onClient,
  startApp,
  walkToCallback,
  type Browser,
  type TestApp,
  type TestAppOptions,
} from '../helpers/app';

/* A logout stays one, whatever the browser opens again and whichever request was under way. Another browser holds the grant. */

const adding = '/auth/salesforce?add=true';
const secret = '__test_session_secret__';
const shortLived = () =>
  expressSession({ secret, resave: false, saveUninitialized: false, cookie: { maxAge: 60 * 60 * 1000 } });

describe('a callback whose answer was lost', () => {
  async function lostAnswer() {
    const emulator = await startTestEmulator();
    const app = await startApp({ emulator });
    await logIn(app.browser(), emulator);
    const browser = app.browser();
    const lost = await walkToCallback(browser, emulator);
    const { headers } = (await browser.get('/headers')).body as { headers: { cookie: string } };
    await app.browser().set('Cookie', headers.cookie).get(lost);
    return { app, browser, emulator, lost };
  }

  it('logs nobody in who has logged in anew and out since', async () => {
    const { browser, emulator, lost } = await lostAnswer();
    await logIn(browser, emulator);
    await browser.post('/auth/salesforce/logout');
    const presented = emulator.requests.length;

    const back = await browser.get(lost);

    expect([back.status, back.body.code]).toEqual([403, 'ERR_SALESFORCE_LOGIN_EXPIRED']);
    expect((await browser.get('/me')).status).toBe(401);
    expect(emulator.requests).toHaveLength(presented);
  });

  it('still logs in if nobody has logged out', async () => {
    const { browser, lost } = await lostAnswer();

    expect((await browser.get(lost)).status).toBe(302);
    expect((await browser.get('/me')).status).toBe(200);
  });

  it('does not take the place of another user who has logged in since', async () => {
    const { app, browser, emulator, lost } = await lostAnswer();
    await logIn(browser, emulator);
    await logIn(browser, emulator, { user: 1 });

    expect((await browser.get(lost)).status).toBe(403);
    expect((await browser.get('/me')).body.user.username).toBe(emulator.users[1]!.username);
    await app.salesforce.close();
  });
});

it('a login that another user has replaced does not come back by its callback', async () => {
  const emulator = await startTestEmulator();
  const { browser } = await startApp({ emulator });
  await logIn(browser(), emulator);
  const tab = browser();
  const former = await walkToCallback(tab, emulator);
  await tab.get(former);
  await logIn(tab, emulator, { user: 1 });

  expect((await tab.get(former)).status).toBe(403);
  expect((await tab.get('/me')).body.user.username).toBe(emulator.users[1]!.username);
});

it('a login that was pending at a logout can be finished', async () => {
  const emulator = await startTestEmulator();
  const { browser } = await startApp({ emulator });
  const tab = browser();
  await logIn(tab, emulator);
  const pending = await walkToCallback(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/me' });
  await tab.post('/auth/salesforce/logout');

  const answer = await tab.get(pending);

  expect([answer.status, answer.headers['location']]).toEqual([302, '/me']);
  expect((await tab.get('/me')).status).toBe(200);
  expect((await tab.get(pending)).status).toBe(302);
});

it('a login that was pending at a logout can be finished by a callback that is opened twice at once', async () => {
  const emulator = await startTestEmulator();
  const app = await startApp({ emulator });
  const tab = app.browser();
  await logIn(tab, emulator);
  const pending = await walkToCallback(tab, emulator);
  await tab.post('/auth/salesforce/logout');
  const { headers } = (await tab.get('/headers')).body as { headers: { cookie: string } };
  const again = app.browser().set('Cookie', headers.cookie);

  const answers = await Promise.all([tab.get(pending), again.get(pending)]);

  expect(answers.map(({ status }) => status)).toEqual([302, 302]);
});

it('a logout that comes twice takes no login away that came in between', async () => {
  const emulator = await startTestEmulator();
  const store = new expressSession.MemoryStore();
  const { browser } = await startApp({
    emulator,
    sessionMiddleware: expressSession({ secret, resave: false, saveUninitialized: false, store }),
  });
  const tab = browser();
  await logIn(tab, emulator);
  const { headers } = (await tab.get('/headers')).body as { headers: { cookie: string } };
  let isAsked = (): void => undefined;
  const asked = new Promise<void>((resolve) => (isAsked = resolve));
  let answer = (): void => undefined;
  const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
  const get = store.get.bind(store);
  jest.spyOn(store, 'get').mockImplementationOnce((id, done) => {
    isAsked();
    get(id, (error, found) => void mayAnswer.then(() => done(error, found)));
  });
  const late = browser()
    .set('Cookie', headers.cookie)
    .post('/auth/salesforce/logout')
    .then((response) => (response.headers['set-cookie'] ?? []) as unknown as string[]);
  await asked;
  await tab.post('/auth/salesforce/logout');
  await logIn(tab, emulator);

  answer();

  expect((await late).filter((cookie) => cookie.startsWith('connect.sid'))).toEqual([]);
});

describe('a request that has given its session a new id', () => {
  async function started() {
    const emulator = await startTestEmulator();
    const shared = { sessionMiddleware: expressSession({ secret, resave: false, saveUninitialized: false }) };
    const store = new MemoryTokenStore();
    const rotate = (req: Request, done: () => void): void => {
      const { cookie: _cookie, ...content } = req.session as unknown as Record<string, unknown>;
      req.session.regenerate(() => {
        Object.assign(req.session, content);
        done();
      });
    };
    const first = await startApp({
      ...{ emulator, ...shared, options: { store } },
      routes: (app) => {
        app.post('/leave', (req, res, next) => {
          rotate(req, () => void req.salesforce.logout().then(() => res.json({}), next));
        });
        app.post('/switch', (req, res, next) => {
          rotate(req, () => void req.salesforce.switchTo(req.salesforce.grantId!).then(() => res.json({}), next));
        });
      },
    });
    const second = await startApp({ emulator, ...shared, create: onClient(emulator, first.client, { store }) });
    // Another browser of the user.
    await logIn(first.browser(), emulator);
    const tab = first.browser();
    await logIn(tab, emulator);
    return { tab, second };
  }

  it('logs out in all processes', async () => {
    const { tab, second } = await started();

    expect((await tab.post('/leave')).status).toBe(200);

    const { headers } = (await tab.get('/headers')).body as { headers: { cookie: string } };
    const elsewhere = second.browser().set('Cookie', headers.cookie);
    expect((await elsewhere.get('/')).body.isAuthenticated).toBe(false);
  });

  it('can switch between logins', async () => {
    const { tab } = await started();

    expect((await tab.post('/switch')).status).toBe(200);
    expect((await tab.get('/me')).status).toBe(200);
  });
});

describe.each([
  ['that ends with the browser', undefined],
  ['of an hour', shortLived],
])('with a session cookie %s, a switch between logins that began before', (_cookie, sessionMiddleware) => {
  /** A browser with two logins of a session, and a request that is about to switch to the second. */
  async function switching() {
    let letGo = (): void => undefined;
    let begun = (): void => undefined;
    const hasBegun = new Promise<void>((resolve) => (begun = resolve));
    const emulator = await startTestEmulator();
    const [ada, , linus] = emulator.users;
    const options: Partial<TestAppOptions> = {
      routes: (app) => {
        app.post('/slow-switch', (req, res, next) => {
          const held = new Promise<void>((resolve) => (letGo = resolve));
          begun();
          held.then(() => req.salesforce.switchTo(linus!.organizationId)).then(() => res.json({}), next);
        });
        app.get('/logins', (req, res) => void res.json(req.salesforce.logins.map(({ user }) => user.username)));
      },
    };
    const app: TestApp = await startApp({
      emulator,
      ...options,
      ...(sessionMiddleware ? { sessionMiddleware: sessionMiddleware() } : {}),
    });
    for (const user of [0, 2]) await logIn(app.browser(), emulator, { user });
    const tab: Browser = app.browser();
    await logIn(tab, emulator);
    await logIn(tab, emulator, { user: 2, loginPath: adding });
    const slow = tab.post('/slow-switch').then(({ status }) => status);
    await hasBegun;
    return { tab, ada: ada!, linus: linus!, slow, letGo };
  }

  it('does not undo the logout', async () => {
    const { tab, slow, letGo } = await switching();
    await tab.post('/auth/salesforce/logout');

    letGo();

    expect(await slow).toBe(403);
    expect((await tab.get('/me')).status).toBe(401);
  });

  it('does not undo the logout of one organization', async () => {
    const { tab, ada, linus, slow, letGo } = await switching();
    await tab.post(`/auth/salesforce/logout?organization=${ada.organizationId}`);

    letGo();

    expect(await slow).toBe(200);
    expect((await tab.get('/logins')).body).toEqual([linus.username]);
  });
});

describe.each([
  [
    'destroyed',
    (req: Request, done: () => void) => {
      req.session.destroy(done);
    },
  ],
  [
    'renewed',
    (req: Request, done: () => void) => {
      req.session.regenerate(done);
    },
  ],
] as const)('the logout of a session that the application has just %s', (_what, end) => {
  it('revokes its tokens', async () => {
    const emulator = await startTestEmulator();
    const { browser, salesforce } = await startApp({
      emulator,
      routes: (app) => {
        app.post('/bye', (req, res, next) => {
          end(req, () => void req.salesforce.logout().then(() => res.json({}), next));
        });
      },
    });
    const tab = browser();
    await logIn(tab, emulator);

    expect((await tab.post('/bye')).status).toBe(200);

    await salesforce.close();
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });
});

it('a logout before the application ends the session leaves no token and no session', async () => {
  const emulator = await startTestEmulator();
  const { browser } = await startApp({
    emulator,
    routes: (app) =>
      app.post('/leave', (req, res, next) => {
        req.salesforce.logout().then(() => {
          req.session.destroy((error: unknown) => {
            if (error) next(error);
            else res.redirect('/');
          });
        }, next);
      }),
  });
  const visitor = browser();
  await logIn(visitor, emulator);

  const answer = await visitor.post('/leave');

  expect(answer.headers['location']).toBe('/');
  expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  expect((await visitor.get('/')).body.isAuthenticated).toBe(false);
});

it.each(['express-session', 'cookie-session'] as const)(
  'a session of %s that the application has just ended has no login, and the error names no store',
  async (session) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      ...{ emulator, session },
      routes: (app, salesforce) => {
        app.post('/bye', salesforce.require(), (req, res, next) => {
          const go = (): void => void req.salesforce.fetch('/services/data').then(() => res.json({}), next);
          if (session === 'express-session') req.session.destroy(go);
          else {
            (req as { session: unknown }).session = null;
            go();
          }
        });
      },
    });
    const tab = browser();
    await logIn(tab, emulator);

    const answer = await tab.post('/bye');

    expect([answer.status, answer.body.code]).toEqual([401, 'ERR_SALESFORCE_NOT_AUTHENTICATED']);
  },
);

it('the logout of a cookie-session that the application has just ended revokes its tokens', async () => {
  const emulator = await startTestEmulator();
  const { browser, salesforce } = await startApp({
    ...{ emulator, session: 'cookie-session' },
    routes: (app) => {
      app.post('/bye', (req, res, next) => {
        (req as { session: unknown }).session = null;
        req.salesforce.logout().then(() => res.json({}), next);
      });
    },
  });
  const tab = browser();
  await logIn(tab, emulator);

  expect((await tab.post('/bye')).status).toBe(200);

  await salesforce.close();
  expect(emulator.liveTokens().refreshTokens).toBe(0);
  expect((await tab.get('/me')).status).toBe(401);
});
