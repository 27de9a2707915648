import express5 from 'express';
import express4 from 'express4';
import expressSession from 'express-session';
import request from 'supertest';
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
    for (const query of ['', '?state=CA', '?code=1', '?error=none'])
      expect((await tab.get(path + query)).status).toBe(200);
    expect((await tab.get(`${path}?state=forged&code=forged`)).status).toBe(403);
  });

  it('a HEAD of a guarded page is sent to the login as its GET is, and begins none', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, express });

    const answer = await browser().head('/me').set(page);

    expect([answer.status, answer.headers['location']]).toEqual([302, '/auth/salesforce?returnTo=%2Fme']);
    const login = await browser().head('/auth/salesforce').set(page);
    expect(login.headers['set-cookie']).toBeUndefined();
    expect(login.status).toBe(200);
    expect((await browser().head('/auth/salesforce/callback?state=forged&error=x').set(page)).status).toBe(200);
    expect((await browser().head('/auth/salesforce/logout').set(page)).status).toBe(404);
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

  it('a path that begins with two slashes is no other host, in pages, answers and redirects', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      ...{ emulator, express, options: { organizations: { acme: emulator.url } } },
      routes: (app, salesforce) => app.use(salesforce.login()),
    });
    const tab = browser();
    const ask = (headers: Record<string, string>) => tab.get('//evil.example/x?org=acme').set(headers);

    const asked = await ask({ ...page, 'Sec-Fetch-Site': 'cross-site' });
    const framed = await ask({ ...page, 'Sec-Fetch-Dest': 'iframe' });
    const script = await ask({ 'Sec-Fetch-Mode': 'cors' });

    expect([asked.status, framed.status, script.status]).toEqual([200, 401, 401]);
    for (const { text } of [asked, framed, script]) {
      expect(text).toContain('/evil.example/x');
      expect(text).not.toContain('"//evil.example');
    }
  });

  it('a mount path that the request decides is no other host', async () => {
    const emulator = await startTestEmulator();
    const { clientID, clientSecret } = emulator.clients[0]!;
    const app = express === 5 ? express5() : express4();
    const mountPath = express === 5 ? '/*tenant/app' : '*/app';
    const salesforce = salesforceAuth({
      clientID,
      clientSecret,
      baseUrl: emulator.url,
      encryptionKeys: false,
      report: false,
    });
    app.use(expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }));
    app.use(mountPath, salesforce, salesforce.require());

    const answer = await request(app).get('//evil.example/app/me').set(page);

    expect([answer.status, answer.headers['location']]).toEqual([
      302,
      '/evil.example/app/auth/salesforce?returnTo=%2Fevil.example%2Fapp%2Fme',
    ]);
    await salesforce.close();
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
