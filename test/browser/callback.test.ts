/** @tier all */
import type { Locator, Page } from 'playwright-core';
import type { Emulator } from '../../lib/emulator';
import { enterPassword, expectHeading } from '../helpers/chromium';
import { startTestEmulator } from '../helpers/emulator';
import { describeWith } from '../helpers/programs';
import { freePort } from '../stores/servers/programs';
import { sessions, startApplication, type ApplicationOptions } from './application';
import { callbacksOf, expectText, logInAtSalesforce, useBrowserOfTest } from './walk';

jest.setTimeout(60_000);

const codes = (emulator: Emulator): unknown[] =>
  emulator.requests.filter(({ body }) => body?.['code']).map(({ body }) => body!['code']);

async function start(options: Partial<ApplicationOptions> = {}) {
  const emulator = await startTestEmulator();
  const app = await startApplication({ emulator, ...options });
  const root = `http://app.test:${app.port}`;
  app.client.callbackURLs.push(`${root}/auth/salesforce/callback`);
  return { emulator, app, root, user: emulator.users[0]! };
}

/** Goes to the question whether the application may have access. */
async function goToApproval(page: Page, root: string, emulator: Emulator): Promise<void> {
  await page.goto(`${root}/guarded`);
  await enterPassword(page, emulator.users[0]!);
  await expectHeading(page, 'Allow access?');
}

/** Clicks as a person does, who does not wait until the page is ready. Playwright's own clicks wait for navigations. */
async function clickTwice(page: Page, target: Locator): Promise<void> {
  const { x, y, width, height } = (await target.boundingBox())!;
  const opened = page.waitForRequest((request) => request.url().includes('/callback'));
  await page.mouse.click(x + width / 2, y + height / 2);
  await opened;
  await page.mouse.click(x + width / 2, y + height / 2);
}

describeWith('Chromium')('a callback in a real browser', () => {
  const browser = useBrowserOfTest();

  describe.each([
    ['the session cookie of a login', {}],
    ['a session cookie for each visitor', { saveUninitialized: true }],
    ['a session cookie that each answer sets', { rolling: true, saveUninitialized: true, resave: true }],
  ])('with %s', (_what, options) => {
    it('ends logged in after a double click on Allow, with a slow token endpoint', async () => {
      const { emulator, root, user } = await start({ session: sessions(options) });
      emulator.faults.inject({ on: 'code', kind: 'delay', delayMs: 1500 });
      const page = await browser.newPage();
      const callbacks = callbacksOf(page);
      await goToApproval(page, root, emulator);

      await clickTwice(page, page.getByRole('button', { name: 'Allow' }));

      await expectHeading(page, 'Guarded');
      await expectText(page, `Logged in as ${user.username}`);
      expect(callbacks).toHaveLength(2);
      expect(codes(emulator)).toHaveLength(1);
      await page.reload();
      await expectText(page, `Logged in as ${user.username}`);
    });
  });

  it('ends logged in if the link to the callback is clicked twice', async () => {
    const { emulator, root, user } = await start();
    const page = await browser.newPage();
    await goToApproval(page, root, emulator);
    // Some settings of Salesforce move the browser on by a page.
    await page.route('**/RemoteAccessAuthorizationPage.apexp', async (route) => {
      const answer = await route.fetch({ maxRedirects: 0 });
      const href = answer.headers()['location']!.replaceAll('&', '&amp;');
      await route.fulfill({ contentType: 'text/html', body: `<a href="${href}">Continue</a>` });
    });
    await page.getByRole('button', { name: 'Allow' }).click();
    const link = page.getByRole('link', { name: 'Continue' });
    await link.waitFor();
    emulator.faults.inject({ on: 'code', kind: 'delay', delayMs: 1500 });
    const callbacks = callbacksOf(page);

    await clickTwice(page, link);

    // Chromium leaves out the second of two navigations to one address, so the number of requests is its own affair.
    await expectHeading(page, 'Guarded');
    await expectText(page, `Logged in as ${user.username}`);
    expect(callbacks.length).toBeGreaterThan(0);
    expect(codes(emulator)).toHaveLength(1);
  });

  it('ends logged in if the address of the callback is opened again while it waits for Salesforce', async () => {
    const { emulator, root, user } = await start();
    const { reached } = emulator.faults.inject({ on: 'code', kind: 'delay', delayMs: 1500 });
    const page = await browser.newPage();
    const callbacks = callbacksOf(page);
    await goToApproval(page, root, emulator);
    await page.getByRole('button', { name: 'Allow' }).click({ noWaitAfter: true });
    await reached;

    await page.goto(callbacks[0]!);

    await expectHeading(page, 'Guarded');
    await expectText(page, `Logged in as ${user.username}`);
    expect(callbacks).toHaveLength(2);
    expect(codes(emulator)).toHaveLength(1);
  });

  it('ends logged in after going back to the page of Salesforce and allowing again', async () => {
    const { emulator, root, user } = await start();
    const page = await browser.newPage();
    await goToApproval(page, root, emulator);
    await page.getByRole('button', { name: 'Allow' }).click();
    await expectHeading(page, 'Guarded');

    await page.goBack();
    await page.getByRole('button', { name: 'Allow' }).click();

    await expectHeading(page, 'Guarded');
    await expectText(page, `Logged in as ${user.username}`);
    expect(codes(emulator)).toHaveLength(1);
  });

  it('starts a new login from an old callback after a logout, and does not log in with the old code', async () => {
    const { emulator, root, user } = await start();
    const page = await browser.newPage();
    const callbacks = callbacksOf(page);
    await page.goto(`${root}/guarded`);
    await logInAtSalesforce(page, user, 'Guarded');
    await page.getByRole('button', { name: 'Log out' }).click();
    await expectText(page, 'Not logged in');

    await page.goto(callbacks[0]!);

    // The logout took the login's cookie away, so where that login was going is not known any more.
    await page.getByRole('link', { name: /again/ }).click();
    await logInAtSalesforce(page, user, 'Home');
    expect(codes(emulator)).toHaveLength(2);
  });

  it.each(['127.0.0.1', 'www.app.test'])(
    'gets the login that began at %s, another name of this machine',
    async (name) => {
      const emulator = await startTestEmulator();
      const client = emulator.registerClient({ callbackURLs: [] });
      const port = await freePort();
      const root = `http://localhost:${port}`;
      client.callbackURLs.push(`${root}/auth/salesforce/callback`);
      const { warnings } = await startApplication({
        ...{ emulator, client, port },
        options: { callbackURL: `${root}/auth/salesforce/callback` },
      });
      const page = await browser.newPage();

      await page.goto(`http://${name}:${port}/guarded?a=1`);
      await logInAtSalesforce(page, emulator.users[0]!, 'Guarded');

      expect(page.url()).toBe(`${root}/guarded?a=1`);
      expect(warnings).toEqual([]);
    },
  );

  it('in two tabs at once ends each login at its own page', async () => {
    const { emulator, root, user } = await start();
    const first = await browser.newPage();
    const second = await browser.newTab(first);
    await first.goto(`${root}/guarded?tab=1`);
    await second.goto(`${root}/guarded?tab=2`);

    await logInAtSalesforce(first, user, 'Guarded');
    await logInAtSalesforce(second, user, 'Guarded');

    expect([first.url(), second.url()]).toEqual([`${root}/guarded?tab=1`, `${root}/guarded?tab=2`]);
    await first.reload();
    await expectText(first, `Logged in as ${user.username}`);
    expect(codes(emulator)).toHaveLength(2);
  });
});
