import type { Page } from 'playwright-core';
import { enterPassword, expectHeading, useBrowser, type Person, type TestBrowser } from '../helpers/chromium';

/** Chromium, for which each name below `.test` is this machine, and our own certificates are good. */
export function useBrowserOfTest(...further: string[]): TestBrowser {
  return useBrowser(
    'host-resolver-rules=MAP *.test 127.0.0.1',
    'ignore-certificate-errors',
    // Chromium would try https first.
    'disable-features=HttpsUpgrades,HttpsFirstBalancedModeAutoEnable',
    ...further,
  );
}

/** Logs in on Salesforce's pages up to a page of the application, and allows access if Salesforce asks. */
export async function logInAtSalesforce(page: Page, person: Person, heading: string): Promise<void> {
  await enterPassword(page, person);
  const allow = page.getByRole('button', { name: 'Allow' });
  await allow.or(page.getByRole('heading', { level: 1, name: heading, exact: true })).waitFor();
  if (await allow.isVisible()) await allow.click();
  await expectHeading(page, heading);
}

/** Goes back as the Back button does. Playwright's own function misses a page that comes out of the browser's cache. */
export async function goBack(page: Page): Promise<void> {
  // Not at once: the page that is left could take the answer of this call with it.
  await page.evaluate('void setTimeout(() => history.back())');
}

/** Notes the callbacks that a page opens. */
export function callbacksOf(page: Page): string[] {
  const callbacks: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (request.isNavigationRequest() && pathname.endsWith('/callback')) callbacks.push(request.url());
  });
  return callbacks;
}

export async function expectText(page: Page, text: string): Promise<void> {
  await page.getByText(text, { exact: true }).waitFor();
}

/**
 * Walks through all of a login: to a guarded page, the callback once more, back and forward, and out by a form.
 *
 * @param root address of the application's root, as browsers see it
 * @returns the callback URL
 */
export async function walk(page: Page, root: string, person: Person): Promise<string> {
  const callbacks = callbacksOf(page);
  const guarded = `${root}/guarded?a=1`;
  await page.goto(guarded);
  await logInAtSalesforce(page, person, 'Guarded');
  expect(page.url()).toBe(guarded);
  const callback = callbacks[0]!;

  await page.goto(callback);
  await expectHeading(page, 'Guarded');
  expect(page.url()).toBe(guarded);

  await page.goBack();
  await page.goForward();
  await expectHeading(page, 'Guarded');
  await expectText(page, `Logged in as ${person.username}`);

  await page.getByRole('button', { name: 'Log out' }).click();
  await expectHeading(page, 'Home');
  expect(page.url()).toBe(`${root}/`);
  await expectText(page, 'Not logged in');
  await page.goto(guarded);
  await page.getByLabel('Username').waitFor();
  return callback;
}
