/** @tier all */
import { enterPassword, expectHeading } from '../helpers/chromium';
import { startTestEmulator } from '../helpers/emulator';
import { describeWith } from '../helpers/programs';
import { startApplication, type Application } from './application';
import { choosePorts, startNginx, type Nginx } from './nginx';
import { expectText, logInAtSalesforce, useBrowserOfTest } from './walk';

jest.setTimeout(60_000);

const location = (settings: string): string => `location / { proxy_pass http://node; proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; ${settings} }`;

describeWith('Chromium', 'nginx')('in a real browser', () => {
  const browser = useBrowserOfTest();
  let nginx: Nginx | undefined;
  afterEach(async () => {
    await nginx?.stop();
    nginx = undefined;
  });

  /** An application that frames its guarded page, and that tries a silent login by link and on its own. */
  async function start(scheme: 'http' | 'https' = 'https', settings = '') {
    const emulator = await startTestEmulator();
    const ports = await choosePorts();
    const root = `${scheme}://app.test:${ports[scheme]}`;
    const client = emulator.registerClient({ callbackURLs: [`${root}/auth/salesforce/callback`] });
    const app: Application = await startApplication({
      ...{ emulator, client, trustProxy: 1 },
      routes: (router, salesforce) => {
        router.get('/framing', (_req, res) => {
          res.send('<h1>Framing</h1><iframe src="/guarded" width="600" height="400"></iframe>');
        });
        router.get('/silent', salesforce.login({ silent: true }));
        router.get('/optional', (req, res) => {
          // Logged in if Salesforce lets it, and for everybody else a page all the same.
          if (req.salesforce.isAuthenticated || req.query['tried'] !== undefined) {
            res.send(`<h1>Optional</h1><p>${req.salesforce.user?.username ?? 'Nobody'}</p>`);
          } else res.redirect('/silent?returnTo=/optional%3Ftried');
        });
        router.get('/eager', (req, res) => {
          // A page that tries again and again.
          if (req.salesforce.isAuthenticated) res.send(`<h1>Eager</h1><p>${req.salesforce.user.username}</p>`);
          else res.send('<h1>Eager</h1><p>Nobody</p><a href="/silent?returnTo=/eager">Try silently</a>');
        });
      },
    });
    nginx = await startNginx(ports, [app.port], location(settings));
    return { emulator, app, root, user: emulator.users[0]! };
  }

  const opened = (emulator: Awaited<ReturnType<typeof start>>['emulator']): number =>
    emulator.requests.filter(({ path }) => path.endsWith('/authorize')).length;

  it('a guarded page in a frame opens the login in the top window', async () => {
    const { emulator, root, user } = await start();
    const page = await browser.newPage();
    await page.goto(`${root}/framing`);
    const link = page.frameLocator('iframe').getByRole('link', { name: 'Log in with Salesforce' });
    await link.waitFor();
    expect(opened(emulator)).toBe(0);

    await link.click();
    await logInAtSalesforce(page, user, 'Guarded');

    expect(page.url()).toBe(`${root}/guarded`);
    await page.goto(`${root}/framing`);
    await page.frameLocator('iframe').getByText(`Logged in as ${user.username}`).waitFor();
  });

  it.each([
    ['after the session here has run out', false],
    ['after a logout here, if an administrator has approved the app', true],
  ])('a silent login comes back logged in %s', async (_when, isLogout) => {
    const { emulator, app, root, user } = await start();
    if (isLogout) emulator.setPolicy(app.client.clientID, { adminApprovedUsers: [user.username] });
    const page = await browser.newPage();
    await page.goto(`${root}/guarded`);
    await logInAtSalesforce(page, user, 'Guarded');
    if (isLogout) {
      await page.getByRole('button', { name: 'Log out' }).click();
      await expectText(page, 'Not logged in');
    } else await page.context().clearCookies({ domain: 'app.test' });

    await page.goto(`${root}/optional`);

    await expectText(page, user.username);
    expect(page.url()).toBe(`${root}/optional?tried`);
    expect(opened(emulator)).toBe(2);
  });

  it.each(['http', 'https'] as const)(
    'a silent login without a session at Salesforce comes back logged out, once, by %s',
    async (scheme) => {
      const { emulator, root, user } = await start(scheme);
      const page = await browser.newPage();
      await page.goto(`${root}/optional`);
      await expectText(page, 'Nobody');

      await page.goto(`${root}/eager`);
      for (let times = 0; times < 3; times++) {
        await page.getByRole('link', { name: 'Try silently' }).click();
        await expectHeading(page, 'Eager');
      }

      expect(opened(emulator)).toBe(1);
      // The button of the application still logs in.
      await page.goto(root);
      await page.getByRole('link', { name: 'Log in' }).click();
      await logInAtSalesforce(page, user, 'Home');
    },
  );

  it.each(['http', 'https'] as const)('a silent login does not loop without cookies, by %s', async (scheme) => {
    // As with a browser that takes no cookies: the application gets none.
    const { emulator, root } = await start(scheme, 'proxy_set_header Cookie ""; proxy_hide_header Set-Cookie;');
    const page = await browser.newPage();

    await page.goto(`${root}/optional`);

    // Salesforce's answer belongs to no login that the application knows of. Sent on, the page would try again, for ever.
    await page.getByText('ERR_SALESFORCE_STATE_MISMATCH').waitFor();
    expect(opened(emulator)).toBe(1);
  });

  it('a login whose approval is missing is not silent', async () => {
    const { emulator, root, user } = await start();
    const page = await browser.newPage();
    await page.goto(`${root}/guarded`);
    await enterPassword(page, user);
    await expectHeading(page, 'Allow access?');

    await page.goto(`${root}/optional`);

    await expectText(page, 'Nobody');
    expect(opened(emulator)).toBe(2);
  });
});
