/** @again legacy-policy */
import type { Emulator } from '../../lib/emulator';
import { browse, defaultCallbackURL, startTestEmulator, type CookieJar } from '../helpers/emulator';
import { authorize, authorizeUrl, exchangeCode, get, logIn, pkce } from './support';

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startTestEmulator();
});

const setPolicy = (changes: Parameters<Emulator['setPolicy']>[1]): void => {
  emulator.setPolicy(emulator.clients[0]!.clientID, changes);
};

/** What the first reply to an authorization request redirects to. */
async function firstRedirect(params: Record<string, string | undefined>): Promise<URL> {
  const response = await get(authorizeUrl(emulator, { params }));
  expect(response.status).toBe(302);
  return new URL(response.headers.get('location')!, emulator.url);
}

describe('GET /services/oauth2/authorize', () => {
  it('sends a code in Salesforce’s form, with the state', async () => {
    const callback = await authorize(emulator);

    expect(callback.get('code')).toMatch(/^aPrx.{80}==$/);
    expect(callback.get('state')).toBe('the state');
  });

  it('percent-encodes the two equals signs of a code', async () => {
    const cookies: CookieJar = new Map();
    await authorize(emulator, { cookies });

    const again = await browse({ url: authorizeUrl(emulator) }, cookies);

    expect(again.headers.get('location')).toMatch(/code=aPrx\w+%3D%3D&state=the\+state$/);
  });

  it('shows the callback URL that was sent and those that are registered', async () => {
    emulator.clients[0]!.callbackURLs.push('https://app.example/callback');
    const sent = 'http://localhost:3000/<script>';

    const { text } = await get(authorizeUrl(emulator, { params: { redirect_uri: sent } }));

    expect(text).toContain('<code>http://localhost:3000/&#60;script&#62;</code>');
    expect(text).toContain(`<code>${defaultCallbackURL}</code>`);
    expect(text).toContain('<code>https://app.example/callback</code>');
  });

  it.each([
    [
      'an unknown client',
      { client_id: 'nobody' },
      'error=invalid_client_id&error_description=client%20identifier%20invalid',
    ],
    [
      'a callback URL that is not registered',
      { redirect_uri: `${defaultCallbackURL}/` },
      'error=redirect_uri_mismatch&error_description=redirect_uri%20must%20match%20configuration',
    ],
  ])('shows %s on a page and redirects nowhere', async (_, params, text) => {
    const response = await get(authorizeUrl(emulator, { params }));

    expect(response.status).toBe(400);
    expect(response.headers.get('location')).toBeNull();
    expect(response.text.replaceAll('&#38;', '&')).toContain(text);
  });

  it.each([
    ['another response type', { response_type: 'token' }, 'unsupported_response_type', 'response type not supported'],
    [
      'a scope the app does not have',
      { scope: 'openid pardot_api' },
      'invalid_scope',
      'the requested scope is not allowed',
    ],
    ['an unknown prompt', { prompt: 'none' }, 'invalid_request', 'invalid prompt'],
    ['an unknown display', { display: 'wap' }, 'invalid_request', 'invalid display'],
    [
      'the plain challenge method',
      { code_challenge: pkce.challenge, code_challenge_method: 'plain' },
      'invalid_request',
      'code challenge method not supported',
    ],
    [
      'a browser without a login, with immediate',
      { immediate: 'true' },
      'immediate_unsuccessful',
      'immediate unsuccessful',
    ],
  ])('sends %s back to the app as an error', async (_, params, error, description) => {
    const url = await firstRedirect(params);

    expect(url.origin + url.pathname).toBe(defaultCallbackURL);
    expect(Object.fromEntries(url.searchParams)).toEqual({ error, error_description: description, state: 'the state' });
  });

  it('asks for a code challenge if the app requires one', async () => {
    setPolicy({ requirePkce: true });

    const url = await firstRedirect({ code_challenge: undefined });

    expect(url.search).toBe('?error=invalid_request&error_description=missing+required+code+challenge&state=the+state');
  });

  it('returns no state if the request had none', async () => {
    const url = new URL(authorizeUrl(emulator, { params: { prompt: 'none' } }));
    url.searchParams.delete('state');

    const response = await get(url.href);

    expect(new URL(response.headers.get('location')!).searchParams.has('state')).toBe(false);
  });

  it('tells the app that the user denied access', async () => {
    const callback = await authorize(emulator, { decision: 'deny' });

    expect(Object.fromEntries(callback)).toEqual({
      error: 'access_denied',
      error_description: 'end-user denied authorization',
      state: 'the state',
    });
  });

  it('redirects by script if the option says so', async () => {
    emulator = await startTestEmulator({ redirectWith: 'javascript' });

    const response = await get(authorizeUrl(emulator));

    expect(response.status).toBe(200);
    expect(response.text).toContain('window.location.replace("/login?source=');
    expect((await authorize(emulator)).get('code')).toMatch(/^aPrx/);
  });

  it('accepts a brand at the end of its path', async () => {
    const url = new URL(authorizeUrl(emulator));

    const response = await get(`${url.origin}${url.pathname}/acme${url.search}`);

    expect(response.headers.get('location')).toMatch(/^\/login/);
  });

  it('refuses POST', async () => {
    const response = await get(authorizeUrl(emulator), undefined, { method: 'POST' });

    expect(response.headers.get('location')).toContain('error=invalid_request&error_description=must+use+HTTP+GET');
  });
});

describe('prompt', () => {
  let cookies: CookieJar;
  const step = async (params: Record<string, string>): Promise<string> => {
    const response = await browse({ url: authorizeUrl(emulator, { params }) }, cookies);
    return new URL(response.headers.get('location')!, emulator.url).pathname;
  };
  beforeEach(async () => {
    cookies = new Map();
    await authorize(emulator, { cookies });
  });

  it.each([
    ['nothing', {}, '/auth/salesforce/callback'],
    ['immediate', { immediate: 'true' }, '/auth/salesforce/callback'],
    ['login', { prompt: 'login' }, '/login'],
    ['consent', { prompt: 'consent' }, '/setup/secur/RemoteAccessAuthorizationPage.apexp'],
    ['login consent', { prompt: 'login consent' }, '/login'],
    ['select_account', { prompt: 'select_account' }, '/setup/secur/RemoteAccessAuthorizationPage.apexp'],
  ])('sends a browser that is logged in and has approved to the next step, with %s', async (_, params, path) => {
    expect(await step(params)).toBe(path);
  });

  it('asks for both with "login consent"', async () => {
    const before = emulator.requests.length;

    await authorize(emulator, { cookies, params: { prompt: 'login consent' } });

    const posts = emulator.requests.slice(before).filter(({ method }) => method === 'POST');
    expect(posts.map(({ path }) => path)).toEqual(['/login', '/setup/secur/RemoteAccessAuthorizationPage.apexp']);
  });

  it('offers the remembered accounts of the browser', async () => {
    await authorize(emulator, { cookies, user: emulator.users[1]!, params: { prompt: 'login' } });

    expect(await step({ prompt: 'select_account' })).toBe('/secur/chooser');
    const callback = await authorize(emulator, {
      cookies,
      user: emulator.users[0]!,
      params: { prompt: 'select_account' },
    });
    const tokens = await exchangeCode(emulator, callback.get('code')!);
    expect(tokens.json.id).toContain(emulator.users[0]!.userId);
  });

  it('forgets the approval when the last refresh token is revoked', async () => {
    await logIn(emulator, { cookies });
    emulator.revokeRefreshTokens();

    expect(await step({})).toBe('/setup/secur/RemoteAccessAuthorizationPage.apexp');
  });

  it('asks for the login again after a logout', async () => {
    await browse({ url: `${emulator.url}/secur/logout.jsp` }, cookies);

    expect(await step({})).toBe('/login');
  });
});

describe('the pages', () => {
  async function openLogin(
    params: Record<string, string> = {},
  ): Promise<{ html: string; url: string; cookies: CookieJar }> {
    const cookies: CookieJar = new Map();
    const first = await browse({ url: authorizeUrl(emulator, { params }) }, cookies);
    const url = new URL(first.headers.get('location')!, emulator.url).href;
    return { html: await (await browse({ url }, cookies)).text(), url, cookies };
  }

  it('fill in the login hint and name the users', async () => {
    const { html } = await openLogin({ login_hint: '"grace"@acme.example' });

    expect(html).toContain('value="&#34;grace&#34;@acme.example"');
    expect(
      emulator.users.filter(({ username, password }) => html.includes(username) && html.includes(password)),
    ).toHaveLength(3);
  });

  it('refuse a form without the token of this browser', async () => {
    const { url, cookies } = await openLogin();
    const { username, password } = emulator.users[0]!;
    const source = new URL(url).searchParams.get('source')!;

    const response = await browse(
      { url: `${emulator.url}/login`, body: new URLSearchParams({ source, username, pw: password, csrf: 'guess' }) },
      cookies,
    );

    expect(response.status).toBe(403);
  });

  it('refuse a wrong password and users who are not active', async () => {
    await expect(authorize(emulator, { user: { ...emulator.users[0]!, password: 'wrong' } })).rejects.toThrow(
      /check your username and password/,
    );
    emulator.users[0]!.active = false;
    await expect(authorize(emulator)).rejects.toThrow(/check your username and password/);
  });

  it('log a user in with one click', async () => {
    const { html, url, cookies } = await openLogin();
    const hidden = (name: string): string => new RegExp(`name="${name}" value="(.*?)"`).exec(html)![1]!;
    const { userId, username } = emulator.users[1]!;
    const click = (user: string): Promise<Response> =>
      browse(
        {
          url: new URL('/login', url).href,
          body: new URLSearchParams({ source: hidden('source'), csrf: hidden('csrf'), username: '', pw: '', user }),
        },
        cookies,
      );

    const refused = await click('005nobody');
    const accepted = await click(userId);

    expect(html).toContain(`value="${userId}"`);
    expect(html).toContain(`Continue as Grace Fake (${username})`);
    expect(await refused.text()).toContain('role="alert"');
    expect(accepted.headers.get('location')).toContain('RemoteAccessAuthorizationPage');
  });

  it('offer only users who can log in at the site', async () => {
    emulator.users[1]!.active = false;
    const cookies: CookieJar = new Map();
    const first = await browse({ url: authorizeUrl(emulator, { base: emulator.siteUrl }) }, cookies);
    const page = await browse({ url: new URL(first.headers.get('location')!, emulator.url).href }, cookies);

    const html = await page.text();

    expect(html.match(/Continue as [^<]*/g)).toEqual(['Continue as Ada Fake (ada@acme.example)']);
    expect(html).not.toContain('linus@globex.example');
  });

  it('give the browser a new session at login', async () => {
    const { cookies } = await openLogin();
    const before = [...cookies.values()];

    await authorize(emulator, { cookies });

    expect([...cookies.values()]).not.toEqual(before);
  });
});

describe('the app’s state in the organization', () => {
  it.each([
    ['blocked', { blocked: true }, 'OAUTH_APP_BLOCKED'],
    ['an external client app not installed', { appInstalled: false }, 'OAUTH_EC_APP_NOT_FOUND'],
    ['a connected app not installed', { appInstalled: false, appKind: 'connected-app' as const }, 'invalid_client'],
    ['not approved for the user', { adminApprovedUsers: ['grace@acme.example'] }, 'OAUTH_APP_ACCESS_DENIED'],
  ])('is reported to the app: %s', async (_, policy, error) => {
    setPolicy(policy);

    expect((await authorize(emulator)).get('error')).toBe(error);
  });

  it('logs in admin-approved users without an approval page', async () => {
    setPolicy({ adminApprovedUsers: ['grace@acme.example'] });

    await authorize(emulator, { user: emulator.users[1]! });

    expect(emulator.requests.some(({ path }) => path.includes('RemoteAccessAuthorizationPage'))).toBe(false);
  });

  it('keeps a connected app working after it is uninstalled, for users who approved it earlier', async () => {
    await authorize(emulator);
    setPolicy({ appInstalled: false, appKind: 'connected-app' });

    expect((await authorize(emulator)).get('code')).toMatch(/^aPrx/);
  });
});

describe('a site', () => {
  it('logs in users of its organization under its own path', async () => {
    const callback = await authorize(emulator, { base: emulator.siteUrl });
    const tokens = await exchangeCode(emulator, callback.get('code')!);

    expect(tokens.json['sfdc_community_url']).toBe(emulator.siteUrl);
    expect(emulator.requests.filter(({ method }) => method === 'POST').map(({ path }) => path)).toContain(
      '/portal/login',
    );
  });

  it('does not log in other users', async () => {
    await expect(authorize(emulator, { base: emulator.siteUrl, user: emulator.users[2]! })).rejects.toThrow(
      /check your/,
    );
  });
});
