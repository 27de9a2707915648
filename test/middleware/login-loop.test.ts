import { createReadStream } from 'node:fs';
import cookieSession from 'cookie-session';
import expressSession, { MemoryStore } from 'express-session';
import express5, { type Express, type RequestHandler } from 'express';
import express4 from 'express4';
import type request from 'supertest';
import { MemoryTokenStore, salesforceAuth } from '../../lib';
import type { Emulator } from '../../lib/emulator';
import { browserOf, logIn, onClient, startApp, type Browser, type TestApp, type TestAppOptions } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';

const page = ['Accept', 'text/html'] as const;
const secret = '__test_session_secret__';
const sessions = (options: Partial<expressSession.SessionOptions> = {}): RequestHandler =>
  expressSession({ secret, resave: false, saveUninitialized: false, ...options }) as never;

function jarOf(tab: Browser): { setCookie: (line: string, domain: string) => void } {
  return (tab as unknown as { jar: ReturnType<typeof jarOf> }).jar;
}

/** Takes a cookie away, as a browser that does not keep it. */
function forget(tab: Browser, name: string): void {
  jarOf(tab).setCookie(`${name}=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/`, 'localhost');
}

interface Walk {
  tab: Browser;
  emulator: Emulator;
  path?: string;
  /** What happens between the login and the next request for the page. */
  between?: () => void | Promise<void>;
}

/** Opens a page, logs in, and opens the page again. */
async function openPage({ tab, emulator, path = '/me', between }: Walk): Promise<request.Response> {
  const refused = await tab.get(path).set(...page);
  expect(refused.status).toBe(302);
  await logIn(tab, emulator, { loginPath: refused.headers['location'] as string });
  await between?.();
  return tab.get(path).set(...page);
}

async function start(given: Partial<TestAppOptions> = {}): Promise<TestApp & { emulator: Emulator; tab: Browser }> {
  const emulator = given.emulator ?? (await startTestEmulator());
  const started = await startApp({ ...given, emulator });
  return { ...started, emulator, tab: started.browser() };
}

describe('a login that does not hold is told at its first sign, with its cause', () => {
  it.each([
    {
      cause: 'the cookie of the session is not sent back',
      given: {},
      break: (tab: Browser) => forget(tab, 'connect.sid'),
      message: "The session's cookie did not come back: the browser did not keep it",
    },
    {
      cause: 'the cookie of the session is secure, and the application sees http',
      given: { sessionMiddleware: sessions({ cookie: { secure: true } }) },
      break: () => undefined,
      message: "marked secure, but this application sees plain http, so the cookie was not sent. Set 'trust proxy'",
    },
    {
      cause: 'cookie-session holds more than browsers keep',
      given: {
        sessionMiddleware: cookieSession({ name: 'app', keys: [secret] }) as never,
        options: {
          onLogin: ({ req }: { req: object }) => {
            (req as { session: Record<string, unknown> }).session['cart'] = 'x'.repeat(3_000);
          },
        },
      },
      break: (tab: Browser) => forget(tab, 'app'),
      message: "The session's cookie is larger than 4096 bytes",
    },
    {
      cause: 'the cookie of cookie-session is not sent back',
      given: { session: 'cookie-session' as const },
      break: (tab: Browser) => forget(tab, 'app'),
      message: "The session's cookie did not come back, or came back without the login",
    },
  ])('$cause', async ({ given, break: lose, message }) => {
    const { emulator, tab, warnings } = await start(given);

    const answer = await openPage({ tab, emulator, between: () => lose(tab) });

    expect([answer.status, answer.body.code]).toEqual([500, 'ERR_SALESFORCE_LOGIN_LOOP']);
    expect(answer.body.message).toContain(message);
    // What can be seen at the callback is told there already.
    const isSeenEarly = /marked secure|larger than/.test(message);
    expect(warnings.some((warning) => warning.message.includes(message))).toBe(isSeenEarly);
  });

  it('the browser sends the session, and the session store does not know it', async () => {
    const store = new MemoryStore();
    const { emulator, tab } = await start({ sessionMiddleware: sessions({ store }) });
    const between = (): Promise<void> => new Promise((resolve) => store.clear(() => resolve()));

    const answer = await openPage({ tab, emulator, between });

    expect(answer.body.code).toBe('ERR_SALESFORCE_LOGIN_LOOP');
    expect(answer.body.message).toContain('The browser sent the session back');
    expect(answer.body.message).toContain('one session store');
  });

  it.each([
    ['left at its default', () => undefined],
    ['a MemoryTokenStore each', () => new MemoryTokenStore()],
  ])('two processes share their sessions, and the token store is %s', async (_what, storeOf) => {
    const emulator = await startTestEmulator();
    const sessionMiddleware = sessions({ store: new MemoryStore() });
    const first = await start({ emulator, sessionMiddleware, options: { store: storeOf() } });
    const create = onClient(emulator, first.client, { store: storeOf() });
    const second = await startApp({ emulator, sessionMiddleware, create });
    const { tab } = first;
    const refused = await tab.get('/me').set(...page);
    const callback = await logIn(tab, emulator, { loginPath: refused.headers['location'] as string });

    const cookies = (callback.headers['set-cookie'] as unknown as string[]).map((line) => line.split(';')[0]);
    const answer = await browserOf(second.url)
      .get('/me')
      .set(...page)
      .set('Cookie', cookies.join('; '));

    expect(answer.body.code).toBe('ERR_SALESFORCE_LOGIN_LOOP');
    expect(answer.body.message).toContain('not in the memory of this process');
    expect(answer.body.message).toContain('RedisTokenStore');
  });

  it('the API refuses a token that was made a moment ago', async () => {
    const { emulator, tab } = await start({
      options: { scope: 'id api' },
      routes: (app, salesforce) => {
        app.use(salesforce.errorHandler());
      },
    });

    const answer = await openPage({
      tab,
      emulator,
      path: '/accounts',
      between: () => emulator.expireAccessTokens(),
    });

    expect(answer.body.code).toBe('ERR_SALESFORCE_LOGIN_LOOP');
    expect(answer.body.message).toContain('Salesforce refused the new access token at once. Run the doctor');
  });

  it.each([
    [4, express4],
    [5, express5],
  ])('session() is mounted after salesforceAuth(), on Express %d', async (_major, express) => {
    const told: string[] = [];
    const report = ({ message }: { message: string }): void => {
      told.push(message);
    };
    const salesforce = salesforceAuth({ clientID: '__test_client__', allowedOrganizations: 'any', report });
    const app = express() as Express;
    app.use(salesforce, sessions());

    const answer = await browserOf(app).get('/auth/salesforce').set('Accept', 'application/json');
    await salesforce.close();

    expect([answer.status, answer.body.code]).toEqual([500, 'ERR_SALESFORCE_SESSION_MISSING']);
    expect(told).toEqual([expect.stringContaining('Move app.use(session(…)) before app.use(salesforceAuth(…))')]);
  });
});

describe('the mark of a login that was not used yet', () => {
  const marks = (answer: request.Response): string[] =>
    [answer.headers['set-cookie'] ?? []].flat().filter((line) => line.startsWith('salesforce-login-loop='));

  it('is set by a callback that finds the mark of an earlier login', async () => {
    const { emulator, tab } = await start();
    await logIn(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/token' });
    forget(tab, 'connect.sid');

    const callback = await logIn(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/me' });
    forget(tab, 'connect.sid');

    expect(marks(callback)).toHaveLength(1);
    expect(marks(callback)[0]).not.toMatch(/Expires=Thu, 01 Jan 1970/);
    expect((await tab.get('/me').set(...page)).body.code).toBe('ERR_SALESFORCE_LOGIN_LOOP');
  });

  it.each([
    ['streams', (res: NodeJS.WritableStream) => void createReadStream('package.json').pipe(res)],
    ['answers later', (res: NodeJS.WritableStream) => void setImmediate(() => res.end('{}'))],
  ])('stays if a function of the application fails while a route %s', async (_how, answer) => {
    let isBroken = false;
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      create: ({ clientID, clientSecret }, callbackURL) =>
        salesforceAuth({
          tenant: () => {
            if (isBroken) throw new Error('There is no such tenant.');
            return 'acme';
          },
          configuration: () => ({ clientID, clientSecret, callbackURL, baseUrl: emulator.url, scope: 'id api' }),
          encryptionKeys: ['a key that only this test has, for 2 tenants'],
          allowedOrganizations: 'any',
          report: () => undefined,
        }),
      routes: (app) => {
        app.get('/file', (_req, res) => {
          isBroken = true;
          answer(res);
        });
      },
    });
    const tab = browser();
    await logIn(tab, emulator);

    const file = await tab.get('/file');
    isBroken = false;

    expect(file.status).toBe(200);
    expect(marks(file)).toEqual([]);
    expect((await tab.get('/me').set(...page)).status).toBe(200);
  });
});

describe('no false alarm', () => {
  it('is given if express-session itself trusts the proxy that ends https', async () => {
    const sessionMiddleware = sessions({ proxy: true, cookie: { secure: true } });
    const { emulator, tab, warnings } = await start({ sessionMiddleware });
    void tab.set('X-Forwarded-Proto', 'https');

    const callback = await logIn(tab, emulator);

    expect(String(callback.headers['set-cookie'])).toContain('connect.sid=');
    expect(warnings.map(({ code }) => code)).not.toContain('ERR_SALESFORCE_LOGIN_LOOP');
  });

  it('is given to a user who logs in, reads, logs out and logs in again within a minute', async () => {
    const { emulator, tab, warnings } = await start();

    const first = await openPage({ tab, emulator });
    await tab.post('/auth/salesforce/logout').set(...page);
    const second = await openPage({ tab, emulator });

    expect([first.status, second.status]).toEqual([200, 200]);
    expect(warnings.map(({ code }) => code)).not.toContain('ERR_SALESFORCE_LOGIN_LOOP');
  });

  it.each([
    ['the route of the package', '/auth/salesforce/logout'],
    ['a route of the application', '/leave'],
  ])('is given to a user who logs out before any page was served, by %s', async (_what, path) => {
    const { emulator, tab } = await start({
      routes: (app) => {
        app.post('/leave', async (req, res) => {
          await req.salesforce.logout();
          res.redirect('/');
        });
      },
    });
    const refused = await tab.get('/me').set(...page);
    await logIn(tab, emulator, { loginPath: refused.headers['location'] as string });
    await tab.post(path).set(...page);

    expect((await openPage({ tab, emulator })).status).toBe(200);
  });

  it("is given if the application's own first page fails, and is opened again", async () => {
    let calls = 0;
    const { emulator, tab } = await start({
      routes: (app, salesforce) => {
        app.get('/first', salesforce.require(), (_req, res) => {
          calls += 1;
          if (calls === 1) throw new Error('A mistake of the application.');
          res.send('Welcome.');
        });
      },
    });

    const failed = await openPage({ tab, emulator, path: '/first' });
    const again = await tab.get('/first').set(...page);

    expect([failed.status, failed.body.code]).toEqual([500, undefined]);
    expect([again.status, again.text]).toEqual([200, 'Welcome.']);
  });

  it('is given to a user who comes back after a minute without the session', async () => {
    const clock = new ManualClock();
    const { emulator, tab } = await start({ options: { clock } });

    const answer = await openPage({
      tab,
      emulator,
      between: () => {
        forget(tab, 'connect.sid');
        clock.advanceMs(60_000);
      },
    });

    expect([answer.status, answer.headers['location']]).toEqual([302, '/auth/salesforce?returnTo=%2Fme']);
  });

  it('is given because of the cookie of a login for another page', async () => {
    const { emulator, tab } = await start();
    const refused = await tab.get('/me').set(...page);
    await logIn(tab, emulator, { loginPath: refused.headers['location'] as string });
    forget(tab, 'connect.sid');

    expect((await tab.get('/token').set(...page)).status).toBe(302);
  });

  it.each([
    ['text', 'forged'],
    ['JSON', encodeURIComponent(JSON.stringify({ page: 'x', at: Date.now() }))],
    [
      'the shape of a sealed text',
      'eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA',
    ],
  ])('is given because of a planted cookie: %s', async (_what, value) => {
    const { emulator, tab } = await start();
    jarOf(tab).setCookie(`salesforce-login-loop=${value}; path=/`, 'localhost');

    expect((await openPage({ tab, emulator })).status).toBe(200);
  });
});
