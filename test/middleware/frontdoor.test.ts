import { eventNames } from '../../lib/coordinator/events';
import type { ClientPolicy, Emulator } from '../../lib/emulator';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

/** A user who is logged in, and a route that opens Salesforce for this user. */
async function start(policy: Partial<ClientPolicy> = {}, scope = 'openid id api web refresh_token') {
  const emulator = await startTestEmulator({ instance: 'my-domain' });
  const { browser, errors, salesforce } = await startApp({
    emulator,
    policy,
    options: { scope },
    routes: (app) =>
      app.get('/open', (req, res, next) => {
        // In the body and not by a redirect, since the search for secrets looks at headers of requests.
        req.salesforce.frontdoorUrl(req.query['path'] as string | undefined).then((url) => res.json({ url }), next);
      }),
  });
  const tab = browser();
  await logIn(tab, emulator);
  const open = (path?: string) => tab.get('/open').query(path === undefined ? {} : { path });
  return { emulator, tab, open, errors, salesforce };
}

/** Opens a URL as a browser does, up to the page it ends at. */
async function visit(url: string): Promise<{ status: number; text: string; path: string }> {
  let next = url;
  let cookie = '';
  for (let step = 0; step < 5; step++) {
    const reply = await fetch(next, { redirect: 'manual', headers: { cookie } });
    cookie = reply.headers.getSetCookie()[0]?.split(';')[0] ?? cookie;
    const location = reply.headers.get('location');
    if (location === null) return { status: reply.status, text: await reply.text(), path: new URL(next).pathname };
    next = new URL(location, next).href;
  }
  throw new Error('It goes in circles.');
}

const bridges = ({ requests }: Emulator): number =>
  requests.filter(({ path }) => path.endsWith('/singleaccess')).length;

describe('frontdoorUrl()', () => {
  it('opens a page of Salesforce as the user, once', async () => {
    const { open, emulator } = await start();

    const { url } = (await open('/lightning/r/Account/001000000000001/view?filter=All')).body as { url: string };

    expect(new URL(url).origin).toBe(emulator.myDomainUrl);
    expect(await visit(url)).toMatchObject({
      status: 200,
      path: '/lightning/r/Account/001000000000001/view',
      text: expect.stringContaining('Ada Fake is logged in'),
    });
    expect((await visit(url)).text).not.toContain('is logged in, at');
  });

  it('asks for a new one each time, and opens the start page if none is named', async () => {
    const { open, emulator } = await start();

    const urls = [(await open()).body.url, (await open()).body.url] as string[];

    expect(new Set(urls).size).toBe(2);
    expect(bridges(emulator)).toBe(2);
    expect(new URL(urls[0]!).searchParams.get('startURL')).toBe('/');
  });

  it('refreshes a token that has ended, once', async () => {
    const { open, emulator } = await start();
    emulator.expireAccessTokens();

    expect((await open('/lightning/page/home')).status).toBe(200);
    expect([...emulator.presentations.values()]).toEqual([1]);
  });

  it.each([
    'https://evil.example/',
    '//evil.example/',
    '/\\evil.example/',
    '\\/evil.example',
    '/\t/evil.example/',
    '/\n\\evil.example/',
    '/.//evil.example/',
    '/x/..//evil.example/',
    'javascript:alert(1)',
    'lightning/page/home',
    '@evil.example/',
    '',
  ])('leads to no other host: %j', async (path) => {
    const { open, emulator, errors } = await start();

    expect((await open(path)).status).toBe(500);
    expect(errors.pop()).toMatchObject({ code: 'ERR_SALESFORCE_FOREIGN_ORIGIN' });
    expect(bridges(emulator)).toBe(0);
  });

  it.each<[what: string, policy: Partial<ClientPolicy>, scope: string, code: string, advice: string]>([
    ['the scope web is missing', {}, 'openid id api refresh_token', 'ERR_SALESFORCE_INSUFFICIENT_SCOPE', "'web'"],
    [
      'the token is JWT-based',
      { accessTokenFormat: 'jwt' },
      'openid id api web refresh_token',
      'ERR_SALESFORCE_OPAQUE_TOKEN_NEEDED',
      'JWT',
    ],
  ])('names what is wrong if %s', async (_, policy, scope, code, advice) => {
    const { open, tab, errors, emulator } = await start(policy, scope);

    expect((await open('/lightning/page/home')).status).toBe(403);
    expect(errors.pop()).toMatchObject({ code, message: expect.stringContaining(advice) });
    expect((await tab.get('/accounts')).status).toBe(200);
    expect(emulator.presentations.size).toBe(0);
  });

  it('names what is wrong for a user of the API alone, who stays logged in', async () => {
    const { open, tab, errors, emulator } = await start();
    emulator.users[0]!.apiOnly = true;

    expect((await open('/lightning/page/home')).status).toBe(403);
    expect(errors.pop()).toMatchObject({ code: 'ERR_SALESFORCE_USER_INTERFACE_DENIED' });
    expect((await open('/lightning/page/home')).status).toBe(403);
    expect([...emulator.presentations.values()]).toEqual([1]);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it.each([
    ['no URL', '{}'],
    ['no JSON', '<html>'],
    ['another host', '{"frontdoor_uri":"https://evil.example/secur/frontdoor.jsp?otp=x"}'],
    ['a host that looks like one', '{"frontdoor_uri":"https://evil-salesforce.com/x"}'],
    ['plain http', '{"frontdoor_uri":"http://acme.my.salesforce.com/x"}'],
    ['a user name', '{"frontdoor_uri":"https://acme.my.salesforce.com@evil.example/x"}'],
    ['a script', '{"frontdoor_uri":"javascript:alert(1)"}'],
  ])('does not redirect to an answer with %s', async (_, body) => {
    const emulator = await startTestEmulator();
    const { browser, errors } = await startApp({
      emulator,
      options: {
        fetch: async (url: string, init: RequestInit) =>
          url.endsWith('/singleaccess') ? new Response(body, { status: 200 }) : fetch(url, init),
      },
      routes: (app) =>
        app.get('/open', (req, res, next) => {
          req.salesforce.frontdoorUrl('/').then((url) => res.redirect(url), next);
        }),
    });
    const tab = browser();
    await logIn(tab, emulator);

    expect((await tab.get('/open')).status).toBe(502);
    expect(errors.pop()).toMatchObject({ code: 'ERR_SALESFORCE_REPLY_INVALID' });
  });

  it('needs a login', async () => {
    const { emulator } = await start();
    const { browser } = await startApp({
      emulator,
      routes: (app) =>
        app.get('/open', (req, res, next) => {
          req.salesforce.frontdoorUrl('/').then((url) => res.redirect(url), next);
        }),
    });

    expect((await browser().get('/open')).status).toBe(401);
  });

  it('shows the URL in no event', async () => {
    const { open, salesforce } = await start();
    const told: unknown[] = [];
    for (const name of eventNames) salesforce.events.on(name, (event: unknown) => told.push(event));

    const { url } = (await open('/lightning/page/home')).body as { url: string };

    expect(told.length).toBeGreaterThan(0);
    expect(JSON.stringify(told)).not.toContain(new URL(url).searchParams.get('otp')!);
  });
});
