import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import {
  buildIfStale,
  describeInBrowser,
  enterPassword,
  finishLogin,
  logIn,
  refreshCount,
  root,
  runExample,
  startExample,
  useBrowser,
  type Person,
  type RunningExample,
} from './support';

jest.setTimeout(60_000);
beforeAll(buildIfStale, 120_000);

/** The users the emulator has when it starts. */
const ada = { username: 'ada@acme.example', password: '__fake_password_1__', name: 'Ada Fake' };
const linus = { username: 'linus@globex.example', password: '__fake_password_3__', name: 'Linus Fake' };

describe('example/start.mjs', () => {
  it('says that it is offline, where to go and who can log in', async () => {
    const example = await startExample();

    const output = example.output();

    expect(output).toContain('SALESFORCE_CLIENT_ID is not set, so this is not Salesforce');
    expect(output).toContain(`Open ${example.url} `);
    expect(output).toContain('ada@acme.example  with password  __fake_password_1__');
    await example.stop();
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('stops cleanly on %s, with a browser connected', async (signal) => {
    const example = await startExample();
    await (await fetch(example.url)).text();

    expect(await example.stop(signal)).toBe(0);
  });

  it('says which port is taken, and what to do', async () => {
    const server = createServer().listen(0);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;

    const { code, output } = await runExample({ PORT: String(port) });

    server.close();
    expect(code).toBe(1);
    expect(output).toBe(`Port ${port} is in use. Choose another, for instance: PORT=3001 npm start\n`);
  });

  it.each([
    ['PORT', { PORT: 'http' }, 'PORT is not a port number: http'],
    ['the prompt', { SALESFORCE_CLIENT_ID: 'x', SALESFORCE_PROMPT_TYPE: 'logn' }, "Did you mean 'login'?"],
    ['the base URL', { SALESFORCE_CLIENT_ID: 'x', SALESFORCE_BASE_URL: 'http://a.example' }, 'baseUrl must use https'],
  ])('explains a mistake in %s in one line', async (_what, env, message) => {
    const { code, output } = await runExample(env);

    expect(code).toBe(1);
    expect(output).toContain(message);
    expect(output.trim().split('\n')).toHaveLength(1);
  });
});

describe('example/app.mjs', () => {
  it('has fewer than 100 lines', () => {
    expect(readFileSync(join(root, 'example/app.mjs'), 'utf8').split('\n').length).toBeLessThan(100);
  });

  it('matches the types of the package', () => {
    const tsc = require.resolve('typescript/bin/tsc');

    const { stdout } = spawnSync(process.execPath, [tsc, '-p', 'example'], { cwd: root, encoding: 'utf8' });

    expect(stdout).toBe('');
  });
});

describe('example/.env.example', () => {
  it('names every variable the package reads, each with a comment, and sets none', () => {
    const lines = readFileSync(join(root, 'example/.env.example'), 'utf8').split('\n');
    const variables = lines.flatMap((line, index) =>
      /^[A-Z_]+=/.test(line) ? [{ line, above: lines[index - 1] }] : [],
    );

    const source = readFileSync(join(root, 'lib/options/environment.ts'), 'utf8');
    const read = [...source.matchAll(/read\('(\w+)'\)/g)].map(([, name]) => `SALESFORCE_${name}=`);
    expect(variables.map(({ line }) => line)).toEqual(expect.arrayContaining(read));
    for (const { above } of variables) expect(above).toMatch(/^# \S/);
  });
});

describeInBrowser('the example without SALESFORCE_CLIENT_ID', () => {
  const browser = useBrowser();
  let example: RunningExample;

  beforeAll(async () => {
    example = await startExample();
  });

  afterAll(() => example.stop());

  it('logs in, outlives an expired token and logs out', async () => {
    const page = await browser.newPage();

    await logIn(page, example.url, printedUser(example, 0));
    await expectHeading(page, `Hello, ${ada.name}`);
    await page.getByRole('link', { name: 'See your accounts' }).click();
    await expectHeading(page, 'Accounts');
    expect(await accountsOn(page)).toContain('United Oil & Gas');
    expect(await refreshCount(page)).toBe(0);

    await page.getByRole('button', { name: 'Expire the token' }).click();
    expect(await page.getByRole('status').innerText()).toContain('has just been ended');
    await page.getByRole('link', { name: 'See your accounts' }).click();
    expect(await accountsOn(page)).toContain('United Oil & Gas');
    expect(await refreshCount(page)).toBe(1);
    await page.reload();
    expect(await refreshCount(page)).toBe(1);

    await page.getByRole('button', { name: 'Log out' }).click();
    await expectHeading(page, 'Log in with Salesforce');
    await page.goto(`${example.url}/accounts`);
    await expectHeading(page, 'Log in');
    expect(new URL(page.url()).origin).not.toBe(example.url);
    expect(browser.complaints).toEqual([]);
  });

  it('keeps a page from coming back by the Back button after a logout', async () => {
    const page = await browser.newPage();
    await logIn(page, example.url, ada);
    await page.goto(`${example.url}/accounts`);
    await page.getByRole('button', { name: 'Log out' }).click();
    await expectHeading(page, 'Log in with Salesforce');

    await page.goBack();

    await expectHeading(page, 'Log in');
    expect(await page.content()).not.toContain('United Oil');
  });
});

describeInBrowser('the example with SALESFORCE_CLIENT_ID', () => {
  const browser = useBrowser();
  let emulator: Emulator;
  let example: RunningExample;

  beforeEach(async () => {
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

  afterEach(() => example.stop());

  it('says where it logs in, and which callback URL the app needs', () => {
    expect(example.output()).toContain(`Logging in with Salesforce at ${emulator.url}`);
    expect(example.output()).toContain(`${example.url}/auth/salesforce/callback`);
    expect(example.output()).not.toContain(emulator.clients[0]!.clientSecret);
  });

  it('revokes the access token itself, and goes on with a new one, time and again', async () => {
    const page = await browser.newPage();
    await logIn(page, example.url, ada);

    for (let time = 1; time <= 5; time++) {
      await page.goto(example.url);
      await page.getByRole('button', { name: 'Expire the token' }).click();
      await page.getByRole('status').waitFor();
      expect(emulator.liveTokens({ username: ada.username }).accessTokens).toBe(0);
      await page.goto(`${example.url}/accounts`);

      expect(await accountsOn(page)).toHaveLength(10);
      expect(await refreshCount(page)).toBe(time);
    }

    expect(refreshRequests(emulator)).toBe(5);
    expect([...emulator.presentations.values()].every((count) => count === 1)).toBe(true);
    expect(browser.complaints).toEqual([]);
  });

  it('revokes all tokens at Salesforce when the user logs out', async () => {
    const page = await browser.newPage();
    await logIn(page, example.url, ada);
    expect(emulator.liveTokens({ username: ada.username }).refreshTokens).toBe(1);

    await page.getByRole('button', { name: 'Log out' }).click();
    await expectHeading(page, 'Log in with Salesforce');

    await eventually(() => {
      expect(emulator.liveTokens({ username: ada.username })).toEqual({ accessTokens: 0, refreshTokens: 0 });
    });
  });

  it('refreshes once for two tabs that are reloaded at once', async () => {
    const first = await browser.newPage();
    await logIn(first, example.url, ada);
    const second = await browser.newTab(first);
    emulator.expireAccessTokens();

    await Promise.all([first, second].map((page) => page.goto(`${example.url}/accounts`)));

    expect(await accountsOn(first)).toHaveLength(10);
    expect(await accountsOn(second)).toHaveLength(10);
    expect(refreshRequests(emulator)).toBe(1);
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

    for (const index of order) await finishLogin(tabs[index]!, ada);

    for (const tab of tabs) {
      await expectHeading(tab, 'Accounts');
      await tab.goto(example.url);
      await expectHeading(tab, `Hello, ${ada.name}`);
    }
    expect(browser.complaints).toEqual([]);
  });

  it('keeps two users in two browsers apart', async () => {
    const [adasPage, linusPage] = [await browser.newPage(), await browser.newPage()];
    await Promise.all([logIn(adasPage, example.url, ada), logIn(linusPage, example.url, linus)]);
    await expectHeading(adasPage, `Hello, ${ada.name}`);
    await expectHeading(linusPage, `Hello, ${linus.name}`);

    await adasPage.getByRole('button', { name: 'Expire the token' }).click();
    await adasPage.getByRole('status').waitFor();
    await Promise.all([adasPage, linusPage].map((page) => page.goto(`${example.url}/accounts`)));

    const [adas, linuses] = [await accountsOn(adasPage), await accountsOn(linusPage)];
    expect(adas).toContain('GenePoint');
    expect(linuses).toHaveLength(10);
    expect(linuses.filter((name) => adas.includes(name))).toEqual([]);
    expect(await refreshCount(adasPage)).toBe(1);
    expect(await refreshCount(linusPage)).toBe(0);

    await adasPage.getByRole('button', { name: 'Log out' }).click();
    await linusPage.reload();
    await expectHeading(linusPage, 'Accounts');
  });

  it('returns to the page that asked for the login', async () => {
    const page = await browser.newPage();
    await page.goto(`${example.url}/accounts?from=a%26b`);

    await finishLogin(page, ada);

    await expectHeading(page, 'Accounts');
    expect(page.url()).toBe(`${example.url}/accounts?from=a%26b`);
  });

  it('says so readably when the user denies access, and lets him try again', async () => {
    const page = await browser.newPage();
    await page.goto(example.url);
    await page.getByRole('link', { name: 'Log in with Salesforce' }).click();
    await enterPassword(page, ada);

    await page.getByRole('button', { name: 'Deny' }).click();

    await expectHeading(page, 'That did not work');
    const alert = await page.getByRole('alert').innerText();
    expect(alert).toContain('ERR_SALESFORCE_ACCESS_DENIED');
    expect(alert).not.toMatch(/ at \S+:\d+|node_modules/);
    await page.getByRole('link', { name: 'Try again' }).click();
    await finishLogin(page, ada);
    await expectHeading(page, `Hello, ${ada.name}`);
  });

  it('logs in again where an administrator has revoked the tokens', async () => {
    const page = await browser.newPage();
    await logIn(page, example.url, ada);
    emulator.revokeRefreshTokens({ username: ada.username });

    await page.goto(`${example.url}/accounts`);
    await finishLogin(page, ada);

    await expectHeading(page, 'Accounts');
  });

  it('stays logged in through an outage of the token endpoint', async () => {
    const page = await browser.newPage();
    await logIn(page, example.url, ada);
    const outage = emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503, times: Infinity });
    emulator.expireAccessTokens();

    const reply = await page.goto(`${example.url}/accounts`);

    expect(reply?.status()).toBe(503);
    await expectHeading(page, 'That did not work');
    outage.remove();
    await eventually(async () => {
      await page.getByRole('link', { name: 'Try again' }).click();
      await expectHeading(page, 'Accounts', 1000);
    });
  });

  it('shows what Salesforce says against a query, and keeps everything else to itself', async () => {
    const page = await browser.newPage();
    await logIn(page, example.url, ada);
    emulator.faults.inject({ on: 'data', kind: 'error', error: 'API_DISABLED_FOR_ORG', errorDescription: '<b>No</b>' });

    await page.goto(`${example.url}/accounts`);

    const alert = await page.getByRole('alert').innerText();
    expect(alert).toContain('API_DISABLED_FOR_ORG');
    expect(alert).toContain('<b>No</b>');
  });

  it('escapes what comes from Salesforce', async () => {
    const page = await browser.newPage();
    const user = emulator.users[1]!;
    user.displayName = '<img src=x onerror="document.title=1"> & Co';
    await logIn(page, example.url, user);

    await expectHeading(page, `Hello, ${user.displayName}`);
    expect(await page.locator('img').count()).toBe(0);
  });

  it('shows no token, anywhere', async () => {
    const page = await browser.newPage();
    const seen: string[] = [];
    await logIn(page, example.url, ada);
    for (const path of ['/', '/accounts', '/?expired', '/nowhere']) {
      await page.goto(example.url + path);
      seen.push(await page.content());
    }
    const cookies = await page.context().cookies(example.url);

    const everything = [...seen, ...cookies.map(({ value }) => decodeURIComponent(value)), example.output()].join('\n');
    const tokens = [...accessTokens(emulator), ...emulator.presentations.keys()];
    expect(tokens.length).toBeGreaterThan(1);
    expect(tokens.filter((token) => everything.includes(token))).toEqual([]);
    expect(cookies.filter(({ httpOnly, sameSite }) => !httpOnly || sameSite !== 'Lax')).toEqual([]);
  });

  describe.each([
    [375, 'light'],
    [375, 'dark'],
    [1280, 'light'],
    [1280, 'dark'],
  ] as const)('at %i pixels, %s', (width, colorScheme) => {
    it('has pages that are accessible and fit', async () => {
      const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });

      await page.goto(example.url);
      await expectSoundPage(page);
      await page.getByRole('link', { name: 'Log in with Salesforce' }).click();
      await expectSoundPage(page);
      await finishLogin(page, ada);
      for (const path of ['/', '/?expired', '/accounts']) {
        await page.goto(example.url + path);
        await expectSoundPage(page);
      }
      expect(browser.complaints).toEqual([]);
      // A browser's console always reports the status of these.
      for (const path of ['/nowhere', '/auth/salesforce/callback?error=access_denied&state=forged']) {
        await page.goto(example.url + path);
        await expectSoundPage(page);
      }
    });

    it('can be used with the keyboard alone', async () => {
      const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme });
      await page.goto(example.url);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');

      const outline = await page.evaluate<string>('getComputedStyle(document.activeElement).outlineStyle');
      expect(outline).toBe('solid');
      await page.keyboard.press('Enter');

      await expectHeading(page, 'Log in');
    });
  });
});

/** The users the example prints, as a person reads them. */
function printedUser(example: RunningExample, index: number): Person {
  const users = [...example.output().matchAll(/^ {2}(\S+) +with password +(\S+)$/gm)];
  const [, username = '', password = ''] = users[index] ?? [];
  return { username, password };
}

async function expectHeading(page: Page, text: string, timeout = 15_000): Promise<void> {
  await page.getByRole('heading', { level: 1, name: text, exact: true }).waitFor({ timeout });
}

function accountsOn(page: Page): Promise<string[]> {
  return page.locator('main li strong').allInnerTexts();
}

function refreshRequests({ requests }: Emulator): number {
  return requests.filter(({ body }) => body?.['grant_type'] === 'refresh_token').length;
}

function accessTokens({ requests }: Emulator): string[] {
  const headers = requests.map((request) => request.headers['authorization'] ?? '');
  return headers.filter((header) => header.startsWith('Bearer ')).map((header) => header.slice('Bearer '.length));
}

/** Tries until it no longer throws. */
async function eventually(check: () => void | Promise<void>, withinMs = 20_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** What can be said of a page without judging it: language, title, one main heading, names, width, contrast. */
async function expectSoundPage(page: Page): Promise<void> {
  // As text, for it runs in the page, whose types are not those of Node.
  const faults = await page.evaluate<string[]>(`(() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const name = (element) => (element.textContent || element.getAttribute('aria-label') || '').trim();
    const faults = [];
    const check = (holds, fault) => holds || faults.push(fault);
    check(document.documentElement.lang, 'no language');
    check(document.title.trim(), 'no title');
    check(all('h1').length === 1, all('h1').length + ' main headings');
    check(all('main').length === 1, 'no main part');
    for (const field of all('input:not([type=hidden]), select, textarea')) {
      check(field.labels.length > 0 && name(field.labels[0]), 'no label: ' + field.name);
    }
    for (const element of all('a, button')) check(name(element), 'no name: ' + element.outerHTML);
    const ids = all('[id]').map(({ id }) => id);
    check(new Set(ids).size === ids.length, 'an id twice: ' + ids);
    const { scrollWidth, clientWidth } = document.documentElement;
    check(scrollWidth <= clientWidth, 'scrolls sideways: ' + scrollWidth + ' > ' + clientWidth);

    const rgb = (color) => color.match(/[\\d.]+/g).map(Number);
    const background = (element) => {
      const color = rgb(getComputedStyle(element).backgroundColor);
      return color[3] === 0 ? (element.parentElement ? background(element.parentElement) : [255, 255, 255]) : color;
    };
    const luminance = (color) => {
      const [r, g, b] = color.map((value) => value / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    for (const element of all('body *')) {
      const text = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
      if (!text || element.tagName === 'STYLE') continue;
      const [dark, light] = [luminance(rgb(getComputedStyle(element).color)), luminance(background(element))].sort((a, b) => a - b);
      const contrast = (light + 0.05) / (dark + 0.05);
      check(contrast >= 4.5, 'contrast ' + contrast.toFixed(2) + ': ' + name(element));
    }
    return faults;
  })()`);

  expect({ page: page.url(), faults }).toEqual({ page: page.url(), faults: [] });
}
