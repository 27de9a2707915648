/** @tier all */
import type { Page } from 'playwright-core';
import { backForwardCache, enterPassword, expectHeading } from '../helpers/chromium';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { describeWith } from '../helpers/programs';
import { startApplication, type ApplicationOptions } from './application';
import { choosePorts, startNginx, type Nginx } from './nginx';
import { callbacksOf, expectText, goBack, logInAtSalesforce, useBrowserOfTest } from './walk';

/* What people do in the middle of a login, and after a logout. */

jest.setTimeout(60_000);

describeWith('Chromium', 'nginx')('in a real browser behind nginx', () => {
  const browser = useBrowserOfTest(backForwardCache);
  let nginx: Nginx | undefined;
  afterEach(async () => {
    await nginx?.stop();
    nginx = undefined;
  });

  async function start(given: Partial<ApplicationOptions> = {}, settings = '') {
    const emulator = await startTestEmulator();
    const ports = await choosePorts();
    const root = `https://app.test:${ports.https}`;
    const client = emulator.registerClient({ callbackURLs: [`${root}/auth/salesforce/callback`] });
    const clock = new ManualClock();
    const app = await startApplication({
      ...{ emulator, client, trustProxy: 1 },
      ...given,
      options: { clock, scope: 'id api refresh_token', ...given.options },
    });
    const location = `location / { proxy_pass http://node; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; ${settings} }`;
    nginx = await startNginx(ports, [app.port], location);
    return { emulator, app, root, clock, user: emulator.users[0]!, evil: `http://evil.test:${ports.http}` };
  }

  const codes = (emulator: Awaited<ReturnType<typeof start>>['emulator']): number =>
    emulator.requests.filter(({ body }) => body?.['code']).length;

  async function allow(page: Page): Promise<void> {
    await page.getByRole('button', { name: 'Allow' }).click();
  }

  it.each([
    ['is there still', false, '/guarded?a=1'],
    ['is gone', true, '/'],
  ])('a login page left open for an hour leads to a new login, if the cookie %s', async (_what, isGone, end) => {
    const { root, clock, user, emulator } = await start();
    const page = await browser.newPage();
    await page.goto(`${root}/guarded?a=1`);
    await page.getByLabel('Username').waitFor();
    clock.advanceMs(60 * 60_000);
    if (isGone) await page.context().clearCookies({ name: /salesforce-login/ });

    await enterPassword(page, user);
    await allow(page);
    await page.getByRole('link', { name: 'Log in again' }).click();
    await logInAtSalesforce(page, user, end === '/' ? 'Home' : 'Guarded');

    expect(page.url()).toBe(root + end);
    await expectText(page, `Logged in as ${user.username}`);
    expect(codes(emulator)).toBe(1);
  });

  it('cookies that are cleared in the middle of a login cost one more login', async () => {
    const { root, user } = await start();
    const page = await browser.newPage();
    await page.goto(`${root}/guarded`);
    await enterPassword(page, user);
    await page.context().clearCookies({ domain: 'app.test' });

    await allow(page);
    await page.getByText('ERR_SALESFORCE_STATE_MISMATCH').waitFor();
    await page.getByRole('link', { name: 'Log in again' }).click();
    await logInAtSalesforce(page, user, 'Home');

    await expectText(page, `Logged in as ${user.username}`);
  });

  it('two tabs that finish in the opposite order are both logged in', async () => {
    const { root, user, emulator } = await start();
    const first = await browser.newPage();
    const second = await browser.newTab(first);
    await first.goto(`${root}/guarded?tab=1`);
    await second.goto(`${root}/guarded?tab=2`);

    await logInAtSalesforce(second, user, 'Guarded');
    await logInAtSalesforce(first, user, 'Guarded');

    expect([first.url(), second.url()]).toEqual([`${root}/guarded?tab=1`, `${root}/guarded?tab=2`]);
    for (const tab of [first, second]) {
      await tab.reload();
      await expectText(tab, `Logged in as ${user.username}`);
    }
    expect(codes(emulator)).toBe(2);
  });

  it('Back after a logout shows no page with data, and logs no user in', async () => {
    const { root, user, emulator } = await start();
    const page = await browser.newPage();
    await page.goto(`${root}/guarded`);
    await logInAtSalesforce(page, user, 'Guarded');
    await page.goto(`${root}/guarded?data=1`);
    await expectText(page, `Logged in as ${user.username}`);
    await page.getByRole('button', { name: 'Log out' }).click();
    await expectText(page, 'Not logged in');

    await goBack(page);

    await page.getByLabel('Username').waitFor();
    expect(codes(emulator)).toBe(1);
  });

  it('a login link that is opened in a new tab by a middle click logs in there', async () => {
    const { root, user } = await start();
    const page = await browser.newPage();
    await page.goto(root);
    const opened = page.context().waitForEvent('page');
    await page.getByRole('link', { name: 'Log in' }).click({ button: 'middle' });
    const tab = await opened;
    await logInAtSalesforce(tab, user, 'Home');

    await expectText(tab, `Logged in as ${user.username}`);
    await page.reload();
    await expectText(page, `Logged in as ${user.username}`);
  });

  it('a login that was denied can be tried again after Back', async () => {
    const { root, user, emulator } = await start();
    const page = await browser.newPage();
    await page.goto(`${root}/guarded`);
    await enterPassword(page, user);
    await page.getByRole('button', { name: 'Deny' }).click();
    await page.getByText('ERR_SALESFORCE_ACCESS_DENIED').waitFor();

    await goBack(page);
    await expectHeading(page, 'Allow access?');
    await page.getByRole('button', { name: 'Allow' }).click();
    const callbacks = callbacksOf(page);
    await page.getByRole('link', { name: /again/ }).click();
    await logInAtSalesforce(page, user, 'Guarded');

    expect(callbacks.length).toBeGreaterThan(0);
    expect(codes(emulator)).toBe(1);
  });

  it.each([
    ['of a page with a usual address, with the limits of nginx', 400, ''],
    [
      'of a page with a long address, with a larger buffer in nginx',
      1_900,
      'proxy_buffer_size 16k; proxy_buffers 8 16k;',
    ],
  ])('a login ends after many that were given up, %s', async (_what, length, settings) => {
    const { root, user, emulator } = await start({}, settings);
    const page = await browser.newPage();
    for (let number = 0; number < 12; number++) {
      await page.goto(`${root}/guarded?number=${number}&filter=${'x'.repeat(length)}`);
      await page.getByLabel('Username').waitFor();
    }

    await logInAtSalesforce(page, user, 'Guarded');

    expect(page.url()).toContain('/guarded?number=11&');
    expect(codes(emulator)).toBe(1);
  });

  it.each(['prefetch', 'prerender'])(
    'a guarded page that the browser may %s is opened by the click',
    async (action) => {
      const asked: (string | undefined)[] = [];
      const { root, user, emulator } = await start({
        before: [
          (req, _res, next) => {
            if (req.path === '/guarded') asked.push(req.get('sec-purpose'));
            next();
          },
        ],
        routes: (router) => {
          router.get('/eager', (_req, res) => {
            const rules = JSON.stringify({ [action]: [{ urls: ['/guarded'], eagerness: 'immediate' }] });
            res.send(`<h1>Eager</h1><script type="speculationrules">${rules}</script><a href="/guarded">Go</a>`);
          });
        },
      });
      const page = await browser.newPage();
      const early = page
        .context()
        .waitForEvent('response', (answer) => answer.url() === `${root}/guarded`)
        .catch(() => undefined);
      await page.goto(`${root}/eager`);
      await early;
      expect(emulator.requests).toEqual([]);

      await page.getByRole('link', { name: 'Go' }).click();
      await logInAtSalesforce(page, user, 'Guarded');

      expect(asked[0]).toContain(action);
      expect(codes(emulator)).toBe(1);
    },
  );
});
