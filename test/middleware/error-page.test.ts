import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Server } from 'node:http';
import express5, { type ErrorRequestHandler, type Express } from 'express';
import express4 from 'express4';
import expressSession from 'express-session';
import type request from 'supertest';
import { MemoryTokenStore, salesforceAuth, type ErrorPage, type SalesforceAuth } from '../../lib';
import type { StaticOptions } from '../../lib/middleware/options';
import type { Emulator } from '../../lib/emulator';
import { browserOf } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { logInAtEmulator, startTestEmulator } from '../helpers/emulator';

const closers: (() => Promise<void> | void)[] = [];
let warnings: string[];

beforeEach(() => {
  warnings = [];
});
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface Started {
  emulator: Emulator;
  browser: ReturnType<typeof request.agent>;
}

/** An application without an error handler, unless `mount` adds one. */
async function start(
  given: {
    major?: 4 | 5;
    options?: StaticOptions & Record<string, unknown>;
    /** Names the emulator's My Domain as a further organization. */
    organization?: string;
    at?: string;
    store?: expressSession.Store;
    mount?: (app: Express, salesforce: SalesforceAuth) => void;
  } = {},
): Promise<Started> {
  const emulator = await startTestEmulator();
  const app = (given.major === 4 ? express4 : express5)() as Express;
  const server: Server = app.listen(0);
  await once(server, 'listening');
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const callbackURL = `${url}${given.at ?? ''}/auth/salesforce/callback`;
  const { clientID, clientSecret } = emulator.registerClient({ callbackURLs: [callbackURL] });
  const organizations =
    given.organization === undefined ? {} : { organizations: { [given.organization]: emulator.myDomainUrl } };
  const salesforce = salesforceAuth({
    clientID,
    clientSecret,
    callbackURL,
    baseUrl: emulator.url,
    allowedOrganizations: 'any',
    report: ({ code, message }) => warnings.push(`${code}: ${message}`),
    ...organizations,
    ...given.options,
  });
  closers.push(() => salesforce.close());
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  app.set('env', 'test');
  const session = { secret: '__test_session_secret__', resave: false, saveUninitialized: false };
  app.use(expressSession({ ...session, ...(given.store ? { store: given.store } : {}) }) as never);
  if (given.at === undefined) app.use(salesforce);
  else app.use(given.at, salesforce);
  given.mount?.(app, salesforce);
  return { emulator, browser: browserOf(url) };
}

/** The answer a browser gets to a login that Salesforce refuses. */
async function refused(
  { emulator, browser }: Started,
  { login = '/auth/salesforce', error = 'OAUTH_APP_BLOCKED', accept = 'text/html' } = {},
): Promise<request.Response> {
  const started = await browser.get(login);
  const errorDescription = '<script>alert(1)</script> by admin';
  emulator.faults.inject({ on: 'authorize', kind: 'error', error, errorDescription });
  const { username, password } = emulator.users[0]!;
  const callback = new URL(await logInAtEmulator({ authorizeUrl: started.headers['location']!, username, password }));
  return browser.get(callback.pathname + callback.search).set('Accept', accept);
}

class FailingStore extends expressSession.MemoryStore {
  isDown = false;

  override get(...[id, done]: Parameters<expressSession.MemoryStore['get']>): void {
    if (this.isDown) setImmediate(done, new Error('The session store is down.'));
    else super.get(id, done);
  }
}

describe.each([4, 5] as const)('a session store that fails, on Express %d', (major) => {
  it('is shown as a page or as JSON, as errorHandler() says, although the request has not reached this package', async () => {
    const store = new FailingStore();
    const { browser } = await start({
      ...{ major, store },
      mount: (app, salesforce) => {
        app.get('/fill', (req, res) => {
          Object.assign((req as unknown as { session: object }).session, { basket: 'full' });
          res.end();
        });
        app.use(salesforce.errorHandler());
      },
    });
    await browser.get('/fill');
    store.isDown = true;

    const page = await browser.get('/fill').set('Accept', 'text/html');
    const json = await browser.get('/fill');

    expect([page.status, page.headers['retry-after']]).toEqual([503, '5']);
    expect(page.text).toContain('Please try again in a moment');
    expect(page.text).toContain('<a href="/fill">Try again</a>');
    expect(json.headers['content-type']).toContain('application/problem+json');
    expect(json.body).toMatchObject({ status: 503, code: 'ERR_SALESFORCE_SESSION_STORE', retryAfterSeconds: 5 });
    expect(warnings).toEqual([expect.stringMatching(/^ERR_SALESFORCE_SESSION_STORE: The session could not be read/)]);
  });
});

describe.each([4, 5] as const)('an error that no handler takes, on Express %d', (major) => {
  it('is a page a user can read, without what only the operator should see', async () => {
    const answer = await refused(await start({ major }));

    expect(answer.status).toBe(403);
    expect(answer.type).toBe('text/html');
    expect(answer.text).toContain('<h1>Your organization must allow this first</h1>');
    expect(answer.text).toContain('<code>ERR_SALESFORCE_APP_BLOCKED</code>');
    expect(answer.text).not.toMatch(/<script|alert\(1\)|at .*\.(ts|js):\d+|Setup|unblocked/);
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'content-security-policy': expect.stringContaining("default-src 'none'"),
    });
  });

  it('is a problem in JSON for a script', async () => {
    const answer = await refused(await start({ major }), { accept: 'application/json' });

    expect(answer.status).toBe(403);
    expect(answer.body).toEqual({
      type: 'about:blank',
      status: 403,
      title: 'Your organization must allow this first',
      detail: expect.stringContaining('Salesforce administrator'),
      code: 'ERR_SALESFORCE_APP_BLOCKED',
      isTransient: false,
    });
  });

  it("is the application's own where it has an error handler", async () => {
    const seen: unknown[] = [];
    const passOn: ErrorRequestHandler = (error, _req, _res, next) => {
      seen.push(error);
      next(error);
    };
    const own: ErrorRequestHandler = (error: { code: string }, _req, res, _next) =>
      void res.status(418).send(`own ${error.code}`);

    const handled = await refused(await start({ major, mount: (app) => app.use(passOn, own) }));
    const passedOn = await refused(await start({ major, mount: (app) => app.use(passOn) }));

    expect(handled.text).toBe('own ERR_SALESFORCE_APP_BLOCKED');
    expect(passedOn.text).toContain('<h1>');
    expect(seen).toHaveLength(2);
  });

  it('of a logout leads back to the page of the logout', async () => {
    const store = new MemoryTokenStore();
    const { emulator, browser } = await start({ major, options: { store } });
    const { username, password } = emulator.users[0]!;
    const { headers } = await browser.get('/auth/salesforce');
    const callback = new URL(await logInAtEmulator({ authorizeUrl: headers['location']!, username, password }));
    await browser.get(callback.pathname + callback.search);
    const down = jest.spyOn(store, 'logOut').mockRejectedValueOnce(new Error('down'));

    const answer = await browser.post('/auth/salesforce/logout').set('Accept', 'text/html');

    down.mockRestore();
    expect(answer.status).toBe(503);
    expect(answer.text).toContain('so you may be either');
    expect(answer.text).not.toContain('You have not been logged out');
    const again = /href="([^"]+)"[^>]*>Try again</.exec(answer.text)?.[1] ?? 'no link';
    expect(again).toBe('/auth/salesforce/logout');
    expect((await browser.get(again).set('Accept', 'text/html')).text).toMatch(/<form method="post"/i);
  });

  it('of the application itself stays with Express', async () => {
    const { browser } = await start({
      major,
      mount: (app) =>
        app.get('/broken', () => {
          throw new TypeError('broken by itself');
        }),
    });

    expect((await browser.get('/broken').set('Accept', 'text/html')).text).toContain('TypeError');
  });
});

describe('the error page', () => {
  it('leads back to the page the user wanted, through the mount path', async () => {
    const answer = await refused(await start({ at: '/app' }), {
      login: '/app/auth/salesforce?returnTo=%2Faccounts%3Fa%3D1%26b%3D%22',
    });

    expect(answer.text).toContain('href="/app/auth/salesforce?returnTo=%2Faccounts%3Fa%3D1%26b%3D%2522"');
  });

  it.each(['//evil.example', 'https://evil.example', '/\\evil.example', 'javascript:alert(1)'])(
    'does not lead to %s',
    async (returnTo) => {
      const answer = await refused(await start(), {
        login: `/auth/salesforce?returnTo=${encodeURIComponent(returnTo)}`,
      });

      expect(answer.text).toContain('href="/auth/salesforce"');
      expect(answer.text).not.toContain('evil');
    },
  );

  it('leads to the organization the user had chosen', async () => {
    const app = await start({ organization: 'other' });

    const answer = await refused(app, { login: '/auth/salesforce?org=other&returnTo=%2Fhere' });

    const href = /href="(.*?)"/.exec(answer.text)![1]!.replaceAll('&#38;', '&');
    const again = await app.browser.get(href);
    expect(new URL(again.headers['location']!).origin).toBe(app.emulator.myDomainUrl);
    expect(href).toContain('returnTo=%2Fhere');
  });

  it('offers a new login after a forged callback, and shows nothing of it', async () => {
    const { browser } = await start();

    const answer = await browser
      .get('/auth/salesforce/callback?error=evil_code&error_description=call+555-evil&state=forged')
      .set('Accept', 'text/html');

    expect(answer.status).toBe(403);
    expect(answer.text).toContain('The login was not completed');
    expect(answer.text).toContain('>Log in again</a>');
    expect(answer.text).not.toContain('evil');
  });

  it('says how long to wait if that is known, and warns the operator', async () => {
    const app = await start();
    const started = await app.browser.get('/auth/salesforce');
    const { username, password } = app.emulator.users[0]!;
    const callback = new URL(await logInAtEmulator({ authorizeUrl: started.headers['location']!, username, password }));
    app.emulator.faults.inject({ on: 'code', kind: 'status', status: 429, retryAfterSeconds: 90 });

    const answer = await app.browser.get(callback.pathname + callback.search).set('Accept', 'text/html');

    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBe('90');
    expect(answer.text).toContain('Please wait 90 seconds');
    expect(warnings).toEqual([expect.stringMatching(/^ERR_SALESFORCE_RATE_LIMITED: /)]);
  });

  it('is shown for errors in routes of the application too, and leads back to them', async () => {
    const { browser } = await start({
      mount: (app) =>
        app.get('/report', (req, _res, next) => {
          req.salesforce.getAccessToken().then(() => next(), next);
        }),
    });

    const answer = await browser.get('/report?year=1').set('Accept', 'text/html');

    expect(answer.status).toBe(401);
    expect(answer.text).toContain('href="/auth/salesforce?returnTo=%2Freport%3Fyear%3D1"');
  });

  it('names the set-up, and begins no login by itself, if authorizeUser uses req.salesforce', async () => {
    const app = await start({
      options: { authorizeUser: async (_user, req) => (await req.salesforce.fetch('/services/data/')).ok },
      mount: (express, salesforce) => express.use(salesforce.errorHandler()),
    });
    const started = await app.browser.get('/auth/salesforce?returnTo=/me');
    const { username, password } = app.emulator.users[0]!;
    const callback = new URL(await logInAtEmulator({ authorizeUrl: started.headers['location']!, username, password }));

    const answer = await app.browser.get(callback.pathname + callback.search).set('Accept', 'text/html');

    expect(answer.status).toBe(500);
    expect(answer.text).toContain('<h1>Something is not set up correctly</h1>');
    expect(answer.text).toContain('href="/auth/salesforce?returnTo=%2Fme"');
    expect(warnings.at(-1)).toMatch(/^ERR_SALESFORCE_CONFIGURATION: .*authorizeUser is called before/);
  });

  it('can be replaced', async () => {
    const errorPage = (details: Parameters<ErrorPage>[0], _req: unknown, res: express5.Response): void => {
      res.send(`mine: ${details.code} ${details.status} ${details.links[0]!.href}`);
    };

    const answer = await refused(await start({ options: { pages: { error: errorPage } } }));

    expect(answer.status).toBe(403);
    expect(answer.text).toBe('mine: ERR_SALESFORCE_APP_BLOCKED 403 /auth/salesforce');
  });

  it('can be turned off', async () => {
    const answer = await refused(await start({ options: { pages: { error: false } } }));

    expect(answer.status).toBe(403);
    expect(answer.text).not.toContain('<nav');
  });

  it('has to be a function or false', () => {
    expect(() => salesforceAuth({ clientID: 'x', pages: { error: 'page' as never } })).toThrow(/pages\.error must be/);
  });
});

describe('the page of a login that was not completed', () => {
  /** Goes to Salesforce and logs in there; gives the path of the callback, which is not opened yet. */
  async function walk({ emulator, browser }: Started, loginPath = '/auth/salesforce'): Promise<string> {
    const start = await browser.get(loginPath);
    const { username, password } = emulator.users[0]!;
    const callback = await logInAtEmulator({ authorizeUrl: start.headers['location']!, username, password });
    return callback.slice(new URL(callback).origin.length);
  }
  const asPage = ({ browser }: Started, path: string) => browser.get(path).set('Accept', 'text/html');

  it('offers to go on if the user has logged in by another of many tabs', async () => {
    const started = await start();
    const first = await walk(started);
    for (let tab = 0; tab < 8; tab++) await started.browser.get('/auth/salesforce');
    const last = await walk(started);
    const anonymous = await asPage(started, first);
    await started.browser.get(last);

    const page = await asPage(started, first);

    expect(anonymous.text).toContain('Please log in again.');
    expect(page.status).toBe(403);
    expect(page.text).toMatch(/You were logged in as [^,<]+ before, and can go on\./);
    expect(page.text).toMatch(/href="\/"[^>]*>Go on as [^<]+<\/a>/);
    expect(page.text).toContain('>Log in again</a>');
    expect(page.text).not.toContain('allow cookies');
  });

  it('leads to the page of that login if the user has logged in since it expired', async () => {
    const clock = new ManualClock();
    const started = await start({ options: { clock } });
    const late = await walk(started, '/auth/salesforce?returnTo=/accounts');
    clock.advanceSeconds(15 * 60 + 1);
    await started.browser.get(await walk(started));

    const page = await asPage(started, late);

    expect(page.text).toMatch(/href="\/accounts"[^>]*>Go on as [^<]+<\/a>/);
  });
});

describe('the page of a login without a scope', () => {
  async function pageFor(options: Record<string, unknown>): Promise<string> {
    const app = await start({
      options,
      mount: (express, salesforce) =>
        express.get('/admin', salesforce.require({ scopes: 'web' }), (_req, res) => void res.send('in')),
    });
    const assignedScopes = ['openid', 'id', 'api', 'refresh_token'];
    app.emulator.setPolicy(app.emulator.clients.at(-1)!.clientID, { assignedScopes });
    const started = await app.browser.get('/auth/salesforce');
    const { username, password } = app.emulator.users[0]!;
    const callback = new URL(await logInAtEmulator({ authorizeUrl: started.headers['location']!, username, password }));
    await app.browser.get(callback.pathname + callback.search);
    return (await app.browser.get('/admin').set('Accept', 'text/html')).text;
  }

  it('offers no login that would ask for the same scopes again', async () => {
    const text = await pageFor({ scope: 'openid id api refresh_token' });

    expect(text).toContain('<h1>This page needs more access</h1>');
    expect(text).not.toContain('>Log in');
    expect(text).not.toContain('another user');
    expect(text).toContain('>Go to the start page</a>');
  });

  it('offers a login if the login asks for all that the app is assigned', async () => {
    const text = await pageFor({});

    expect(text).toContain('<h1>This page needs more access</h1>');
    expect(text).toContain('href="/auth/salesforce?returnTo=%2Fadmin"');
    expect(text).toContain('>Log in again</a>');
  });
});

describe('a link to log in as another user', () => {
  const linkIn = (text: string, label: string): string =>
    (new RegExp(`href="([^"]+)"[^>]*>${label}</a>`).exec(text)?.[1] ?? `/no-link-${label}`).replaceAll('&#38;', '&');

  /** Walks on from a redirect to Salesforce, as a user; gives the answer of the callback. */
  async function goOn(app: Started, answer: request.Response, user = 0): Promise<request.Response> {
    const { username, password } = app.emulator.users[user]!;
    const authorizeUrl = answer.headers['location'] as string;
    const callback = new URL(await logInAtEmulator({ authorizeUrl, username, password }));
    return app.browser.get(callback.pathname + callback.search).set('Accept', 'text/html');
  }
  const promptOf = ({ headers }: request.Response): string | null =>
    new URL(headers['location'] as string).searchParams.get('prompt');
  const second = (app: Started): string => app.emulator.users[1]!.username;

  it.each([
    [false, 'login'],
    ['consent', 'login consent'],
    ['select_account', 'login'],
    ['login', 'login'],
    ['login consent', 'login consent'],
  ] as const)('asks Salesforce for a login after a refusal, with prompt: %j', async (prompt, sent) => {
    const allowed: string[] = [];
    const app = await start({
      options: { prompt, authorizeUser: ({ username = '' }) => allowed.includes(username) },
    });
    allowed.push(second(app));
    const refusal = await goOn(app, await app.browser.get('/auth/salesforce?returnTo=/accounts'));

    const again = await app.browser.get(linkIn(refusal.text, 'Log in with another user'));

    expect(refusal.status).toBe(403);
    expect(promptOf(again)).toBe(sent);
    expect((await goOn(app, again, 1)).headers['location']).toBe('/accounts');
  });

  it('asks for it at the organization of the login', async () => {
    const app = await start({ organization: 'other', options: { prompt: false, authorizeUser: () => false } });
    const refusal = await goOn(app, await app.browser.get('/auth/salesforce?org=other'));

    const again = await app.browser.get(linkIn(refusal.text, 'Log in with another user'));

    expect(promptOf(again)).toBe('login');
    expect(new URL(again.headers['location']!).origin).toBe(app.emulator.myDomainUrl);
  });

  it('asks for it after the user denied access, and not after another failure', async () => {
    const app = await start({ options: { prompt: false } });
    const denied = await refused(app, { error: 'access_denied' });
    const blocked = await refused(app);

    const again = await app.browser.get(linkIn(denied.text, 'Log in again'));
    const other = await app.browser.get(linkIn(blocked.text, 'Try again'));

    expect(promptOf(again)).toBe('login');
    expect(promptOf(other)).toBeNull();
  });

  it('asks for it from the page that meets a link of another site, and not to add a login', async () => {
    const app = await start({ options: { prompt: false } });
    await goOn(app, await app.browser.get('/auth/salesforce'));
    const asked = (path: string) =>
      app.browser.get(path).set('Sec-Fetch-Site', 'cross-site').set('Accept', 'text/html');
    const page = await asked('/auth/salesforce?returnTo=/here');
    const adding = await asked('/auth/salesforce?add=true');

    const another = await app.browser.get(linkIn(page.text, 'Log in as another user'));
    const added = await app.browser.get(linkIn(adding.text, 'Log in there as well'));

    expect(promptOf(another)).toBe('login');
    expect(promptOf(added)).toBeNull();
    expect((await goOn(app, another, 1)).headers['location']).toBe('/here');
  });

  it('is good in its own browser only, and no other site can make one', async () => {
    const app = await start({ options: { prompt: false, authorizeUser: () => false } });
    const refusal = await goOn(app, await app.browser.get('/auth/salesforce'));
    const link = linkIn(refusal.text, 'Log in with another user');
    await app.browser.get(link);
    const stranger = (await start({ options: { prompt: false } })).browser;
    const from = (path: string) => stranger.get(path).set('Sec-Fetch-Site', 'cross-site').set('Accept', 'text/html');

    expect(promptOf(await from(link))).toBeNull();
    for (const forged of ['prompt=login', 'otherUser=true', 'intent=%7B%22otherUser%22%3Atrue%7D'])
      expect(promptOf(await from(`/auth/salesforce?${forged}`))).toBeNull();
  });
});
