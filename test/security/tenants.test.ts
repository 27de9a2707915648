import expressSession from 'express-session';
import { MemoryTokenStore, requireSalesforce, salesforceAuth } from '../../lib';
import type { Emulator, EmulatorClient } from '../../lib/emulator';
import { logIn, startApp, walkToCallback, type Browser, type TestApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

type Tenant = 'acme' | 'mallory';

/** One half of the scene: a tenant, the Salesforce of that tenant, and its app there. */
interface Side {
  emulator: Emulator;
  client: EmulatorClient;
}

interface Scene {
  acme: Side;
  mallory: Side;
  /** Starts one more process of the application, with nothing in its memory. */
  process: () => Promise<TestApp>;
  /** Gives Acme another client, as an operator who sets up a new app in Salesforce does. */
  replaceClientOfAcme: () => void;
}

/**
 * One application with two tenants, which a header tells apart as a host would. The processes share a token store and a session
 * store.
 *
 * A client id is public, so Mallory configures that of Acme, with a host and a secret of her own. Her host is an emulator of its
 * own, with the same ids of organization and users: whoever controls a host can have it say any id.
 */
async function twoTenants(): Promise<Scene> {
  const [good, evil] = [await startTestEmulator(), await startTestEmulator()];
  const clientID = '3MVG9__fake__known_to_both_tenants';
  const sides: Record<Tenant, Side> = {
    acme: { emulator: good, client: good.registerClient({ callbackURLs: [], clientID }) },
    mallory: { emulator: evil, client: evil.registerClient({ callbackURLs: [], clientID }) },
  };
  const store = new MemoryTokenStore();
  const sessionMiddleware = expressSession({
    secret: '__test_session_secret__',
    resave: false,
    saveUninitialized: false,
  });
  const process = (): Promise<TestApp> =>
    startApp({
      emulator: good,
      sessionMiddleware,
      create: (_client, callbackURL) => {
        for (const { client } of Object.values(sides)) client.callbackURLs.push(callbackURL);
        return salesforceAuth({
          store,
          tenant: (req) => req.get('X-Tenant'),
          configuration: ({ tenant }) => {
            const { emulator, client } = sides[tenant as Tenant];
            const { clientID: current, clientSecret } = client;
            // Each tenant trusts the host of the other, as all hosts of Salesforce are trusted.
            const organizations = { acme: good.url, mallory: evil.url };
            const scope = 'id api refresh_token';
            return { clientID: current, clientSecret, baseUrl: emulator.url, organizations, callbackURL, scope };
          },
          encryptionKeys: ['__test_encryption_key_of_32_chars__'],
          allowedOrganizations: [good.users[0]!.organizationId],
        });
      },
      routes: (app) => {
        app.get('/logins', (req, res) => {
          const { logins, grantId } = req.salesforce;
          res.json({ grantId: grantId ?? null, logins: logins.length });
        });
        app.get('/guarded', requireSalesforce({ organization: good.users[0]!.organizationId }), (req, res) => {
          res.json({ accessToken: req.salesforce.accessToken, instanceUrl: req.salesforce.instanceUrl });
        });
      },
    });
  const replaceClientOfAcme = (): void => {
    sides.acme = { ...sides.acme, client: good.registerClient({ callbackURLs: [] }) };
  };
  return { acme: sides.acme, mallory: sides.mallory, process, replaceClientOfAcme };
}

/** A browser at the host of a tenant. */
const at = (app: TestApp, tenant: Tenant): Browser => app.browser().set('X-Tenant', tenant);

/** What a tenant's Salesforce has seen, as one text to search for secrets of the other. */
const seenBy = ({ emulator }: Side): string => JSON.stringify(emulator.requests);

async function tokenOf(browser: Browser): Promise<{ accessToken: string; instanceUrl: string }> {
  const answer = await browser.get('/token');
  expect(answer.status).toBe(200);
  return answer.body as { accessToken: string; instanceUrl: string };
}

describe('a tenant that names the client of another', () => {
  it('gets its own grant, although organization, user and client are the same', async () => {
    const { acme, mallory, process } = await twoTenants();
    const app = await process();
    const [victim, attacker] = [at(app, 'acme'), at(app, 'mallory')];
    await logIn(victim, acme.emulator);
    const before = await tokenOf(victim);

    await logIn(attacker, mallory.emulator);

    const [own, stolen] = [await victim.get('/me'), await attacker.get('/me')];
    expect(own.body.user).toEqual(stolen.body.user);
    expect(own.body.grantId).not.toBe(stolen.body.grantId);
    expect((await tokenOf(attacker)).accessToken).not.toBe(before.accessToken);
    // Her host says any organization id, so she passes a guard for that organization: at her own host, with her own tokens.
    expect((await attacker.get('/guarded')).body.instanceUrl).toBe(mallory.emulator.url);
    // The login of the attacker has not replaced the victim's tokens, nor revoked them.
    expect(await tokenOf(victim)).toEqual(before);
    expect(acme.emulator.liveTokens()).toEqual({ accessTokens: 1, refreshTokens: 1 });
  });

  it('gets no requests, tokens or secret of the other tenant, before and after a refresh', async () => {
    const { acme, mallory, process } = await twoTenants();
    const app = await process();
    const [victim, attacker] = [at(app, 'acme'), at(app, 'mallory')];
    await logIn(victim, acme.emulator);
    await logIn(attacker, mallory.emulator);
    const old = await tokenOf(victim);
    for (const { emulator } of [acme, mallory]) emulator.expireAccessTokens();

    // The attacker comes first, so that a configuration remembered by client id alone would be hers.
    const [hers, own] = [await attacker.get('/accounts'), await victim.get('/accounts')];

    expect([hers.status, own.status]).toEqual([200, 200]);
    const fresh = await tokenOf(victim);
    expect(fresh.accessToken).not.toBe(old.accessToken);
    expect(fresh.instanceUrl).toBe(acme.emulator.url);
    for (const secret of [old.accessToken, fresh.accessToken, acme.client.clientSecret]) {
      expect(seenBy(acme)).toContain(secret);
      expect(seenBy(mallory)).not.toContain(secret);
    }
    expect(seenBy(acme)).not.toContain(mallory.client.clientSecret);
    for (const token of acme.emulator.presentations.keys()) expect(seenBy(mallory)).not.toContain(token);
  });

  it('is not asked about a grant of the other tenant whose client is not configured any more', async () => {
    const { acme, mallory, process, replaceClientOfAcme } = await twoTenants();
    const first = await process();
    const victim = at(first, 'acme');
    await logIn(victim, acme.emulator);
    const { headers } = (await victim.get('/headers')).body as { headers: { cookie: string } };
    acme.emulator.expireAccessTokens();
    replaceClientOfAcme();
    const restarted = await process();
    // From here on the process remembers a client of this id: that of the other tenant.
    await at(restarted, 'mallory').get('/auth/salesforce');

    const answer = await at(restarted, 'acme').get('/accounts').set('Cookie', headers.cookie);

    expect([answer.status, answer.body.code]).toEqual([401, 'ERR_SALESFORCE_CLIENT_CHANGED']);
    expect(seenBy(acme)).not.toContain(mallory.client.clientSecret);
    expect(acme.emulator.liveTokens().refreshTokens).toBe(1);
  });

  it('gets no access to jobs of the other tenant, because a grant is found by tenant', async () => {
    const { acme, mallory, process } = await twoTenants();
    const app = await process();
    const { salesforce } = app;
    await logIn(at(app, 'acme'), acme.emulator);
    const { organizationId, userId } = acme.emulator.users[0]!;

    const own = await salesforce.tokens.find({ organizationId, userId, tenant: 'acme' });
    const other = await salesforce.tokens.find({ organizationId, userId, tenant: 'mallory' });
    const listed = [];
    for await (const grant of salesforce.tokens.list({ tenant: 'mallory' })) listed.push(grant);

    expect([own?.tenant, other, listed]).toEqual(['acme', undefined, []]);
    expect(mallory.emulator.requests).toEqual([]);
  });

  it('has no login with a session of the other tenant, for every kind of request', async () => {
    const { acme, mallory, process } = await twoTenants();
    const app = await process();
    // One browser, whose cookies reach both hosts: as with a session cookie of the parent domain.
    const tab = app.browser();
    await logIn(tab.set('X-Tenant', 'mallory'), mallory.emulator);
    expect((await tab.get('/logins')).body.logins).toBe(1);
    const before = mallory.emulator.requests.length;
    void tab.set('X-Tenant', 'acme');

    const anonymous = await tab.get('/');
    const logins = await tab.get('/logins');
    const refused = await Promise.all(['/me', '/token', '/accounts', '/guarded'].map((path) => tab.get(path)));
    const logout = await tab.post('/auth/salesforce/logout?organization=' + acme.emulator.users[0]!.organizationId);

    expect(anonymous.body).toEqual({ isAuthenticated: false, user: null });
    expect(logins.body).toEqual({ grantId: null, logins: 0 });
    expect(refused.map(({ status }) => status)).toEqual([401, 401, 401, 401]);
    expect(logout.status).toBe(204);
    // The login of the other tenant is neither used nor ended.
    expect(mallory.emulator.requests.length).toBe(before);
    expect(acme.emulator.requests).toEqual([]);
    expect((await tab.set('X-Tenant', 'mallory').get('/me')).status).toBe(200);
  });

  it('adds no login to the logins of the other tenant in a shared session', async () => {
    const { acme, mallory, process } = await twoTenants();
    const app = await process();
    const tab = app.browser();
    await logIn(tab.set('X-Tenant', 'acme'), acme.emulator);

    await logIn(tab.set('X-Tenant', 'mallory'), mallory.emulator, { loginPath: '/auth/salesforce?add=true' });

    expect((await tab.get('/logins')).body.logins).toBe(1);
    expect((await tab.set('X-Tenant', 'acme').get('/logins')).body.logins).toBe(0);
    expect(seenBy(acme)).not.toContain(mallory.client.clientSecret);
  });

  it('gets no code of a login of the other tenant, in either direction', async () => {
    const { acme, mallory, process } = await twoTenants();
    const app = await process();
    const tab = app.browser();

    for (const [from, to] of [
      ['acme', 'mallory'],
      ['mallory', 'acme'],
    ] as const) {
      const { emulator } = { acme, mallory }[from];
      const callback = await walkToCallback(tab.set('X-Tenant', from), emulator);
      const answer = await tab.set('X-Tenant', to).get(callback);

      expect([answer.status, answer.body.code]).toEqual([401, 'ERR_SALESFORCE_CLIENT_CHANGED']);
    }
    for (const { emulator } of [acme, mallory]) {
      expect(emulator.requests.filter(({ path }) => path.endsWith('/token'))).toEqual([]);
    }
  });

  it('logs out only at its own host, also everywhere: users of the other tenant stay logged in', async () => {
    const { acme, mallory, process } = await twoTenants();
    const app = await process();
    const [victim, attacker] = [at(app, 'acme'), at(app, 'mallory')];
    await logIn(victim, acme.emulator);
    await logIn(attacker, mallory.emulator);
    const { grantId } = (await attacker.get('/me')).body as { grantId: string };

    await app.salesforce.tokens.revoke(grantId);

    expect(mallory.emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect(acme.emulator.liveTokens()).toEqual({ accessTokens: 1, refreshTokens: 1 });
    expect((await victim.get('/accounts')).status).toBe(200);
    expect(acme.emulator.requests.filter(({ path }) => path.endsWith('/revoke'))).toEqual([]);
  });
});

describe('a logout that is the first request of a process', () => {
  it.each([
    ['', []],
    [', after a visit of the other tenant', ['mallory']],
  ] as const)("revokes at the tenant's host with the tenant's secret%s", async (_when, visitsBefore) => {
    const { acme, mallory, process } = await twoTenants();
    const first = await process();
    const [victim, attacker] = [at(first, 'acme'), at(first, 'mallory')];
    await logIn(victim, acme.emulator);
    await logIn(attacker, mallory.emulator);
    const { accessToken } = await tokenOf(victim);
    const { headers } = (await victim.get('/headers')).body as { headers: { cookie: string } };
    const restarted = await process();
    for (const tenant of visitsBefore) await at(restarted, tenant).get('/auth/salesforce');

    const answer = await at(restarted, 'acme').post('/auth/salesforce/logout').set('Cookie', headers.cookie);

    expect(answer.status).toBe(204);
    expect(acme.emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect(mallory.emulator.liveTokens()).toEqual({ accessTokens: 1, refreshTokens: 1 });
    const [revocation] = acme.emulator.requests.filter(({ path }) => path.endsWith('/revoke'));
    expect([revocation?.status, revocation?.body?.['client_secret']]).toEqual([200, acme.client.clientSecret]);
    expect(seenBy(mallory)).not.toContain(accessToken);
    expect(seenBy(mallory)).not.toContain(acme.client.clientSecret);
  });
});
