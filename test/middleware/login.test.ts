/** @again newest-node legacy-policy */
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, walkToCallback, type ExpressMajor } from '../helpers/app';

/** The parameters of the authorization request a login path leads to. */
async function authorizationParams(
  browser: { get: (path: string) => PromiseLike<{ headers: Record<string, string> }> },
  path = '/auth/salesforce',
): Promise<URLSearchParams> {
  return new URL((await browser.get(path)).headers['location']!).searchParams;
}

describe.each<ExpressMajor>([4, 5])('login on Express %d', (express) => {
  it('logs a user in, returns to the page the user wanted, and shows the user', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, express });
    const tab = browser();

    const callback = await logIn(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/me' });
    const me = await tab.get('/me');

    expect(callback.status).toBe(302);
    expect(callback.headers['location']).toBe('/me');
    expect(callback.headers['cache-control']).toBe('no-store');
    expect(me.body.user).toMatchObject({
      username: emulator.users[0]!.username,
      userId: emulator.users[0]!.userId,
      organizationId: emulator.users[0]!.organizationId,
      displayName: emulator.users[0]!.displayName,
      email: emulator.users[0]!.email,
    });
  });

  it('hands out a token that works', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, express });
    const tab = browser();
    await logIn(tab, emulator);

    const accounts = await tab.get('/accounts');

    expect(accounts.status).toBe(200);
    expect(accounts.body.totalSize).toBeGreaterThan(0);
  });

  it('sends state, PKCE with S256 and a nonce, and asks to log in by default', async () => {
    const emulator = await startTestEmulator();
    const { browser, client, url } = await startApp({ emulator, express });

    const params = await authorizationParams(browser());

    expect(params.get('client_id')).toBe(client.clientID);
    expect(params.get('redirect_uri')).toBe(`${url}/auth/salesforce/callback`);
    expect(params.get('prompt')).toBe('login');
    expect(params.get('scope')).toBe('openid id api refresh_token');
    expect(params.get('state')).toHaveLength(32);
    expect(params.get('nonce')).toHaveLength(32);
    expect(params.get('code_challenge')).toHaveLength(43);
    expect(params.get('code_challenge_method')).toBe('S256');
  });

  it('lets two tabs of one browser log in at once', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, express });
    const tabs = browser();
    const first = await walkToCallback(tabs, emulator, { loginPath: '/auth/salesforce?returnTo=/me?tab=1' });
    const second = await walkToCallback(tabs, emulator, { loginPath: '/auth/salesforce?returnTo=/me?tab=2' });

    const answers = [await tabs.get(first), await tabs.get(second)];

    expect(answers.map(({ status, headers }) => [status, headers['location']])).toEqual([
      [302, '/me?tab=1'],
      [302, '/me?tab=2'],
    ]);
    expect((await tabs.get('/me')).status).toBe(200);
  });

  it('keeps two users in two browsers apart', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, express });
    const [one, two] = [browser(), browser()];
    await Promise.all([logIn(one, emulator, { user: 0 }), logIn(two, emulator, { user: 2 })]);

    const [first, second] = await Promise.all([one.get('/me'), two.get('/me')]);

    expect(first.body.user.userId).toBe(emulator.users[0]!.userId);
    expect(second.body.user.userId).toBe(emulator.users[2]!.userId);
    expect(second.body.user.organizationId).not.toBe(first.body.user.organizationId);
  });
});

describe('login', () => {
  it('gives the browser a new session id', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app) => app.get('/visit', (req, res) => res.json(Object.assign(req.session, { visited: true }).visited)),
    });
    const tab = browser();
    const before = (await tab.get('/visit')).headers['set-cookie']![0];

    const callback = await logIn(tab, emulator);

    const after = (callback.headers['set-cookie'] as unknown as string[]).find((line) =>
      line.startsWith('connect.sid'),
    );
    expect(after).toBeDefined();
    expect(after!.split(';')[0]).not.toBe(before!.split(';')[0]);
  });

  it.each([
    [false, undefined],
    [true, 'three apples'],
  ])('with session.keepInfo %p the cart of the former session is %p', async (keepInfo, cart) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      options: { session: { keepInfo } },
      routes: (app) => {
        app.get('/fill', (req, res) => void res.json(Object.assign(req.session, { cart: 'three apples' }).cart));
        app.get('/cart', (req, res) => void res.json({ cart: (req.session as { cart?: string }).cart }));
      },
    });
    const tab = browser();
    await tab.get('/fill');
    await logIn(tab, emulator);

    expect((await tab.get('/cart')).body.cart).toBe(cart);
  });

  it('works on cookie-session', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, session: 'cookie-session' });
    const tab = browser();
    await logIn(tab, emulator);

    expect((await tab.get('/accounts')).status).toBe(200);
    expect((await tab.post('/auth/salesforce/logout')).status).toBe(204);
    expect((await tab.get('/accounts')).status).toBe(401);
  });

  it('says that there is no session middleware', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, session: 'none' });

    const answers = [await browser().get('/auth/salesforce'), await browser().get('/me')];

    for (const answer of answers) expect(answer.body.code).toBe('ERR_SALESFORCE_SESSION_MISSING');
  });

  it('works for a public client, without a secret', async () => {
    const emulator = await startTestEmulator();
    const { browser, client } = await startApp({ emulator, clientSecret: false });
    const tab = browser();
    await logIn(tab, emulator);
    emulator.expireAccessTokens();

    expect(client.clientSecret).toBe('');
    expect((await tab.get('/accounts')).status).toBe(200);
    expect(JSON.stringify(emulator.requests.map(({ body }) => body))).not.toContain('client_secret');
  });

  it('works with each box of the seed ticked or not, and the secret by Basic authentication', async () => {
    const emulator = await startTestEmulator();
    for (const policy of [
      { requireSecretForWebServerFlow: true, requireSecretForRefreshTokenFlow: true, requirePkce: true },
      { requireSecretForWebServerFlow: false, requireSecretForRefreshTokenFlow: false, requirePkce: false },
    ]) {
      for (const clientAuthentication of ['client_secret_post', 'client_secret_basic']) {
        const { browser } = await startApp({ emulator, policy, options: { clientAuthentication } });
        const tab = browser();
        await logIn(tab, emulator);
        emulator.expireAccessTokens();

        expect((await tab.get('/accounts')).status).toBe(200);
      }
    }
  });

  it('works with an Experience Cloud site and its path', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { baseUrl: emulator.siteUrl } });
    const tab = browser();
    await logIn(tab, emulator);

    expect((await tab.get('/accounts')).status).toBe(200);
    expect(
      emulator.requests.some(({ path }) => path === `${new URL(emulator.siteUrl).pathname}/services/oauth2/token`),
    ).toBe(true);
  });

  it.each(['login', 'instance'] as const)('accepts an ID token issued by the %s host', async (idTokenIssuer) => {
    const emulator = await startTestEmulator({ instance: 'my-domain' });
    const { browser } = await startApp({ emulator, policy: { idTokenIssuer, idHost: idTokenIssuer } });
    const tab = browser();

    expect((await logIn(tab, emulator)).status).toBe(302);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it.each([
    ['identity', { clientSecret: undefined }, 1],
    ['userinfo', { clientSecret: undefined }, 1],
    ['id', { clientSecret: undefined }, 0],
    ['id', { clientSecret: false as const }, 0],
  ] as const)('takes the profile from %s (%j) with %d further requests', async (profileSource, client, further) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      ...(client.clientSecret === false ? client : {}),
      options: { login: { profileSource } },
    });
    const tab = browser();
    await logIn(tab, emulator);

    const me = await tab.get('/me');

    const asked = emulator.requests.filter(({ path }) => path.includes('/userinfo') || path.startsWith('/id/00D'));
    expect(asked).toHaveLength(further);
    expect(me.body.user.userId).toBe(emulator.users[0]!.userId);
    expect(me.body.user.username).toBe(further === 0 ? undefined : emulator.users[0]!.username);
  });

  it.each([
    ['names the user', { policy: { includeStandardClaims: true } }, []],
    ['does not', {}, ['identity']],
    ['does not, at a public client', { clientSecret: false as const }, ['userinfo']],
  ])('asks for no profile only where the ID token names the user, here: it %s', async (_what, given, asked) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, ...given });
    const tab = browser();
    await logIn(tab, emulator);

    const { user } = (await tab.get('/me')).body;

    const sources = emulator.requests.map(({ path }) =>
      path.startsWith('/id/00D') ? 'identity' : path.endsWith('/userinfo') ? 'userinfo' : undefined,
    );
    expect(sources.filter(Boolean)).toEqual(asked);
    const { username, displayName, userId } = emulator.users[0]!;
    expect(user).toMatchObject({ username, displayName, userId });
  });

  it('passes prompt, display, login hint, scope and further parameters of a login handler on', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) =>
        app.get(
          '/sign-in',
          salesforce.login({
            prompt: 'login consent',
            display: 'touch',
            loginHint: 'ada@example.com',
            scope: ['id', 'api'],
            authorizationParams: { sso_provider: 'acme' },
          }),
        ),
    });

    const params = Object.fromEntries(await authorizationParams(browser(), '/sign-in'));

    expect(params).toMatchObject({
      prompt: 'login consent',
      display: 'touch',
      login_hint: 'ada@example.com',
      scope: 'id api',
      sso_provider: 'acme',
    });
    expect(params['nonce']).toBeUndefined();
  });

  it.each(['', '%20', '%0d%0a', 'a&login_hint=b', 'x'.repeat(256)])(
    'ignores a login_hint that is blank, too long or given twice: %j',
    async (hint) => {
      const { browser } = await startApp({ emulator: await startTestEmulator() });

      const params = await authorizationParams(browser(), `/auth/salesforce?login_hint=${hint}`);

      expect(params.has('login_hint')).toBe(false);
    },
  );

  it('takes login_hint from the query of the mounted route, and the organization by its name', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      options: {
        organizations: { mydomain: emulator.myDomainUrl, sandbox: 'https://test.salesforce.com' },
        login: { anyMyDomain: true },
      },
    });
    const tab = browser();

    const params = await authorizationParams(tab, '/auth/salesforce?login_hint=ada@example.com');
    const sandbox = await tab.get('/auth/salesforce?org=sandbox');
    const myDomain = await tab.get('/auth/salesforce?org=acme.my.salesforce.com');
    const login = await logIn(tab, emulator, { loginPath: '/auth/salesforce?org=mydomain' });

    expect(params.get('login_hint')).toBe('ada@example.com');
    expect(sandbox.headers['location']).toMatch(/^https:\/\/test\.salesforce\.com\/services\/oauth2\/authorize/);
    expect(myDomain.headers['location']).toMatch(/^https:\/\/acme\.my\.salesforce\.com\//);
    expect(login.status).toBe(302);
  });

  it.each([
    'evil.example',
    'https://acme.my.salesforce.com.evil.example',
    'https://acme.my.site.com',
    '__proto__',
    'localhost:1',
  ])('refuses org=%s, which would receive the client secret', async (org) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      options: { organizations: { sandbox: 'https://test.salesforce.com' } },
    });

    const answer = await browser().get(`/auth/salesforce?org=${encodeURIComponent(org)}`);

    expect(answer.status).toBe(400);
    expect(answer.body.code).toMatch(/^ERR_SALESFORCE_BASE_URL_/);
    expect(answer.body.message).toContain('sandbox');
  });

  it('lets no returnTo lead to another site', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });

    const callback = await logIn(browser(), emulator, {
      loginPath: `/auth/salesforce?returnTo=${encodeURIComponent('//evil.example')}`,
    });

    expect(callback.headers['location']).toBe('/');
  });

  it('asks onLogin and authorizeUser, and revokes the tokens of a user who may not log in', async () => {
    const emulator = await startTestEmulator();
    const logins: string[] = [];
    const { browser } = await startApp({
      emulator,
      options: {
        authorizeUser: (user: { organizationId: string }) => user.organizationId === emulator.users[0]!.organizationId,
        onLogin: ({ user }) => void logins.push(user.username!),
      },
    });

    const welcome = await logIn(browser(), emulator, { user: 0 });
    const refused = await logIn(browser(), emulator, { user: 2 });

    expect(welcome.status).toBe(302);
    expect(logins).toEqual([emulator.users[0]!.username]);
    expect(refused.status).toBe(403);
    expect(refused.body.code).toBe('ERR_SALESFORCE_USER_NOT_ALLOWED');
    await eventually(() => emulator.liveTokens({ userId: emulator.users[2]!.userId }).refreshTokens === 0);
  });

  it('admits users of the allowed organizations only', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      options: { allowedOrganizations: [emulator.users[0]!.organizationId.slice(0, 15)] },
    });

    expect((await logIn(browser(), emulator, { user: 0 })).status).toBe(302);
    expect((await logIn(browser(), emulator, { user: 2 })).body.code).toBe('ERR_SALESFORCE_ORGANIZATION_NOT_ALLOWED');
  });

  it('shares one grant among the browsers of a user, whatever the five-approval limit', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const browsers = Array.from({ length: 8 }, browser);
    for (const tab of browsers) await logIn(tab, emulator);
    emulator.expireAccessTokens();

    const answers = await Promise.all(browsers.map((tab) => tab.get('/accounts')));

    expect(answers.map(({ status }) => status)).toEqual(browsers.map(() => 200));
    await eventually(() => emulator.liveTokens().refreshTokens === 1);
  });

  it('keeps the shared grant when a later login is granted less', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) => app.get('/small', salesforce.login({ scope: 'id api' })),
    });
    const [first, second] = [browser(), browser()];
    await logIn(first, emulator);
    await logIn(second, emulator, { loginPath: '/small' });
    emulator.expireAccessTokens();

    expect((await first.get('/accounts')).status).toBe(200);
    expect((await second.get('/accounts')).status).toBe(200);
  });
});

/** Waits for something that happens in the background, by looking again after each turn of the event loop. */
async function eventually(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 5_000; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('It did not happen.');
}
