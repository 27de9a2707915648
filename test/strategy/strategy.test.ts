/** @again legacy-policy */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express5, { type Express } from 'express';
import express4 from 'express4';
import expressSession from 'express-session';
import { Passport } from 'passport';
import request from 'supertest';
import { SalesforceStrategy, type SalesforceProfile, type StrategyOptions } from '../../lib/strategy';
import type { ClientPolicy } from '../../lib/emulator';
import { logInAtEmulator, startTestEmulator } from '../helpers/emulator';

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

/** A plain Passport application, as it stands in Passport's own documentation, with nothing of the middleware. */
async function passportApp(
  given: {
    major?: 4 | 5;
    options?: Partial<StrategyOptions>;
    authenticate?: object;
    byInstance?: boolean;
    policy?: Partial<ClientPolicy>;
  } = {},
) {
  const emulator = await startTestEmulator();
  const app = (given.major === 4 ? express4 : express5)() as Express;
  const server = app.listen(0);
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const client = emulator.registerClient({ callbackURLs: [`${url}/callback`], policy: given.policy });
  const passport = new Passport();
  const seen: {
    accessToken?: string;
    refreshToken?: string | undefined;
    params?: object;
    profile?: SalesforceProfile;
  } = {};
  const strategy = new SalesforceStrategy(
    {
      clientID: client.clientID,
      clientSecret: client.clientSecret,
      callbackURL: '/callback',
      baseUrl: emulator.url,
      ...given.options,
      passReqToCallback: false,
    },
    (accessToken, refreshToken, params, profile, done) => {
      Object.assign(seen, { accessToken, refreshToken, params, profile });
      done(null, profile);
    },
  );
  passport.use(strategy);
  passport.serializeUser((user, done) => done(null, (user as unknown as SalesforceProfile).id));
  passport.deserializeUser((id, done) => done(null, { id }));
  app.use(expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }) as never);
  app.use(passport.session() as never);
  const target = (given.byInstance ? strategy : 'salesforce') as string;
  app.get('/login', passport.authenticate(target, given.authenticate ?? {}) as never);
  app.get('/callback', passport.authenticate(target, { failureRedirect: '/denied' }) as never, (req, res) => {
    res.json({ user: req.user, info: req.authInfo ?? null });
  });
  app.get('/who', (req, res) => void res.json(req.user ?? null));
  app.use(((error: { code?: string; message: string; status?: number }, _req, res, _next) => {
    res.status(error.status ?? 500).json({ code: error.code, message: error.message });
  }) as express5.ErrorRequestHandler);
  return { emulator, url, browser: request.agent(url), client, seen, strategy };
}

async function callbackOf(
  { emulator, browser }: Pick<Awaited<ReturnType<typeof passportApp>>, 'emulator' | 'browser'>,
  decision: 'allow' | 'deny' = 'allow',
): Promise<string> {
  const start = await browser.get('/login');
  const { username, password } = emulator.users[0]!;
  const callback = await logInAtEmulator({ authorizeUrl: start.headers['location']!, username, password, decision });
  return callback.replace(/^https?:\/\/[^/]+/, '');
}

describe.each([4, 5] as const)('SalesforceStrategy in a Passport application on Express %d', (major) => {
  it('logs in, hands tokens, reply and profile to verify, and knows the user afterwards', async () => {
    const app = await passportApp({ major });

    const answer = await app.browser.get(await callbackOf(app));

    const { organizationId, userId, username, email } = app.emulator.users[0]!;
    expect(answer.body.user).toMatchObject({
      provider: 'salesforce',
      id: `${organizationId}/${userId}`,
      organizationId,
      userId,
      username,
      emails: [{ value: email, verified: true }],
    });
    expect(app.seen.accessToken).toMatch(/^00D/);
    expect(app.seen.params).toMatchObject({ instance_url: app.emulator.url });
    expect((await app.browser.get('/who')).body).toEqual({ id: `${organizationId}/${userId}` });
  });

  it('sends a user who denies access to failureRedirect', async () => {
    const app = await passportApp({ major });

    expect((await app.browser.get(await callbackOf(app, 'deny'))).headers['location']).toBe('/denied');
  });
});

describe('SalesforceStrategy', () => {
  it('takes prompt, display, loginHint, scope and further parameters from the call over those of the constructor', async () => {
    const { browser } = await passportApp({
      options: { prompt: 'consent', login: { display: 'popup', loginHint: 'a@example.com' }, scope: 'id' },
      authenticate: {
        prompt: 'select_account',
        display: 'touch',
        loginHint: 'b@example.com',
        scope: ['id', 'api'],
        authorizationParams: { sso_provider: 'acme' },
      },
    });

    const params = Object.fromEntries(new URL((await browser.get('/login')).headers['location']!).searchParams);

    expect(params).toMatchObject({
      prompt: 'select_account',
      display: 'touch',
      login_hint: 'b@example.com',
      scope: 'id api',
      sso_provider: 'acme',
    });
  });

  it('sends no parameter that nobody asked for', async () => {
    const { browser } = await passportApp({ options: { scope: 'id' } });

    const { searchParams } = new URL((await browser.get('/login')).headers['location']!);

    expect([...searchParams.keys()].sort()).toEqual([
      ...['client_id', 'code_challenge', 'code_challenge_method', 'prompt', 'redirect_uri', 'response_type'],
      ...['scope', 'state'],
    ]);
    expect([...searchParams.values()]).not.toContain('undefined');
  });

  it.each([[undefined], ['callback']])(
    'refuses the callback URL %s, which means another page at each route',
    async (callbackURL) => {
      const { browser } = await passportApp({
        authenticate: { callbackURL },
        options: { callbackURL: undefined as never },
      });

      const answer = await browser.get('/login');

      expect(answer.body).toMatchObject({
        code: 'ERR_SALESFORCE_OPTION_INVALID',
        message: expect.stringContaining('callbackURL must be set'),
      });
    },
  );

  it('refuses a misspelt prompt of a call with a suggestion', async () => {
    const { browser } = await passportApp({ authenticate: { prompt: 'consnet' } });

    const answer = await browser.get('/login');

    expect(answer.body).toEqual({
      code: 'ERR_SALESFORCE_OPTION_INVALID',
      message: expect.stringContaining("Did you mean 'consent'?"),
    });
  });

  it("refuses a call's baseUrl that is not trusted already", async () => {
    const { browser } = await passportApp({ authenticate: { baseUrl: 'https://acme.my.site.com' } });

    expect((await browser.get('/login')).body.code).toBe('ERR_SALESFORCE_BASE_URL_NOT_ALLOWED');
  });

  it("keeps the application's state apart from the one on the wire", async () => {
    const app = await passportApp({ authenticate: { state: 'where-i-was' } });
    const start = await app.browser.get('/login');
    const params = new URL(start.headers['location']!).searchParams;

    expect(params.get('state')).not.toContain('where-i-was');
    expect(params.get('code_challenge_method')).toBe('S256');
    expect((await app.browser.get(await callbackOf(app))).body.info).toEqual({ state: 'where-i-was' });
  });

  it('logs several people in at once if the strategy itself is handed to authenticate()', async () => {
    const app = await passportApp({ byInstance: true });
    const browsers = Array.from({ length: 5 }, () => request.agent(app.url));

    const answers = await Promise.all(
      browsers.map(async (browser) => browser.get(await callbackOf({ emulator: app.emulator, browser }))),
    );

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  });

  it('refuses a reply that cannot be trusted with its own error, and lives on', async () => {
    const app = await passportApp();
    app.emulator.faults.inject({ on: 'code', kind: 'reply', change: (reply) => ({ ...reply, signature: 'wrong' }) });

    expect((await app.browser.get(await callbackOf(app))).body.code).toBe('ERR_SALESFORCE_SIGNATURE_INVALID');
    expect((await app.browser.get(await callbackOf(app))).status).toBe(200);
  });

  it('survives a profile reply that is not what it should be', async () => {
    const app = await passportApp();
    app.emulator.faults.inject({ on: 'identity', kind: 'reply', change: () => ({ urls: null, user_id: 7 }) });

    expect((await app.browser.get(await callbackOf(app))).body.code).toBe('ERR_SALESFORCE_IDENTITY_CHANGED');
  });

  it('lends its refresh to helpers that borrow _oauth2', async () => {
    const app = await passportApp({
      options: { scope: 'id api refresh_token' },
      policy: { rotateRefreshTokens: true },
    });
    await app.browser.get(await callbackOf(app));
    const { _oauth2 } = app.strategy as unknown as {
      _oauth2: { getOAuthAccessToken: (...given: unknown[]) => void };
    };

    const fresh = await new Promise((resolve, reject) => {
      _oauth2.getOAuthAccessToken(
        app.seen.refreshToken,
        { grant_type: 'refresh_token' },
        (error: Error | null, accessToken: string, refreshToken: string) =>
          error ? reject(error) : resolve([accessToken, refreshToken]),
      );
    });

    expect(fresh).toEqual([expect.stringMatching(/^00D/), expect.not.stringMatching(app.seen.refreshToken!)]);
  });
});
