/** @tier all */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import {
  accountsOn,
  createPerson,
  describeInBrowser,
  enterPassword,
  eventually,
  expectHeading,
  finishLogin,
  logIn,
  refreshCount,
  startExample,
  useBrowser,
  type Person,
  type RunningExample,
} from './support';

jest.setTimeout(240_000);

/** The users the emulator has when it starts. */
const ada = { username: 'ada@acme.example', password: '__fake_password_1__', name: 'Ada Fake' };
const grace = { username: 'grace@acme.example', password: '__fake_password_2__', name: 'Grace Fake' };
const linus = { username: 'linus@globex.example', password: '__fake_password_3__', name: 'Linus Fake' };

describeInBrowser('the example', () => {
  const browser = useBrowser();

  describe('without SALESFORCE_CLIENT_ID', () => {
    let example: RunningExample;
    beforeAll(async () => {
      example = await startExample();
    });
    afterAll(() => example.stop());

    it('opens Salesforce without another login', async () => {
      const page = await browser.newPage();
      await page.goto(example.url);
      await page.getByRole('link', { name: 'Log in with Salesforce' }).click();
      await finishLogin(page, ada);
      await expectHeading(page, `Hello, ${ada.name}`);
      // A browser that was never at Salesforce: what it shows there comes from this click alone.
      await page.context().clearCookies({ name: /^emulator_sid/ });

      await page.getByRole('button', { name: 'Open in Salesforce' }).click();

      await page.getByText(`${ada.name} is logged in, at /lightning/page/home.`).waitFor();
    });

    it('logs in, continues after an expired token and logs out', async () => {
      const page = await browser.newPage();

      await page.goto(example.url);
      await page.getByText('Offline.').waitFor();
      const [printed] = await page.locator('.people li').all();
      const [username = '', password = ''] = await printed!.locator('code').allInnerTexts();
      await page.getByRole('link', { name: 'Log in with Salesforce' }).click();
      await finishLogin(page, { username, password });
      await expectHeading(page, `Hello, ${ada.name}`);
      expect(await page.getByText(/of 15,000 left/).count()).toBe(1);
      expect(await accountsOn(page)).toHaveLength(5);
      expect(await refreshCount(page)).toBe(0);

      await page.getByRole('button', { name: 'Expire the token' }).click();
      await page.getByText('was ended at Salesforce').waitFor();
      expect(await accountsOn(page)).toContain('GenePoint');
      expect(await refreshCount(page)).toBe(1);
      await page.reload();
      expect(await refreshCount(page)).toBe(1);
      expect(await page.getByText('was ended at Salesforce').count()).toBe(0);
      await page.getByRole('link', { name: 'Accounts', exact: true }).click();
      expect(await accountsOn(page)).toContain('United Oil & Gas');

      await page.getByRole('button', { name: 'Log out', exact: true }).click();
      await expectHeading(page, 'Log in with Salesforce');
      await page.goto(`${example.url}/accounts`);
      await expectHeading(page, 'Log in');
      expect(new URL(page.url()).origin).not.toBe(example.url);
      expect(browser.complaints).toEqual([]);
    });

    it('shows no page with the Back button after a logout', async () => {
      const page = await browser.newPage();
      await logIn(page, example.url, ada);
      await page.goto(`${example.url}/accounts`);
      await page.getByRole('button', { name: 'Log out', exact: true }).click();
      await expectHeading(page, 'Log in with Salesforce');

      await page.goBack();

      await expectHeading(page, 'Log in');
      expect(await page.content()).not.toContain('United Oil');
    });

    it('logs in at a sandbox, and at a My Domain that the user enters', async () => {
      const page = await browser.newPage();
      await page.goto(example.url);
      await page.getByRole('link', { name: 'Sandbox' }).click();
      const sandbox = new URL(page.url()).origin;
      await finishLogin(page, grace);
      await page.getByRole('button', { name: 'Log out', exact: true }).click();

      await page.getByLabel('My Domain').fill(sandbox);
      await page.getByRole('button', { name: 'Log in' }).click();
      await expectHeading(page, 'Log in');
      expect(new URL(page.url()).origin).toBe(sandbox);
      await finishLogin(page, grace);

      await expectHeading(page, `Hello, ${grace.name}`);
      expect(sandbox).toContain('127.0.0.1');
      expect(browser.complaints).toEqual([]);
    });

    it.each(['evil.example', 'http://acme.my.salesforce.com', 'acme.my.salesforce.com.evil.example'])(
      'refuses a login at %s, and keeps the entered text in the field',
      async (typed) => {
        const page = await browser.newPage();
        await page.goto(example.url);
        await page.getByLabel('My Domain').fill(typed);
        await page.getByRole('button', { name: 'Log in' }).click();

        await page.getByText('This is not a My Domain of Salesforce.').waitFor();

        expect(new URL(page.url()).origin).toBe(example.url);
        expect(await page.getByLabel('My Domain').inputValue()).toBe(typed);
        expect(await page.getByLabel('My Domain').getAttribute('aria-invalid')).toBe('true');
      },
    );

    it('draws a refresh in an open tab, and stops when the session ends', async () => {
      const watching = await browser.newPage();
      await logIn(watching, example.url, linus);
      const acting = await browser.newTab(watching);
      const before = await refreshCount(watching);

      await acting.goto(example.url);
      await acting.getByRole('button', { name: 'Expire the token' }).click();

      await eventually(async () => expect(await refreshCount(watching)).toBe(before + 1));
      expect(await watching.locator('svg.chart rect').count()).toBe(before + 1);
      expect(await watching.locator('table.log tbody tr').count()).toBe(before + 1);
      expect(await watching.getByRole('status').allInnerTexts()).toContain('The access token was refreshed.');
      await acting.getByRole('button', { name: 'Log out', exact: true }).click();
      await watching.getByText('This panel is not updated any more.').waitFor();
    });

    it('survives faults of Salesforce without a new login', async () => {
      const page = await browser.newPage();
      await logIn(page, example.url, grace);
      const load = (): Promise<void> => page.getByRole('link', { name: 'Load the accounts' }).click();

      for (const fault of ['503', '500', 'Web page', 'Dropped connection']) {
        await page.goto(`${example.url}/faults`);
        await page.getByRole('radio', { name: fault }).check();
        await page.getByRole('button', { name: 'Add this fault' }).click();
        await page.getByText('Active: ').waitFor();
        await load();
        await page.locator('main .problem').waitFor();
        // The page stays as it is, with the user on it, until Salesforce can be asked again.
        await eventually(async () => {
          await load();
          await page.getByText('10 accounts were loaded.').waitFor({ timeout: 500 });
        });
        expect(await page.locator('.user .name').innerText()).toBe(grace.name);
      }

      await page.getByRole('radio', { name: 'The next API call' }).check();
      await page.getByRole('radio', { name: '429' }).check();
      await page.getByLabel('Repeat until removed').check();
      await page.getByRole('button', { name: 'Add this fault' }).click();
      await load();
      await load();
      await page.locator('main .problem[role=status]').waitFor();
      await page.getByRole('button', { name: 'Remove all faults' }).click();
      await load();
      await page.getByText('10 accounts were loaded.').waitFor();
      expect(await page.getByText('Active: ').count()).toBe(0);
      expect(browser.complaints).toEqual([]);
    });

    it('asks for one login if the new refresh token was lost, and for none if rotation is off', async () => {
      const page = await browser.newPage();
      await logIn(page, example.url, linus);
      const lose = async (): Promise<void> => {
        await page.goto(`${example.url}/faults`);
        await page.getByRole('radio', { name: 'Lost answer' }).check();
        await page.getByRole('button', { name: 'Add this fault' }).click();
        await page.getByRole('link', { name: 'Load the accounts' }).click();
      };
      const arrived = page.getByText('10 accounts were loaded.');
      const login = page.getByRole('heading', { level: 1, name: 'Log in', exact: true });

      await lose();
      await eventually(async () => {
        await page.goto(`${example.url}/faults/try`);
        await login.waitFor({ timeout: 500 });
      });
      await finishLogin(page, linus);
      await arrived.waitFor();

      await page.getByRole('button', { name: 'Turn rotation off' }).click();
      await page.getByText('Refresh token rotation is off.').waitFor();
      await lose();
      await eventually(async () => {
        await page.goto(`${example.url}/faults/try`);
        await arrived.waitFor({ timeout: 500 });
      });
      await page.getByRole('button', { name: 'Turn rotation on' }).click();
      await page.getByText('Refresh token rotation is on.').waitFor();
    });

    it('returns to the same page after the login that follows a revocation', async () => {
      const page = await browser.newPage();
      await logIn(page, example.url, grace);
      await page.goto(`${example.url}/faults`);

      await page.getByRole('button', { name: 'Revoke' }).click();
      await page.getByRole('link', { name: 'Load the accounts' }).click();
      await finishLogin(page, grace);

      await page.getByText('10 accounts were loaded.').waitFor();
    });

    it('uses another app from the setup page without a restart, and never shows its secret', async () => {
      const emulator = await startTestEmulator({ callbackURLs: [`${example.url}/auth/salesforce/callback`] });
      const { clientID, clientSecret } = emulator.clients[0]!;
      const page = await browser.newPage();
      await page.goto(`${example.url}/setup`);
      expect(await page.locator('#callback').innerText()).toBe(emulator.clients[0]!.callbackURLs[0]);

      await page.getByLabel('Consumer Key').fill(clientID);
      await page.getByLabel('Consumer Secret').fill(clientSecret);
      await page.getByLabel('Base URL').fill('https://evil.example');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('which is not a known Salesforce host').waitFor();
      expect(await page.content()).not.toContain(clientSecret);
      expect(await page.getByLabel('Consumer Key').inputValue()).toBe(clientID);

      await page.getByLabel('Base URL').fill(emulator.url);
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Enter the Consumer Secret').waitFor();
      await page.getByLabel('Consumer Secret').fill(clientSecret);
      await page.getByLabel('Prompt type').selectOption('login consent');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Saved.').waitFor();
      expect(await page.content()).not.toContain(clientSecret);
      expect(await page.getByText('Offline.').count()).toBe(0);

      await page.goto(example.url);
      await page.getByRole('link', { name: 'Log in with Salesforce' }).click();
      expect(new URL(page.url()).origin).toBe(emulator.url);
      await finishLogin(page, ada);
      await expectHeading(page, `Hello, ${ada.name}`);
      expect(emulator.requests.find(({ path }) => path.endsWith('/authorize'))?.query['prompt']).toBe('login consent');
      await page.getByRole('button', { name: 'Log out', exact: true }).click();

      // An empty secret keeps the one that is set.
      await page.goto(`${example.url}/setup`);
      await page.getByLabel('Prompt type').selectOption('consent');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Saved.').waitFor();
      await page.getByRole('link', { name: 'Log in with Salesforce' }).click();
      // With `consent` a browser that is logged in at Salesforce is asked for nothing but that.
      await page.getByRole('button', { name: 'Allow' }).click();
      await expectHeading(page, `Hello, ${ada.name}`);

      await page.goto(`${example.url}/setup`);
      await page.getByRole('button', { name: 'Restore the settings' }).click();
      await page.getByText('Offline.').waitFor();
    });

    it('lets the doctor check right and wrong settings on the setup page', async () => {
      const page = await browser.newPage();
      await page.goto(`${example.url}/setup`);
      await page.getByRole('button', { name: 'Check these settings' }).click();
      await page.getByText('The check found no problem.').waitFor();
      expect(await page.locator('.findings .is-error').count()).toBe(0);
      expect(await page.locator('.findings .is-ok').count()).toBeGreaterThan(3);

      await page.getByLabel('Consumer Key').fill('3MVG9__fake__unknown_at_salesforce');
      await page.getByLabel('Consumer Secret').fill('__fake_secret_nobody_knows__');
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Saved.').waitFor();
      await page.getByRole('button', { name: 'Check these settings' }).click();
      await page.getByText('A login will not work yet.').waitFor();
      const worst = page.locator('.findings li').first();
      expect(await worst.innerText()).toMatch(/^Wrong\. .*Salesforce/s);
      expect(await worst.locator('p.hint').innerText()).not.toBe('');
      expect(await page.content()).not.toContain('__fake_secret_nobody_knows__');

      await page.getByRole('button', { name: 'Restore the settings' }).click();
      await page.getByText('Offline.').waitFor();
    });

    it.each([
      ['under another name', { host: 'app.example' }],
      ['through a proxy', { 'x-forwarded-for': '192.0.2.1' }],
    ])('does not open the setup page %s', async (_how, headers) => {
      expect((await send(`${example.url}/setup`, 'GET', headers)).status).toBe(403);
    });

    it.each([
      ['sec-fetch-site', { 'sec-fetch-site': 'cross-site' }],
      ['origin', { origin: 'https://evil.example' }],
      ['a nameless origin', { origin: 'null' }],
    ])('refuses forms of other sites, by %s', async (_how, headers) => {
      const reply = await send(`${example.url}/setup`, 'POST', headers);

      expect(reply.status).toBe(403);
      expect(reply.text).toContain('Another site sent this form');
    });

    it('lets pages load nothing from other hosts and keeps them out of caches', async () => {
      const { headers } = await send(example.url, 'GET', {});

      expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['x-powered-by']).toBeUndefined();
    });
  });

  it('has no setup page in production', async () => {
    const example = await startExample({ NODE_ENV: 'production' });

    expect((await send(`${example.url}/setup`, 'GET', {})).status).toBe(403);
    expect((await send(example.url, 'GET', {})).text).not.toContain('/setup');
    await example.stop();
  });

  describe('with SALESFORCE_CLIENT_ID', () => {
    let emulator: Emulator;
    let example: RunningExample;
    let person: Person & { displayName: string };

    beforeAll(async () => {
      emulator = await startTestEmulator({ policy: { rotateRefreshTokens: true } });
      const { clientID, clientSecret, callbackURLs } = emulator.clients[0]!;
      example = await startExample({
        SALESFORCE_CLIENT_ID: clientID,
        SALESFORCE_CLIENT_SECRET: clientSecret,
        SALESFORCE_BASE_URL: emulator.url,
        SALESFORCE_SCOPE: 'openid id api refresh_token',
      });
      callbackURLs.push(`${example.url}/auth/salesforce/callback`);
    });
    beforeEach(() => {
      person = createPerson(emulator);
    });
    afterEach(() => emulator.faults.clear());
    afterAll(() => example.stop());

    it('says where it logs in, and which callback URL the app needs', () => {
      expect(example.output()).toContain(`Logging in with Salesforce at ${emulator.url}`);
      expect(example.output()).toContain(`${example.url}/auth/salesforce/callback`);
      expect(example.output()).not.toContain(emulator.clients[0]!.clientSecret);
    });

    it('offers no faults, because only the emulator has faults', async () => {
      const page = await browser.newPage();
      await logIn(page, example.url, person);

      expect(await page.getByRole('link', { name: 'Faults' }).count()).toBe(0);
      expect((await page.goto(`${example.url}/faults`))?.status()).toBe(404);
    });

    it('revokes its own access token and continues with a new one, several times', async () => {
      const page = await browser.newPage();
      await logIn(page, example.url, person);
      const before = refreshRequests(emulator);

      for (let time = 1; time <= 5; time++) {
        await page.getByRole('button', { name: 'Expire the token' }).click();
        await page.getByText('was ended at Salesforce').waitFor();

        expect(await accountsOn(page)).toHaveLength(5);
        expect(await refreshCount(page)).toBe(time);
        await page.goto(example.url);
      }

      expect(refreshRequests(emulator) - before).toBe(5);
      expect(emulator.requests.filter(({ path }) => path.endsWith('/revoke'))).toHaveLength(5);
      expect([...emulator.presentations.values()].every((count) => count === 1)).toBe(true);
      expect(browser.complaints).toEqual([]);
    });

    it('revokes all tokens at Salesforce when the user logs out, here or everywhere', async () => {
      const page = await browser.newPage();
      const elsewhere = await browser.newPage();
      await logIn(page, example.url, person);
      await logIn(elsewhere, example.url, person);
      const tokens = (): unknown => emulator.liveTokens({ username: person.username });

      await elsewhere.getByRole('button', { name: 'Log out', exact: true }).click();
      await expectHeading(elsewhere, 'Log in with Salesforce');
      await page.reload();
      await expectHeading(page, `Hello, ${person.displayName}`);
      expect(tokens()).toMatchObject({ refreshTokens: 1 });
      await logIn(elsewhere, example.url, person);
      await elsewhere.getByRole('button', { name: 'Log out everywhere' }).click();
      await expectHeading(elsewhere, 'Log in with Salesforce');

      await eventually(() => expect(tokens()).toEqual({ accessTokens: 0, refreshTokens: 0 }));
      await page.goto(`${example.url}/accounts`);
      await expectHeading(page, 'Log in');
    });

    it('refreshes once for two tabs that are reloaded at once', async () => {
      const first = await browser.newPage();
      await logIn(first, example.url, person);
      const second = await browser.newTab(first);
      const before = refreshRequests(emulator);
      emulator.expireAccessTokens({ username: person.username });

      await Promise.all([first, second].map((page) => page.goto(`${example.url}/accounts`)));

      expect(await accountsOn(first)).toHaveLength(10);
      expect(await accountsOn(second)).toHaveLength(10);
      expect(refreshRequests(emulator) - before).toBe(1);
    });

    it.each([
      ['the first tab first', [0, 1]],
      ['the second tab first', [1, 0]],
    ] as const)('logs in from two tabs at once, %s', async (_order, order) => {
      const first = await browser.newPage();
      const tabs = [first, await browser.newTab(first)];
      for (const tab of tabs) {
        await tab.goto(`${example.url}/accounts`);
        await expectHeading(tab, 'Log in');
      }

      for (const index of order) await finishLogin(tabs[index]!, person);

      for (const tab of tabs) {
        await expectHeading(tab, 'Accounts');
        await tab.goto(example.url);
        await expectHeading(tab, `Hello, ${person.displayName}`);
      }
      expect(browser.complaints).toEqual([]);
    });

    it('keeps two users in two browsers apart', async () => {
      const [adasPage, linusPage] = [await browser.newPage(), await browser.newPage()];
      await Promise.all([logIn(adasPage, example.url, ada), logIn(linusPage, example.url, linus)]);
      await expectHeading(adasPage, `Hello, ${ada.name}`);
      await expectHeading(linusPage, `Hello, ${linus.name}`);
      const before = await refreshCount(linusPage);

      await adasPage.getByRole('button', { name: 'Expire the token' }).click();
      await adasPage.getByText('was ended at Salesforce').waitFor();
      await linusPage.reload();
      expect(await refreshCount(linusPage)).toBe(before);
      await Promise.all([adasPage, linusPage].map((page) => page.goto(`${example.url}/accounts`)));

      const [adas, linuses] = [await accountsOn(adasPage), await accountsOn(linusPage)];
      expect(adas).toContain('GenePoint');
      expect(linuses).toHaveLength(10);
      expect(linuses.filter((name) => adas.includes(name))).toEqual([]);

      await adasPage.getByRole('button', { name: 'Log out', exact: true }).click();
      await linusPage.reload();
      await expectHeading(linusPage, 'Accounts');
    });

    it('returns to the page that asked for the login', async () => {
      const page = await browser.newPage();
      await page.goto(`${example.url}/accounts?from=a%26b`);

      await finishLogin(page, person);

      await expectHeading(page, 'Accounts');
      expect(page.url()).toBe(`${example.url}/accounts?from=a%26b`);
    });

    it('explains that the user denied access, and lets the user try again', async () => {
      const page = await browser.newPage();
      await page.goto(example.url);
      await page.getByRole('link', { name: 'Log in with Salesforce' }).click();
      await enterPassword(page, person);

      await page.getByRole('button', { name: 'Deny' }).click();

      await expectHeading(page, 'Access was not allowed');
      const alert = await page.getByRole('alert').innerText();
      expect(alert).toContain('You chose not to give this application access');
      expect(alert).toContain('ERR_SALESFORCE_ACCESS_DENIED');
      expect(alert).not.toMatch(/ at \S+:\d+|node_modules/);
      await page.getByRole('link', { name: 'Log in again' }).click();
      await finishLogin(page, person);
      await expectHeading(page, `Hello, ${person.displayName}`);
    });

    it('logs in again after an administrator revokes the tokens', async () => {
      const page = await browser.newPage();
      await logIn(page, example.url, person);
      emulator.revokeRefreshTokens({ username: person.username });

      await page.goto(example.url);
      await finishLogin(page, person);

      await expectHeading(page, `Hello, ${person.displayName}`);
    });

    it('stays logged in through an outage of the token endpoint', async () => {
      const page = await browser.newPage();
      await logIn(page, example.url, person);
      const outage = emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503, times: Infinity });
      emulator.expireAccessTokens({ username: person.username });

      const accounts = await page.goto(`${example.url}/accounts`);
      expect(accounts?.status()).toBe(503);
      await expectHeading(page, 'Please try again in a moment');
      const dashboard = await page.goto(example.url);
      expect(dashboard?.status()).toBe(200);
      expect(await page.locator('main .problem').count()).toBe(2);
      await page.getByText('Salesforce is not answering').waitFor();

      outage.remove();
      await eventually(async () => {
        await page.goto(`${example.url}/accounts`);
        await expectHeading(page, 'Accounts', 1000);
      });
    });

    it('shows Salesforce’s message about a query, and no details of other errors', async () => {
      const page = await browser.newPage();
      await logIn(page, example.url, person);
      const error = 'API_DISABLED_FOR_ORG';
      emulator.faults.inject({ on: 'data', kind: 'error', error, errorDescription: '<b>No</b>' });

      await page.goto(`${example.url}/accounts`);

      const alert = await page.getByRole('alert').innerText();
      expect(alert).toContain(error);
      expect(alert).toContain('<b>No</b>');
    });

    it('escapes values of Salesforce', async () => {
      const page = await browser.newPage();
      person.displayName = '<img src=x onerror="document.title=1"> & Co';
      await logIn(page, example.url, person);

      await expectHeading(page, `Hello, ${person.displayName}`);
      expect(await page.locator('img').count()).toBe(0);
    });

    it('says that there are no accounts', async () => {
      const page = await browser.newPage();
      await logIn(page, example.url, person);
      emulator.faults.inject({
        on: 'data',
        kind: 'reply',
        change: (reply) => ({ ...reply, totalSize: 0, records: [] }),
      });

      await page.goto(`${example.url}/accounts`);

      await page.getByText('There are no accounts that you may see.').waitFor();
    });

    it('shows no token on any page', async () => {
      const page = await browser.newPage();
      const seen: string[] = [];
      await logIn(page, example.url, person);
      for (const path of ['/', '/accounts', '/setup', '/nowhere']) {
        await page.goto(example.url + path);
        seen.push(await page.content());
      }
      const cookies = await page.context().cookies(example.url);
      const live = await firstEvent(example.url, cookies.map(({ name, value }) => `${name}=${value}`).join('; '));

      const values = cookies.map(({ value }) => decodeURIComponent(value));
      const everything = [...seen, live, ...values, example.output()].join('\n');
      const tokens = [...accessTokens(emulator), ...emulator.presentations.keys(), emulator.clients[0]!.clientSecret];
      expect(live).toContain('svg');
      expect(tokens.length).toBeGreaterThan(3);
      expect(tokens.filter((token) => everything.includes(token))).toEqual([]);
      expect(cookies.filter(({ httpOnly, sameSite }) => !httpOnly || sameSite !== 'Lax')).toEqual([]);
    });

    it('sends no live events to a user who is not logged in', async () => {
      expect((await fetch(`${example.url}/live`)).status).toBe(204);
    });

    it('stops cleanly while a page is watching', async () => {
      const other = await startExample();
      const page = await browser.newPage();
      await logIn(page, other.url, ada);

      expect(await other.stop()).toBe(0);
    });

    it('stops cleanly after browsers left while their pages loaded', async () => {
      const other = await startExample();
      const page = await browser.newPage();
      await logIn(page, other.url, ada);
      const cookies = await page.context().cookies();
      const cookie = cookies.map(({ name, value }) => `${name}=${value}`).join('; ');

      for (let time = 1; time <= 20; time++) await leaveEarly(`${other.url}/live`, cookie);

      expect(await other.stop()).toBe(0);
    });
  });
});

function refreshRequests({ requests }: Emulator): number {
  return requests.filter(({ body }) => body?.['grant_type'] === 'refresh_token').length;
}

function accessTokens({ requests }: Emulator): string[] {
  const headers = requests.map((request) => request.headers['authorization'] ?? '');
  return headers.filter((header) => header.startsWith('Bearer ')).map((header) => header.slice('Bearer '.length));
}

interface Reply {
  status: number | undefined;
  headers: Record<string, unknown>;
  text: string;
}

/** A request with headers `fetch` does not let one set, such as `Host`. */
function send(url: string, method: string, headers: Record<string, string>): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method, headers: { accept: 'text/html', ...headers } }, (res) => {
      let text = '';
      res.on('data', (part: Buffer) => (text += part.toString()));
      res.once('end', () => resolve({ status: res.statusCode, headers: res.headers, text }));
    });
    sent.once('error', reject).end();
  });
}

/** Asks for a page and breaks the connection before the answer can come. */
async function leaveEarly(url: string, cookie: string): Promise<void> {
  const { hostname, port, pathname, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  await new Promise((sent) =>
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\nCookie: ${cookie}\r\n\r\n`, sent),
  );
  socket.resetAndDestroy();
}

/** The first server-sent event of the dashboard. */
async function firstEvent(url: string, cookie: string): Promise<string> {
  const { body } = await fetch(`${url}/live`, { headers: { cookie } });
  let text = '';
  for await (const chunk of body as unknown as AsyncIterable<Uint8Array>) {
    text += Buffer.from(chunk).toString();
    if (/^data: .*\n\n/m.test(text)) break;
  }
  return text;
}
