import { requireSalesforce, type LoginOptions } from '../../lib';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, walkToCallback, type Browser, type TestAppOptions } from '../helpers/app';

const page = { Accept: 'text/html' };
const crossSite = {
  ...page,
  'Sec-Fetch-Site': 'cross-site',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
};

/** Opens a link of another site. */
const follow = (browser: Browser, path: string, headers: Record<string, string> = crossSite) =>
  browser.get(path).set(headers);

function linkTo(html: string, label: RegExp): string {
  const links = [...html.matchAll(/<a href="([^"]+)">([^<]+)<\/a>/g)];
  const href = links.find(([, , text = '']) => label.test(text))?.[1];
  if (href === undefined) throw new Error(`There is no link ${String(label)} in ${html}`);
  return href.replaceAll('&#38;', '&');
}

describe('a login that another site begins', () => {
  it('is the plain one, for the App Launcher and the Start URL', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();

    const start = await follow(tab, '/auth/salesforce');

    expect(start.status).toBe(302);
    expect(new URL(start.headers['location'] as string).origin).toBe(emulator.url);
  });

  it.each([
    ['an organization', '/auth/salesforce?org=other'],
    ['a further login', '/auth/salesforce?add=true'],
    ['a further login at an organization', '/auth/salesforce?org=other&add=true'],
  ])('is not begun for %s without a click on a page of the application', async (_what, path) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { organizations: { other: emulator.myDomainUrl } } });
    const tab = browser();

    const asked = await follow(tab, path);
    const forged = await follow(tab, `${path}&intent=forged`);
    const begun = await tab.get(linkTo(asked.text, /^Log in$/));

    expect([asked.status, forged.status]).toEqual([200, 200]);
    expect(asked.headers['location']).toBeUndefined();
    expect(asked.headers['content-security-policy']).toContain("frame-ancestors 'none'");
    const host = new URL(begun.headers['location'] as string).origin;
    expect(host).toBe(path.includes('org') ? emulator.myDomainUrl : emulator.url);
  });

  it('is asked about if the session has a login, and the user may stay', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);

    const asked = await follow(tab, '/auth/salesforce?returnTo=/me');

    expect(asked.text).toContain(emulator.users[0]!.displayName.replace(/'/g, '&#39;'));
    expect(linkTo(asked.text, /^Stay logged in/)).toBe('/me');
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it("is not begun by a sealed link that was made for another person's browser", async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { organizations: { evil: emulator.myDomainUrl } } });
    const [attacker, victim] = [browser(), browser()];
    const asked = await follow(attacker, '/auth/salesforce?org=evil&add=true');

    const answer = await follow(victim, linkTo(asked.text, /^Log in$/));
    const own = await follow(attacker, linkTo(asked.text, /^Log in$/));

    // The victim gets the plain login of the configured host: the link asks for nothing else.
    expect(new URL(answer.headers['location'] as string).origin).toBe(emulator.url);
    expect(new URL(own.headers['location'] as string).origin).toBe(emulator.myDomainUrl);
  });

  it.each([
    ['no fetch metadata', {}],
    ['no fetch metadata and a foreign referrer', { Referer: 'https://evil.example/' }],
    ['the metadata of a sibling domain', { 'Sec-Fetch-Site': 'same-site' }],
    ['the metadata of a typed address', { 'Sec-Fetch-Site': 'none' }],
  ])('is asked about with %s, too', async (_what, headers) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { organizations: { other: emulator.myDomainUrl } } });

    const answer = await browser()
      .get('/auth/salesforce?org=other')
      .unset('Sec-Fetch-Site')
      .set({ ...page, ...headers } as Record<string, string>);

    expect([answer.status, answer.headers['location']]).toEqual([200, undefined]);
  });

  it('is begun at once by a page of the application, as an older browser tells by its referrer', async () => {
    const emulator = await startTestEmulator();
    const { browser, url } = await startApp({ emulator, options: { organizations: { other: emulator.myDomainUrl } } });

    const answer = await browser().get('/auth/salesforce?org=other').unset('Sec-Fetch-Site').set('Referer', `${url}/`);

    expect(new URL(answer.headers['location'] as string).origin).toBe(emulator.myDomainUrl);
  });
});

describe("a link of another site to the application's own login handler", () => {
  it.each<[string, (url: string) => LoginOptions, number]>([
    ['baseUrl', (baseUrl) => ({ baseUrl }), 200],
    // The link asks for nothing that the handler does not do anyway.
    ['add', (baseUrl) => ({ add: true, baseUrl }), 302],
  ])(
    'begins a login with the %s that the application chose, and asks if the session has a login',
    async (_what, given, withAdd) => {
      const emulator = await startTestEmulator();
      const routes: TestAppOptions['routes'] = (app, salesforce) =>
        app.get('/partner', salesforce.login(given(emulator.myDomainUrl)));
      const { browser } = await startApp({ emulator, routes });
      const tab = browser();

      const begun = await follow(tab, '/partner');
      const chosen = await follow(tab, '/partner?add=true');
      await logIn(tab, emulator);
      const asked = await follow(tab, '/partner');

      expect(new URL(begun.headers['location'] as string).origin).toBe(emulator.myDomainUrl);
      expect(chosen.status).toBe(withAdd);
      expect([asked.status, asked.text]).toEqual([200, expect.stringContaining(new URL(emulator.myDomainUrl).host)]);
    },
  );

  it('asks if a mark of a move names another host than the handler, as one that an attacker got for another route', async () => {
    const emulator = await startTestEmulator();
    const { browser, client } = await startApp({
      emulator,
      options: {
        ...{ publicUrl: ['http://app.test', 'http://www.app.test'], callbackURL: undefined },
        organizations: { other: emulator.myDomainUrl },
      },
      routes: (app, salesforce) => app.get('/partner', salesforce.login({ baseUrl: emulator.myDomainUrl })),
    });
    client.callbackURLs.push('http://app.test/auth/salesforce/callback');
    const markOf = async (path: string): Promise<string> => {
      const moved = await browser().get(path).set('Host', 'www.app.test');
      return new URL(moved.headers['location'] as string).searchParams.get('salesforce_move')!;
    };
    const open = async (path: string, mark: string): Promise<number> =>
      (await follow(browser(), `${path}?salesforce_move=${mark}`, { ...crossSite, Host: 'app.test' })).status;

    const [chosen, partner] = [await markOf('/auth/salesforce?org=other'), await markOf('/partner')];

    expect(await open('/auth/salesforce', chosen)).toBe(200);
    expect(await open('/auth/salesforce', partner)).toBe(200);
    expect(await open('/partner', partner)).toBe(302);
  });
});

describe('a link of another site to a guarded page', () => {
  it.each([0, 1, 2])('arrives after one login, with %d logins in the session before', async (before) => {
    const emulator = await startTestEmulator();
    const organization = emulator.users[0]!.organizationId;
    const { browser } = await startApp({
      emulator,
      routes: (app) => {
        app.get('/guarded', requireSalesforce(), (req, res) => void res.json(req.salesforce.logins.length));
      },
    });
    const tab = browser();
    if (before > 0) await logIn(tab, emulator);
    if (before > 1) await logIn(tab, emulator, { user: 2, loginPath: '/auth/salesforce?add=true' });
    if (before > 0) {
      await tab.get('/guarded');
      // The current login ends; another one of the session stays.
      emulator.expireAccessTokens();
      emulator.revokeRefreshTokens();
      await tab.get('/accounts').set(page);
    }

    const sent = await follow(tab, '/guarded?a=1');
    const begun = await follow(tab, sent.headers['location'] as string);

    expect(organization).toBeDefined();
    expect([sent.status, begun.status]).toEqual([302, 302]);
    const end = await tab.get(await walkToCallback(tab, emulator, { loginPath: sent.headers['location'] as string }));
    expect(end.headers['location']).toBe('/guarded?a=1');
    expect((await tab.get('/guarded')).status).toBe(200);
  });
});

describe('an organization that the application does not offer', () => {
  it.each([
    ['login', 'acme.my.salesforce.com', {}],
    ['picker', 'any.salesforce.com', { routes: { choose: '/where' } }],
    ['picker', 'acme.my.salesforce.com/any/path', { routes: { choose: '/where' } }],
    ['picker', 'login.salesforce.com/any', { routes: { choose: '/where' } }],
    ['option', 'evil.my.site.com', { login: { anyMyDomain: true } }],
  ])('is refused by the %s: %s', async (_what, org, options) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options });

    const answer = await browser().get(`/auth/salesforce?org=${encodeURIComponent(org)}`);

    expect([answer.status, answer.body.code]).toEqual([400, 'ERR_SALESFORCE_BASE_URL_NOT_ALLOWED']);
  });
});

describe('a request that is no navigation', () => {
  it.each([
    ['the login', '/auth/salesforce'],
    ['a guarded page', '/me'],
    ['the callback', '/auth/salesforce/callback?code=x&state=y'],
    ['the organization picker', '/where'],
  ])('changes nothing if it is a prefetch of %s', async (_what, path) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { routes: { choose: '/where' } } });

    for (const headers of [{ 'Sec-Purpose': 'prefetch;prerender' }, { Purpose: 'prefetch' }, { 'X-Moz': 'prefetch' }]) {
      const answer = await browser()
        .get(path)
        .set({ ...page, ...headers } as Record<string, string>);

      expect([answer.status, answer.headers['set-cookie']]).toEqual([503, undefined]);
    }
    expect(emulator.requests).toEqual([]);
  });

  it('tells a script that opens the login where to go', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });

    const answer = await browser().get('/auth/salesforce?returnTo=/me').set('Sec-Fetch-Mode', 'cors');

    expect([answer.status, answer.body.login]).toEqual([401, '/auth/salesforce?returnTo=/me']);
  });

  it('gets a page that leaves the frame if it is a guarded page in one', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });

    const answer = await browser()
      .get('/me')
      .set({ ...page, 'Sec-Fetch-Dest': 'iframe', 'Sec-Fetch-Mode': 'navigate' });

    expect(answer.status).toBe(401);
    expect(answer.text).toContain('href="/auth/salesforce?returnTo=%2Fme" target="_top"');
    expect(answer.headers['content-security-policy']).not.toContain('frame-ancestors');
  });
});
