import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

/** Chromium, and what its pages say. */
export interface TestBrowser {
  /** Opens a browser of its own: other cookies than the others'. */
  newPage: (options?: BrowserContextOptions) => Promise<Page>;
  /** Opens another tab of a page's browser. */
  newTab: (page: Page) => Promise<Page>;
  /** What pages complained about: exceptions, and console messages that are warnings or errors. */
  complaints: string[];
}

/** The switch for the cache of whole pages, which people have: the Back button shows a page as it was. */
export const backForwardCache = 'enable-features=BackForwardCache';

let browser: Browser | undefined;

/**
 * Starts Chromium for the tests of a file. Contexts are closed after each test.
 *
 * @param further switches beside those that keep it quiet, without the dashes
 */
export function useBrowser(...further: string[]): TestBrowser {
  const complaints: string[] = [];
  const watch = (page: Page): Page => {
    page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(`${page.url()}: ${message.text()}`);
    });
    page.setDefaultTimeout(15_000);
    return page;
  };
  beforeAll(async () => {
    // QUIC, updates and sync would reach out to the network; root has no sandbox.
    const switches = ['no-sandbox', 'headless', 'disable-gpu', 'disable-quic', 'no-first-run'].concat(
      'disable-background-networking',
      'disable-component-update',
      'disable-sync',
      ...further,
    );
    browser = await chromium.launch({
      executablePath: process.env['CHROMIUM_PATH']!,
      args: switches.map((name) => `--${name}`),
      // Playwright's goBack() does not see a page that comes out of it.
      ...(further.includes(backForwardCache) ? { ignoreDefaultArgs: ['--disable-back-forward-cache'] } : {}),
    });
  });
  beforeEach(() => {
    complaints.length = 0;
  });
  afterEach(async () => {
    for (const context of browser?.contexts() ?? []) await context.close();
  });
  afterAll(() => browser?.close());
  return {
    complaints,
    newPage: async (options) => watch(await (await browser!.newContext(options)).newPage()),
    newTab: async (page) => watch(await page.context().newPage()),
  };
}

/** A user as an emulator prints and shows it. */
export interface Person {
  username: string;
  password: string;
}

/** Types in name and password on Salesforce's page. */
export async function enterPassword(page: Page, { username, password }: Person): Promise<void> {
  await page.getByLabel('Username').fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log In' }).click();
}

export async function expectHeading(page: Page, text: string, timeout = 15_000): Promise<void> {
  await page.getByRole('heading', { level: 1, name: text, exact: true }).waitFor({ timeout });
}
