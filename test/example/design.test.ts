/** @tier all */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import axe from 'axe-core';
import express from 'express';
import session from 'express-session';
import type { Page } from 'playwright-core';
import { salesforceAuth } from '../../lib';
import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import {
  createPerson,
  describeInBrowser,
  enterPassword,
  expectHeading,
  finishLogin,
  logIn,
  refreshCount,
  startExample,
  useBrowser,
  type RunningExample,
} from './support';

/*
 * Each page, of the example and of the emulator, as people with other devices, settings and abilities meet it. axe-core
 * judges structure, names and contrast; what it cannot see is checked here.
 */

jest.setTimeout(240_000);

const ada = { username: 'ada@acme.example', password: '__fake_password_1__' };

describeInBrowser('the pages', () => {
  const browser = useBrowser();
  let example: RunningExample;

  beforeAll(async () => {
    example = await startExample();
  });
  afterAll(() => example.stop());

  it.each([390, 1280])('are accessible and fit, at %i pixels, light and dark', async (width) => {
    const page = await browser.newPage({ viewport: { width, height: 800 } });
    const look = async (path: string): Promise<void> => {
      await page.goto(example.url + path);
      await expectSound(page);
    };

    await look('/');
    await look('/setup');
    await page.getByLabel('Base URL').fill('https://evil.example');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.locator('[aria-invalid]').waitFor();
    await expectSound(page);
    await look('/auth/salesforce?org=nonsense');
    await look('/nowhere');
    await look('/auth/salesforce/callback?error=access_denied&state=forged');

    await page.goto(`${example.url}/auth/salesforce`);
    await expectSound(page);
    await enterPassword(page, { ...ada, password: 'wrong' });
    await page.getByRole('alert').waitFor();
    await expectSound(page);
    await finishLogin(page, ada);
    await expectSound(page);
    await page.getByRole('button', { name: 'Expire the token' }).click();
    await page.getByText('was ended at Salesforce').waitFor();
    await expectSound(page);
    await look('/accounts');
    await look('/faults');
    await page.getByRole('radio', { name: 'The next API call' }).check();
    await page.getByRole('radio', { name: '500' }).check();
    await page.getByRole('button', { name: 'Add this fault' }).click();
    await page.getByText('Active: ').waitFor();
    await expectSound(page);
    await page.getByRole('link', { name: 'Load the accounts' }).click();
    await page.locator('main .problem[role=status]').waitFor();
    await expectSound(page);
    await look('/faults/try');
  });

  describe('of the emulator', () => {
    let emulator: Emulator;
    const callbackURL = 'http://localhost:9/callback';
    const authorize = (prompt: string, redirectURI = callbackURL): string =>
      `${emulator.url}/services/oauth2/authorize?` +
      new URLSearchParams({
        client_id: emulator.clients[0]!.clientID,
        code_challenge: 'x'.repeat(43),
        redirect_uri: redirectURI,
        response_type: 'code',
        prompt,
      }).toString();

    beforeAll(async () => {
      emulator = await startTestEmulator({ callbackURLs: [callbackURL], console: true });
    });

    it.each([390, 1280])('are accessible and fit, at %i pixels, light and dark', async (width) => {
      const page = await browser.newPage({ viewport: { width, height: 800 } });
      await page.goto(emulator.url);
      await expectSound(page);
      await page.goto(authorize('login', 'http://localhost:9/other'));
      await expectSound(page);
      for (const person of [createPerson(emulator), createPerson(emulator)]) {
        await page.goto(authorize('login consent'));
        await enterPassword(page, person);
        await expectHeading(page, 'Allow access?');
        await expectSound(page);
      }
      await page.goto(authorize('select_account'));
      await expectHeading(page, 'Choose a username');
      await expectSound(page);
      await page.goto(`${emulator.url}/secur/logout.jsp`);
      await expectSound(page);
      await page.goto(`${emulator.url}/console`);
      await page.getByText('/services/oauth2/authorize').first().waitFor();
      await expectSound(page);
      await page.goto(authorize('login'));
      await enterPassword(page, createPerson(emulator));
      // The wait has a time limit, so it starts after the slow checks above.
      const toApp = page.waitForRequest((request) => request.url().startsWith(callbackURL));
      await page.getByRole('button', { name: 'Deny' }).click();
      await toApp;
    });
  });

  describe('of the package', () => {
    it.each([390, 1280])('are accessible and fit, at %i pixels, light and dark', async (width) => {
      const app = express();
      app.use(session({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }));
      app.use(
        salesforceAuth({
          clientID: '3MVG9__fake__',
          organizations: { production: 'https://login.salesforce.com', sandbox: 'https://test.salesforce.com' },
          routes: { choose: '/choose' },
        }),
      );
      const server = app.listen(0, 'localhost');
      await once(server, 'listening');
      const url = `http://localhost:${(server.address() as AddressInfo).port}`;
      const page = await browser.newPage({ viewport: { width, height: 800 } });

      await page.goto(`${url}/choose`);
      await expectSound(page);
      await page.goto(`${url}/auth/salesforce/callback?error=access_denied&state=forged`);
      await page.getByRole('heading', { level: 1 }).waitFor();
      await expectSound(page);
      server.close();
      server.closeAllConnections();
    });
  });

  it('fit with names of any length', async () => {
    const emulator = await startTestEmulator({ callbackURLs: [] });
    const { clientID, clientSecret, callbackURLs } = emulator.clients[0]!;
    const other = await startExample({
      SALESFORCE_CLIENT_ID: clientID,
      SALESFORCE_CLIENT_SECRET: clientSecret,
      SALESFORCE_BASE_URL: emulator.url,
      SALESFORCE_SCOPE: 'openid id api refresh_token',
    });
    callbackURLs.push(`${other.url}/auth/salesforce/callback`);
    const person = createPerson(emulator);
    person.displayName = 'Wolfeschlegelsteinhausenbergerdorff '.repeat(3);
    person.email = `${'long'.repeat(20)}@${'acme'.repeat(12)}.example`;
    const page = await browser.newPage({ viewport: { width: 390, height: 800 } });

    await logIn(page, other.url, person);
    await expectSound(page);
    await page.setViewportSize({ width: 1280, height: 800 });
    await expectSound(page);

    await other.stop();
  });

  it('can be used with the keyboard alone', async () => {
    const page = await browser.newPage();
    await page.goto(example.url);
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Skip to the content');
    expect(await page.getByRole('link', { name: 'Skip to the content' }).boundingBox()).toMatchObject({ y: 0 });
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe('Log in with Salesforce');
    await page.keyboard.press('Enter');

    await expectHeading(page, 'Log in');
    await tabTo(page, 'Username');
    await page.keyboard.type(ada.username);
    await page.keyboard.press('Tab');
    await page.keyboard.type(ada.password);
    await page.keyboard.press('Enter');
    await expectHeading(page, 'Allow access?').catch(() => undefined);
    if (await page.getByRole('button', { name: 'Allow' }).isVisible()) {
      await tabTo(page, 'Allow');
      await page.keyboard.press('Enter');
    }
    await expectHeading(page, 'Hello, Ada Fake');
    const before = await refreshCount(page);
    await tabTo(page, 'Expire the token');
    await page.keyboard.press('Enter');
    await page.getByText('was ended at Salesforce').waitFor();
    expect(await refreshCount(page)).toBe(before + 1);
    await tabTo(page, 'Faults');
    await page.keyboard.press('Enter');
    await expectHeading(page, 'Faults');
    await tabTo(page, 'Slow');
    await page.keyboard.press('ArrowDown');
    await tabTo(page, 'Add this fault');
    await page.keyboard.press('Enter');
    await page.getByText('Active: 503').waitFor();
    await tabTo(page, 'Remove all faults');
    await page.keyboard.press('Enter');
    await page.getByText('All faults are removed.').waitFor();
    await tabTo(page, 'Log out');
    await page.keyboard.press('Enter');
    await expectHeading(page, 'Log in with Salesforce');
  });

  it('show where the focus is, in the order they are read', async () => {
    const page = await browser.newPage();
    for (const path of ['/', '/setup', '/auth/salesforce']) {
      await page.goto(example.url + path);
      const stops = await page.evaluate<number>(
        `document.querySelectorAll('a[href], button:not([hidden]), input:not([type=hidden]), select').length`,
      );
      let last = -1;
      for (let stop = 0; stop < stops; stop++) {
        await page.keyboard.press('Tab');
        const { outline, order } = await page.evaluate<{ outline: string; order: number }>(`({
          outline: getComputedStyle(document.activeElement).outlineStyle,
          order: [...document.querySelectorAll('*')].indexOf(document.activeElement),
        })`);
        expect(outline).toBe('solid');
        expect(order).toBeGreaterThan(last);
        last = order;
      }
    }
  });

  it('work without JavaScript', async () => {
    const page = await browser.newPage({ javaScriptEnabled: false });

    await logIn(page, example.url, ada);
    const before = await refreshCount(page);
    await page.getByRole('button', { name: 'Expire the token' }).click();
    await page.getByText('was ended at Salesforce').waitFor();
    expect(await refreshCount(page)).toBe(before + 1);
    await page.getByText('Reload the page to see').waitFor();
    await page.getByRole('link', { name: 'Faults' }).click();
    await page.getByRole('button', { name: 'Expire' }).click();
    await page.getByRole('link', { name: 'Load the accounts' }).click();
    await page.getByText('10 accounts were loaded.').waitFor();
    await page.getByRole('link', { name: 'Setup' }).click();
    // A button that could do nothing is not there.
    expect(await page.getByRole('button', { name: 'Copy' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved.').waitFor();
    await page.getByRole('button', { name: 'Restore the settings' }).click();
    await page.getByRole('button', { name: 'Log out', exact: true }).click();
    await expectHeading(page, 'Log in with Salesforce');
  });

  it('copy the callback URL', async () => {
    const page = await browser.newPage({ permissions: ['clipboard-read', 'clipboard-write'] });
    await page.goto(`${example.url}/setup`);

    await page.getByRole('button', { name: 'Copy' }).click();
    await page.getByRole('button', { name: 'Copied' }).waitFor();

    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(`${example.url}/auth/salesforce/callback`);
  });
});

/** Nothing of weight by axe, in light and dark, and nothing that makes the page scroll sideways. */
async function expectSound(page: Page): Promise<void> {
  await page.evaluate(axe.source);
  let findings: string[] = [];
  // Chromium may answer once with colors of before the change of scheme. A fault of the page is there each time.
  for (let look = 0; look < 3; look++) {
    findings = [...(await findingsIn(page, 'light')), ...(await findingsIn(page, 'dark'))];
    if (findings.length === 0) break;
  }
  const sideways = await page.evaluate<number>(
    'document.documentElement.scrollWidth - document.documentElement.clientWidth',
  );
  expect({ url: page.url(), findings, sideways }).toEqual({ url: page.url(), findings: [], sideways: 0 });
}

/** What axe finds in one color scheme, once the page is drawn in it. */
async function findingsIn(page: Page, colorScheme: 'light' | 'dark'): Promise<string[]> {
  await page.emulateMedia({ colorScheme });
  // As text, for it runs in the page, whose types are not those of Node.
  await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))');
  const options = colorScheme === 'light' ? {} : { runOnly: ['color-contrast'] };
  const { violations } = await page.evaluate<axe.AxeResults>(`axe.run(${JSON.stringify(options)})`);
  return violations
    .filter(({ impact }) => impact !== 'minor')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${colorScheme}: ${id}: ${html} ${failureSummary}`),
    );
}

/** The name of what has the focus. */
function focused(page: Page): Promise<string> {
  return page.evaluate<string>(`(({ labels, textContent }) =>
    (labels?.length ? labels[0].textContent : textContent).trim())(document.activeElement)`);
}

/** Presses Tab until something whose name begins like this has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab');
    if ((await focused(page)).startsWith(name)) return;
  }
  throw new Error(`${name} is not to be reached by Tab.`);
}
