/** @again newest-node legacy-policy */
import cookieSession from 'cookie-session';
import expressSession from 'express-session';
import request from 'supertest';
import { isSalesforceAuthError } from '../../lib';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, walkToCallback } from '../helpers/app';

const sessionOptions = { secret: '__test_session_secret__', resave: false, saveUninitialized: false };

/** A browser that is logged in, on its way through a second login. */
async function loggedInTwice(options: Parameters<typeof startApp>[0] extends infer T ? Partial<T> : never = {}) {
  const emulator = await startTestEmulator();
  const started = await startApp({ emulator, ...options });
  const tab = started.browser();
  await logIn(tab, emulator);
  const before = (await tab.get('/me')).body as { user: object; grantId: string };
  return { emulator, ...started, tab, before };
}

describe('a callback that is no answer to a login', () => {
  it.each([
    ['nothing at all', '', 'ERR_SALESFORCE_STATE_MISMATCH', 403],
    ['no state', '?code=aPrx__forged__', 'ERR_SALESFORCE_STATE_MISMATCH', 403],
    ['an empty state', '?code=aPrx__forged__&state=', 'ERR_SALESFORCE_STATE_MISMATCH', 403],
    ['a list of states', '?code=aPrx__forged__&state=a&state=b', 'ERR_SALESFORCE_STATE_MISMATCH', 403],
    ['a forged state', '?code=aPrx__forged__&state=forged', 'ERR_SALESFORCE_STATE_MISMATCH', 403],
    ['an error without a state', '?error=access_denied', 'ERR_SALESFORCE_STATE_MISMATCH', 403],
    ['an error with a forged state', '?error=access_denied&state=forged', 'ERR_SALESFORCE_STATE_MISMATCH', 403],
  ])('is refused with %s, and the session stays', async (_what, query, code, status) => {
    const { tab, before } = await loggedInTwice();

    const answer = await tab.get(`/auth/salesforce/callback${query}`);

    expect(answer.body.code).toBe(code);
    expect(answer.status).toBe(status);
    expect((await tab.get('/me')).body).toEqual(before);
  });

  it('says nothing an attacker wrote', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });

    const answer = await browser().get(
      '/auth/salesforce/callback?error=x&error_description=call+555-evil&state=forged',
    );

    expect(answer.text).not.toContain('555-evil');
  });

  it('is found at the path of a callbackURL that has a query of its own', async () => {
    const emulator = await startTestEmulator();
    const { url, client, browser } = await startApp({ emulator, options: { callbackURL: '/back?from=salesforce' } });
    client.callbackURLs.push(`${url}/back?from=salesforce`);
    const tab = browser();

    const callback = await walkToCallback(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/me' });
    const answer = await tab.get(callback);

    expect(callback).toMatch(/^\/back\?from=salesforce&code=/);
    expect(answer.headers['location']).toBe('/me');
  });

  it('redirects to the end of its login if it is opened again, and does not present its code again', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    const callback = await walkToCallback(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/me' });
    await tab.get(callback);

    const again = await tab.get(callback);

    expect([again.status, again.headers['location']]).toEqual([302, '/me']);
    expect(emulator.requests.filter(({ path }) => path.endsWith('/token'))).toHaveLength(1);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('ends one login if it is opened twice at the same moment', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    const callback = await walkToCallback(tab, emulator);

    const answers = await Promise.all([tab.get(callback), tab.get(callback)]);

    expect(answers.map(({ status }) => status)).toEqual([302, 302]);
    expect((await tab.get('/me')).status).toBe(200);
    expect(emulator.requests.filter(({ path }) => path.endsWith('/token'))).toHaveLength(1);
  });

  it("is refused in another person's browser, which would log that person in as another user", async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const [attacker, victim] = [browser(), browser()];
    const callback = await walkToCallback(attacker, emulator);

    const answer = await victim.get(callback);

    expect(answer.body.code).toBe('ERR_SALESFORCE_STATE_MISMATCH');
    expect((await victim.get('/me')).status).toBe(401);
  });

  it('is refused after 15 minutes', async () => {
    const clock = new ManualClock();
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { clock } });
    const tab = browser();
    const callback = await walkToCallback(tab, emulator);
    clock.advanceSeconds(15 * 60 + 1);

    expect((await tab.get(callback)).body.code).toBe('ERR_SALESFORCE_LOGIN_EXPIRED');
  });

  it('is refused without a code', async () => {
    const { tab, before } = await loggedInTwice();
    const start = await tab.get('/auth/salesforce');
    const state = new URL(start.headers['location']!).searchParams.get('state')!;

    const answer = await tab.get(`/auth/salesforce/callback?state=${state}`);

    expect(answer.body.code).toBe('ERR_SALESFORCE_CODE_REJECTED');
    expect((await tab.get('/me')).body).toEqual(before);
  });

  it('ends with a clear error when the user denies access', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });

    const answer = await logIn(browser(), emulator, { decision: 'deny', loginPath: '/auth/salesforce' });

    expect(answer.status).toBe(403);
    expect(answer.body.code).toBe('ERR_SALESFORCE_ACCESS_DENIED');
  });

  it('keeps no more than eight pending logins in a browser', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app) => app.get('/cookies', (req, res) => res.json(req.headers.cookie?.split('; '))),
    });
    const tab = browser();

    for (let login = 0; login < 20; login++) await tab.get('/auth/salesforce');

    const cookies = (await tab.get('/cookies')).body as string[];
    expect(cookies.filter((cookie) => cookie.startsWith('salesforce-login.'))).toHaveLength(8);
  });
});

describe('a token reply that cannot be trusted', () => {
  const foreign = 'https://login.salesforce.com.evil.example';
  it.each([
    ['is empty', { kind: 'empty' }, 'ERR_SALESFORCE_REPLY_INVALID'],
    ['is a web page', { kind: 'html' }, 'ERR_SALESFORCE_REPLY_INVALID'],
    ['is cut off', { kind: 'truncated', complete: true }, 'ERR_SALESFORCE_REPLY_INVALID'],
    ['breaks off with its connection', { kind: 'truncated' }, 'ERR_SALESFORCE_CONNECTION_LOST'],
    ['is endless', { kind: 'oversized' }, 'ERR_SALESFORCE_REPLY_INVALID'],
    ['never comes', { kind: 'drop' }, 'ERR_SALESFORCE_CONNECTION_LOST'],
    ['has no access_token', change({ access_token: undefined }), 'ERR_SALESFORCE_REPLY_INVALID'],
    ['has an access_token of the wrong type', change({ access_token: { a: 1 } }), 'ERR_SALESFORCE_REPLY_INVALID'],
    ['has a refresh_token of the wrong type', change({ refresh_token: 7 }), 'ERR_SALESFORCE_REPLY_INVALID'],
    [
      'has a foreign id',
      change({ id: `${foreign}/id/00D000000000001EAA/005000000000001AAA` }),
      'ERR_SALESFORCE_HOST_NOT_TRUSTED',
    ],
    [
      'has an id that is none',
      change({ id: 'https://login.salesforce.com/id/x/y' }),
      'ERR_SALESFORCE_HOST_NOT_TRUSTED',
    ],
    ['has no id', change({ id: undefined }), 'ERR_SALESFORCE_HOST_NOT_TRUSTED'],
    ['has a foreign instance_url', change({ instance_url: foreign }), 'ERR_SALESFORCE_HOST_NOT_TRUSTED'],
    [
      'has an instance_url over http',
      change({ instance_url: 'http://acme.my.salesforce.com' }),
      'ERR_SALESFORCE_HOST_NOT_TRUSTED',
    ],
    [
      'has an instance_url with a user name',
      change({ instance_url: 'https://acme.my.salesforce.com@evil.example' }),
      'ERR_SALESFORCE_HOST_NOT_TRUSTED',
    ],
    [
      'has a trailing dot in its instance_url',
      change({ instance_url: 'https://acme.my.salesforce.com./' }),
      'ERR_SALESFORCE_HOST_NOT_TRUSTED',
    ],
    ['has no instance_url', change({ instance_url: undefined }), 'ERR_SALESFORCE_HOST_NOT_TRUSTED'],
    ['has a wrong signature', change({ signature: 'x'.repeat(44) }), 'ERR_SALESFORCE_SIGNATURE_INVALID'],
    ['has no signature', change({ signature: undefined }), 'ERR_SALESFORCE_SIGNATURE_INVALID'],
    ['has a signature of other data', change({ issued_at: '1' }), 'ERR_SALESFORCE_SIGNATURE_INVALID'],
    ['has an ID token that is none', change({ id_token: 'a.b.c' }), 'ERR_SALESFORCE_ID_TOKEN_INVALID'],
    ['has no ID token', change({ id_token: undefined }), 'ERR_SALESFORCE_ID_TOKEN_INVALID'],
    [
      'says invalid_grant',
      { kind: 'error', error: 'invalid_grant', errorDescription: 'expired authorization code' },
      'ERR_SALESFORCE_CODE_REJECTED',
    ],
    [
      'says invalid_client',
      { kind: 'error', error: 'invalid_client', errorDescription: 'invalid client credentials' },
      'ERR_SALESFORCE_CLIENT_REJECTED',
    ],
    ['says 503', { kind: 'status', status: 503 }, 'ERR_SALESFORCE_UPSTREAM'],
    ['says 429', { kind: 'status', status: 429, retryAfterSeconds: 7 }, 'ERR_SALESFORCE_RATE_LIMITED'],
  ])('that %s ends with a code of its own, and the session stays', async (_what, fault, code) => {
    const { emulator, tab, before, errors } = await loggedInTwice();
    const callback = await walkToCallback(tab, emulator);
    emulator.faults.inject({ on: 'code', ...fault } as never);

    const answer = await tab.get(callback);

    expect(answer.body.code).toBe(code);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(isSalesforceAuthError(errors[0])).toBe(true);
    expect((await tab.get('/me')).body).toEqual(before);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('tells a client when to try again', async () => {
    const { emulator, tab } = await loggedInTwice();
    const callback = await walkToCallback(tab, emulator);
    emulator.faults.inject({ on: 'code', kind: 'status', status: 429, retryAfterSeconds: 7 });

    expect((await tab.get(callback)).headers['retry-after']).toBe('7');
  });

  it('leaves no token behind when the profile cannot be loaded', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    const callback = await walkToCallback(tab, emulator);
    emulator.faults.inject({ on: 'identity', kind: 'error', error: 'Bad_OAuth_Token' });

    const answer = await tab.get(callback);

    expect(answer.body.code).toBe('ERR_SALESFORCE_PROFILE');
    for (let turn = 0; turn < 2_000 && emulator.liveTokens().refreshTokens > 0; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });
});

/** A reply with some fields set, or with undefined taken away. */
function change(fields: Record<string, unknown>): object {
  return { kind: 'reply', change: (reply: Record<string, unknown>) => ({ ...reply, ...fields }) };
}

describe('a callback with a session cookie that is SameSite=Strict', () => {
  it.each([
    ['strict', 200],
    [true, 200],
    ['lax', 302],
    [undefined, 302],
  ] as const)(
    '(%s) goes on from a page of the application, which the cookie goes along with',
    async (sameSite, status) => {
      const emulator = await startTestEmulator();
      const { browser } = await startApp({
        emulator,
        sessionMiddleware: expressSession({
          secret: '__test_session_secret__',
          resave: false,
          saveUninitialized: false,
          cookie: { sameSite },
        }),
      });
      const tab = browser();

      const end = await logIn(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/me' });

      expect(end.status).toBe(status);
      if (status === 200) expect(end.text).toContain('<meta http-equiv="refresh" content="0;url=/me">');
      else expect(end.headers['location']).toBe('/me');
      expect((await tab.get('/me')).status).toBe(200);
    },
  );
});

describe('a callback that a browser opens without a session cookie that is SameSite=Strict', () => {
  it.each(['express-session', 'cookie-session'] as const)(
    '(%s) is asked for again by a page of the application, so that the session keeps what it has',
    async (kind) => {
      const emulator = await startTestEmulator();
      const { browser, url } = await startApp({
        emulator,
        sessionMiddleware:
          kind === 'cookie-session'
            ? (cookieSession({ name: 'app', keys: ['__test_cookie_key__'], sameSite: 'strict' }) as never)
            : expressSession({
                ...sessionOptions,
                saveUninitialized: true,
                name: 'app',
                cookie: { sameSite: 'strict' },
              }),
        options: { session: { keepInfo: true } },
        routes: (app) => {
          app.get('/fill', (req, res) => {
            Object.assign((req as unknown as { session: object }).session, { basket: 'full' });
            res.end();
          });
          app.get('/see', (req, res) => {
            const { basket } = (req as unknown as { session: { basket?: string } }).session;
            res.json({ basket, logins: req.salesforce.logins.length });
          });
        },
      });
      const tab = browser();
      await tab.get('/fill');
      await logIn(tab, emulator);
      const callback = await walkToCallback(tab, emulator, { user: 1, loginPath: '/auth/salesforce?add=true' });
      const { headers } = (await tab.get('/headers')).body as { headers: { cookie: string } };
      const others = headers.cookie.split('; ').filter((pair) => !pair.startsWith('app'));

      const first = await request(url)
        .get(callback)
        .set({ Cookie: others.join('; '), 'Sec-Fetch-Site': 'cross-site', Accept: 'text/html' });
      const again = /content="0;url=([^"]*)"/.exec(first.text)?.[1]?.replaceAll('&#38;', '&') ?? '';
      const end = await tab.get(again);

      expect(new URL(again, url).pathname).toBe('/auth/salesforce/callback');
      // It would replace the cookie that the browser has.
      expect(first.headers['set-cookie']).toBeUndefined();
      expect(end.text).toContain('<meta http-equiv="refresh" content="0;url=/">');
      expect((await tab.get('/see')).body).toEqual({ basket: 'full', logins: 2 });
      expect(emulator.requests.filter(({ body }) => body?.['code'])).toHaveLength(2);
    },
  );

  it('is asked for again once, whatever the browser says then, and also at the path of callbackURL', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      options: { routes: { callback: '/elsewhere' } },
      sessionMiddleware: expressSession({ ...sessionOptions, cookie: { sameSite: 'strict' } }),
    });
    const tab = browser();
    void tab.set({ Accept: 'text/html', 'Sec-Fetch-Site': 'cross-site' });
    const callback = await walkToCallback(tab, emulator);

    const first = await tab.get(callback);
    const again = /content="0;url=([^"]*)"/.exec(first.text)?.[1]?.replaceAll('&#38;', '&') ?? '';
    const end = await tab.get(again);

    expect(end.text).toContain('<meta http-equiv="refresh" content="0;url=/">');
    expect((await tab.get('/me')).status).toBe(200);
  });
});

describe('the event login.failed', () => {
  it('tells of each callback that ends in an error, once, and of no other', async () => {
    const emulator = await startTestEmulator();
    const { browser, salesforce } = await startApp({
      emulator,
      options: { authorizeUser: ({ username }: { username?: string }) => username === emulator.users[0]!.username },
      routes: (app, auth) => app.get('/silent', auth.login({ silent: true, returnTo: '/' })),
    });
    const failed: unknown[] = [];
    salesforce.events.on('login.failed', (event) => failed.push(event));
    const tab = browser();

    const callback = await walkToCallback(tab, emulator);
    await tab.get(callback);
    await tab.get(callback);
    const other = browser();
    const silent = await other.get('/silent');
    const answer = await fetch(silent.headers['location'] as string, { redirect: 'manual' });
    const back = new URL(answer.headers.get('location')!);
    expect((await other.get(back.pathname + back.search)).headers['location']).toBe('/');
    expect(failed).toEqual([]);
    await logIn(browser(), emulator, { user: 1 });
    await browser().get('/auth/salesforce/callback?code=x&state=y');

    expect(failed).toEqual([
      { code: 'ERR_SALESFORCE_USER_NOT_ALLOWED', reason: expect.stringContaining('may not log in here') },
      { code: 'ERR_SALESFORCE_STATE_MISMATCH', reason: expect.stringContaining('"state"') },
    ]);
  });
});
