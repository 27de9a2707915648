import type { Request } from 'express';
import expressSession from 'express-session';
import { MemoryTokenStore } from '../../lib';
import { ManualClock } from '../helpers/clock';
import { logIn, startApp, type TestAppOptions } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/* A session that is used holds its grant, however it is used: the logout of another browser does not end it. */

const hour = 60 * 60 * 1000;

/** A browser at work, whose session lives an hour after each request. */
async function atWork(routes?: TestAppOptions['routes']) {
  const emulator = await startTestEmulator();
  const clock = new ManualClock();
  const store = new MemoryTokenStore({ clock });
  const app = await startApp({
    emulator,
    sessionMiddleware: expressSession({
      ...{ secret: '__test_session_secret__', resave: false, saveUninitialized: false, rolling: true },
      cookie: { maxAge: hour },
    }),
    options: { clock, store },
    ...(routes ? { routes } : {}),
  });
  const desk = app.browser();
  await logIn(desk, emulator);
  return {
    app,
    store,
    emulator,
    clock,
    desk,
    /** Two hours, with a request each twenty minutes. */
    work: async (path: string) => {
      for (let times = 0; times < 6; times++) {
        clock.advanceMs(hour / 3);
        expect((await desk.get(path)).status).toBe(200);
      }
    },
    /** A login and a logout in another browser. */
    visitElsewhere: async () => {
      const phone = app.browser();
      await logIn(phone, emulator);
      await phone.post('/auth/salesforce/logout');
    },
  };
}

it.each(['/guarded', '/token', '/fetch', '/of-organization'])('by %s', async (path) => {
  const { desk, work, visitElsewhere } = await atWork((app, salesforce) => {
    app.get('/guarded', salesforce.require(), (_req, res) => void res.json({}));
    app.get('/token', (req, res, next) => {
      req.salesforce.getAccessToken().then(() => res.json({}), next);
    });
    app.get('/fetch', (req, res, next) => {
      req.salesforce.fetch('/services/data').then(() => res.json({}), next);
    });
    app.get('/of-organization', (req, res, next) => {
      const login = req.salesforce.for(req.salesforce.user!.organizationId)!;
      login.getAccessToken().then(() => res.json({}), next);
    });
  });
  await work(path);

  await visitElsewhere();

  expect((await desk.get('/me')).status).toBe(200);
});

it('also if the wall clock was a day ahead for a moment', async () => {
  const { clock, desk, work, visitElsewhere } = await atWork();
  clock.jumpMs(24 * hour);
  await desk.get('/me');
  clock.jumpMs(-24 * hour);
  await work('/me');

  await visitElsewhere();

  expect((await desk.get('/me')).status).toBe(200);
});

it('also if the machine sleeps most of the time: its session is extended as often as the wall clock demands', async () => {
  const { clock, desk, store, work } = await atWork();
  await work('/me');
  const extended = jest.spyOn(store, 'addHolder');
  // Only the wall clock goes on while a machine sleeps.
  for (let times = 0; times < 4; times++) {
    clock.jumpMs(hour * 0.7);
    expect((await desk.get('/me')).status).toBe(200);
  }

  expect(extended).toHaveBeenCalledTimes(4);
});

it('but not by a socket of a session that a new login has replaced', async () => {
  const sockets: Request[] = [];
  const { app, clock, desk, emulator } = await atWork((own) => {
    own.get('/socket', (req, res) => {
      sockets.push(req);
      res.json({});
    });
  });
  await desk.get('/socket');
  await logIn(desk, emulator);
  clock.advanceMs(hour * 0.7);

  await sockets[0]!.salesforce.getAccessToken();
  await desk.get('/me');
  await desk.post('/auth/salesforce/logout');

  await app.salesforce.close();
  expect(emulator.liveTokens().refreshTokens).toBe(0);
});
