import express5, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import express4 from 'express4';
import expressSession from 'express-session';
import { Passport } from 'passport';
import request from 'supertest';
import { salesforceAuth } from '../../lib';
import { SalesforceStrategy } from '../../lib/strategy';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

const frameworks = { 4: express4, 5: express5 };
const page = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' };

describe.each([4, 5] as const)('a mistake in mounting, on Express %d', (major) => {
  let app: Express;
  const message: ErrorRequestHandler = (error: Error, _req, res, _next) => void res.status(500).send(error.message);

  beforeEach(() => {
    app = frameworks[major]() as Express;
    app.use(expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }) as never);
  });

  it.each(['require', 'login', 'logout', 'singleLogout', 'credentialsLogin', 'errorHandler'] as const)(
    'salesforce.%s without its parentheses says so, and leaves no request without an answer',
    async (name) => {
      const salesforce = salesforceAuth({ clientID: '__test_client_id__', report: false });
      app.use(salesforce);
      app.use('/x', (salesforce as unknown as Record<string, RequestHandler>)[name]!);
      app.use(message);

      const answer = await request(app).post('/x');

      expect([answer.status, answer.text]).toEqual([
        500,
        expect.stringMatching(/must be called when it is mounted: write .*\(\), with the parentheses/),
      ]);
      await salesforce.close();
    },
  );

  it('a strategy without callbackURL says at the login what to set', async () => {
    const passport = new Passport();
    passport.use(
      new SalesforceStrategy({ clientID: '__test_client_id__' }, (_a, _r, _p, _profile, _done) => undefined),
    );
    app.get('/login', passport.authenticate('salesforce') as never);
    app.use(message);

    expect((await request(app).get('/login')).text).toMatch(/^callbackURL must be set: one of the callback URLs/);
  });

  it('an unknown option of one call is refused with the name that is meant', async () => {
    const passport = new Passport();
    passport.use(
      new SalesforceStrategy(
        { clientID: '__test_client_id__', callbackURL: '/cb' },
        (_a, _r, _p, _profile, _done) => undefined,
      ),
    );
    app.get('/login', passport.authenticate('salesforce', { promptType: 'login' } as never) as never);
    app.use(message);
    const salesforce = salesforceAuth({ clientID: '__test_client_id__', report: false });

    expect((await request(app).get('/login')).text).toContain("Did you mean 'prompt'?");
    expect(() => salesforce.login({ promptType: 'login' } as never)).toThrow("Did you mean 'prompt'?");
    expect(() => salesforce.logout({ everywere: true } as never)).toThrow("Did you mean 'everywhere'?");
    expect(() => salesforce.require({ scope: 'api' } as never)).toThrow("Did you mean 'scopes'?");
    await salesforce.close();
  });

  it('a link to the logout gets a page with a button, below the prefix that browsers see, and logs no user out', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, express: major });
    const tab = browser();
    await logIn(tab, emulator);
    const prefixed = frameworks[major]() as Express;
    const salesforce = salesforceAuth({
      clientID: '__test_client_id__',
      publicUrl: 'https://example.com/crm',
      report: false,
    });
    prefixed.use('/app', salesforce);

    const linked = await tab.get('/auth/salesforce/logout?organization=00D').set(page);
    const below = await request(prefixed).get('/app/auth/salesforce/logout').set(page);

    expect(linked.text).toContain('<form method="post" action="/auth/salesforce/logout?organization=00D">');
    expect(below.text).toContain('action="/crm/app/auth/salesforce/logout"');
    expect((await tab.get('/')).body.isAuthenticated).toBe(true);
    expect((await tab.get('/auth/salesforce/logout').set('Accept', 'application/json')).status).toBe(404);
    await tab.post('/auth/salesforce/logout');
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
    await salesforce.close();
  });
});

/** What the person at the browser reads of the errors. */
const read = (errors: unknown[]): [code: string, isTransient: boolean, userMessage: string][] =>
  (errors as { code: string; userMessage: string; isTransient: boolean }[]).map(
    ({ code, isTransient, userMessage }) => [code, isTransient, userMessage],
  );

describe('a wrong secret never tells the user to try again in a moment', () => {
  it('at three logins', async () => {
    const emulator = await startTestEmulator();
    const { browser, errors } = await startApp({ emulator, options: { clientSecret: '__test_wrong_secret__' } });
    const tab = browser();

    for (let round = 0; round < 3; round++) await logIn(tab, emulator);

    const once = ['ERR_SALESFORCE_CLIENT_REJECTED', false, expect.not.stringContaining('moment')];
    expect(read(errors)).toEqual([once, once, once]);
  });

  it.each([4, 5] as const)('at three refreshes, on Express %d', async (express) => {
    const emulator = await startTestEmulator();
    let isWrong = false;
    const { browser, errors, warnings } = await startApp({
      emulator,
      express,
      create: ({ clientID, clientSecret }, callbackURL) =>
        salesforceAuth({
          configuration: () => ({
            clientID,
            clientSecret: isWrong ? '__test_wrong_secret__' : clientSecret,
            callbackURL,
            baseUrl: emulator.url,
            scope: 'id api refresh_token',
          }),
          report: (warning) => void warnings.push(warning),
        }),
    });
    const tab = browser();
    await logIn(tab, emulator);
    isWrong = true;
    emulator.expireAccessTokens();
    const presented = (): number => emulator.requests.filter(({ body }) => body?.['refresh_token']).length;

    for (let round = 0; round < 3; round++) await tab.get('/accounts').set(page);

    const once = ['ERR_SALESFORCE_CLIENT_REJECTED', false, expect.not.stringContaining('moment')];
    expect(read(errors)).toEqual([once, once, once]);
    expect(presented()).toBeLessThanOrEqual(3);
    isWrong = false;
  });
});
