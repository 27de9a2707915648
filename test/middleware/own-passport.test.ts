import expressSession from 'express-session';
import type { RequestHandler } from 'express';
import passport from 'passport';
import { requireSalesforce, type StaticOptions } from '../../lib';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/** An application that has users of its own in Passport, and Salesforce beside them. */
async function startWithPassport(options: StaticOptions & Record<string, unknown> = {}) {
  const emulator = await startTestEmulator();
  const own = new passport.Passport();
  own.serializeUser((user, done) => done(null, user));
  own.deserializeUser((user, done) => done(null, user as Express.User));
  const session = expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false });
  const authenticate = own.session() as RequestHandler;
  const app = await startApp({
    emulator,
    sessionMiddleware: (req, res, next) => {
      session(req, res, () => void authenticate(req, res, next));
    },
    options,
    routes: (routes) => {
      routes.post('/own-login', (req, res, next) => {
        req.login({ name: 'Ada of the application' }, (error: unknown) => {
          if (error) next(error);
          else res.end();
        });
      });
      routes.post('/own-logout', (req, res, next) => {
        req.logout({ keepSessionInfo: req.query['keep'] === 'yes' }, (error: unknown) => {
          if (error) next(error);
          else res.end();
        });
      });
      routes.get('/both', requireSalesforce(), (req, res) => {
        res.json({ own: req.user ?? null, salesforce: req.salesforce.user?.username });
      });
    },
  });
  return { ...app, emulator, tab: app.browser() };
}

describe("a login beside that of an application's own Passport", () => {
  it('leaves both logins in the session, if onLogin calls req.login()', async () => {
    const { emulator, tab } = await startWithPassport({
      onLogin: ({ req, user }) =>
        new Promise<void>((resolve, reject) => {
          req.login({ name: `Own user of ${user.userId}` }, (error: unknown) => {
            if (error) reject(new Error('The login of the application failed.', { cause: error }));
            else resolve();
          });
        }),
    });

    await logIn(tab, emulator);

    const { username, userId } = emulator.users[0]!;
    expect((await tab.get('/both')).body).toEqual({ own: { name: `Own user of ${userId}` }, salesforce: username });
  });

  it.each([
    [true, { name: 'Ada of the application' }],
    [false, null],
  ])('keeps the user of the application only with keepSessionInfo (%s)', async (keepSessionInfo, own) => {
    const { emulator, tab } = await startWithPassport({ keepSessionInfo });
    await tab.post('/own-login');

    await logIn(tab, emulator);

    expect((await tab.get('/both')).body).toEqual({ own, salesforce: emulator.users[0]!.username });
  });

  it.each(['yes', 'no'])(
    'ends the Salesforce login with req.logout(), unless keepSessionInfo is set (%s)',
    async (keep) => {
      const { emulator, tab } = await startWithPassport({ keepSessionInfo: true });
      await tab.post('/own-login');
      await logIn(tab, emulator);

      await tab.post(`/own-logout?keep=${keep}`);

      const { username } = emulator.users[0]!;
      const { status, body } = await tab.get('/both');
      expect({ status, body }).toMatchObject(
        keep === 'yes' ? { status: 200, body: { own: null, salesforce: username } } : { status: 401 },
      );
    },
  );
});
