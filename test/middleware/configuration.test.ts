import expressSession from 'express-session';
import request from 'supertest';
import { MemoryTokenStore, salesforceAuth } from '../../lib';
import type { Prompt } from '../../lib/options/values';
import type { EmulatorClient } from '../../lib/emulator';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, walkToCallback } from '../helpers/app';

describe('a configuration function', () => {
  it('gives each tenant its own client, and jobs find it without a request', async () => {
    const emulator = await startTestEmulator();
    const callbackURLs: string[] = [];
    const clients = {
      red: emulator.registerClient({ callbackURLs }),
      blue: emulator.registerClient({ callbackURLs }),
    };
    const asked: unknown[] = [];
    const { browser, salesforce, url } = await startApp({
      emulator,
      create: () =>
        salesforceAuth({
          tenant: (req) => req.get('x-tenant'),
          configuration: ({ req, tenant }) => {
            const name = tenant as 'red' | 'blue';
            asked.push([name, req !== undefined]);
            return {
              clientID: clients[name].clientID,
              clientSecret: clients[name].clientSecret,
              baseUrl: emulator.url,
              scope: 'id api refresh_token',
            };
          },
        }),
    });
    for (const client of Object.values(clients)) {
      client.callbackURLs.push(`${url}/auth/salesforce/callback`);
    }
    const [red, blue] = [browser().set('x-tenant', 'red'), browser().set('x-tenant', 'blue')];
    await logIn(red, emulator);
    await logIn(blue, emulator);
    const grants = await Promise.all([red, blue].map(async (tab) => (await tab.get('/me')).body.grantId as string));
    emulator.expireAccessTokens();
    asked.length = 0;

    const client = await salesforce.tokens.get(grants[1]!);
    const answer = await client.fetch('/services/data/v62.0/limits');

    expect(grants[0]).not.toBe(grants[1]);
    expect(answer.status).toBe(200);
    expect(asked).toEqual([['blue', false]]);
    const found = [];
    for await (const grant of salesforce.tokens.list({ tenant: 'blue' })) found.push(grant);
    expect(found).toEqual([
      expect.objectContaining({ grantId: grants[1], clientID: clients.blue.clientID, tenant: 'blue' }),
    ]);
  });

  it('comes with a tenant that is asked for only if the session has a login', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      create: ({ clientID, clientSecret }) =>
        salesforceAuth({
          tenant: () => {
            throw new Error('There is no such tenant.');
          },
          configuration: () => ({ clientID, clientSecret, baseUrl: emulator.url }),
        }),
      routes: (app) => {
        app.get('/health', (req, res) => res.json(req.salesforce.isAuthenticated));
      },
    });

    expect((await browser().get('/health')).body).toBe(false);
  });

  describe('with one session for the hosts of two tenants', () => {
    /** A browser that is logged in at the first tenant, and goes to the second one. */
    async function atSecondTenant(onLogin: () => void) {
      const emulator = await startTestEmulator();
      const { clientID, clientSecret, callbackURLs } = emulator.registerClient({ callbackURLs: [] });
      let isAtSecond = false;
      const started = await startApp({
        emulator,
        create: () =>
          salesforceAuth({
            tenant: () => (isAtSecond ? 'blue' : 'red'),
            configuration: () => ({ clientID, clientSecret, baseUrl: emulator.url, scope: 'id api refresh_token' }),
            onLogin: () => {
              if (isAtSecond) onLogin();
            },
          }),
      });
      callbackURLs.push(`${started.url}/auth/salesforce/callback`);
      const tab = started.browser();
      await logIn(tab, emulator);
      const { grantId } = (await tab.get('/me')).body as { grantId: string };
      const goTo = (tenant: 'red' | 'blue'): void => {
        isAtSecond = tenant === 'blue';
      };
      goTo('blue');
      return { ...started, emulator, tab, grantId, goTo };
    }

    it('ends the login of the first one at a login of the second one', async () => {
      const { emulator, salesforce, tab, grantId, goTo } = await atSecondTenant(() => undefined);
      const revoked = new Promise((resolve) => salesforce.events.on('revocation.succeeded', resolve));

      await logIn(tab, emulator);

      expect((await tab.get('/me')).body.grantId).not.toBe(grantId);
      await expect(revoked).resolves.toMatchObject({ grantId });
      goTo('red');
      expect((await tab.get('/me')).status).toBe(401);
    });

    it('leaves the login of the first one if the login of the second one fails', async () => {
      const { emulator, tab, grantId, goTo } = await atSecondTenant(() => {
        throw new Error('Not today.');
      });

      expect((await logIn(tab, emulator)).status).toBe(500);

      goTo('red');
      expect((await tab.get('/me')).body.grantId).toBe(grantId);
    });
  });

  it('may look at the request of a login, and what it returns may change while the system runs', async () => {
    const emulator = await startTestEmulator();
    let clientSecret = '__test_wrong_secret__';
    let prompt: Prompt = 'consent';
    const started = await startApp({
      emulator,
      create: ({ clientID }, callbackURL) =>
        salesforceAuth({
          configuration: ({ req }) =>
            Promise.resolve({
              clientID,
              clientSecret,
              prompt,
              callbackURL,
              baseUrl: req?.get('x-base-url') ?? emulator.url,
            }),
          pages: { home: '/me' },
        }),
    });
    const tab = started.browser();

    const first = await tab.get('/auth/salesforce');
    const wrong = await logIn(tab, emulator);
    clientSecret = started.client.clientSecret;
    prompt = 'login';
    const second = await tab.get('/auth/salesforce');
    const right = await logIn(tab, emulator);

    expect(first.headers['location']).toContain('prompt=consent');
    expect(wrong.body.code).toBe('ERR_SALESFORCE_CLIENT_REJECTED');
    expect(second.headers['location']).toContain('prompt=login');
    expect(right.headers['location']).toBe('/me');
    emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('ends a login under the client it began with, when the operator changes clients in between', async () => {
    const emulator = await startTestEmulator();
    const callbackURLs: string[] = [];
    const [before, after] = [emulator.registerClient({ callbackURLs }), emulator.registerClient({ callbackURLs })];
    let current = before;
    const { browser, url } = await startApp({
      emulator,
      create: () =>
        salesforceAuth({
          configuration: () => ({
            clientID: current.clientID,
            clientSecret: current.clientSecret,
            baseUrl: emulator.url,
            scope: 'id api refresh_token',
          }),
        }),
    });
    for (const client of [before, after]) client.callbackURLs.push(`${url}/auth/salesforce/callback`);
    const tab = browser();
    const callback = await walkToCallback(tab, emulator);
    current = after;

    expect((await tab.get(callback)).status).toBe(302);
    emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('that fails or returns nonsense is a clear error, and logs no user out', async () => {
    const emulator = await startTestEmulator();
    let answer: () => unknown = () => {
      throw new Error('__test_database_password__');
    };
    const { browser, errors } = await startApp({
      emulator,
      create: () =>
        salesforceAuth({
          configuration: () => answer() as never,
        }),
    });

    const failed = await browser().get('/auth/salesforce');
    answer = () => ({ clientId: 'x' });
    const misspelt = await browser().get('/auth/salesforce');

    expect([failed.status, failed.body.code]).toEqual([503, 'ERR_SALESFORCE_CONFIGURATION']);
    expect(misspelt.body.message).toContain("Did you mean 'clientID'?");
    expect(errors.map((error) => JSON.stringify(error) + String((error as Error).stack)).join()).not.toContain(
      '__test_database_password__',
    );
  });

  it('is asked by tenant and client after a restart, when a grant has to be refreshed', async () => {
    const emulator = await startTestEmulator();
    const store = new MemoryTokenStore();
    const client = emulator.registerClient({ callbackURLs: [] });
    const sessionMiddleware = expressSession({
      secret: '__test_session_secret__',
      resave: false,
      saveUninitialized: false,
    });
    const start = () =>
      startApp({
        emulator,
        sessionMiddleware,
        create: (_client, callbackURL) => {
          client.callbackURLs.push(callbackURL);
          const { clientID, clientSecret } = client;
          const options = { clientID, clientSecret, callbackURL, baseUrl: emulator.url, scope: 'id api refresh_token' };
          return salesforceAuth({
            tenant: (req) => req.hostname,
            configuration: ({ tenant, clientID: asked }) => {
              if (tenant !== 'localhost' || (asked !== undefined && asked !== clientID))
                throw new Error('Another client.');
              return options;
            },
            store,
          });
        },
      });
    const tab = (await start()).browser();
    await logIn(tab, emulator);
    const { headers } = (await tab.get('/headers')).body as { headers: { cookie: string } };
    emulator.expireAccessTokens();

    const restarted = await start();

    expect((await request(restarted.url).get('/accounts').set('Cookie', headers.cookie)).status).toBe(200);
  });

  it('that does not answer holds up no grant, logout or shutdown for longer than 30 seconds', async () => {
    const emulator = await startTestEmulator();
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock });
    const session = expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false });
    const client = emulator.registerClient({ callbackURLs: [] });
    const lateAnswers: ((options: object) => void)[] = [];
    let isSilent = false;
    const start = () =>
      startApp({
        emulator,
        sessionMiddleware: session,
        create: (_client, callbackURL) => {
          client.callbackURLs.push(callbackURL);
          const { clientID, clientSecret } = client;
          const options = { clientID, clientSecret, callbackURL, baseUrl: emulator.url, scope: 'id api refresh_token' };
          return salesforceAuth({
            configuration: () => (isSilent ? new Promise((resolve) => lateAnswers.push(resolve as never)) : options),
            ...{ store, clock, report: false },
          });
        },
      });
    const tab = (await start()).browser();
    await logIn(tab, emulator);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };
    // These processes remember no client.
    const [second, third] = [await start(), await start()];
    emulator.expireAccessTokens();
    isSilent = true;

    const refused = third
      .browser()
      .get('/auth/salesforce')
      .then((answer) => answer);
    const waiting = (await second.salesforce.tokens.get(grantId)).fetch('/services/data/v62.0/limits');
    await expect(clock.advanceUntil(waiting)).rejects.toMatchObject({ status: 503 });
    const login = await clock.advanceUntil(refused);
    expect([login.status, login.body.code]).toEqual([503, 'ERR_SALESFORCE_CONFIGURATION']);
    expect(login.body.message).toContain('did not answer within 30 seconds');

    isSilent = false;
    for (const answer of lateAnswers) answer({ clientID: '3MVG9__late__', clientSecret: '__test_late_secret__' });
    clock.advanceSeconds(120);
    const again = (await second.salesforce.tokens.get(grantId)).fetch('/services/data/v62.0/limits');
    expect((await clock.advanceUntil(again)).status).toBe(200);

    isSilent = true;
    await clock.advanceUntil(third.salesforce.tokens.revoke(grantId));
    await clock.advanceUntil(third.salesforce.close());
  });

  it('that has forgotten a client asks its users to log in again, and takes them back when it remembers', async () => {
    const emulator = await startTestEmulator();
    const store = new MemoryTokenStore();
    const callbackURLs: string[] = [];
    const [before, after] = [emulator.registerClient({ callbackURLs }), emulator.registerClient({ callbackURLs })];
    const session = expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false });
    // Two processes, of which the second was started after the change.
    const start = ({ clientID, clientSecret }: EmulatorClient) =>
      startApp({
        emulator,
        sessionMiddleware: session,
        create: (_client, callbackURL) => {
          for (const client of [before, after]) client.callbackURLs.push(callbackURL);
          const client = { clientID, clientSecret, callbackURL, baseUrl: emulator.url, scope: 'id api refresh_token' };
          return salesforceAuth({ configuration: () => client, store });
        },
      });
    const first = await start(before);
    const tab = first.browser();
    await logIn(tab, emulator);
    const { headers } = (await tab.get('/headers')).body as { headers: { cookie: string } };
    emulator.expireAccessTokens();
    const second = await start(after);

    const changed = await request(second.url).get('/accounts').set('Cookie', headers.cookie);
    const back = await request(first.url).get('/accounts').set('Cookie', headers.cookie);

    expect([changed.status, changed.body.code]).toEqual([401, 'ERR_SALESFORCE_CLIENT_CHANGED']);
    expect(back.status).toBe(200);
  });

  it('that fails is told as such, and not as a client that is gone, if no configuration of the client is known', async () => {
    const emulator = await startTestEmulator();
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock });
    const client = emulator.registerClient({ callbackURLs: [] });
    const start = (isBroken: boolean) =>
      startApp({
        emulator,
        create: (_client, callbackURL) => {
          client.callbackURLs.push(callbackURL);
          const { clientID, clientSecret } = client;
          const options = { clientID, clientSecret, callbackURL, baseUrl: emulator.url, scope: 'id api refresh_token' };
          const configuration = () => {
            if (isBroken) throw new Error('The database is away.');
            return options;
          };
          return salesforceAuth({ configuration, ...{ store, clock, report: false } });
        },
      });
    const tab = (await start(false)).browser();
    await logIn(tab, emulator);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };
    const restarted = await start(true);
    clock.advanceSeconds(7200);

    const job = await restarted.salesforce.tokens.get(grantId);

    await expect(job.connection()).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_CONFIGURATION',
      status: 503,
    });
  });

  it('gives each tenant its own fetch, API hosts and trusted hosts', async () => {
    const emulator = await startTestEmulator({ apiPort: 0 });
    const scope = 'openid id api refresh_token sfap_api';
    const policy = { accessTokenFormat: 'jwt' as const, assignedScopes: scope.split(' ') };
    const apiHost = new URL(emulator.apiUrl!).host;
    const sent: string[] = [];
    const started = await startApp({
      emulator,
      policy,
      create: ({ clientID, clientSecret }, callbackURL) =>
        salesforceAuth({
          tenant: (req) => req.get('x-tenant'),
          configuration: ({ tenant }) => ({
            ...{ clientID, clientSecret, callbackURL, baseUrl: emulator.url, scope },
            ...(tenant === 'red' && { apiHosts: [apiHost], allowedHosts: [apiHost] }),
            fetch: (url, init) => {
              sent.push(`${tenant} ${url}`);
              return fetch(url, init);
            },
          }),
          report: false,
        }),
    });
    const [red, blue] = await Promise.all(
      ['red', 'blue'].map(async (tenant) => {
        const tab = started.browser().set('x-tenant', tenant);
        await logIn(tab, emulator);
        const { grantId } = (await tab.get('/me')).body as { grantId: string };
        return started.salesforce.tokens.get(grantId);
      }),
    );
    const hosted = `${emulator.apiUrl}/einstein/some-api/v1/agents`;
    sent.length = 0;

    expect((await red!.fetch(hosted)).status).toBe(200);
    await expect(blue!.fetch(hosted)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_FOREIGN_ORIGIN' });
    expect(sent).toEqual([`red ${hosted}`]);
    const [ofRed, ofBlue] = [await red!.connection(), await blue!.connection()];
    await expect(ofRed.request(hosted)).resolves.toMatchObject({ caller: { username: 'ada@acme.example' } });
    await expect(ofBlue.request(hosted)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_FOREIGN_ORIGIN' });
    expect((await ofBlue.query('SELECT Id FROM Account')).done).toBe(true);
    expect(sent.slice(1)).toEqual([`red ${hosted}`, expect.stringMatching(/^blue .+\/query\?/)]);
  });
});

describe('fixed options', () => {
  it('are in force for each login, and for the jobs of a user', async () => {
    const emulator = await startTestEmulator();
    const { browser, salesforce } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };
    emulator.expireAccessTokens();

    const client = await salesforce.tokens.get(grantId);

    expect((await client.fetch('/services/data/v62.0/limits')).status).toBe(200);
  });
});
