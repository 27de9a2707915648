import { MemoryTokenStore, salesforceAuth } from '../../lib';
import type { OperatorWarning } from '../../lib/reporter';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, walkToCallback } from '../helpers/app';

/** An application for everybody, and below /admin one for an organization whose users do not log in here. */
async function start({
  isShared = true,
  isSameClient = false,
  main = {},
  admin = {},
  session = 'express-session',
}: {
  isShared?: boolean;
  isSameClient?: boolean;
  main?: Record<string, unknown>;
  admin?: Record<string, unknown>;
  session?: 'express-session' | 'cookie-session';
} = {}) {
  const emulator = await startTestEmulator();
  const store = new MemoryTokenStore();
  const client = emulator.registerClient({ callbackURLs: [] });
  const told: OperatorWarning[] = [];
  const app = await startApp({
    ...{ emulator, session },
    options: { ...(isShared ? { store } : {}), session: { keepInfo: true }, ...main },
    routes: (routes, salesforce) => {
      const { clientID, clientSecret } = isSameClient ? emulator.clients.at(-1)! : client;
      const other = salesforceAuth({
        ...{ clientID, clientSecret, baseUrl: emulator.url, scope: 'id api refresh_token' },
        ...{ property: 'admin', allowedOrganizations: ['00D000000000001EAA'], session: { keepInfo: true } },
        ...(isShared ? { store } : {}),
        report: (warning: OperatorWarning) => void told.push(warning),
        ...admin,
      });
      routes.use('/admin', other);
      routes.get('/admin/me', other.require(), (req, res) => void res.json(other.get(req).user));
      routes.get('/admin/unguarded', (req, res) => void res.json(other.get(req).user));
      routes.get('/admin/call', (req, res, next) => {
        other
          .of(req)
          .getAccessToken()
          .then(() => res.end(), next);
      });
      routes.use(salesforce.errorHandler(), other.errorHandler());
    },
  });
  client.callbackURLs.push(`${app.url}/admin/auth/salesforce/callback`);
  return { ...app, emulator, told };
}

describe('two middlewares of two apps, at two paths with one session', () => {
  it.each(['/admin/unguarded', '/admin/call'])(
    'lead an error of the one to its own login, whichever error handler comes first (%s)',
    async (path) => {
      const { browser, emulator } = await start();
      const tab = browser();
      await logIn(tab, emulator);

      const page = await tab.get(path).set('Accept', 'text/html');

      expect(page.headers['location']).toBe(`/admin/auth/salesforce?returnTo=${encodeURIComponent(path)}`);
    },
  );

  it.each([
    ['share a token store', true, 'express-session'],
    ['share none', false, 'express-session'],
    ['share a token store, with cookie-session', true, 'cookie-session'],
  ] as const)('take no login of the other for theirs, and end none, if they %s', async (_what, isShared, session) => {
    const { browser, emulator, told } = await start({ isShared, session });
    const tab = browser();
    await logIn(tab, emulator);

    const admin = await tab.get('/admin/me');

    expect(admin.status).toBe(401);
    expect((await tab.get('/me')).status).toBe(200);
    expect(told).toEqual([]);
  });

  it('keep both logins of a user, if the users of both may log in', async () => {
    const { browser, emulator } = await start({ admin: { allowedOrganizations: 'any' } });
    const tab = browser();
    await logIn(tab, emulator);
    await tab.get(await walkToCallback(tab, emulator, { user: 1, loginPath: '/admin/auth/salesforce' }));

    const [first, second] = [await tab.get('/me'), await tab.get('/admin/me')];

    expect([first.body.user.username, second.body.username]).toEqual(
      emulator.users.slice(0, 2).map(({ username }) => username),
    );
  });
});

describe('two middlewares that keep their logins in one entry of the session', () => {
  it('are told to the operator once', async () => {
    const { browser, told } = await start({ main: { session: { key: 'one' } }, admin: { session: { key: 'one' } } });

    for (let times = 0; times < 2; times++) await browser().get('/admin/me');

    expect(told.map(({ code }) => code)).toEqual(['SESSION_KEY']);
    expect(told[0]!.message).toContain('one entry of the session, one,');
  });

  it('are two of one app, or are in other sessions, without a word', async () => {
    const { browser, told } = await start({
      isSameClient: true,
      main: { session: { key: 'one' } },
      admin: { session: { key: 'one' } },
    });
    await browser().get('/admin/me');
    const [first, second] = [
      await start({ main: { session: { key: 'one' } } }),
      await start({ main: { session: { key: 'one' } } }),
    ];
    await first.browser().get('/me');
    await second.browser().get('/me');

    expect([told, first.warnings, second.warnings].flat().filter(({ code }) => code === 'SESSION_KEY')).toEqual([]);
  });
});
