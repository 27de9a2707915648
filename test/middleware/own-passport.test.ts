import cookieSession from 'cookie-session';
import expressSession from 'express-session';
import type { RequestHandler } from 'express';
import passport from 'passport';
import { requireSalesforce } from '../../lib';
import type { StaticOptions } from '../../lib/middleware/options';
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
  ])('keeps the user of the application only with session.keepInfo (%s)', async (keepInfo, own) => {
    const { emulator, tab } = await startWithPassport({ session: { keepInfo } });
    await tab.post('/own-login');

    await logIn(tab, emulator);

    expect((await tab.get('/both')).body).toEqual({ own, salesforce: emulator.users[0]!.username });
  });

  it.each(['yes', 'no'])(
    'ends the Salesforce login with req.logout(), unless keepSessionInfo is set (%s)',
    async (keep) => {
      const { emulator, tab } = await startWithPassport({ session: { keepInfo: true } });
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

describe('a session in a cookie that the application gave the functions Passport asks for', () => {
  /** As applications do it: functions that do nothing, which `Object.keys()` shows or does not show. */
  function withFunctions(enumerable: boolean): RequestHandler {
    const sessions = cookieSession({ name: 'app', keys: ['__test_cookie_key__'] });
    const descriptor = { value: (done: () => void) => done(), enumerable, configurable: true, writable: true };
    return (req, res, next) => {
      sessions(req, res, () => {
        const { session } = req as unknown as { session: object };
        Object.defineProperties(session, { regenerate: descriptor, save: descriptor });
        next();
      });
    };
  }

  it.each([
    ['enumerable', true, false, undefined],
    ['enumerable', true, true, 'full'],
    ['hidden', false, false, undefined],
    ['hidden', false, true, 'full'],
  ])(
    'is emptied at a login and a logout unless session.keepInfo is set (%s functions, enumerable: %s, keepInfo: %s)',
    async (_functions, isEnumerable, keepInfo, basket) => {
      const emulator = await startTestEmulator();
      const seen: unknown[] = [];
      const { browser } = await startApp({
        emulator,
        sessionMiddleware: withFunctions(isEnumerable),
        options: {
          session: { keepInfo },
          onLogin: ({ req }: { req: object }) => {
            // Passport asks for them here as well.
            const { session } = req as { session: Record<string, unknown> };
            seen.push(typeof session['regenerate'], typeof session['save']);
          },
        },
        routes: (routes) => {
          routes.post('/fill', (req, res) => {
            (req as unknown as { session: Record<string, unknown> }).session['basket'] = 'full';
            res.end();
          });
          routes.get('/basket', (req, res) => {
            const { basket } = (req as unknown as { session: Record<string, unknown> }).session;
            res.json({ basket, isAuthenticated: req.salesforce.isAuthenticated });
          });
        },
      });
      const tab = browser();
      await tab.post('/fill');

      await logIn(tab, emulator);
      expect((await tab.get('/basket')).body).toEqual({ basket, isAuthenticated: true });
      expect(seen).toEqual(['function', 'function']);
      await tab.post('/fill');
      await tab.post('/auth/salesforce/logout');
      expect((await tab.get('/basket')).body).toEqual({ basket, isAuthenticated: false });
    },
  );

  it('is named as the cause of a login loop if its cookie is too large', async () => {
    const emulator = await startTestEmulator();
    const { browser, warnings } = await startApp({
      emulator,
      sessionMiddleware: withFunctions(false),
      options: {
        onLogin: ({ req }: { req: object }) => {
          Object.assign((req as { session: object }).session, { basket: 'x'.repeat(5000) });
        },
      },
    });

    await logIn(browser(), emulator);

    expect(warnings).toEqual([expect.objectContaining({ message: expect.stringMatching(/larger than 4096 bytes/) })]);
  });
});
