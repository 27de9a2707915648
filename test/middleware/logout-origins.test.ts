import cookieSession from 'cookie-session';
import expressSession from 'express-session';
import type { Emulator } from '../../lib/emulator';
import { logIn, startApp, type Browser } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/*
 * Who may log a user out: by what browsers send of themselves, and by what the session's cookie says. The cookie is sent in all
 * rows, so the rows of another site are those in which a browser would send it.
 */

const given = { secret: '__test_session_secret__', resave: false, saveUninitialized: false };
type SameSite = 'lax' | 'strict' | 'none' | undefined;

async function start(emulator: Emulator, kind: 'express-session' | 'cookie-session', sameSite: SameSite, options = {}) {
  const of = sameSite === undefined ? {} : { sameSite };
  const app = await startApp({
    emulator,
    sessionMiddleware: (kind === 'express-session'
      ? expressSession({ ...given, cookie: of })
      : cookieSession({ name: 'app', keys: ['__test_cookie_key__'], ...of })) as never,
    options,
  });
  const tab = app.browser();
  await logIn(tab, emulator);
  return { ...app, tab };
}

const noOrigin = { Origin: 'null' };

type Row = [what: string, sameSite: SameSite, headers: Record<string, string>, isLoggedOut: boolean];

const rows: Row[] = [
  ['a form of its own page', undefined, { 'Sec-Fetch-Site': 'same-origin', Origin: 'own' }, true],
  ['a form of its own page with no-referrer', undefined, { 'Sec-Fetch-Site': 'same-origin', ...noOrigin }, true],
  ['a form sent again by a reload', undefined, { 'Sec-Fetch-Site': 'none' }, true],
  ['a page of a sibling domain', undefined, { 'Sec-Fetch-Site': 'same-site', Origin: 'http://red.localhost' }, true],
  ['a form of its own page, in an old Safari', undefined, { Origin: 'own' }, true],
  ['a form of its own page with no-referrer, in an old Safari', 'lax', noOrigin, true],
  ['the same, with a strict cookie', 'strict', noOrigin, true],
  // Such a browser sends the cookie with forms of other sites as well.
  ['the same, with a cookie that says nothing', undefined, noOrigin, false],
  ['the same, with a cookie for frames of other sites', 'none', noOrigin, false],
  ['a form of another site', undefined, { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }, false],
  ['a form of another site, of which the cookie is lax', 'lax', { 'Sec-Fetch-Site': 'cross-site', ...noOrigin }, false],
  ['a form of another site, in an old Safari', 'lax', { Origin: 'https://evil.example' }, false],
  ['the same, with a cookie for frames', 'none', { Origin: 'https://evil.example' }, false],
  ['a sandboxed frame of another site', 'none', { 'Sec-Fetch-Site': 'cross-site', ...noOrigin }, false],
  ['an origin that begins like its own', undefined, { Origin: 'own.evil.example' }, false],
  ['its own host by another scheme', undefined, { Origin: 'https own' }, false],
  ['a program, which is no victim', undefined, {}, true],
];

describe.each(['express-session', 'cookie-session'] as const)('a logout with %s', (kind) => {
  it.each(rows)('by %s (cookie: %s)', async (_what, sameSite, headers, isLoggedOut) => {
    const emulator = await startTestEmulator();
    const { tab, url } = await start(emulator, kind, sameSite);
    const Origin = headers['Origin']?.replace('https own', url.replace('http', 'https')).replace(/^own/, url);

    const answer = await tab
      .post('/auth/salesforce/logout')
      .unset('Sec-Fetch-Site')
      .set({ ...headers, ...(Origin ? { Origin } : {}) });

    expect(answer.status).toBe(isLoggedOut ? 204 : 403);
    expect((await tab.get('/')).body.isAuthenticated).toBe(!isLoggedOut);
  });
});

describe('a logout that is refused', () => {
  it('for want of an origin says what to set', async () => {
    const emulator = await startTestEmulator();
    const { tab, errors } = await start(emulator, 'express-session', undefined);

    await tab.post('/auth/salesforce/logout').unset('Sec-Fetch-Site').set(noOrigin);

    expect(errors).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/sameSite: 'lax'.*same-origin/) }),
    ]);
  });
});

describe('a logout behind a proxy that rewrites Host, with a full callbackURL', () => {
  it.each([
    ['its public origin', 'own', 204],
    ['another', 'https://evil.example', 403],
  ])('takes a form of %s, in an old Safari', async (_what, origin, status) => {
    const emulator = await startTestEmulator();
    const { tab, url } = await start(emulator, 'express-session', undefined);
    void tab.set('Host', '10.0.0.7:3000');

    const answer = await tab
      .post('/auth/salesforce/logout')
      .unset('Sec-Fetch-Site')
      .set('Origin', origin.replace('own', url));

    expect(answer.status).toBe(status);
  });

  it('does not take the origin of the echo endpoint for its own', async () => {
    const emulator = await startTestEmulator();
    const echo = await startApp({
      emulator,
      options: { callbackURL: 'https://login.salesforce.com/services/oauth2/success' },
    });
    const at = async (browser: Browser, origin: string): Promise<number> =>
      (await browser.post('/auth/salesforce/logout').unset('Sec-Fetch-Site').set('Origin', origin)).status;

    expect(await at(echo.browser(), 'https://login.salesforce.com')).toBe(403);
  });
});
