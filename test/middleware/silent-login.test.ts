/** @again legacy-policy */
import expressSession from 'express-session';
import { configurationFromEnv } from '../../lib';
import type { Emulator } from '../../lib/emulator';
import { startApp, type Browser, type ExpressMajor, type TestApp, type TestAppOptions } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { browse, logInAtEmulator, startTestEmulator, type CookieJar } from '../helpers/emulator';

const route = '/silent?returnTo=/shop%3Fpage%3D2';
const returnTo = '/shop?page=2';

interface Started extends TestApp {
  emulator: Emulator;
  clock: ManualClock;
  failed: (string | undefined)[];
}

async function start(given: Partial<TestAppOptions> = {}): Promise<Started> {
  const emulator = await startTestEmulator();
  const clock = new ManualClock();
  const failed: (string | undefined)[] = [];
  const started = await startApp({
    emulator,
    ...given,
    options: { clock, ...given.options },
    routes: (app, salesforce) => {
      given.routes?.(app, salesforce);
      app.get('/silent', salesforce.login({ silent: true }));
      salesforce.events.on('login.failed', ({ code }) => failed.push(code));
    },
  });
  return { ...started, emulator, clock, failed };
}

/** A page for all visitors, which greets those who are logged in at Salesforce. */
function shop(app: TestApp['app']): void {
  app.get('/shop', (req, res) => {
    const { canLogInSilently, user } = req.salesforce;
    if (canLogInSilently) res.redirect(route);
    else res.send(`Hello ${user?.displayName ?? ''}`.trim());
  });
}

/** Logs a browser in at the emulator and approves the application, without a session at the application. */
async function approveElsewhere({ emulator, browser }: Started): Promise<CookieJar> {
  const cookies: CookieJar = new Map();
  const { username, password } = emulator.users[0]!;
  const begun = await browser().get('/auth/salesforce');
  await logInAtEmulator({ authorizeUrl: begun.headers['location'] as string, username, password, cookies });
  return cookies;
}

/** One request at the emulator: the callback it redirects to, or an error if it shows a page. */
async function askOnce(authorizeUrl: string, cookies: CookieJar): Promise<string> {
  const response = await browse({ url: authorizeUrl }, cookies);
  const location = response.headers.get('location');
  if (location === null) throw new Error(`The emulator showed a page with status ${response.status}.`);
  const { pathname, search } = new URL(location);
  return pathname + search;
}

/** Takes a cookie away from a browser, as a browser without storage for it would. */
function forget(tab: Browser, name: string): void {
  const { jar } = tab as unknown as { jar: { setCookie: (line: string, domain: string) => void } };
  jar.setCookie(`${name}=; expires=Thu, 01 Jan 1970 00:00:00 GMT; path=/`, 'localhost');
}

describe.each<ExpressMajor>([4, 5])('a silent login on Express %d', (express) => {
  it('logs a user in without a page who is logged in and has approved the application', async () => {
    const started = await start({ express });
    const cookies = await approveElsewhere(started);
    const tab = started.browser();

    const begun = await tab.get(route);
    const asked = new URL(begun.headers['location'] as string);
    const back = await tab.get(await askOnce(asked.href, cookies));

    expect(asked.searchParams.get('immediate')).toBe('true');
    expect(asked.searchParams.has('prompt')).toBe(false);
    expect(back.headers['location']).toBe(returnTo);
    expect((await tab.get('/')).body.user.username).toBe(started.emulator.users[0]!.username);
  });

  it.each([
    ['is not logged in at Salesforce', () => Promise.resolve<CookieJar>(new Map())],
    [
      'is logged in and has not approved the application',
      async ({ emulator }: Started) => {
        const cookies: CookieJar = new Map();
        const { username, password } = emulator.users[0]!;
        const other = emulator.registerClient({ callbackURLs: ['http://localhost:3999/cb'] });
        const query = new URLSearchParams({
          response_type: 'code',
          client_id: other.clientID,
          redirect_uri: 'http://localhost:3999/cb',
          code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        });
        const authorizeUrl = `${emulator.url}/services/oauth2/authorize?${query.toString()}`;
        await logInAtEmulator({ authorizeUrl, username, password, cookies });
        return cookies;
      },
    ],
  ])('returns a user who %s, and does not ask again for five minutes', async (_who, cookiesOf) => {
    const started = await start({ express });
    const { clock, failed, warnings } = started;
    const cookies = await cookiesOf(started);
    const tab = started.browser();

    const begun = await tab.get(route);
    const back = await tab.get(await askOnce(begun.headers['location'] as string, cookies));
    const again = await tab.get(route);
    clock.advanceMs(5 * 60_000 - 1);
    const soon = await tab.get(route);
    clock.advanceMs(1);
    const later = await tab.get(route);

    expect([back.status, back.headers['location']]).toEqual([302, returnTo]);
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
    expect([again.headers['location'], soon.headers['location']]).toEqual([returnTo, returnTo]);
    expect(later.headers['location']).toContain('immediate=true');
    // It is no failure: Salesforce has answered what it was asked.
    expect([failed, warnings.filter(({ code }) => code.startsWith('ERR_'))]).toEqual([[], []]);
  });

  it.each(['salesforce-silent', 'connect.sid'])('does not ask again without the cookie %s', async (name) => {
    const started = await start({ express });
    const tab = started.browser();
    const begun = await tab.get(route);
    await tab.get(await askOnce(begun.headers['location'] as string, new Map()));

    forget(tab, name);

    expect((await tab.get(route)).headers['location']).toBe(returnTo);
  });

  it('is not asked for by a page that tests canLogInSilently, so that no user goes round', async () => {
    const started = await start({ express, routes: shop });
    const { clock } = started;
    const tab = started.browser();
    const open = async (headers = {}): Promise<string> => {
      const answer = await tab.get(returnTo).set({ Accept: 'text/html', ...headers });
      return answer.headers['location'] ?? answer.text;
    };

    expect(await open({ 'Sec-Fetch-Site': 'cross-site' })).toBe('Hello');
    expect(await open({ 'Sec-Fetch-Dest': 'iframe' })).toBe('Hello');
    expect(await open({ Accept: 'application/json' })).toBe('Hello');
    expect(await open({ 'Sec-Purpose': 'prefetch' })).toBe('Hello');
    expect(await open()).toBe(route);
    const begun = await tab.get(route);
    await tab.get(await askOnce(begun.headers['location'] as string, new Map()));
    expect(await open()).toBe('Hello');
    forget(tab, 'salesforce-silent');
    expect(await open()).toBe('Hello');
    clock.advanceMs(5 * 60_000);
    expect(await open()).toBe(route);
    await tab.get(await askOnce((await tab.get(route)).headers['location'] as string, await approveElsewhere(started)));
    expect(await open()).toBe('Hello Ada Fake');
  });

  it('asks again if the cookie is forged', async () => {
    const started = await start({ express });
    const tab = started.browser();

    const asked = await tab.get(route).set('Cookie', `salesforce-silent=${Date.now()}`);

    expect(asked.headers['location']).toContain('immediate=true');
  });
});

describe('a silent login', () => {
  it.each(['cross-site', 'same-site'])('is never begun by a link with Sec-Fetch-Site: %s', async (site) => {
    const { browser } = await start();

    const answer = await browser().get(route).set('Sec-Fetch-Site', site);

    expect([answer.status, answer.headers['location']]).toEqual([302, returnTo]);
  });

  it('stores no session for visitors who bring none', async () => {
    const store = new expressSession.MemoryStore();
    const sessionMiddleware = expressSession({
      ...{ secret: '__test_session_secret__', resave: false, saveUninitialized: false, store },
    });
    const { browser } = await start({ sessionMiddleware });

    for (let visitors = 0; visitors < 3; visitors++) await browser().get(route).set('Sec-Fetch-Site', 'cross-site');

    expect(await new Promise((resolve) => store.length((_error, length) => resolve(length)))).toBe(0);
  });

  it('shows a user who is logged in already no page, also if the address was typed', async () => {
    const started = await start();
    const cookies = await approveElsewhere(started);
    const tab = started.browser();
    await tab.get(await askOnce((await tab.get(route)).headers['location'] as string, cookies));

    const typed = await tab.get(route).set('Sec-Fetch-Site', 'none');

    expect([typed.status, typed.headers['location']]).toEqual([302, returnTo]);
  });

  it('returns the user if Salesforce refuses the application, and tells the operator', async () => {
    const started = await start();
    const { emulator, browser, failed, warnings } = started;
    const tab = browser();
    const begun = await tab.get(route);
    emulator.faults.inject({ on: 'authorize', kind: 'error', error: 'OAUTH_APP_BLOCKED', errorDescription: 'blocked' });

    const back = await tab.get(await askOnce(begun.headers['location'] as string, new Map()));
    const again = await tab.get(route);

    expect([back.status, back.headers['location']]).toEqual([302, returnTo]);
    expect(again.headers['location']).toBe(returnTo);
    expect(failed).toEqual(['ERR_SALESFORCE_APP_BLOCKED']);
    expect(warnings.map(({ code }) => code)).toContain('ERR_SALESFORCE_APP_BLOCKED');
  });

  it('goes to the page if authorizeUser refuses the user', async () => {
    const started = await start({ options: { authorizeUser: () => false } });
    const cookies = await approveElsewhere(started);
    const tab = started.browser();

    const back = await tab.get(await askOnce((await tab.get(route)).headers['location'] as string, cookies));

    expect([back.status, back.headers['location']]).toEqual([302, returnTo]);
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
    expect((await tab.get(route)).headers['location']).toBe(returnTo);
  });

  it('does not go round if the session does not keep the login', async () => {
    const started = await start();
    const cookies = await approveElsewhere(started);
    const tab = started.browser();
    const locations: (string | undefined)[] = [];

    for (let round = 0; round < 4; round++) {
      const begun = await tab.get(route);
      const location = begun.headers['location'];
      locations.push(location?.startsWith('/') === true ? location : location && new URL(location).pathname);
      if (location?.startsWith('/') === false) await tab.get(await askOnce(location, cookies));
      forget(tab, 'connect.sid');
    }

    expect(locations).toEqual(['/services/oauth2/authorize', returnTo, returnTo, returnTo]);
    expect(started.warnings.map(({ code }) => code)).toContain('ERR_SALESFORCE_LOGIN_LOOP');
  });
});

describe('no prompt', () => {
  it.each([
    ['prompt: false', { prompt: false as const }],
    ['SALESFORCE_PROMPT_TYPE=off', { prompt: configurationFromEnv({ SALESFORCE_PROMPT_TYPE: 'off' }).prompt }],
  ])('is sent with %s, and Salesforce asks for what it needs', async (_how, options) => {
    const started = await start({ options });
    const tab = started.browser();
    const begun = await tab.get('/auth/salesforce');
    const { searchParams } = new URL(begun.headers['location'] as string);

    const page = await browse({ url: begun.headers['location'] as string }, new Map());
    const cookies = await approveElsewhere(started);
    const back = await tab.get(await askOnce(begun.headers['location'] as string, cookies));

    expect([searchParams.has('prompt'), searchParams.has('immediate')]).toEqual([false, false]);
    // A browser that is not logged in at Salesforce sees the login page; one that is logged in sees none.
    expect(page.headers.get('location') ?? (await page.text())).toMatch(/login/i);
    expect(back.status).toBe(302);
    expect((await tab.get('/')).body.isAuthenticated).toBe(true);
  });
});
