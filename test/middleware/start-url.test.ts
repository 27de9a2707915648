import { startTestEmulator, logInAtEmulator, type CookieJar } from '../helpers/emulator';
import { startApp, type Browser } from '../helpers/app';
import type { Emulator } from '../../lib/emulator';

/** A navigation that the App Launcher of Salesforce begins: another site, and no page of the application before. */
const fromSalesforce = {
  Accept: 'text/html',
  'Sec-Fetch-Site': 'cross-site',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  Referer: 'https://acme.lightning.force.com/',
};

/** Logs the user in at Salesforce, as every user of the App Launcher is, and approves the app. Returns the cookies there. */
async function loggedInAtSalesforce(emulator: Emulator, browser: Browser): Promise<CookieJar> {
  const cookies: CookieJar = new Map();
  const { username, password } = emulator.users[0]!;
  const start = await browser.get('/auth/salesforce');
  await logInAtEmulator({ authorizeUrl: start.headers['location'] as string, username, password, cookies });
  emulator.requests.length = 0;
  return cookies;
}

/** The pages that Salesforce has shown until now, in order: its other answers to a browser are redirects. */
const pagesShown = (emulator: Emulator): string[] =>
  emulator.requests.filter(({ method, status }) => method === 'GET' && status === 200).map(({ path }) => path);

describe('a login that begins in Salesforce', () => {
  it.each([
    ['no prompt', false, []],
    ['the approval page', 'select_account', ['/setup/secur/RemoteAccessAuthorizationPage.apexp']],
    ['the login page', 'login', ['/login']],
  ] as const)('shows %s with prompt %j, and lands on the default page', async (_what, prompt, shown) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { prompt, pages: { home: '/me' } } });
    const cookies = await loggedInAtSalesforce(emulator, browser());
    const tab = browser();

    // The Start URL of the app in Salesforce is the login route.
    const start = await tab.get('/auth/salesforce').set(fromSalesforce);
    const authorizeUrl = start.headers['location'] as string;
    const { username, password } = emulator.users[0]!;
    const callback = new URL(await logInAtEmulator({ authorizeUrl, username, password, cookies }));
    const pages = pagesShown(emulator);
    const end = await tab.get(callback.pathname + callback.search).set(fromSalesforce);

    expect(new URL(authorizeUrl).origin).toBe(emulator.url);
    expect(pages).toEqual(shown);
    expect([end.status, end.headers['location']]).toEqual([302, '/me']);
    expect((await tab.get('/me')).body.user.username).toBe(username);
  });

  it('lands on the page of the Start URL, if that is a guarded page', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { prompt: false } });
    const cookies = await loggedInAtSalesforce(emulator, browser());
    const tab = browser();

    const guarded = await tab.get('/me').set(fromSalesforce);
    const start = await tab.get(guarded.headers['location'] as string).set(fromSalesforce);
    const authorizeUrl = start.headers['location'] as string;
    const callback = new URL(await logInAtEmulator({ authorizeUrl, username: '', password: '', cookies }));
    const pages = pagesShown(emulator);
    const end = await tab.get(callback.pathname + callback.search).set(fromSalesforce);

    expect(pages).toEqual([]);
    expect(end.headers['location']).toBe('/me');
  });

  it('asks the user first, if the browser is logged in here already', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { prompt: false, pages: { home: '/me' } } });
    const tab = browser();
    const cookies = await loggedInAtSalesforce(emulator, browser());
    const start = await tab.get('/auth/salesforce').set(fromSalesforce);
    const authorizeUrl = start.headers['location'] as string;
    const callback = new URL(await logInAtEmulator({ authorizeUrl, username: '', password: '', cookies }));
    await tab.get(callback.pathname + callback.search).set(fromSalesforce);

    const again = await tab.get('/auth/salesforce').set(fromSalesforce);
    const guarded = await tab.get('/me').set(fromSalesforce);

    expect([again.status, again.headers['location']]).toEqual([200, undefined]);
    expect(again.text).toContain('Stay logged in as');
    // A Start URL that is a guarded page is served at once.
    expect(guarded.status).toBe(200);
  });
});
