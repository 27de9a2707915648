/** @again newest-node legacy-policy */
import { MemoryTokenStore, salesforceAuth, type SalesforceAuth } from '../../lib';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, walkToCallback, type Browser } from '../helpers/app';

const stateOf = (callback: string): string => new URL(callback, 'http://x').searchParams.get('state')!;
const codeOf = (callback: string): string => new URL(callback, 'http://x').searchParams.get('code')!;
const cookiesOf = (headers: Record<string, unknown>): string[] => (headers['set-cookie'] as string[] | undefined) ?? [];
const loginCookieOf = async (tab: Browser): Promise<string> => {
  const { headers } = await tab.get('/auth/salesforce');
  return cookiesOf(headers).find((cookie) => cookie.includes('salesforce-login.'))!;
};

describe('login CSRF', () => {
  it("fails, because the callback of an attacker's login does not work in the victim's browser", async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const [attacker, victim] = [browser(), browser()];
    const planted = await walkToCallback(attacker, emulator, { user: 1 });
    await logIn(victim, emulator, { user: 0 });
    const before = (await victim.get('/me')).body as unknown;

    const answer = await victim.get(planted);

    expect(answer.body.code).toBe('ERR_SALESFORCE_STATE_MISMATCH');
    expect((await victim.get('/me')).body).toEqual(before);
    expect(emulator.requests.filter(({ body }) => body?.['code'] === codeOf(planted))).toEqual([]);
  });

  it('fails with a cookie from a subdomain, because over https no other host can set the name of the cookie', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      options: { callbackURL: undefined },
      routes: (app) => app.set('trust proxy', true),
    });
    const cookie = cookiesOf((await browser().get('/auth/salesforce').set('X-Forwarded-Proto', 'https')).headers).find(
      (text) => text.includes('salesforce-login.'),
    )!;

    expect(cookie).toMatch(/^__Host-salesforce-login\.[\w-]{16}=/);
    expect(cookie).toContain('; Path=/;');
    expect(cookie).toContain('; HttpOnly');
    expect(cookie).toContain('; Secure');
    expect(cookie).toContain('; SameSite=Lax');
    expect(cookie).not.toContain('Domain');
  });

  it('fails with a foreign cookie without the prefix, or with a blank before the prefix', async () => {
    const emulator = await startTestEmulator();
    const { browser, url, client } = await startApp({
      emulator,
      options: { callbackURL: undefined },
      routes: (app) => app.set('trust proxy', true),
    });
    client.callbackURLs.push(`${url.replace('http:', 'https:')}/auth/salesforce/callback`);
    const attacker = browser();
    const start = await attacker.get('/auth/salesforce').set('X-Forwarded-Proto', 'https');
    const [pair] = cookiesOf(start.headers)
      .find((text) => text.includes('salesforce-login.'))!
      .split(';') as [string];
    const { username, password } = emulator.users[1]!;
    const callback = new URL(
      await emulator.logIn({ authorizeUrl: start.headers['location'] as string, username, password }),
    );

    for (const tossed of [pair.replace('__Host-', ''), `\u2000${pair}`, `__Host-=${pair}`, `x${pair}`]) {
      const answer = await fetch(url + callback.pathname + callback.search, {
        headers: { 'X-Forwarded-Proto': 'https', Cookie: Buffer.from(tossed).toString('latin1') },
        redirect: 'manual',
      });
      expect([tossed.slice(0, 12), ((await answer.json()) as { code: string }).code]).toEqual([
        tossed.slice(0, 12),
        'ERR_SALESFORCE_STATE_MISMATCH',
      ]);
    }
  });

  it('does not succeed with cookie names that no response can carry', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const planted = Array.from({ length: 12 }, (_, index) => `salesforce-login.x(${index})=1`).join('; ');

    const answer = await browser().get('/auth/salesforce').set('Cookie', planted);

    expect(answer.status).toBe(302);
  });
});

describe('code injection', () => {
  it('fails, because the code of another login does not match the verifier of this login', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const [attacker, victim] = [browser(), browser()];
    const stolen = codeOf(await walkToCallback(victim, emulator, { user: 0 }));
    const own = await walkToCallback(attacker, emulator, { user: 1 });

    const answer = await attacker.get(own.replace(encodeURIComponent(codeOf(own)), encodeURIComponent(stolen)));

    expect(answer.body.code).toBe('ERR_SALESFORCE_CODE_REJECTED');
    expect((await attacker.get('/me')).status).toBe(401);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('fails with the code of another client, for any user', async () => {
    const emulator = await startTestEmulator();
    const [one, other] = [await startApp({ emulator }), await startApp({ emulator })];
    const [tab, otherTab] = [one.browser(), other.browser()];
    const foreign = codeOf(await walkToCallback(otherTab, emulator));
    const own = await walkToCallback(tab, emulator);

    const answer = await tab.get(own.replace(encodeURIComponent(codeOf(own)), encodeURIComponent(foreign)));

    expect(answer.body.code).toBe('ERR_SALESFORCE_CODE_REJECTED');
    expect((await tab.get('/me')).status).toBe(401);
  });
});

describe('a PKCE downgrade', () => {
  it('cannot be asked for by a query, an option or a call', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const { headers } = await browser().get(
      '/auth/salesforce?code_challenge_method=plain&code_challenge=x&pkce=false&response_type=token&redirect_uri=https://evil.test&client_id=x&scope=full',
    );
    const params = new URL(headers['location']!).searchParams;

    expect(params.getAll('code_challenge_method')).toEqual(['S256']);
    expect(params.getAll('code_challenge')).toEqual([expect.stringMatching(/^[\w-]{43}$/)]);
    expect(params.getAll('response_type')).toEqual(['code']);
    expect(params.get('redirect_uri')).not.toContain('evil');
    expect(params.get('scope')).not.toContain('full');
    for (const name of ['code_challenge_method', 'code_challenge', 'state', 'redirect_uri', 'response_type', 'nonce']) {
      expect(() => salesforceAuth({ clientID: 'x', login: { authorizationParams: { [name]: 'plain' } } })).toThrow(
        name,
      );
    }
  });

  it('does not happen at the callback, because every code is sent with its own verifier', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    await logIn(browser(), emulator);
    await logIn(browser(), emulator);

    const verifiers = emulator.requests
      .filter(({ path, body }) => path.endsWith('/token') && body?.['grant_type'] === 'authorization_code')
      .map(({ body }) => String(body!['code_verifier']));

    expect(verifiers).toEqual([expect.stringMatching(/^[\w-]{43,128}$/), expect.stringMatching(/^[\w-]{43,128}$/)]);
    expect(new Set(verifiers).size).toBe(2);
  });
});

describe('a mix-up', () => {
  /** Two tenants behind one address, told apart by a header. The second one knows the client id of the first. */
  async function twoTenants(second: { baseUrl: string; clientSecret?: string }) {
    const emulator = await startTestEmulator();
    const app = await startApp({
      emulator,
      create: ({ clientID, clientSecret }, callbackURL): SalesforceAuth => {
        const tenants = {
          first: { clientSecret, baseUrl: emulator.url },
          second: { clientSecret, ...second },
        };
        return salesforceAuth({
          tenant: (req) => (req.get('X-Tenant') === 'second' ? 'second' : 'first'),
          configuration: ({ tenant }) => ({
            ...tenants[tenant as keyof typeof tenants],
            clientID,
            callbackURL,
            scope: 'id refresh_token',
          }),
          encryptionKeys: ['__test_encryption_key_of_32_chars__'],
        });
      },
    });
    return { ...app, emulator };
  }

  it('of tenants does not send the client secret of one tenant to the host of the other', async () => {
    const foreign = await startTestEmulator();
    const { browser, emulator } = await twoTenants({ baseUrl: foreign.url, clientSecret: '__test_own_secret__' });
    const attacker = browser();
    const start = await attacker.get('/auth/salesforce').set('X-Tenant', 'second');
    expect(start.headers['location']).toContain(foreign.url);
    const state = stateOf(start.headers['location'] as string);

    // Begun under the attacker's configuration, ended under the victim's.
    const answer = await attacker.get(`/auth/salesforce/callback?code=__fake_code__&state=${state}`);

    expect(answer.body.code).toBe('ERR_SALESFORCE_CLIENT_CHANGED');
    expect(foreign.requests).toEqual([]);
    expect(emulator.requests.filter(({ path }) => path.endsWith('/token'))).toEqual([]);
  });

  it('of tenants does not end a login of one as a login of the other', async () => {
    const { browser, emulator } = await twoTenants({ baseUrl: 'https://login.salesforce.com' });
    const tab = browser();
    const start = await tab.get('/auth/salesforce');
    const { username, password } = emulator.users[0]!;
    const callback = new URL(
      await emulator.logIn({ authorizeUrl: start.headers['location'] as string, username, password }),
    );

    const answer = await tab.get(callback.pathname + callback.search).set('X-Tenant', 'second');

    expect(answer.body.code).toBe('ERR_SALESFORCE_CLIENT_CHANGED');
    expect(emulator.requests.filter(({ path }) => path.endsWith('/token'))).toEqual([]);
  });

  it('of organizations is refused, because the code goes only to the host of the login', async () => {
    const [emulator, foreign] = [await startTestEmulator(), await startTestEmulator()];
    const { browser } = await startApp({ emulator, options: { organizations: { partner: foreign.url } } });
    const tab = browser();
    const home = await walkToCallback(tab, emulator);
    const { headers } = await tab.get('/auth/salesforce?org=partner');
    expect(headers['location']).toContain(foreign.url);
    const partnerState = new URL(headers['location']!).searchParams.get('state')!;

    // The code of the one with the state of the other.
    const answer = await tab.get(
      `/auth/salesforce/callback?code=${encodeURIComponent(codeOf(home))}&state=${partnerState}`,
    );

    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(emulator.requests.filter(({ path }) => path.endsWith('/token'))).toEqual([]);
    expect((await tab.get('/me')).status).toBe(401);
  });

  it('of replies is refused: tokens of another user than the signed identity, or of another client', async () => {
    const emulator = await startTestEmulator();
    const { browser, client } = await startApp({ emulator });
    const other = await startApp({ emulator });
    const replies: Record<string, unknown>[] = [];
    emulator.faults.inject({ on: 'code', kind: 'reply', change: (reply) => (replies.push(reply), reply) });
    await logIn(other.browser(), emulator, { user: 1 });
    const [foreign] = replies as [Record<string, unknown>];
    const tab = browser();

    for (const [fields, code] of [
      [['id'], 'ERR_SALESFORCE_SIGNATURE_INVALID'],
      [['id', 'signature', 'issued_at'], 'ERR_SALESFORCE_SIGNATURE_INVALID'],
      [['id_token'], 'ERR_SALESFORCE_ID_TOKEN_INVALID'],
      [Object.keys(foreign), 'ERR_SALESFORCE_SIGNATURE_INVALID'],
    ] as [string[], string][]) {
      emulator.faults.inject({
        on: 'code',
        kind: 'reply',
        change: (reply) => ({ ...reply, ...Object.fromEntries(fields.map((field) => [field, foreign[field]])) }),
      });
      expect([fields, (await logIn(tab, emulator)).body.code]).toEqual([fields, code]);
    }
    expect(client.clientID).not.toBe(other.client.clientID);
    expect((await tab.get('/me')).status).toBe(401);
  });

  it.each([
    ['with "none"', { alg: 'none' }],
    ['with the client secret as an HMAC key', { alg: 'HS256' }],
  ])('of keys is refused: an ID token signed %s', async (_what, header) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const resign = (idToken: string): string => {
      const payload = idToken.split('.')[1]!;
      return `${Buffer.from(JSON.stringify({ ...header, typ: 'JWT' })).toString('base64url')}.${payload}.${header.alg === 'none' ? '' : 'x'.repeat(43)}`;
    };
    emulator.faults.inject({
      on: 'code',
      kind: 'reply',
      change: (reply) => ({ ...reply, id_token: resign(String(reply['id_token'])) }),
    });

    expect((await logIn(browser(), emulator)).body.code).toBe('ERR_SALESFORCE_ID_TOKEN_INVALID');
  });
});

describe('session fixation', () => {
  it.each(['express-session', 'cookie-session'] as const)(
    'fails with %s: what an attacker planted before the login is not logged in after it',
    async (session) => {
      const emulator = await startTestEmulator();
      const { browser, url } = await startApp({
        emulator,
        session,
        routes: (app) =>
          app.get('/visit', (req, res) => {
            (req as unknown as { session: Record<string, unknown> }).session['visits'] = 1;
            res.end();
          }),
      });
      const victim = browser();
      const planted = cookiesOf((await victim.get('/visit')).headers).map((cookie) => cookie.split(';')[0]!);
      expect(planted.length).toBeGreaterThan(0);

      await logIn(victim, emulator);

      expect((await victim.get('/me')).status).toBe(200);
      const attack = await fetch(`${url}/me`, { headers: { Cookie: planted.join('; ') } });
      expect(attack.status).toBe(401);
    },
  );

  it('fails at logout too, because the old session id does not work afterwards', async () => {
    const emulator = await startTestEmulator();
    const { browser, url } = await startApp({ emulator });
    const tab = browser();
    const cookies = cookiesOf((await logIn(tab, emulator)).headers).map((cookie) => cookie.split(';')[0]!);
    expect((await fetch(`${url}/me`, { headers: { Cookie: cookies.join('; ') } })).status).toBe(200);

    await tab.post('/auth/salesforce/logout');

    expect((await fetch(`${url}/me`, { headers: { Cookie: cookies.join('; ') } })).status).toBe(401);
  });
});

describe('a callback replayed', () => {
  it('presents no code twice, in the same browser, a copied one, or another process with the same keys', async () => {
    const emulator = await startTestEmulator();
    const { browser, url } = await startApp({ emulator });
    const tab = browser();
    const cookie = (await loginCookieOf(tab)).split(';')[0]!;
    const start = await tab.get('/auth/salesforce');
    const own = cookiesOf(start.headers)
      .find((text) => text.includes('salesforce-login.'))!
      .split(';')[0]!;
    const { username, password } = emulator.users[0]!;
    const callback = new URL(
      await emulator.logIn({ authorizeUrl: start.headers['location'] as string, username, password }),
    );
    const path = callback.pathname + callback.search;
    expect((await tab.get(path)).status).toBe(302);

    const again = await tab.get(path);
    // With the cookie as it was before it was used.
    const copied = await fetch(url + path, { headers: { Cookie: `${own}; ${cookie}` }, redirect: 'manual' });

    // Whoever has the cookie of the login is the browser that began it, and gets the login that has ended already.
    expect([again.status, copied.status]).toEqual([302, 302]);
    expect(emulator.requests.filter(({ body }) => body?.['code'] === codeOf(path))).toHaveLength(1);
    expect(stateOf(path)).toHaveLength(32);
  });
});

describe('logout CSRF', () => {
  it.each([
    ['a form of another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.test' }],
    ['an old browser that sends an origin alone', { Origin: 'https://evil.test' }],
    ['a sandboxed frame', { Origin: 'null' }],
    ['an origin that only looks like the own one', { Origin: 'http://localhost.evil.test' }],
    ['another port of the same host', { Origin: 'http://localhost:1' }],
  ])('by %s is refused, and the user stays logged in', async (_what, headers) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);

    const answer = await tab
      .post('/auth/salesforce/logout')
      .unset('Sec-Fetch-Site')
      .set(headers as Record<string, string>);

    expect(answer.body.code).toBe('ERR_SALESFORCE_CROSS_SITE');
    expect((await tab.get('/accounts')).status).toBe(200);
    expect(emulator.liveTokens().refreshTokens).toBe(1);
  });

  it.each(['get', 'head', 'put', 'delete', 'patch', 'options'] as const)('by %s does nothing', async (method) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { store: new MemoryTokenStore() } });
    const tab = browser();
    await logIn(tab, emulator);

    await tab[method]('/auth/salesforce/logout?_method=POST');

    expect((await tab.get('/accounts')).status).toBe(200);
  });
});
