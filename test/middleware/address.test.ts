import express5, { type Express } from 'express';
import express4 from 'express4';
import expressSession from 'express-session';
import { salesforceAuth, requireSalesforce } from '../../lib';
import { Addresses, type PublicUrl } from '../../lib/address';
import type { OperatorWarning } from '../../lib/reporter';
import { startTestEmulator } from '../helpers/emulator';
import { browserOf, logIn, startApp, type ExpressMajor } from '../helpers/app';

const page = { Accept: 'text/html' };

/** An application whose logins go to Salesforce itself, of which only the redirect is looked at. */
function appAt(
  major: ExpressMajor,
  { options = {}, trustProxy, at = '/' }: { options?: object; trustProxy?: unknown; at?: string | undefined },
) {
  const app = (major === 4 ? express4() : express5()) as Express;
  if (trustProxy !== undefined) app.set('trust proxy', trustProxy);
  app.use(expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }) as never);
  const warnings: OperatorWarning[] = [];
  const salesforce = salesforceAuth({
    clientID: '__test_client__',
    allowedOrganizations: 'any',
    report: (warning) => warnings.push(warning),
    ...options,
  });
  const router = express5.Router();
  router.use(salesforce);
  router.get('/accounts', salesforce.require(), (_req, res) => void res.end());
  app.use(at, router as never);
  return { browser: browserOf(app), warnings };
}

const redirectURI = (location: unknown): string | null => new URL(String(location)).searchParams.get('redirect_uri');

describe.each<ExpressMajor>([4, 5])('the address of the callback on Express %d', (major) => {
  it.each([
    ['the Host header', undefined, { Host: 'app.example.com:8080' }, 'http://app.example.com:8080'],
    [
      'what a trusted proxy forwards',
      1,
      { Host: '10.0.0.7:3000', 'X-Forwarded-Host': 'app.example.com', 'X-Forwarded-Proto': 'https' },
      'https://app.example.com',
    ],
    [
      'the port that a trusted proxy forwards',
      1,
      { Host: '10.0.0.7:3000', 'X-Forwarded-Host': 'app.example.com:8443', 'X-Forwarded-Proto': 'https' },
      'https://app.example.com:8443',
    ],
    [
      'Host, if no proxy is trusted',
      undefined,
      { Host: 'app.example.com', 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https' },
      'http://app.example.com',
    ],
    ['an IPv6 address', undefined, { Host: '[::1]:3000' }, 'http://[::1]:3000'],
  ])('comes from %s', async (_what, trustProxy, headers, origin) => {
    const { browser } = appAt(major, { trustProxy });

    const answer = await browser.get('/auth/salesforce').set(headers as unknown as Record<string, string>);

    expect(redirectURI(answer.headers['location'])).toBe(`${origin}/auth/salesforce/callback`);
  });

  it.each([
    ['a scheme of a script', { 'X-Forwarded-Proto': 'javascript' }],
    ['a host with a path', { Host: 'app.example.com/evil' }],
    ['a host with a user name', { 'X-Forwarded-Host': 'user@evil.example' }],
    ['a host that no parser takes', { 'X-Forwarded-Host': 'a b' }],
  ])('is refused if it has %s, and the operator reads what to set', async (_what, headers) => {
    const { browser } = appAt(major, { trustProxy: true });

    const answer = await browser.get('/auth/salesforce').set(headers as unknown as Record<string, string>);

    expect(answer.status).toBe(400);
    expect(answer.headers['location']).toBeUndefined();
  });

  it('is the callback route as mounted', async () => {
    const { browser } = appAt(major, { at: '/app' });

    const answer = await browser.get('/app/auth/salesforce').set('Host', 'app.example.com');

    expect(redirectURI(answer.headers['location'])).toBe('http://app.example.com/app/auth/salesforce/callback');
  });

  it('has the path that a proxy strips, and so have the links of guards', async () => {
    const { browser, warnings } = appAt(major, { options: { publicUrl: 'https://example.com/crm/' }, at: '/app' });
    const internal = { Host: 'node:3000' };

    const guarded = await browser.get('/app/accounts?a=1').set({ ...page, ...internal });
    const moved = await browser.get('/app/auth/salesforce').set(internal);
    const { pathname, search } = new URL(moved.headers['location'] as string);
    const login = await browser.get(pathname.replace('/crm', '') + search).set(internal);

    expect(guarded.headers['location']).toBe('/crm/app/auth/salesforce?returnTo=%2Fcrm%2Fapp%2Faccounts%3Fa%3D1');
    expect(redirectURI(login.headers['location'])).toBe('https://example.com/crm/app/auth/salesforce/callback');
    // The operator has said the address, so there is nothing to warn of.
    expect(warnings).toEqual([]);
  });

  it('may be a function of the request', async () => {
    const publicUrl = (req: { get(name: string): string | undefined }) =>
      `https://${req.get('x-tenant') ?? ''}.example.com`;
    const { browser } = appAt(major, { options: { publicUrl } });

    const first = await browser.get('/auth/salesforce').set('X-Tenant', 'red');
    const { pathname, search, origin } = new URL(first.headers['location'] as string);
    const second = await browser.get(pathname + search).set('X-Tenant', 'red');

    expect(origin).toBe('https://red.example.com');
    expect(redirectURI(second.headers['location'])).toBe('https://red.example.com/auth/salesforce/callback');
  });
});

describe('a login that begins at another origin than its callback', () => {
  const callbackURL = 'https://app.example.com/auth/salesforce/callback';

  it('moves there once, keeps its path and query, and tells the operator if a proxy hides the origin', async () => {
    const { browser, warnings } = appAt(5, { options: { callbackURL } });
    const host = { Host: '10.0.0.7:3000' };

    const moved = await browser.get('/auth/salesforce?returnTo=%2Faccounts').set(host);
    const { origin, pathname, search, searchParams } = new URL(moved.headers['location'] as string);
    const begun = await browser.get(pathname + search).set(host);
    const again = await browser.get(pathname + search).set(host);

    expect([moved.status, origin, pathname]).toEqual([302, 'https://app.example.com', '/auth/salesforce']);
    expect(searchParams.get('returnTo')).toBe('/accounts');
    expect(moved.headers['set-cookie']).toBeUndefined();
    expect(redirectURI(begun.headers['location'])).toBe(callbackURL);
    expect(begun.headers['set-cookie']).toEqual([expect.stringMatching(/^__Host-salesforce-login\..*; Secure/)]);
    expect(again.status).toBe(302);
    expect(warnings).toEqual([
      expect.objectContaining({
        code: 'LOGIN_ORIGIN',
        message: expect.stringMatching(/10\.0\.0\.7.*app\.example\.com/),
      }),
    ]);
  });

  it('does not advise the operator to set publicUrl if publicUrl has that origin', async () => {
    const { browser, warnings } = appAt(5, { options: { publicUrl: 'https://app.example.com' } });
    const host = { Host: '10.0.0.7:3000' };

    const moved = await browser.get('/auth/salesforce').set(host);
    const { pathname, search } = new URL(moved.headers['location'] as string);
    const begun = await browser.get(pathname + search).set(host);

    expect(redirectURI(begun.headers['location'])).toBe(callbackURL);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['http', 'http://app.example.com'],
    ['www', 'https://www.example.com'],
    ['another name of this machine', 'http://127.0.0.1:3000'],
  ])('moves from %s without a warning if it arrives', async (_what, from) => {
    const { browser, warnings } = appAt(5, { options: { callbackURL }, trustProxy: true });
    const at = (origin: string) => {
      const { host, protocol } = new URL(origin);
      return { Host: host, 'X-Forwarded-Proto': protocol.slice(0, -1) };
    };

    const moved = await browser.get('/auth/salesforce').set(at(from));
    const { pathname, search } = new URL(moved.headers['location'] as string);
    const begun = await browser.get(pathname + search).set(at('https://app.example.com'));

    expect(redirectURI(begun.headers['location'])).toBe(callbackURL);
    expect(warnings).toEqual([]);
  });

  it('takes no mark that this application did not make', async () => {
    const { browser } = appAt(5, { options: { callbackURL } });

    const answer = await browser.get('/auth/salesforce?salesforce_move=forged').set('Host', 'www.example.com');

    expect(new URL(answer.headers['location'] as string).origin).toBe('https://app.example.com');
    expect(new URL(answer.headers['location'] as string).searchParams.getAll('salesforce_move')).toHaveLength(1);
  });

  it('comes back to the host where it began, if that host is listed, with its tenant', async () => {
    const emulator = await startTestEmulator();
    const tenants: (string | undefined)[] = [];
    const app = await startApp({
      emulator,
      sessionMiddleware: expressSession({
        ...{ secret: '__test_session_secret__', resave: false, saveUninitialized: false },
        cookie: { domain: 'app.test' },
      }) as never,
      create: ({ clientID, clientSecret, callbackURLs }) => {
        callbackURLs.push('http://app.test/auth/salesforce/callback');
        return salesforceAuth({
          publicUrl: ['http://app.test', 'http://www.app.test'],
          tenant: (req) => req.hostname,
          configuration: ({ tenant }) => {
            tenants.push(tenant);
            return { clientID, clientSecret, baseUrl: emulator.url, scope: 'id api refresh_token' };
          },
          allowedOrganizations: 'any',
        });
      },
    });
    const browser = app.browser();
    const moved = await browser.get('/auth/salesforce?returnTo=/me').set('Host', 'www.app.test');
    const { pathname, search, origin } = new URL(moved.headers['location'] as string);
    void browser.set('Host', 'app.test');

    const end = await logIn(browser, emulator, { loginPath: pathname + search });

    expect(origin).toBe('http://app.test');
    expect(end.body).toEqual({});
    expect(end.headers['location']).toBe('http://www.app.test/me');
    expect(new Set(tenants)).toEqual(new Set(['www.app.test']));
  });

  it('has the tenant of the host where it began at the callback too: in onLogin, and beside the logins of that tenant', async () => {
    const emulator = await startTestEmulator();
    const seen: unknown[] = [];
    const app = await startApp({
      emulator,
      create: ({ clientID, clientSecret, callbackURLs }) => {
        callbackURLs.push('http://app.test/auth/salesforce/callback');
        return salesforceAuth({
          publicUrl: ['http://app.test', 'http://www.app.test'],
          tenant: (req) => req.hostname,
          configuration: () => ({ clientID, clientSecret, baseUrl: emulator.url, scope: 'id api refresh_token' }),
          allowedOrganizations: 'any',
          onLogin: async ({ req, user }) => {
            const { status } = await req.salesforce.fetch('/services/data/v62.0/limits');
            seen.push([req.salesforce.user?.userId === user.userId, status]);
          },
          // The session's cookie of this test is for all hosts, which the package cannot see.
          report: false,
        });
      },
    });
    const browser = app.browser();
    const logInAtWww = async (user: number, query: string): Promise<void> => {
      const moved = await browser.get(`/auth/salesforce${query}`).set('Host', 'www.app.test');
      const { pathname, search } = new URL(moved.headers['location'] as string);
      const answer = await logIn(browser.set('Host', 'app.test'), emulator, { user, loginPath: pathname + search });
      expect(answer.status).toBe(302);
      void browser.set('Host', 'www.app.test');
    };

    await logInAtWww(0, '');
    await logInAtWww(1, '?add=true');

    expect(seen).toEqual([
      [true, 200],
      [true, 200],
    ]);
    const { grantId } = (await browser.get('/me')).body as { grantId: string };
    expect((await app.salesforce.tokens.find(grantId))?.tenant).toBe('www.app.test');
    await browser.post('/auth/salesforce/logout');
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    // A login of one tenant still counts for nothing at the host of another.
    await logInAtWww(0, '');
    expect((await browser.set('Host', 'app.test').get('/me')).status).toBe(401);
  });
});

describe('a prefix that the mount path or a route repeats', () => {
  const internal = { Host: 'node:3000' };

  it.each<[string, { publicUrl: unknown; callbackURL?: string }, string, string]>([
    ['as the mount path', { publicUrl: 'https://example.com/crm' }, '/crm', 'set publicUrl to https://example.com.'],
    [
      'as the end of the prefix and the mount path',
      { publicUrl: 'https://example.com/crm/v2' },
      '/v2',
      'set publicUrl to https://example.com/crm.',
    ],
    [
      'in an address that a function gives',
      { publicUrl: () => 'https://example.com/crm' },
      '/crm',
      'set publicUrl to https://example.com.',
    ],
    [
      'in a callbackURL that is a path',
      { publicUrl: 'https://example.com/crm', callbackURL: '/crm/callback' },
      '/',
      'leave /crm out of the mount path, of routes and of callbackURL',
    ],
  ])('is told once: %s', async (_what, options, at, advice) => {
    const { browser, warnings } = appAt(5, { options, at });
    const root = at === '/' ? '' : at;

    for (let times = 0; times < 2; times++) {
      await browser.get(`${root}/accounts`).set({ ...page, ...internal });
      const moved = await browser.get(`${root}/auth/salesforce`).set(internal);
      const { search } = new URL(moved.headers['location'] as string);
      await browser.get(`${root}/auth/salesforce${search}`).set(internal);
    }

    expect(warnings).toEqual([
      { code: 'PUBLIC_URL_PATH', message: expect.stringContaining(advice) as string, suppressed: 0 },
    ]);
  });

  it('is told at the first guarded page, if the proxy takes nothing away and no callback is below the mount', async () => {
    const { browser, warnings } = appAt(5, {
      options: { publicUrl: 'https://example.com/crm', callbackURL: 'https://example.com/crm/callback' },
      at: '/crm',
    });

    await browser.get('/crm/accounts').set({ ...page, ...internal });

    expect(warnings.map(({ code }) => code)).toEqual(['PUBLIC_URL_PATH']);
  });

  it.each([
    ['/crm', '/crm2'],
    ['/crm', '/v2'],
    ['/v2/crm', '/v2'],
    ['', '/crm'],
  ])('is none with the prefix %j and the mount path %j', async (prefix, at) => {
    const { browser, warnings } = appAt(5, { options: { publicUrl: `https://example.com${prefix}` }, at });

    await browser.get(`${at}/accounts?at=${prefix}${prefix}`).set({ ...page, ...internal });
    await browser.get(`${at}/auth/salesforce`).set(internal);

    expect(warnings).toEqual([]);
  });
});

describe('mounting', () => {
  it('takes the same middleware twice on one path', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) => {
        app.use('/v2', salesforce);
        app.get('/v2/accounts', requireSalesforce(), (_req, res) => void res.json('in'));
      },
    });
    const tab = browser();
    await logIn(tab, emulator);

    expect((await tab.get('/v2/accounts')).body).toBe('in');
  });

  it('refuses two middlewares that serve one callback', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app) => {
        app.use(salesforceAuth({ clientID: 'another', property: 'partners', allowedOrganizations: 'any' }));
        app.get('/after', (_req, res) => void res.end());
      },
    });

    const answer = await browser().get('/after');

    expect(answer.status).toBe(500);
    expect(answer.body.message).toContain('serve the same callback route /auth/salesforce/callback');
  });
});

describe('the option publicUrl', () => {
  const accept = (publicUrl: unknown) => () =>
    salesforceAuth({ clientID: '__test_client__', allowedOrganizations: 'any', publicUrl: publicUrl as string });

  it.each<[string, unknown]>([
    ['an empty list', []],
    ['a number', 7],
    ['an object of the class URL', new URL('https://app.example.com')],
    ['no URL', 'app.example.com'],
    ['another scheme', 'ftp://app.example.com'],
    ['a scheme that ends like http', 'xhttp://app.example.com'],
    ['a user name', 'https://ada@app.example.com'],
    ['a password alone', 'https://:secret@app.example.com'],
    ['a query', 'https://app.example.com/?a=b'],
    ['a fragment', 'https://app.example.com/#a'],
    ['a scheme that is written twice', 'https://https://app.example.com'],
    ['one bad address in a list', ['https://app.example.com', 'app.example.com']],
  ])('refuses %s', (_what, publicUrl) => {
    expect(accept(publicUrl)).toThrow(/^publicUrl must be /);
  });

  it.each<[string, unknown]>([
    ['http', 'http://app.example.com'],
    ['a path', 'https://app.example.com/crm'],
    ['a list', ['https://app.example.com', 'https://other.example.com']],
    ['a function', () => undefined],
  ])('takes %s', (_what, publicUrl) => {
    expect(accept(publicUrl)).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ['no slash at its end', 'http://10.0.0.7/crm/', 'http://10.0.0.7/crm/auth/salesforce/callback'],
    ['the address of the request for undefined', () => undefined, 'http://10.0.0.7/auth/salesforce/callback'],
  ])('gives the callback %s', async (_what, publicUrl, callback) => {
    const { browser } = appAt(5, { options: { publicUrl } });

    const answer = await browser.get('/auth/salesforce').set({ Host: '10.0.0.7' });

    expect(redirectURI(answer.headers['location'])).toBe(callback);
  });

  it('may be a function without an answer, and a guard then sends to the login without a prefix', async () => {
    const { browser } = appAt(5, { options: { publicUrl: () => undefined } });

    const answer = await browser.get('/accounts').set(page);

    expect(answer.headers['location']).toBe('/auth/salesforce?returnTo=%2Faccounts');
  });
});

describe('a request without a valid address', () => {
  it.each<[string, Record<string, string>]>([
    ['a path in Host', { Host: 'app.example.com/path' }],
    ['a user name in Host', { Host: 'ada@app.example.com' }],
    ['a port above 65535', { Host: 'app.example.com:99999' }],
    ['another scheme', { Host: 'app.example.com', 'X-Forwarded-Proto': 'ftp' }],
    ['a scheme that ends like http', { Host: 'app.example.com', 'X-Forwarded-Proto': 'xhttp' }],
    ['a scheme that begins like https', { Host: 'app.example.com', 'X-Forwarded-Proto': 'httpsx' }],
  ])('is told what is wrong: %s', async (_what, headers) => {
    const { browser } = appAt(5, { trustProxy: 1 });

    const answer = await browser.get('/auth/salesforce').set(headers);

    expect(answer.status).toBe(400);
    expect(answer.headers['location']).toBeUndefined();
  });
});

describe('what the application knows of an address', () => {
  const requestOf = (headers: Record<string, string>, protocol = 'http') =>
    ({ headers, protocol, app: { get: () => undefined } }) as unknown as express5.Request;

  it.each<[string, PublicUrl | undefined, string, boolean]>([
    ['publicUrl says https', 'https://app.example.com', 'http', true],
    ['publicUrl says http, behind a proxy that says https', 'http://app.example.com', 'https', false],
    ['the function says https', () => 'https://app.example.com', 'http', true],
    ['the function says http', () => 'http://app.example.com', 'https', false],
    ['the function says nothing, and the request came by https', () => undefined, 'https', true],
    ['nothing is configured, and the request came by https', undefined, 'https', true],
    ['nothing is configured, and the request came by http', undefined, 'http', false],
  ])('tells that browsers use https: %s', (_what, publicUrl, protocol, isSecure) => {
    expect(new Addresses(publicUrl).isSecure(requestOf({ host: 'app.example.com' }, protocol))).toBe(isSecure);
  });

  it('is nothing for a request without Host', () => {
    const addresses = new Addresses(undefined);

    expect(addresses.seen(requestOf({}))).toBeUndefined();
    expect(addresses.isSecure(requestOf({}, 'https'))).toBe(false);
  });

  it('is an error of the option for a request without Host, if the address is needed', () => {
    expect(() => new Addresses(undefined).of(requestOf({}))).toThrow(
      expect.objectContaining({ code: 'ERR_SALESFORCE_OPTION_INVALID', option: 'publicUrl', status: 400 }) as Error,
    );
  });

  it('takes X-Forwarded-Host as the application trusts it, and not at all without Express', () => {
    const req = requestOf({ host: 'internal.example.com', 'x-forwarded-host': 'app.example.com' });
    const seen = (app: unknown) => new Addresses(undefined).seen(Object.assign(req, { app }));
    const trusting = (answer: boolean) => ({ get: () => () => answer });

    expect(seen(trusting(true))).toBe('http://app.example.com');
    expect(seen(trusting(false))).toBe('http://internal.example.com');
    expect(seen({ get: () => undefined })).toBe('http://internal.example.com');
    expect(seen(undefined)).toBe('http://internal.example.com');
  });

  it('is the first host of a chain of proxies', () => {
    expect(new Addresses(undefined).seen(requestOf({ host: 'app.example.com , proxy.example.com' }))).toBe(
      'http://app.example.com',
    );
  });

  it.each<[string, string | undefined, string | undefined]>([
    ['none is written down', undefined, undefined],
    ['a path', '/auth/salesforce/callback', undefined],
    ['a whole URL', 'https://app.example.com/callback', 'https://app.example.com'],
    ["one of Salesforce's own", 'https://login.salesforce.com/services/oauth2/echo', undefined],
  ])('has the origin of the callback URL: %s', (_what, callbackURL, origin) => {
    expect(new Addresses(undefined, callbackURL).callbackOrigin).toBe(origin);
  });

  it('has a repeated part also if the path is this part and no more, and tells that once', () => {
    const addresses = new Addresses('https://app.example.com/crm/v2');
    const req = requestOf({ host: 'app.example.com' });

    expect(addresses.repetition(req, '/v20')).toBeUndefined();
    expect(addresses.repetition(req, '/v2')).toContain('Links and callback URL have /v2 twice');
    expect(addresses.repetition(req, '/v2')).toBeUndefined();
  });
});

describe('a callback URL that does not lead to the middleware', () => {
  const mounted = (callbackURL: string, { at = '/crm', ...options }: { at?: string; routes?: object } = {}) =>
    appAt(5, { options: { callbackURL, ...options }, at });

  it('is not warned of if the browser spells the mount path in other letter case', async () => {
    const { browser, warnings } = mounted('/crm/callback');

    await browser.get('/CRM/auth/salesforce').set('Host', 'example.com');

    expect(warnings).toEqual([]);
  });

  it.each(['https://example.com/auth/callback', '/auth/callback', 'https://example.com/crm2/callback'])(
    'is told once, as logins begin: %s',
    async (callbackURL) => {
      const { browser, warnings } = mounted(callbackURL);

      for (let times = 0; times < 2; times++) await browser.get('/crm/auth/salesforce').set('Host', 'example.com');

      expect(warnings).toEqual([
        { code: 'CALLBACK_PATH', message: expect.stringContaining('mounted at /crm') as string, suppressed: 0 },
      ]);
    },
  );

  it.each<[string, Parameters<typeof mounted>]>([
    ['below the mount path', ['https://example.com/crm/callback']],
    ['with the middleware at the root', ['https://example.com/auth/callback', { at: '/' }]],
    ['and a callback route of the application', ['https://example.com/auth/callback', { routes: { callback: false } }]],
  ])('is not given for a callback URL %s', async (_what, given) => {
    const { browser, warnings } = mounted(...given);
    const { at = '/crm' } = given[1] ?? {};

    await browser.get(`${at === '/' ? '' : at}/auth/salesforce`).set('Host', 'example.com');

    expect(warnings).toEqual([]);
  });
});
