/** @tier all */
import type { RequestHandler } from 'express';
import helmet from 'helmet';
import type { Page } from 'playwright-core';
import { enterPassword, expectHeading } from '../helpers/chromium';
import { startTestEmulator } from '../helpers/emulator';
import { describeWith } from '../helpers/programs';
import { sessions, startApplication, type ApplicationOptions } from './application';
import { choosePorts, startNginx, type Nginx } from './nginx';
import { expectText, logInAtSalesforce, useBrowserOfTest } from './walk';

/*
 * Each page of the package, driven through to Salesforce. Browsers tell which page led to a request by https alone: by http
 * there are Referer and Origin, and helmet() takes the former away.
 */

jest.setTimeout(60_000);

const { SCREENSHOTS: screenshots } = process.env;

async function picture(page: Page, name: string): Promise<void> {
  if (screenshots !== undefined) await page.screenshot({ path: `${screenshots}/${name}.png` });
}

describeWith('Chromium', 'nginx')('the pages', () => {
  const browser = useBrowserOfTest();
  let nginx: Nginx | undefined;
  afterEach(async () => {
    await nginx?.stop();
    nginx = undefined;
  });

  // By http, `upgrade-insecure-requests` sends each form to https.
  const upgrade = { contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } } };
  const rows: { name: string; scheme: 'http' | 'https'; before: RequestHandler[] }[] = [
    { name: 'without helmet', scheme: 'http', before: [] },
    { name: 'without helmet', scheme: 'https', before: [] },
    { name: 'with helmet() without upgrades', scheme: 'http', before: [helmet(upgrade)] },
    { name: 'with helmet()', scheme: 'https', before: [helmet()] },
  ];

  describe.each(rows)('$name by $scheme', ({ before, scheme }) => {
    /** An application with its picker at `/where`; the sandbox and the typed My Domain are the emulator under another name. */
    async function start(given: Partial<ApplicationOptions> = {}) {
      const emulator = await startTestEmulator({ instance: 'my-domain' });
      const ports = await choosePorts();
      const root = `${scheme}://app.test:${ports[scheme]}`;
      const client = emulator.registerClient({ callbackURLs: [`${root}/auth/salesforce/callback`] });
      const app = await startApplication({
        ...{ emulator, client, before, trustProxy: 1, session: sessions({ cookie: { sameSite: 'lax' } }) },
        ...given,
        options: {
          routes: { choose: '/where' },
          organizations: { sandbox: emulator.myDomainUrl },
          allowedHosts: ['127.0.0.1'],
          ...given.options,
        },
      });
      const location = `location / { proxy_pass http://node; proxy_set_header Host $http_host;
        proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; }`;
      nginx = await startNginx(ports, [app.port], location);
      return { emulator, app, root, user: emulator.users[0]! };
    }

    it('let a user choose an organization by link', async () => {
      const { emulator, root, user } = await start();
      const page = await browser.newPage();
      await page.goto(`${root}/guarded`);
      await expectHeading(page, 'Where do you log in?');
      await picture(page, 'picker');

      await page.getByRole('link', { name: 'Sandbox' }).click();
      await page.getByLabel('Username').waitFor();

      expect(new URL(page.url()).origin).toBe(emulator.myDomainUrl);
      await logInAtSalesforce(page, user, 'Guarded');
      // Chromium says of each page that some headers of helmet count for https alone.
      if (scheme === 'https') expect(browser.complaints).toEqual([]);
    });

    it('let a user type a My Domain, after a wrong one', async () => {
      const { emulator, root, user } = await start();
      const page = await browser.newPage();
      await page.goto(`${root}/guarded`);

      await page.getByLabel("Your organization's My Domain").fill('acme.my.salesforce.com.evil.example');
      await page.getByRole('button', { name: 'Log in there' }).click();
      await page.getByRole('alert').waitFor();
      await picture(page, 'picker-wrong');
      expect(new URL(page.url()).origin).toBe(root);
      await page.getByLabel("Your organization's My Domain").fill(emulator.myDomainUrl);
      await page.getByRole('button', { name: 'Log in there' }).click();
      await page.getByLabel('Username').waitFor();

      expect(new URL(page.url()).origin).toBe(emulator.myDomainUrl);
      await logInAtSalesforce(page, user, 'Guarded');
    });

    it('say what happened after a denial, and offer a new login', async () => {
      const { root, user } = await start({ options: { routes: {} } });
      const page = await browser.newPage();
      await page.goto(`${root}/guarded`);
      await enterPassword(page, user);
      await page.getByRole('button', { name: 'Deny' }).click();
      await page.getByText('ERR_SALESFORCE_ACCESS_DENIED').waitFor();
      await picture(page, 'error');

      await page.getByRole('link', { name: /again/ }).click();
      await logInAtSalesforce(page, user, 'Guarded');

      expect(page.url()).toBe(`${root}/guarded`);
    });

    it('ask before a link of another site adds a login at another organization', async () => {
      const { emulator, root, user } = await start();
      const { port } = await startApplication({
        emulator,
        client: emulator.clients[0]!,
        routes: (router) => {
          router.get('/attack', (_req, res) => {
            res.send(`<a href="${root}/auth/salesforce?org=sandbox&amp;add=true&amp;returnTo=/guarded">Win</a>`);
          });
        },
      });
      const page = await browser.newPage();
      await page.goto(`${root}/auth/salesforce?returnTo=/guarded`);
      await logInAtSalesforce(page, user, 'Guarded');
      await page.goto(`http://evil.test:${port}/attack`);

      await page.getByRole('link', { name: 'Win' }).click();
      await expectHeading(page, 'Log in with Salesforce?');
      await picture(page, 'confirmation');
      await page.getByRole('link', { name: /^Stay logged in as/ }).click();
      await expectHeading(page, 'Guarded');
      await page.goto(`http://evil.test:${port}/attack`);
      await page.getByRole('link', { name: 'Win' }).click();
      await page.getByRole('link', { name: 'Log in there as well' }).click();
      await page.getByLabel('Username').waitFor();

      expect(new URL(page.url()).origin).toBe(emulator.myDomainUrl);
      await logInAtSalesforce(page, emulator.users[1]!, 'Guarded');
      await expectText(page, `Logged in as ${emulator.users[1]!.username}`);
    });

    it('log out by a form of the application', async () => {
      const { root, user } = await start({ options: { routes: {} } });
      const page = await browser.newPage();
      await page.goto(`${root}/guarded`);
      await logInAtSalesforce(page, user, 'Guarded');

      await page.getByRole('button', { name: 'Log out' }).click();

      await expectText(page, 'Not logged in');
    });

    it('log out by the button of the logout route, which a link opened', async () => {
      const { root, user } = await start({ options: { routes: {} } });
      const page = await browser.newPage();
      await page.goto(`${root}/guarded`);
      await logInAtSalesforce(page, user, 'Guarded');
      await page.goto(`${root}/auth/salesforce/logout`);
      await expectHeading(page, 'Log out?');
      await picture(page, 'logout');

      await page.getByRole('button', { name: 'Log out' }).click();

      await expectText(page, 'Not logged in');
      expect(page.url()).toBe(`${root}/`);
    });

    it('log out here and at Salesforce by one form', async () => {
      const { emulator, root, user } = await start({
        options: { routes: { logout: false } },
        routes: (router, salesforce) => {
          router.post('/auth/salesforce/logout', salesforce.logout({ singleLogout: true }));
        },
      });
      const page = await browser.newPage();
      await page.goto(`${root}/auth/salesforce?returnTo=/guarded`);
      await logInAtSalesforce(page, user, 'Guarded');

      await page.getByRole('button', { name: 'Log out' }).click();
      await expectHeading(page, 'Logged out');

      expect(new URL(page.url()).origin).toBe(emulator.myDomainUrl);
      await page.goto(root);
      await expectText(page, 'Not logged in');
    });
  });
});
