import expressSession from 'express-session';
import { logIn, startApp, type ExpressMajor } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/* An application that goes on without a session if the session store fails, to keep its public pages up. */

class FailingStore extends expressSession.MemoryStore {
  isDown = false;

  override get(...[id, done]: Parameters<expressSession.MemoryStore['get']>): void {
    if (this.isDown) setImmediate(done, new Error('The session store is down.'));
    else super.get(id, done);
  }
}

async function start(express: ExpressMajor, store = new FailingStore()) {
  const emulator = await startTestEmulator();
  const session = expressSession({
    ...{ secret: '__test_session_secret__', resave: false, saveUninitialized: false },
    store,
  });
  const loggedOut: string[] = [];
  const app = await startApp({
    ...{ emulator, express },
    sessionMiddleware: (req, res, next) => {
      void session(req, res, () => {
        next();
      });
    },
    options: { routes: { status: '/status' } },
    routes: (routes, salesforce) => {
      routes.post('/leave', (req, res, next) => {
        req.salesforce.logout().then(() => res.end(), next);
      });
      routes.get('/failing', () => {
        throw new Error('There is no news.');
      });
      routes.post('/destroy-and-fail', (req, _res, next) => {
        req.session.destroy(() => next(new Error('The mail was not sent.')));
      });
      routes.get('/frame-logout', salesforce.singleLogout());
      routes.get('/call', (req, res, next) => {
        req.salesforce.getAccessToken().then(() => res.end(), next);
      });
      routes.get('/public', (req, res) => void res.send(`canLogInSilently: ${req.salesforce.canLogInSilently}`));
      salesforce.events.on('grant.loggedOut', ({ grantId }) => loggedOut.push(grantId));
      routes.use(salesforce.errorHandler());
    },
  });
  return { ...app, emulator, store, loggedOut };
}

describe.each<ExpressMajor>([4, 5])('a session that could not be read, on Express %d', (express) => {
  it.each([
    ['the logout', 'post', '/auth/salesforce/logout'],
    ['a logout of the application', 'post', '/leave'],
    ['the logout that Salesforce opens', 'get', '/frame-logout'],
    ['the status', 'get', '/status'],
    ['a guarded page', 'get', '/me'],
    ['a call', 'get', '/call'],
    ['a login', 'get', '/auth/salesforce'],
  ] as const)('is answered 503 by %s, and ends no login', async (_what, method, path) => {
    const { browser, emulator, store, loggedOut } = await start(express);
    const tab = browser();
    await logIn(tab, emulator);
    store.isDown = true;

    const answer = await tab[method](path).set('Accept', 'text/html');
    const open = await tab.get('/public').set('Accept', 'text/html');
    store.isDown = false;

    const { status, body, headers } = answer;
    expect([status, body.code, headers['retry-after']]).toEqual([503, 'ERR_SALESFORCE_SESSION_STORE', '5']);
    expect(headers['set-cookie']).toBeUndefined();
    expect(open.text).toBe('canLogInSilently: false');
    expect(loggedOut).toEqual([]);
    expect((await tab.get('/me')).status).toBe(200);
    expect((await tab.post('/auth/salesforce/logout')).status).toBe(204);
    expect(loggedOut).toHaveLength(1);
  });

  it('is not what an error of a route means that has ended its session itself', async () => {
    const { browser, emulator, errors } = await start(express);
    const tab = browser();
    await logIn(tab, emulator);

    const answer = await tab.post('/destroy-and-fail');

    expect([answer.status, answer.body.message]).toEqual([500, 'The mail was not sent.']);
    expect(errors).toHaveLength(1);
  });

  it('is not what an error of a public page means', async () => {
    const { browser, emulator, store } = await start(express);
    const tab = browser();
    await logIn(tab, emulator);
    store.isDown = true;

    const answer = await tab.get('/failing');

    expect([answer.status, answer.body.message]).toEqual([500, 'There is no news.']);
  });

  it('is told as such by a process that has seen no session yet', async () => {
    const { browser, emulator, store } = await start(express);
    const tab = browser();
    await logIn(tab, emulator);
    const { cookie } = (await tab.get('/headers')).body.headers as { cookie: string };
    const other = await start(express, store);
    store.isDown = true;

    const answer = await other.browser().post('/auth/salesforce/logout').set('Cookie', cookie);

    expect([answer.status, answer.body.code]).toEqual([503, 'ERR_SALESFORCE_SESSION_STORE']);
  });
});
