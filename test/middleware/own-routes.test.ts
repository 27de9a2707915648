import type { Request } from 'express';
import 'express-session';
import { SalesforceAuthError, type SalesforceAuthOptions, type SalesforceUser } from '../../lib';
import { logIn, startApp, walkToCallback, type Browser, type ExpressMajor, type TestApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/*
 * An error of a route of this package is never answered by a redirect to the login: the login would lead back to the route, and
 * the browser would go round without end.
 */

type Emulator = Awaited<ReturnType<typeof startTestEmulator>>;

const asPage = (browser: Browser, path: string) => browser.get(path).set('Accept', 'text/html');

/** An application that mounts the error handler of this package before its own. */
async function startWithErrorHandler(
  options: Partial<SalesforceAuthOptions> & Record<string, unknown>,
  express: ExpressMajor = 5,
): Promise<TestApp & { emulator: Emulator }> {
  const emulator = await startTestEmulator();
  const started = await startApp({
    emulator,
    express,
    options,
    routes: (app, salesforce) => app.use(salesforce.errorHandler()),
  });
  return { ...started, emulator };
}

describe.each([4, 5] as const)('authorizeUser that uses req.salesforce, on Express %d', (express) => {
  it('begins no further login, and the operator reads the cause', async () => {
    const { browser, emulator, errors, warnings } = await startWithErrorHandler(
      { authorizeUser: async (_user, req) => (await req.salesforce.fetch('/services/data/')).ok },
      express,
    );
    const visitor = browser();
    const callback = await walkToCallback(visitor, emulator, { loginPath: '/auth/salesforce?returnTo=/me' });

    const answer = await asPage(visitor, callback);

    expect(answer.headers['location']).toBeUndefined();
    expect(answer.status).toBe(500);
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_SALESFORCE_CONFIGURATION' })]);
    const told = warnings.find(({ code }) => code === 'ERR_SALESFORCE_CONFIGURATION')?.message;
    expect(told).toMatch(/authorizeUser is called before there is a login.*first parameter.*onLogin/);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });
});

describe('an error of a route of this package', () => {
  it('is passed on by errorHandler() if onLogin meets a login that has ended', async () => {
    const ended = (): SalesforceAuthError =>
      new SalesforceAuthError('ERR_SALESFORCE_REAUTHENTICATION_REQUIRED', 'The login has ended.', { status: 401 });
    const { browser, emulator, errors } = await startWithErrorHandler({
      onLogin: () => {
        throw ended();
      },
    });
    const visitor = browser();

    const answer = await asPage(visitor, await walkToCallback(visitor, emulator));

    expect(answer.status).toBe(401);
    expect(answer.headers['location']).toBeUndefined();
    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' })]);
  });

  it('of a route of the application still leads to the login and back', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) => {
        app.get('/late', (req, res, next) => {
          req.salesforce.getAccessToken().then(() => res.end(), next);
        });
        app.use(salesforce.errorHandler());
      },
    });

    const answer = await asPage(browser(), '/late?code=1&state=2');

    expect(answer.status).toBe(302);
    expect(answer.headers['location']).toBe('/auth/salesforce?returnTo=%2Flate%3Fcode%3D1%26state%3D2');
  });
});

describe('returnTo', () => {
  const own = [
    '/auth/salesforce',
    '/auth/salesforce/',
    '/auth/salesforce?returnTo=/me',
    '/auth/salesforce/callback?code=aPrx&state=s',
    '/auth/salesforce/callback#x',
    '/auth/salesforce/logout',
  ];

  it.each(own)('that is the route %s of this package leads to the start page', async (returnTo) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });

    const answer = await logIn(browser(), emulator, {
      loginPath: `/auth/salesforce?returnTo=${encodeURIComponent(returnTo)}`,
    });

    expect(answer.headers['location']).toBe('/');
  });

  it('may be a page below the path of such a route, and one whose query looks like a callback', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });

    const below = await logIn(browser(), emulator, { loginPath: '/auth/salesforce?returnTo=/auth/salesforce/help' });
    const other = await logIn(browser(), emulator, {
      loginPath: '/auth/salesforce?returnTo=/other?code%3D1%26state%3D2',
    });

    expect(below.headers['location']).toBe('/auth/salesforce/help');
    expect(other.headers['location']).toBe('/other?code=1&state=2');
  });

  it('is not a callback that the option callbackURL puts at another path', async () => {
    const emulator = await startTestEmulator();
    const { url, client, browser } = await startApp({ emulator, options: { callbackURL: '/' } });
    client.callbackURLs.push(`${url}/`);

    const answer = await logIn(browser(), emulator, {
      loginPath: '/auth/salesforce?returnTo=/?code%3D1%26state%3D2%26a%3D3',
    });
    const page = await logIn(browser(), emulator, { loginPath: '/auth/salesforce?returnTo=/?a%3D3' });

    expect(answer.headers['location']).toBe('/');
    expect(page.headers['location']).toBe('/?a=3');
  });
});

describe('onLogin', () => {
  it('can ask Salesforce as the new user, and refuse the login', async () => {
    const emulator = await startTestEmulator();
    const asked: unknown[] = [];
    const { browser, errors } = await startApp({
      emulator,
      options: {
        onLogin: async ({ req, user }: { req: Request; user: SalesforceUser }) => {
          const reply = await req.salesforce.fetch('/services/oauth2/userinfo');
          asked.push(await reply.json());
          if (user.username === emulator.users[0]!.username) return;
          throw new SalesforceAuthError('ERR_SALESFORCE_USER_NOT_ALLOWED', 'Another user.', { status: 403 });
        },
      },
    });
    const visitor = browser();

    await logIn(visitor, emulator, { user: 0 });
    const refused = await logIn(visitor, emulator, { user: 1 });

    expect(asked).toMatchObject(emulator.users.slice(0, 2).map(({ userId }) => ({ user_id: userId })));
    expect([refused.status, refused.body.code]).toEqual([403, 'ERR_SALESFORCE_USER_NOT_ALLOWED']);
    expect(errors).toHaveLength(1);
    expect((await visitor.get('/me')).body.user.userId).toBe(emulator.users[0]!.userId);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 1, refreshTokens: 1 });
  });
});
