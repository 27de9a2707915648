import { salesforceAuth } from '../../lib';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/* Requests and settings as browsers, link checkers and people in a hurry make them. */

const page = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' };

describe.each([4, 5] as const)('on Express %d', (express) => {
  it.each(['/sso/callback/', '/auth/salesforce/callback/'])(
    'a callback URL that ends in %s ends the login',
    async (path) => {
      const emulator = await startTestEmulator();
      const { browser, client, url } = await startApp({ emulator, express, options: { callbackURL: path } });
      client.callbackURLs.push(url + path);
      const tab = browser();

      const answer = await logIn(tab, emulator);

      expect([answer.status, answer.headers['location']]).toEqual([302, '/']);
      expect((await tab.get('/')).body.isAuthenticated).toBe(true);
    },
  );

  it.each([
    ['off', false],
    ['another one', (text: string) => new URLSearchParams(text)],
  ])('a query parser that is %s is no hindrance', async (_which, parser) => {
    const emulator = await startTestEmulator();
    const { app, browser } = await startApp({ emulator, express });
    app.set('query parser', parser);
    const tab = browser();

    const answer = await logIn(tab, emulator, { loginPath: '/auth/salesforce?returnTo=%2Fme' });

    expect([answer.status, answer.headers['location']]).toEqual([302, '/me']);
    expect((await tab.get('/me')).status).toBe(200);
    await tab.post(`/auth/salesforce/logout?organization=${emulator.users[0]!.organizationId}`);
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
  });

  it.each(['/', '/home'])('the callback URL %s can be a page of the application too', async (path) => {
    const emulator = await startTestEmulator();
    const { browser, client, url } = await startApp({
      ...{ emulator, express, options: { callbackURL: path } },
      routes: (app) => app.get('/home', (_req, res) => void res.send('home')),
    });
    client.callbackURLs.push(url + path);
    const tab = browser();

    const before = await tab.get(path);
    const answer = await logIn(tab, emulator);

    expect([before.status, answer.status, answer.headers['location']]).toEqual([200, 302, '/']);
    expect((await tab.get('/')).body.isAuthenticated).toBe(true);
    expect((await tab.get(path)).status).toBe(200);
    expect((await tab.get(`${path}?state=forged&code=forged`)).status).toBe(403);
  });

  it('a HEAD of a guarded page is sent to the login as its GET is, and begins none', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, express });

    const answer = await browser().head('/me').set(page);

    expect([answer.status, answer.headers['location']]).toEqual([302, '/auth/salesforce?returnTo=%2Fme']);
    const login = await browser().head('/auth/salesforce').set(page);
    expect(login.headers['set-cookie']).toBeUndefined();
    expect(login.status).toBe(404);
  });

  it('a login that Salesforce sends back to the login route leaves no tokens behind, and the error names the setting', async () => {
    const emulator = await startTestEmulator();
    const path = '/sso/callback';
    const options = { callbackURL: path, routes: { login: path } };
    const { browser, client, url } = await startApp({ emulator, express, options });
    client.callbackURLs.push(url + path);
    const tab = browser();

    const callback = await logIn(tab, emulator, { loginPath: path });

    expect([callback.status, callback.body.code]).toEqual([400, 'ERR_SALESFORCE_REDIRECT_URI_MISMATCH']);
    expect(callback.body.message).toContain('Register the URL of the callback route');
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
  });

  it('a POST to the login route begins no login', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, express });

    const answer = await browser().post('/auth/salesforce').set(page);

    expect([answer.status, answer.headers['set-cookie']]).toEqual([404, undefined]);
  });

  it.each([
    ['very long', `/${'a'.repeat(100_000 / 10)}`],
    ['with a line break', '/me%0d%0aSet-Cookie:%20a=b'],
    ['with a raw line break', '/me\r\nSet-Cookie: a=b'],
    ['to another host', '/%09/evil.example'],
    ['as a list', ['/me', '//evil.example']],
  ])('a returnTo %s sets no header and leads nowhere else', async (_what, returnTo) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, express });
    const tab = browser();
    const query = new URLSearchParams([returnTo].flat().map((text): [string, string] => ['returnTo', text]));

    const answer = await logIn(tab, emulator, { loginPath: `/auth/salesforce?${query.toString()}` });

    const location = answer.headers['location'] as string;
    expect(new URL(location, 'http://here.test').origin).toBe('http://here.test');
    expect(location).not.toMatch(/[\r\n]/);
    expect(JSON.stringify(answer.headers['set-cookie'])).not.toMatch(/"a=b/);
    expect((await tab.get('/')).body.isAuthenticated).toBe(true);
  });

  it.each([
    ['LOCALHOST:3000', 'http://localhost:3000'],
    ['[::1]:3000', 'http://[::1]:3000'],
    ['App.Example.com', 'http://app.example.com'],
  ])('the host %s has the callback %s', async (host, origin) => {
    const emulator = await startTestEmulator();
    const { browser, client } = await startApp({ emulator, express, options: { callbackURL: undefined } });
    client.callbackURLs.push(`${origin}/auth/salesforce/callback`);

    const { headers } = await browser().get('/auth/salesforce').set('Host', host);

    const { searchParams } = new URL(headers['location'] as string);
    expect(searchParams.get('redirect_uri')).toBe(`${origin}/auth/salesforce/callback`);
  });
});

describe('a publicUrl with a typing error', () => {
  it.each([
    'htps://app.example.com',
    'https//app.example.com',
    'app.example.com',
    'https://https://app.example.com',
    'https://app.example.com//crm',
    'https://app.example.com/crm?x=1',
    '',
  ])('is refused: %s', (publicUrl) => {
    expect(() => salesforceAuth({ clientID: '__test_client_id__', publicUrl, report: false })).toThrow(
      /^publicUrl must be/,
    );
  });
});
