import express from 'express';
import expressSession from 'express-session';
import { MemoryTokenStore, requireSalesforce, salesforceAuth } from '../../lib';
import { startTestEmulator } from '../helpers/emulator';
import { browserOf, logIn, startApp, walkToCallback } from '../helpers/app';

function pickerApp(options: object = {}, mountPath = '/') {
  const app = express();
  const salesforce = salesforceAuth({
    clientID: '__test_client__',
    routes: { choose: '/where' },
    organizations: { sandbox: 'https://test.salesforce.com' },
    ...options,
  });
  app.use(expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }) as never);
  app.use(mountPath, salesforce);
  app.get(`${mountPath === '/' ? '' : mountPath}/accounts`, requireSalesforce(), (_req, res) => void res.end());
  app.get('/unguarded', (req, res) => void res.json(salesforce.get(req).user));
  return browserOf(app);
}

/** What a link of the page leads to. */
function linkTo(html: string, label: string): string {
  const href = new RegExp(`<a href="([^"]+)">${label}</a>`).exec(html)?.[1];
  if (href === undefined) throw new Error(`There is no link ${label}.`);
  return href.replaceAll('&#38;', '&');
}

describe('the organization picker', () => {
  it('offers production, each organization by name, and a My Domain to type in', async () => {
    const app = pickerApp();
    const page = await app.get('/where?returnTo=%2Faccounts%3Fa%3D1&add=true');
    const production = await app.get(linkTo(page.text, 'Production'));
    const sandbox = await app.get(linkTo(page.text, 'Sandbox'));

    expect(page.status).toBe(200);
    expect(page.headers['content-security-policy']).toContain("default-src 'none'");
    expect(new URL(production.headers['location'] as string).host).toBe('login.salesforce.com');
    expect(new URL(sandbox.headers['location'] as string).host).toBe('test.salesforce.com');
    expect(page.text).toContain('<input name="org"');
  });

  it('sends a My Domain that is one on to the login there', async () => {
    const app = pickerApp();

    const chosen = await app.get('/where?org=%20acme.my.salesforce.com&returnTo=/accounts');
    const login = await app.get(linkTo(chosen.text, 'Go on'));

    // A page that goes on by itself: a redirect would be stopped by the form-action of a Content Security Policy.
    expect(chosen.status).toBe(200);
    expect(chosen.text).toContain('<meta http-equiv="refresh"');
    expect(new URL(login.headers['location'] as string).host).toBe('acme.my.salesforce.com');
  });

  it.each(['evil.example', 'acme.my.salesforce.com.evil.example', 'https://user@acme.my.salesforce.com', '"><script>'])(
    'says what is wrong with %s, and does not redirect there',
    async (org) => {
      const page = await pickerApp().get(`/where?${new URLSearchParams({ org }).toString()}`);

      expect(page.status).toBe(400);
      expect(page.text).toContain('role="alert"');
      expect(page.text).not.toContain('<script');
      expect(page.headers['location']).toBeUndefined();
    },
  );

  it('is the login that a guard names to a script and in a frame, as it is the one of a page', async () => {
    const app = pickerApp();

    const script = await app.get('/accounts').set('Accept', 'application/json');
    const frame = await app.get('/accounts?a=1').set({ Accept: 'text/html', 'Sec-Fetch-Dest': 'iframe' });

    expect(script.body.login).toBe('/where');
    expect(linkTo(frame.text.replace(' target="_top"', ''), 'Log in with Salesforce')).toBe(
      '/where?returnTo=%2Faccounts%3Fa%3D1',
    );
  });

  it('is where the error page of a page leads that needs a login', async () => {
    const page = await pickerApp({ report: false }).get('/unguarded').set('Accept', 'text/html');

    expect(page.status).toBe(401);
    expect(linkTo(page.text, 'Log in again')).toBe('/where?returnTo=%2Funguarded');
  });

  it('is the target of guards, and drops a returnTo to another origin', async () => {
    const app = pickerApp({}, '/sub');

    const sent = await app.get('/sub/accounts').set('Accept', 'text/html');
    const page = await app.get('/sub/where?returnTo=//evil.example');

    expect(sent.headers['location']).toBe('/sub/where?returnTo=%2Fsub%2Faccounts');
    expect(linkTo(page.text, 'Production')).toMatch(/^\/sub\/auth\/salesforce\?intent=/);
    expect(page.text).not.toContain('evil');
  });

  it('is not there unless asked for, and needs the login route', async () => {
    expect((await pickerApp({ routes: {} }).get('/auth/salesforce/choose')).status).toBe(404);
    expect(() => salesforceAuth({ clientID: 'x', routes: { login: false, choose: '/where' } })).toThrow(
      'routes.choose',
    );
  });
});

describe('two middlewares side by side', () => {
  it('keep their users, sessions and grants apart on one store', async () => {
    const emulator = await startTestEmulator();
    const store = new MemoryTokenStore();
    const other = emulator.registerClient({ callbackURLs: [], policy: { rotateRefreshTokens: true } });
    const { browser, salesforce } = await startApp({
      emulator,
      options: { store },
      routes: (app) => {
        const partners = salesforceAuth({
          clientID: other.clientID,
          clientSecret: other.clientSecret,
          baseUrl: emulator.url,
          scope: 'id api refresh_token',
          property: 'partners',
          store,
          callbackURL: '/partners/callback',
          routes: { login: '/partners', callback: '/partners/callback', logout: '/partners/logout' },
          session: { keepInfo: true },
        });
        app.use((req, _res, next) => {
          const callback = `http://${req.get('host') ?? ''}/partners/callback`;
          if (!other.callbackURLs.includes(callback)) other.callbackURLs.push(callback);
          next();
        });
        app.use(partners);
        app.get('/both', (req, res) => {
          const { partners: second } = req as unknown as { partners: typeof req.salesforce };
          res.json([req.salesforce.user?.username ?? null, second.user?.username ?? null]);
        });
        app.get('/partner-accounts', partners.require(), (req, res, next) => {
          const { partners: second } = req as unknown as { partners: typeof req.salesforce };
          second.fetch('/services/data/v62.0/limits').then(({ status }) => res.sendStatus(status), next);
        });
      },
    });
    const tab = browser();
    await logIn(tab, emulator);
    await tab.get(await walkToCallback(tab, emulator, { user: 2, loginPath: '/partners' }));

    expect((await tab.get('/both')).body).toEqual([emulator.users[0]!.username, emulator.users[2]!.username]);
    emulator.expireAccessTokens();
    expect([(await tab.get('/accounts')).status, (await tab.get('/partner-accounts')).status]).toEqual([200, 200]);
    await tab.post('/partners/logout');
    expect((await tab.get('/both')).body).toEqual([emulator.users[0]!.username, null]);
    expect((await tab.get('/accounts')).status).toBe(200);
    await salesforce.close();
  });
});
