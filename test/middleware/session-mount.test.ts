import type { EventEmitter } from 'node:events';
import cookieSession from 'cookie-session';
import express5, { type Express, type RequestHandler, type Router } from 'express';
import express4 from 'express4';
import expressSession from 'express-session';
import request from 'supertest';
import { requireSalesforce, salesforceAuth, type SalesforceAuth } from '../../lib';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/* A session middleware in the wrong place: the operator reads which place, at the first request that needs a session. */

interface Parts {
  app: Express;
  router: () => Router;
  salesforce: SalesforceAuth;
}

const given = { secret: '__test_session_secret__', resave: false, saveUninitialized: false };
const sessions = (cookie?: expressSession.CookieOptions): RequestHandler =>
  expressSession({ ...given, ...(cookie ? { cookie } : {}) }) as never;
const inCookie = (): RequestHandler => cookieSession({ name: 'app', keys: ['__test_cookie_key__'] }) as never;
const page = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'same-origin' };

const after = /is mounted after salesforceAuth\(\).*Move app\.use\(session\(…\)\) before/;
const elsewhere = /is mounted in a Router or at a path that this request did not pass/;

const mistakes: [what: string, mount: (parts: Parts) => void, message: RegExp][] = [
  ['after', ({ app, salesforce }) => app.use(salesforce, sessions()), after],
  ['after, with cookie-session', ({ app, salesforce }) => app.use(salesforce, inCookie()), after],
  [
    'after, in a Router with this package',
    ({ app, router, salesforce }) => app.use(router().use(salesforce, sessions())),
    after,
  ],
  [
    'after a Router with this package',
    ({ app, router, salesforce }) => app.use(router().use(salesforce), sessions()),
    after,
  ],
  ['at another path', ({ app, salesforce }) => app.use('/other', sessions()).use(salesforce), elsewhere],
  [
    'in a Router at another path',
    ({ app, router, salesforce }) => app.use('/other', router().use(sessions())).use(salesforce),
    elsewhere,
  ],
  ['nowhere', ({ app, salesforce }) => app.use(salesforce), /Mount express-session or cookie-session before/],
];

describe.each([4, 5] as const)('a session middleware, on Express %d', (major) => {
  const framework = major === 4 ? express4 : express5;
  let salesforce: SalesforceAuth;
  let warnings: { code: string; message: string }[];

  function start(mount: (parts: Parts) => void): Express {
    const app = framework() as Express;
    warnings = [];
    salesforce = salesforceAuth({
      ...{ clientID: '__test_client_id__', allowedOrganizations: 'any' },
      report: (warning) => void warnings.push(warning),
    });
    mount({ app, router: () => framework.Router() as Router, salesforce });
    app.get(['/guarded', '/other/guarded'], requireSalesforce(), (_req, res) => void res.send('passed'));
    return app;
  }
  afterEach(() => salesforce.close());

  it.each(mistakes)('that is mounted %s is told at the first login', async (_where, mount, message) => {
    const app = start(mount);

    const answer = await request(app).get('/auth/salesforce').set(page);

    expect(answer.status).toBe(500);
    expect(warnings).toEqual([
      expect.objectContaining({ code: 'ERR_SALESFORCE_SESSION_MISSING', message: expect.stringMatching(message) }),
    ]);
  });

  it('that is mounted after is told at the login also if a guard has seen a session before', async () => {
    const app = start(({ app, salesforce }) => app.use(salesforce, sessions()));

    const guarded = await request(app).get('/guarded').set(page);
    const login = await request(app).get(String(guarded.headers['location'])).set(page);

    expect([guarded.status, login.status]).toEqual([302, 500]);
    expect(warnings.map(({ message }) => message)).toEqual([expect.stringMatching(after)]);
  });

  it('whose cookie is for another path is told at the first login, after a guard below that path', async () => {
    const app = start(({ app, salesforce }) => app.use(sessions({ path: '/other' }), salesforce));

    const guarded = await request(app).get('/other/guarded').set(page);
    const login = await request(app).get(String(guarded.headers['location'])).set(page);

    expect([guarded.status, login.status]).toEqual([302, 500]);
    expect(warnings).toEqual([
      expect.objectContaining({
        code: 'ERR_SALESFORCE_SESSION_MISSING',
        message: expect.stringMatching(
          /cookie is for the path \/other.* no session at \/auth\/salesforce\. Set cookie\.path/,
        ),
      }),
    ]);
  });

  it('whose cookie is for another path is one of two causes, if no request had a session yet', async () => {
    const app = start(({ app, salesforce }) => app.use(sessions({ path: '/other' }), salesforce));

    const login = await request(app).get('/auth/salesforce').set(page);

    expect(login.status).toBe(503);
    expect(warnings.map(({ message }) => message)).toEqual([
      expect.stringMatching(/made none at \/auth\/salesforce\. Its store says that it is disconnected .*cookie\.path/),
    ]);
  });

  it.each([
    ['on the application', ({ app, salesforce }: Parts) => app.use(disconnecting(), salesforce)],
    [
      'in a Router with this package',
      ({ app, router, salesforce }: Parts) => app.use('/', router().use(disconnecting(), salesforce)),
    ],
  ])('whose store is gone means 503, and no mistake in mounting (%s)', async (_where, mount) => {
    const app = start(mount);
    expect((await request(app).get('/auth/salesforce').set(page)).status).toBe(302);
    store.emit('disconnect');

    expect((await request(app).get('/auth/salesforce').set(page)).status).toBe(503);
    expect(warnings.map(({ code }) => code)).toEqual(['ERR_SALESFORCE_SESSION_STORE']);
  });
});

let store: EventEmitter;

function disconnecting(): RequestHandler {
  const memory = new expressSession.MemoryStore();
  store = memory;
  return expressSession({ ...given, store: memory }) as never;
}

describe('hosts of publicUrl', () => {
  const [apex, www] = ['http://app.test', 'http://www.app.test'];

  it.each<[string, { cookie?: object; kind?: 'cookie-session'; domain?: string }, boolean]>([
    ['no domain', {}, false],
    ['the domain of both', { cookie: { domain: 'app.test' } }, true],
    ['the domain of both, with a dot', { cookie: { domain: '.app.test' } }, true],
    ['the domain of another', { cookie: { domain: 'red.app.test' } }, false],
    ['no domain, in a cookie', { kind: 'cookie-session' }, false],
    ['the domain of both, in a cookie', { kind: 'cookie-session', domain: 'app.test' }, true],
  ])('get a login back if the session cookie goes along: %s', async (_what, { cookie, kind, domain }, isShared) => {
    const emulator = await startTestEmulator();
    const app = await startApp({
      emulator,
      sessionMiddleware:
        kind === undefined
          ? (expressSession({ ...given, cookie: cookie ?? {} }) as never)
          : (cookieSession({ name: 'app', keys: ['__test_cookie_key__'], ...(domain ? { domain } : {}) }) as never),
      options: { publicUrl: [apex, www], callbackURL: undefined },
    });
    app.client.callbackURLs.push(`${apex}/auth/salesforce/callback`);
    const tab = app.browser();
    const begun = await tab.get('/auth/salesforce?returnTo=/me').set('Host', 'www.app.test');
    const moved = new URL(begun.headers['location'] as string);
    expect(moved.origin).toBe(apex);
    void tab.set('Host', 'app.test');

    const answer = await logIn(tab, emulator, { loginPath: moved.pathname + moved.search });

    expect(answer.headers['location']).toBe(isShared ? `${www}/me` : '/me');
    expect(app.warnings.map(({ code }) => code)).toEqual(isShared ? [] : ['SESSION_DOMAIN']);
  });

  it('get a login back at another port of the host, since cookies are for all ports', async () => {
    const emulator = await startTestEmulator();
    const [first, second] = ['http://localhost:3092', 'http://localhost:5192'];
    const app = await startApp({ emulator, options: { publicUrl: [first, second], callbackURL: undefined } });
    app.client.callbackURLs.push(`${first}/auth/salesforce/callback`);
    const tab = app.browser();
    const begun = await tab.get('/auth/salesforce?returnTo=/me').set('Host', 'localhost:5192');
    const moved = new URL(begun.headers['location'] as string);
    void tab.set('Host', 'localhost:3092');

    const answer = await logIn(tab, emulator, { loginPath: moved.pathname + moved.search });

    expect(answer.headers['location']).toBe(`${second}/me`);
    expect(app.warnings).toEqual([]);
  });
});
