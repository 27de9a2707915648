import expressSession from 'express-session';
import request from 'supertest';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp } from '../helpers/app';

describe('logout', () => {
  it('ends the session and revokes everything at Salesforce', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);

    const answer = await tab.post('/auth/salesforce/logout').set('Accept', 'text/html');

    expect(answer.status).toBe(303);
    expect(answer.headers['location']).toBe('/');
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect((await tab.get('/accounts')).status).toBe(401);
  });

  it('of one browser leaves the other one logged in, and that of the last one revokes', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const [one, two] = [browser(), browser()];
    await logIn(one, emulator);
    await logIn(two, emulator);

    await one.post('/auth/salesforce/logout');

    expect((await one.get('/accounts')).status).toBe(401);
    expect((await two.get('/accounts')).status).toBe(200);
    await two.post('/auth/salesforce/logout');
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('everywhere ends all sessions of the user, and a later login revives none of them', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) =>
        app.post('/logout-everywhere', salesforce.logout({ everywhere: true, returnTo: '/bye' })),
    });
    const [one, two] = [browser(), browser()];
    await logIn(one, emulator);
    await logIn(two, emulator);

    const answer = await one.post('/logout-everywhere').set('Accept', 'text/html');
    expect(answer.headers['location']).toBe('/bye');
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });

    await logIn(one, emulator);
    expect((await one.get('/accounts')).status).toBe(200);
    expect((await two.get('/accounts')).status).toBe(401);
  });

  it.each([
    ['cross-site fetch metadata', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a foreign origin', { Origin: 'https://evil.example' }],
    ['an opaque origin', { Origin: 'null' }],
  ])('is refused with %s', async (_what, headers) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);

    const answer = await tab
      .post('/auth/salesforce/logout')
      .unset('Sec-Fetch-Site')
      .set(headers as Record<string, string>);

    expect(answer.body.code).toBe('ERR_SALESFORCE_CROSS_SITE');
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it.each([
    ['lax', 303],
    ['strict', 303],
    ['none', 403],
  ] as const)(
    'by a form without an origin, as helmet makes it, with a session cookie that is %s: %d',
    async (sameSite, status) => {
      const emulator = await startTestEmulator();
      const sessionMiddleware = expressSession({
        ...{ secret: '__test_session_secret__', resave: false, saveUninitialized: false },
        cookie: { sameSite },
      });
      const { browser } = await startApp({ emulator, sessionMiddleware });
      const tab = browser();
      await logIn(tab, emulator);

      const answer = await tab
        .post('/auth/salesforce/logout')
        .unset('Sec-Fetch-Site')
        .set({ Origin: 'null', Accept: 'text/html' });

      expect(answer.status).toBe(status);
      expect((await tab.get('/accounts')).status).toBe(status === 303 ? 401 : 200);
    },
  );

  it('by another site is refused without an origin, too, if the browser names the site', async () => {
    const emulator = await startTestEmulator();
    const sessionMiddleware = expressSession({
      ...{ secret: '__test_session_secret__', resave: false, saveUninitialized: false },
      cookie: { sameSite: 'lax' },
    });
    const { browser } = await startApp({ emulator, sessionMiddleware });
    const tab = browser();
    await logIn(tab, emulator);

    const answer = await tab.post('/auth/salesforce/logout').set({ Origin: 'null', 'Sec-Fetch-Site': 'cross-site' });

    expect(answer.body.code).toBe('ERR_SALESFORCE_CROSS_SITE');
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('is not answered to a GET, which any image tag can send', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);

    expect((await tab.get('/auth/salesforce/logout')).status).toBe(404);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('shows a page with a button to a user who opens it by a link, and ends nothing before the click', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);
    const link = '/auth/salesforce/logout?organization=' + emulator.users[0]!.organizationId;

    const page = await tab.get(link).set({ Accept: 'text/html', 'Sec-Fetch-Site': 'cross-site' });
    const isStillIn = (await tab.get('/accounts')).status;
    const action = /<form method="post" action="([^"]+)"/.exec(page.text)?.[1]?.replaceAll('&#38;', '&');
    await tab.post(action!);

    expect([page.status, isStillIn, action]).toEqual([200, 200, link]);
    expect((await tab.get('/accounts')).status).toBe(401);
  });

  it.each([
    ['before the rotation', 'before'],
    ['after the rotation', 'after'],
  ] as const)('wins over a refresh under way that is held %s', async (_what, when) => {
    const emulator = await startTestEmulator();
    const { browser, salesforce } = await startApp({ emulator, policy: { rotateRefreshTokens: true } });
    const tab = browser();
    await logIn(tab, emulator);
    emulator.expireAccessTokens();
    const tombstone = new Promise((resolve) => salesforce.events.once('grant.loggedOut', resolve));
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold', when });
    const waiting = tab.get('/accounts').then((answer) => answer);
    await held.reached;

    const leaving = tab.post('/auth/salesforce/logout').then((answer) => answer);
    await tombstone;
    held.release();
    const [answer, left] = await Promise.all([waiting, leaving]);

    expect(left.status).toBe(204);
    expect(answer.status).toBe(401);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('is retried in the background while Salesforce cannot revoke', async () => {
    const { ManualClock } = await import('../helpers/clock');
    const clock = new ManualClock();
    const emulator = await startTestEmulator();
    const { browser, salesforce } = await startApp({ emulator, options: { clock } });
    const tab = browser();
    await logIn(tab, emulator);
    emulator.faults.inject({ on: 'revoke', kind: 'status', status: 503, times: 2 });
    const revoked = new Promise((resolve) => salesforce.events.once('revocation.succeeded', resolve));

    expect((await tab.post('/auth/salesforce/logout')).status).toBe(204);
    await clock.advanceUntil(revoked, 500);

    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('is retried if the connection breaks', async () => {
    const { ManualClock } = await import('../helpers/clock');
    const clock = new ManualClock();
    const emulator = await startTestEmulator();
    const { browser, salesforce } = await startApp({ emulator, options: { clock } });
    const tab = browser();
    await logIn(tab, emulator);
    emulator.faults.inject({ on: 'revoke', kind: 'drop', times: 2 });
    const revoked = new Promise((resolve) => salesforce.events.once('revocation.succeeded', resolve));

    expect((await tab.post('/auth/salesforce/logout')).status).toBe(204);
    await clock.advanceUntil(revoked, 500);

    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('is tried once more by close(), for every organization of a session', async () => {
    const { ManualClock } = await import('../helpers/clock');
    const emulator = await startTestEmulator();
    const { browser, salesforce } = await startApp({
      emulator,
      // It stands still: the next try of its own never comes.
      options: { clock: new ManualClock() },
      routes: (app, middleware) => app.get('/add', middleware.login({ add: true })),
    });
    const tab = browser();
    await logIn(tab, emulator, { user: 0 });
    await logIn(tab, emulator, { user: 2, loginPath: '/add' });
    emulator.faults.inject({ on: 'revoke', kind: 'status', status: 503, times: 2 });
    expect((await tab.post('/auth/salesforce/logout')).status).toBe(204);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 2, refreshTokens: 2 });

    await salesforce.close();

    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('answers 503 and ends nothing while the token store is down', async () => {
    const { MemoryTokenStore } = await import('../../lib');
    const store = new MemoryTokenStore();
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { store } });
    const tab = browser();
    await logIn(tab, emulator);
    const down = jest.spyOn(store, 'logOut').mockRejectedValue(new Error('connection refused'));

    const answer = await tab.post('/auth/salesforce/logout');

    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe('ERR_SALESFORCE_TOKEN_STORE');
    down.mockRestore();
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('of two logins records the one that has ended, though the token store failed for the other, and says so', async () => {
    const { MemoryTokenStore } = await import('../../lib');
    const store = new MemoryTokenStore();
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { store } });
    const tab = browser();
    await logIn(tab, emulator, { user: 0 });
    await logIn(tab, emulator, { user: 2, loginPath: '/auth/salesforce?add=true' });
    expect(emulator.liveTokens().refreshTokens).toBe(2);
    const down = jest.spyOn(store, 'logOut').mockRejectedValueOnce(new Error('connection refused'));

    const answer = await tab.post('/auth/salesforce/logout');

    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe('ERR_SALESFORCE_TOKEN_STORE');
    expect(emulator.liveTokens().refreshTokens).toBe(1);
    const rest = await tab.get('/me');
    expect(rest.status).toBe(200);
    down.mockRestore();
    expect((await tab.post('/auth/salesforce/logout')).status).toBe(204);
    expect(emulator.liveTokens().refreshTokens).toBe(0);
  });

  it('of a session that is not logged in does nothing', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });

    expect((await browser().post('/auth/salesforce/logout')).status).toBe(204);
  });
});

describe('single logout', () => {
  async function start(singleLogout: boolean | string, instance: 'my-domain' | 'login-host' = 'my-domain') {
    const emulator = await startTestEmulator({ instance });
    const app = await startApp({
      emulator,
      routes: (routes, salesforce) => {
        routes.post('/leave', salesforce.logout({ singleLogout, returnTo: '/bye' }));
        routes.get('/salesforce-left', salesforce.singleLogout({ returnTo: '/bye' }));
      },
    });
    const tab = app.browser();
    await logIn(tab, emulator);
    return { emulator, tab };
  }
  const discoveries = (emulator: Awaited<ReturnType<typeof startTestEmulator>>): number =>
    emulator.requests.filter(({ path }) => path.endsWith('/openid-configuration')).length;

  it("sends the browser on to the organization's logout when everything here has ended", async () => {
    const { emulator, tab } = await start(true);

    const left = await tab.post('/leave').set('Accept', 'text/html');

    // A page, since the form-action of the application's own page would stop a redirect.
    expect(left.status).toBe(200);
    expect(left.text).toContain(`content="0;url=${emulator.myDomainUrl}/services/auth/idp/oidc/logout"`);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
  });

  it('tells a script the address, and asks an organization once', async () => {
    const { emulator, tab } = await start(true);
    const first = await tab.post('/leave');
    await logIn(tab, emulator);

    const second = await tab.post('/leave');

    const endSessionUrl = `${emulator.myDomainUrl}/services/auth/idp/oidc/logout`;
    expect([first.body, second.body]).toEqual([{ endSessionUrl }, { endSessionUrl }]);
    expect(discoveries(emulator)).toBe(1);
  });

  it('stays in the application if the host offers no logout, as login.salesforce.com', async () => {
    const { tab } = await start(true, 'login-host');

    expect((await tab.post('/leave').set('Accept', 'text/html')).headers['location']).toBe('/bye');
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
  });

  it('goes to the URL given', async () => {
    const { tab } = await start('https://example.my.salesforce.com/secur/logout.jsp');

    expect((await tab.post('/leave').set('Accept', 'text/html')).text).toContain(
      'content="0;url=https://example.my.salesforce.com/secur/logout.jsp"',
    );
  });

  it('answers with an error if publicUrl fails, and ends no process', async () => {
    const emulator = await startTestEmulator();
    const { url } = await startApp({
      emulator,
      options: {
        publicUrl: () => {
          throw new Error('no such host');
        },
        callbackURL: 'http://localhost/callback',
      },
      routes: (routes, salesforce) => routes.get('/left', salesforce.singleLogout()),
    });

    expect((await request(url).get('/left')).status).toBe(500);
  });

  it.each(['http://example.my.salesforce.com/', 'logout.jsp', ''])('refuses %j as that URL', async (singleLogout) => {
    const { salesforce } = await startApp({ emulator: await startTestEmulator() });

    expect(() => salesforce.logout({ singleLogout })).toThrow("true, or the https URL of Salesforce's logout");
  });

  it('of Salesforce ends no session by a prefetch or a HEAD', async () => {
    const { tab } = await start(false);

    const prepared = await tab.get('/salesforce-left').set('Sec-Purpose', 'prefetch;prerender');
    const head = await tab.head('/salesforce-left');

    expect([prepared.status, head.status]).toEqual([503, 503]);
    expect((await tab.get('/')).body.isAuthenticated).toBe(true);
  });

  it.each([
    ['a page', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'document' }, 303],
    ['a frame', { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'iframe' }, 204],
  ] as const)("of Salesforce ends this browser's session, asked for as %s", async (_what, headers, status) => {
    const { emulator, tab } = await start(false);

    const answer = await tab.get('/salesforce-left').set(headers);

    expect(answer.status).toBe(status);
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it("of Salesforce ends this browser's session by a second request, if the session's cookie is SameSite=Strict", async () => {
    const emulator = await startTestEmulator();
    const { browser, url } = await startApp({
      emulator,
      sessionMiddleware: expressSession({
        ...{ secret: '__test_session_secret__', resave: false, saveUninitialized: false },
        cookie: { sameSite: 'strict' },
      }),
      routes: (routes, salesforce) => routes.get('/left', salesforce.singleLogout({ returnTo: '/bye' })),
    });
    const tab = browser();
    await logIn(tab, emulator);

    // The browser leaves the cookie out of what another site has begun.
    const first = await request(url)
      .get('/left')
      .set({ Accept: 'text/html', 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' });
    const again = /content="0;url=([^"]*)"/.exec(first.text)?.[1] ?? '';
    const end = await tab.get(again).set('Accept', 'text/html');

    expect(again).toMatch(/^\/left\?/);
    expect(end.headers['location']).toBe('/bye');
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });
});
