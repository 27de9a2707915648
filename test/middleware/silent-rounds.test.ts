import type { EventEmitter } from 'node:events';
import cookieSession from 'cookie-session';
import expressSession from 'express-session';
import request from 'supertest';
import type { Emulator } from '../../lib/emulator';
import { salesforceAuth, type LoginOptions, type SalesforceAuthOptions } from '../../lib';
import { logIn, startApp, type Browser, type TestApp, type TestAppOptions } from '../helpers/app';
import { browse, logInAtEmulator, startTestEmulator, type CookieJar } from '../helpers/emulator';

/* A public page that redirects to a silent login if req.salesforce.canLogInSilently is true. Every visitor gets to see the page. */

/** An address that the user typed. The same headers go with all redirects of that navigation. */
const typed = {
  Accept: 'text/html',
  'Sec-Fetch-Site': 'none',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
};

interface Started extends TestApp {
  emulator: Emulator;
}

type Given = Partial<TestAppOptions> & { silent?: (emulator: Emulator) => LoginOptions };

async function start({ silent, ...given }: Given = {}): Promise<Started> {
  const emulator = await startTestEmulator();
  const app = await startApp({
    emulator,
    ...given,
    routes: (routes, salesforce) => {
      routes.get('/silent', salesforce.login({ silent: true, ...silent?.(emulator) }));
      routes.all('/shop', (req, res) => {
        if (req.salesforce.canLogInSilently) res.redirect('/silent?returnTo=/shop');
        else res.send(`Hello ${req.salesforce.user?.displayName ?? 'visitor'}`);
      });
    },
  });
  return { ...app, emulator };
}

type Get = (url: URL) => Promise<request.Response>;

const by =
  (tab: Browser, headers: Record<string, string> = typed): Get =>
  (url) =>
    tab.get(url.pathname + url.search).set(headers);

/**
 * A browser that knows several hosts of one application, all at one port: it keeps a cookie for its host, or for the domain that
 * the cookie names.
 */
function ofHosts(application: string): (headers?: (url: URL) => Record<string, string>) => Get {
  const jar = new Map<string, { value: string; fits: (host: string) => boolean }>();
  return (headers) => async (url) => {
    const cookie = [...jar]
      .filter(([, { fits }]) => fits(url.host))
      .map(([name, { value }]) => `${name.split(' ')[1]!}=${value}`)
      .join('; ');
    const answer = await request(application)
      .get(url.pathname + url.search)
      .set({ ...typed, Host: url.host, Cookie: cookie, ...headers?.(url) });
    for (const line of (answer.headers['set-cookie'] ?? []) as unknown as string[]) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      const domain = /; domain=([^;]+)/i.exec(line)?.[1];
      const fits = (host: string): boolean => (domain === undefined ? host === url.host : host.endsWith(domain));
      jar.set(`${domain ?? url.host} ${name!}`, { value: value!, fits });
    }
    return answer;
  };
}

/** Opens a page and follows redirects, eight at most: each address, and then what the user sees. */
async function visit(
  { url, emulator }: Started,
  get: Get,
  address = '/shop',
  cookies: CookieJar = new Map(),
): Promise<string[]> {
  const steps: string[] = [];
  let next = new URL(address, url);
  while (steps.length < 8) {
    steps.push(next.origin === url ? next.pathname : next.origin + next.pathname);
    const answer = next.origin === emulator.url ? await atSalesforce(next, cookies) : await get(next);
    const location = answer.headers['location'];
    if (location === undefined) return [...steps, answer.status === 200 ? answer.text : String(answer.status)];
    next = new URL(location, next);
  }
  return [...steps, 'and so on'];
}

/** Without cookies nobody is logged in at Salesforce. */
async function atSalesforce(url: URL, cookies: CookieJar) {
  const { status, headers } = await browse({ url: url.href }, cookies);
  return { status, text: 'a page of Salesforce', headers: Object.fromEntries(headers) };
}

describe('a page that redirects to a silent login', () => {
  it('is seen after one try by a visitor who is not logged in at Salesforce', async () => {
    const started = await start();
    const get = by(started.browser());

    expect(await visit(started, get)).toEqual([
      ...['/shop', '/silent', `${started.emulator.url}/services/oauth2/authorize`],
      ...['/auth/salesforce/callback', '/shop', 'Hello visitor'],
    ]);
    expect(await visit(started, get)).toEqual(['/shop', 'Hello visitor']);
  });

  it('is seen at once if another login of the session is left when the current one ends', async () => {
    const started = await start();
    const { emulator, browser } = started;
    const tab = browser();
    await logIn(tab, emulator);
    await logIn(tab, emulator, { user: 2, loginPath: '/auth/salesforce?add=true' });
    emulator.revokeRefreshTokens({ username: emulator.users[2]!.username });
    emulator.expireAccessTokens();
    await tab.get('/accounts');
    expect((await tab.get('/me')).status).toBe(401);

    expect(await visit(started, by(tab))).toEqual(['/shop', 'Hello visitor']);
    expect(await visit(started, by(tab), '/silent?returnTo=/shop')).toEqual(['/silent', '/shop', 'Hello visitor']);
  });

  it.each<[string, NonNullable<Given['silent']>]>([
    ['a baseUrl', ({ url }) => ({ baseUrl: url })],
    ['add', () => ({ add: true })],
  ])('asks Salesforce if the silent login has %s of its own, since no link chose that', async (_what, silent) => {
    const started = await start({ silent });

    const steps = await visit(started, by(started.browser()));

    expect([steps[2], steps.at(-1)]).toEqual([`${started.emulator.url}/services/oauth2/authorize`, 'Hello visitor']);
  });

  it.each(['cookie-session', 'express-session'] as const)(
    'is seen after one login that %s does not keep, and the operator is told',
    async (kind) => {
      // A domain that is another one's: browsers do not keep the cookie.
      const domain = 'another.test';
      const sessionMiddleware =
        kind === 'cookie-session'
          ? cookieSession({ name: 'app', keys: ['__test_cookie_key__'], domain })
          : expressSession({
              ...{ secret: '__test_session_secret__', resave: false, saveUninitialized: false },
              cookie: { domain },
            });
      const started = await start({ sessionMiddleware: sessionMiddleware as never });
      const cookies: CookieJar = new Map();
      const { username, password } = started.emulator.users[0]!;
      const begun = await started.browser().get('/auth/salesforce');
      const authorizeUrl = begun.headers['location'] as string;
      await logInAtEmulator({ authorizeUrl, username, password, cookies });

      const steps = await visit(started, ofHosts(started.url)(), '/shop', cookies);

      expect(steps.slice(-2)).toEqual(['/shop', 'Hello visitor']);
      expect(started.warnings.map(({ code }) => code)).toEqual(['ERR_SALESFORCE_LOGIN_LOOP']);
    },
  );

  it('is seen if the application adds to the address of the silent login what needs a click', async () => {
    const started = await start({ options: { organizations: { other: 'https://other.my.salesforce.com' } } });
    const get = by(started.browser());

    const steps = await visit(started, get, '/silent?org=other&returnTo=/shop');

    expect(steps).toEqual(['/silent', '/shop', 'Hello visitor']);
  });

  it.each([
    ['another site led to the silent login', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a sibling domain led to the silent login', { 'Sec-Fetch-Site': 'same-site' }],
  ])('is seen if %s, and then by its address', async (_what, headers) => {
    const started = await start();
    const tab = started.browser();

    await visit(started, by(tab, { ...typed, ...headers }), '/silent?returnTo=/shop');

    expect(await visit(started, by(tab))).toEqual(['/shop', 'Hello visitor']);
  });

  it('is seen if the login cannot begin, and the operator is told', async () => {
    const failed: (string | undefined)[] = [];
    const started = await start({
      create: () =>
        salesforceAuth({
          configuration: () => Promise.reject(new Error('The configuration service is down.')),
          ...{ allowedOrganizations: 'any', report: false },
        }),
    });
    started.salesforce.events.on('login.failed', ({ code }) => failed.push(code));

    const steps = await visit(started, by(started.browser()));

    expect(steps).toEqual(['/shop', '/silent', '/shop', 'Hello visitor']);
    expect(failed).toEqual(['ERR_SALESFORCE_CONFIGURATION']);
  });
});

describe('canLogInSilently', () => {
  async function withoutStore() {
    const store = new expressSession.MemoryStore();
    const given = { secret: '__test_session_secret__', resave: false, saveUninitialized: false, store };
    const started = await start({ sessionMiddleware: expressSession(given) as never });
    (store as EventEmitter).emit('disconnect');
    return started;
  }

  it('is false while there is no session, so that a public page stays one', async () => {
    const started = await withoutStore();

    expect(await visit(started, by(started.browser()))).toEqual(['/shop', 'Hello visitor']);
  });

  it('is not needed to come back from a silent login that has no session', async () => {
    const started = await withoutStore();

    const steps = await visit(started, by(started.browser()), '/silent?returnTo=/shop');

    expect(steps).toEqual(['/silent', '/shop', 'Hello visitor']);
    expect(started.warnings.map(({ code }) => code)).toEqual(['ERR_SALESFORCE_SESSION_STORE']);
  });

  it.each(['post', 'put', 'patch', 'delete'] as const)(
    'is false for %s, whose body a redirect would lose',
    async (method) => {
      const { browser } = await start();

      const answer = await browser()[method]('/shop').set(typed);

      expect([answer.status, answer.text]).toEqual([200, 'Hello visitor']);
    },
  );
});

describe('hosts of publicUrl', () => {
  const [apex, www] = ['http://app.test', 'http://www.app.test'];

  const sessions = {
    'a shared session in a cookie': () =>
      cookieSession({ name: 'app', keys: ['__test_cookie_key__'], domain: 'app.test' }),
    'a shared session in a store': () =>
      expressSession({
        ...{ secret: '__test_session_secret__', resave: false, saveUninitialized: false },
        cookie: { domain: 'app.test' },
      }),
    'a session for each': () =>
      expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }),
  };

  it.each(Object.entries(sessions))(
    'with %s: a visitor stays at the host whose page was opened',
    async (_what, session) => {
      const options: Partial<SalesforceAuthOptions> = { publicUrl: [apex, www], callbackURL: undefined };
      const started = await start({ options: options as never, sessionMiddleware: session() as never });
      started.client.callbackURLs.push(`${apex}/auth/salesforce/callback`);
      const get = ofHosts(started.url)();

      const first = await visit(started, get, `${www}/shop`);
      const again = await visit(started, get, `${www}/shop`);
      const direct = await visit(started, get, `${www}/silent?returnTo=/shop`);

      expect(first).toEqual([
        ...[`${www}/shop`, `${www}/silent`, `${apex}/silent`, `${started.emulator.url}/services/oauth2/authorize`],
        ...[`${apex}/auth/salesforce/callback`, `${www}/shop`, 'Hello visitor'],
      ]);
      expect(again).toEqual([`${www}/shop`, 'Hello visitor']);
      expect(direct.slice(-2)).toEqual([`${www}/shop`, 'Hello visitor']);
      expect(direct).not.toContain(`${started.emulator.url}/services/oauth2/authorize`);
    },
  );

  it.each([
    ['the application', www, true],
    ['a sibling domain', 'http://evil.app.test', false],
  ])('after a link of %s (%s): Salesforce is asked: %s', async (_whose, from, asks) => {
    const options: Partial<SalesforceAuthOptions> = { publicUrl: [apex, www], callbackURL: undefined };
    const sessionMiddleware = sessions['a shared session in a cookie']() as never;
    const started = await start({ options: options as never, sessionMiddleware });
    started.client.callbackURLs.push(`${apex}/auth/salesforce/callback`);
    let isBackFromSalesforce = false;
    const link = ofHosts(started.url)((url) => {
      isBackFromSalesforce ||= url.pathname.endsWith('/callback');
      const own = url.origin === from ? 'same-origin' : 'same-site';
      return { 'Sec-Fetch-Site': isBackFromSalesforce ? 'cross-site' : own, Referer: `${from}/` };
    });

    const steps = await visit(started, link, `${www}/shop`);

    expect(steps.includes(`${started.emulator.url}/services/oauth2/authorize`)).toBe(asks);
    expect(steps.slice(-2)).toEqual([`${www}/shop`, 'Hello visitor']);
  });
});
