import { once } from 'node:events';
import { MemoryTokenStore, salesforceAuth, type AppOptions, type SalesforceAuth } from '../../lib';
import type { ClientPolicy, Emulator, EmulatorClient, RecordedRequest } from '../../lib/emulator';
import { makeKey, type TestKey } from '../client-authentication/keys';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { watchJobs } from '../helpers/leaks';

const limits = '/services/data/v62.0/limits';
const key = makeKey();
const open: SalesforceAuth[] = [];
afterEach(async () => {
  for (const salesforce of open.splice(0)) await salesforce.close();
});

interface Started {
  emulator: Emulator;
  client: EmulatorClient;
  clock: ManualClock;
  store: MemoryTokenStore;
  salesforce: SalesforceAuth;
  /** Another process on the same store. */
  another: (changed?: Record<string, unknown>) => SalesforceAuth;
}

async function start(
  policy: Partial<ClientPolicy> = {},
  options: Record<string, unknown> = {},
  registered: TestKey = key,
): Promise<Started> {
  const emulator = await startTestEmulator();
  const client = emulator.registerClient({
    callbackURLs: [],
    certificate: registered.certificate,
    policy: {
      clientCredentialsRunAs: emulator.users[0]!.username,
      adminApprovedUsers: [emulator.users[1]!.username],
      ...policy,
    },
  });
  const clock = new ManualClock();
  const store = new MemoryTokenStore({ clock });
  const another = (changed: Record<string, unknown> = {}): SalesforceAuth => {
    const made = salesforceAuth({
      clientID: client.clientID,
      ...('clientKey' in options || 'configuration' in options ? {} : { clientSecret: client.clientSecret }),
      baseUrl: emulator.myDomainUrl,
      scope: 'api refresh_token',
      store,
      clock,
      encryptionKeys: ['__test_encryption_key_of_32_chars__'],
      report: false,
      ...options,
      ...changed,
    } as never);
    open.push(made);
    watchJobs(made);
    return made;
  };
  return { emulator, client, clock, store, salesforce: another(), another };
}

function tokenRequests({ emulator }: Pick<Started, 'emulator'>): RecordedRequest[] {
  return emulator.requests.filter(({ path }) => path.endsWith('/services/oauth2/token'));
}

async function userOf(salesforce: SalesforceAuth, options?: AppOptions): Promise<unknown> {
  const reply = await salesforce.app(options).fetch('/services/oauth2/userinfo');
  return ((await reply.json()) as Record<string, unknown>)['preferred_username'];
}

describe('app()', () => {
  it('acts as the "Run As" user, with one token for all calls and processes', async () => {
    const started = await start();
    const { salesforce, another, emulator } = started;
    const all = [salesforce, salesforce, another(), another()].map((process) => process.app());

    const statuses = await Promise.all(all.flatMap((app) => [app.fetch(limits), app.fetch(limits)]));

    expect(statuses.map(({ status }) => status)).toEqual(Array(8).fill(200));
    expect(await userOf(salesforce)).toBe(emulator.users[0]!.username);
    expect(tokenRequests(started)).toHaveLength(1);
    expect(tokenRequests(started)[0]!.body).toMatchObject({ grant_type: 'client_credentials' });
  });

  it('sends a Request with its body, also if it has to begin anew because its grant was revoked elsewhere', async () => {
    const { salesforce, another, emulator } = await start();
    const app = salesforce.app();
    await app.getAccessToken();
    await another().tokens.revoke(await app.getGrantId());

    const answer = await app.fetch(
      new Request(`${emulator.url}/services/data/v62.0/sobjects/Account`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ Name: 'Fake & Nightly' }),
      }),
    );

    expect(answer.status).toBe(201);
    expect(emulator.requests.at(-1)!.body).toEqual({ Name: 'Fake & Nightly' });
  });

  it('acts as a user by JWT bearer, beside the app itself', async () => {
    const started = await start({}, { clientKey: { key: key.key } });
    const { salesforce, emulator } = started;
    const options = { user: emulator.users[1]!.username, audience: emulator.url };

    expect(await userOf(salesforce, options)).toBe(emulator.users[1]!.username);
    expect(await userOf(salesforce)).toBe(emulator.users[0]!.username);
    expect(tokenRequests(started).map(({ body }) => (body as { grant_type: string }).grant_type)).toEqual([
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      'client_credentials',
    ]);
    // The assertion is all the proof there is.
    expect(Object.keys(tokenRequests(started)[0]!.body as object).sort()).toEqual(['assertion', 'grant_type']);
    expect(tokenRequests(started)[1]!.body).not.toHaveProperty('client_secret');
  });

  it('takes a corrected audience after a restart on the same store', async () => {
    const { salesforce, another, emulator } = await start({}, { clientKey: { key: key.key } });
    const user = emulator.users[1]!.username;
    const wrong = { user, audience: 'https://test.salesforce.com' };

    await expect(salesforce.app(wrong).getAccessToken()).rejects.toMatchObject({ status: 502 });

    expect(await userOf(another(), { user, audience: emulator.url })).toBe(user);
    // The wrong one stays wrong beside it.
    await expect(another().app(wrong).getAccessToken()).rejects.toMatchObject({ status: 502 });
  });

  it('has a grant of its own for each audience that is named, and only with a user', async () => {
    const { salesforce, another, emulator } = await start({}, { clientKey: { key: key.key } });
    const user = emulator.users[1]!.username;
    const idOf = (options: AppOptions): Promise<string> => another().app(options).getGrantId();

    const ids = await Promise.all([{}, { user }, { user, audience: 'a' }, { user, audience: 'b' }].map(idOf));

    expect(new Set(ids).size).toBe(4);
    expect(await idOf({ audience: 'a' })).toBe(await salesforce.app().getGrantId());
    expect(await idOf({ user, audience: 'a' })).toBe(ids[2]);
  });

  it('asks for another token once after a 401, however many ask', async () => {
    const started = await start();
    const { salesforce, another, emulator, clock } = started;
    const apps = [salesforce.app(), another().app()];
    await Promise.all(apps.map((app) => app.fetch(limits)));
    emulator.expireAccessTokens();

    const calls = apps.flatMap((app) => Array.from({ length: 50 }, () => app.fetch(limits)));
    const replies = await clock.advanceUntil(Promise.all(calls));

    expect(replies.every(({ status }) => status === 200)).toBe(true);
    expect(tokenRequests(started)).toHaveLength(2);
  });

  it('asks for another token before a known end, while no caller waits', async () => {
    const started = await start({ accessTokenFormat: 'jwt', jwtTimeoutSeconds: 1800 });
    const { salesforce, emulator, clock } = started;
    const app = salesforce.app();
    const first = await app.getAccessToken();
    const renewed = new Promise((resolve) => salesforce.events.once('refresh.succeeded', resolve));
    clock.advanceSeconds(1700);
    emulator.clock.advanceSeconds(1700);

    expect(await app.getAccessToken()).toBe(first);
    await renewed;
    expect(await app.getAccessToken()).not.toBe(first);
    expect(tokenRequests(started)).toHaveLength(2);
  });

  it('tells by events what happens, under its grant id', async () => {
    const { salesforce, emulator } = await start();
    const app = salesforce.app();
    const told: string[] = [];
    for (const name of ['token.served', 'refresh.started', 'refresh.succeeded', 'token.failed'] as const) {
      salesforce.events.on(name, ({ grantId: id }: { grantId: string }) => told.push(`${name} ${id}`));
    }
    const grantId = await app.getGrantId();

    await app.getAccessToken();
    emulator.expireAccessTokens();
    await app.fetch(limits);

    const names = ['refresh.started', 'refresh.succeeded', 'token.served'];
    expect(told).toEqual([...names, 'token.served', ...names].map((name) => `${name} ${grantId}`));
  });

  it('gives a jsforce connection', async () => {
    const { salesforce, emulator } = await start();
    const connection = await salesforce.app().connection();
    emulator.expireAccessTokens();

    expect((await connection.query('SELECT Id FROM Account')).totalSize).toBeGreaterThan(0);
  });

  it('goes on after an operator has ended its grant', async () => {
    const started = await start();
    const { salesforce, emulator } = started;
    const app = salesforce.app();
    await app.getAccessToken();

    await salesforce.tokens.revoke(await app.getGrantId());

    expect(emulator.liveTokens().accessTokens).toBe(0);
    expect((await app.fetch(limits)).status).toBe(200);
    expect(tokenRequests(started)).toHaveLength(2);
  });

  it('is of no user who looks for grants', async () => {
    const { salesforce } = await start();
    await salesforce.app().getAccessToken();
    const grants = [];
    for await (const grant of salesforce.tokens.list()) grants.push(grant);

    expect(grants).toEqual([]);
  });

  it.each([{}, { jobs: true }, { abandonedAfterSeconds: 86_400 }])(
    'is left alone by keepAlive: %j',
    async (keepAlive) => {
      const { salesforce, clock } = await start({}, { refresh: { keepAlive: { everySeconds: 60, ...keepAlive } } });
      const app = salesforce.app();
      await app.getAccessToken();
      const expiring = jest.fn();
      salesforce.events.on('grant.expiring', expiring);
      clock.advanceSeconds(26 * 86_400);
      const round = (): Promise<unknown> => clock.advanceUntil(once(salesforce.events, 'keepAlive.finished'), 5_000);

      await round();
      expect(await round()).toMatchObject([{ refreshed: 0, ended: 0, failed: 0, unused: 0 }]);

      expect(expiring).not.toHaveBeenCalled();
      // No limit for unused refresh tokens ends it.
      const found = await salesforce.tokens.find(await app.getGrantId());
      expect(found).toMatchObject({ state: 'idle', idleUntil: undefined });
    },
  );

  it('keeps its token sealed in the store', async () => {
    const { salesforce, store } = await start();
    const token = await salesforce.app().getAccessToken();
    const records = [];
    for await (const record of store.list()) records.push(record);

    expect(records).toHaveLength(1);
    expect(JSON.stringify(records)).not.toContain(token);
  });

  it('gets another token if no key opens the record, and leaves a record alone that a former key opens', async () => {
    const started = await start();
    const { salesforce, another } = started;
    await userOf(salesforce);
    const keys = ['__test_encryption_key_number_two__', '__test_encryption_key_of_32_chars__'];

    await userOf(another({ encryptionKeys: keys }));
    expect(tokenRequests(started)).toHaveLength(1);
    await userOf(another({ encryptionKeys: ['__test_encryption_key_number_three__'] }));

    expect(tokenRequests(started)).toHaveLength(2);
  });

  it('changes the key with two keys', async () => {
    const started = await start({}, { clientKey: [{ key: makeKey().key }, { key: key.key }] });
    const { salesforce, emulator } = started;

    expect(await userOf(salesforce, { user: emulator.users[1]!.username, audience: emulator.url })).toBe(
      emulator.users[1]!.username,
    );
    expect(await userOf(salesforce)).toBe(emulator.users[0]!.username);
  });

  it('tries the key first that Salesforce took last, also for a JWT bearer', async () => {
    const started = await start({}, { clientKey: [{ key: makeKey().key }, { key: key.key }] });
    const { salesforce, emulator, clock } = started;
    const app = salesforce.app({ user: emulator.users[1]!.username, audience: emulator.url });
    const asked = async (): Promise<number> => {
      emulator.requests.splice(0);
      emulator.expireAccessTokens();
      expect((await app.fetch(limits)).status).toBe(200);
      return emulator.requests.filter(({ path }) => path.endsWith('/token')).length;
    };
    await app.getAccessToken();

    expect(await asked()).toBe(1);
    clock.advanceSeconds(601);
    expect(await asked()).toBe(2);
  });

  it('remembers keys of two tenants apart, also if both name the same client', async () => {
    const [one, two] = [makeKey(), makeKey()];
    const started = await start({}, {}, one);
    const { emulator, client, clock } = started;
    const clientKey = [{ key: two.key }, { key: one.key }];
    const salesforce = salesforceAuth({
      configuration: () => ({ clientID: client.clientID, baseUrl: emulator.myDomainUrl, scope: 'api', clientKey }),
      tenant: () => 'a',
      store: new MemoryTokenStore({ clock }),
      encryptionKeys: false,
      clock,
    });
    open.push(salesforce);
    const requests = async (tenant: string): Promise<number> => {
      emulator.requests.splice(0);
      await salesforce.app({ tenant }).getAccessToken();
      return emulator.requests.filter(({ path }) => path.endsWith('/token')).length;
    };

    expect(await requests('a')).toBe(2);
    emulator.replaceKey(client.clientID, { certificate: two.certificate });
    // What the first tenant has learnt, that Salesforce takes the second key, is not known here.
    expect(await requests('b')).toBe(1);
  });

  it('is of one tenant each', async () => {
    const started = await start();
    const { emulator, client } = started;
    const other = emulator.registerClient({
      callbackURLs: [],
      policy: { clientCredentialsRunAs: emulator.users[2]!.username },
    });
    const clients = new Map([
      ['one', client],
      ['two', other],
    ]);
    const tenants = salesforceAuth({
      configuration: ({ tenant = '' }) => {
        const { clientID, clientSecret } = clients.get(tenant)!;
        return { clientID, clientSecret, baseUrl: emulator.myDomainUrl };
      },
      tenant: (req) => req.hostname,
      store: started.store,
      encryptionKeys: ['__test_encryption_key_of_32_chars__'],
      clock: started.clock,
    });
    open.push(tenants);

    expect(await userOf(tenants, { tenant: 'one' })).toBe(emulator.users[0]!.username);
    expect(await userOf(tenants, { tenant: 'two' })).toBe(emulator.users[2]!.username);
    expect(await tenants.app({ tenant: 'one' }).getGrantId()).not.toBe(await started.salesforce.app().getGrantId());
  });

  it.each([{}, { user: 1 }])(
    'gets the tokens of many tenants at once, whose grants do not wait for each other: %j',
    async ({ user }) => {
      const started = await start();
      const { emulator, client, clock } = started;
      const { clientID } = client;
      const tenants = salesforceAuth({
        configuration: () => ({ clientID, clientKey: { key: key.key }, baseUrl: emulator.myDomainUrl }),
        tenant: (req) => req.hostname,
        store: started.store,
        encryptionKeys: ['__test_encryption_key_of_32_chars__'],
        clock,
      });
      open.push(tenants);
      const as = user === undefined ? {} : { user: emulator.users[user]!.username, audience: emulator.url };

      const apps = Array.from({ length: 70 }, (_unused, number) => tenants.app({ tenant: `tenant ${number}`, ...as }));
      // Slowly: so many signatures take real time.
      const all = Promise.all(apps.map((app) => app.getAccessToken()));
      const tokens = await clock.advanceUntil(all, 2, 10_000);

      expect(new Set(tokens).size).toBe(70);
    },
  );

  it('goes over to another client when the operator changes it', async () => {
    const started = await start();
    const { emulator, client, clock } = started;
    const other = emulator.registerClient({
      callbackURLs: [],
      policy: { clientCredentialsRunAs: emulator.users[2]!.username },
    });
    let current = client;
    const salesforce = salesforceAuth({
      configuration: () => {
        const { clientID, clientSecret } = current;
        return { clientID, clientSecret, baseUrl: emulator.myDomainUrl };
      },
      store: started.store,
      encryptionKeys: ['__test_encryption_key_of_32_chars__'],
      clock,
    });
    open.push(salesforce);
    const app = salesforce.app();
    const user = async (): Promise<unknown> =>
      ((await (await app.fetch('/services/oauth2/userinfo')).json()) as Record<string, unknown>)['preferred_username'];
    expect(await user()).toBe(emulator.users[0]!.username);

    current = other;
    clock.advanceSeconds(61);

    expect(await user()).toBe(emulator.users[2]!.username);
  });
});

describe('app() on a bad day', () => {
  it('serves the token it has while Salesforce is away', async () => {
    const { salesforce, emulator, clock } = await start();
    const app = salesforce.app();
    const token = await app.getAccessToken();
    emulator.faults.inject({ on: 'token', kind: 'status', status: 503, times: Infinity });
    clock.advanceSeconds(7_000);

    expect(await app.getAccessToken()).toBe(token);
  });

  it('asks again after an answer that was lost, since nothing was spent', async () => {
    const started = await start();
    const { salesforce, emulator, clock } = started;
    const app = salesforce.app();
    emulator.faults.inject({ on: 'token', kind: 'drop', when: 'after' });

    await expect(app.getAccessToken()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REFRESH_DELAYED', status: 503 });
    clock.advanceSeconds(60);

    expect((await app.fetch(limits)).status).toBe(200);
    expect(tokenRequests(started)).toHaveLength(2);
  });

  it('takes over from a process that died with the claim', async () => {
    const { salesforce, another, store, clock } = await start();
    const grantId = await salesforce.app().getGrantId();
    const { generation, version } = (await store.read(grantId))!;
    await store.claim(grantId, { generation, version, owner: 'a process that dies', leaseMs: 15_000 });
    clock.advanceSeconds(16);

    // Nothing can have been spent, so that the next one need not wait for what may still be under way.
    expect(await another().app().getAccessToken()).toEqual(expect.any(String));
  });

  it('shares one pause after a refusal, and works once the set-up is right', async () => {
    const started = await start({ clientCredentialsRunAs: undefined });
    const { salesforce, another, emulator, client, clock } = started;
    const app = salesforce.app();
    await expect(app.getAccessToken()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_RUN_AS_USER_MISSING' });
    await expect(another().app().getAccessToken()).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_RUN_AS_USER_MISSING',
    });
    expect(tokenRequests(started)).toHaveLength(1);
    emulator.setPolicy(client.clientID, { clientCredentialsRunAs: emulator.users[0]!.username });
    clock.advanceSeconds(60);

    expect((await app.fetch(limits)).status).toBe(200);
  });

  it('does not wait behind the pause of another kind of token', async () => {
    const { salesforce, emulator } = await start(
      { clientCredentialsRunAs: undefined },
      { clientKey: { key: key.key } },
    );
    await expect(salesforce.app().getAccessToken()).rejects.toMatchObject({ status: 502 });

    const user = emulator.users[1]!.username;
    expect(await userOf(salesforce, { user, audience: emulator.url })).toBe(user);
  });
});

describe('app() names what is wrong', () => {
  const withKey = { clientKey: { key: key.key } };
  it.each<
    [
      what: string,
      policy: Partial<ClientPolicy>,
      options: Record<string, unknown>,
      app: (emulator: Emulator) => AppOptions,
      expected: object,
    ]
  >([
    [
      'no "Run As" user',
      { clientCredentialsRunAs: undefined },
      {},
      () => ({}),
      { code: 'ERR_SALESFORCE_RUN_AS_USER_MISSING', status: 502 },
    ],
    ['a login host', {}, {}, ({ url }) => ({ baseUrl: url }), { code: 'ERR_SALESFORCE_MY_DOMAIN_NEEDED', status: 502 }],
    [
      'a user not approved',
      { adminApprovedUsers: undefined },
      withKey,
      ({ url, users }) => ({ user: users[1]!.username, audience: url }),
      { code: 'ERR_SALESFORCE_APP_NOT_APPROVED', status: 403 },
    ],
    [
      'a user not assigned',
      {},
      withKey,
      ({ url, users }) => ({ user: users[0]!.username, audience: url }),
      { code: 'ERR_SALESFORCE_APP_NOT_APPROVED', status: 403 },
    ],
    [
      'a user who does not exist',
      {},
      withKey,
      ({ url }) => ({ user: 'nobody@acme.example', audience: url }),
      { code: 'ERR_SALESFORCE_APP_NOT_APPROVED', status: 403 },
    ],
    [
      'a My Domain as audience',
      {},
      withKey,
      ({ users }) => ({ user: users[1]!.username }),
      { code: 'ERR_SALESFORCE_AUDIENCE_INVALID', status: 502 },
    ],
    [
      'another key',
      {},
      { clientKey: { key: makeKey().key } },
      ({ url, users }) => ({ user: users[1]!.username, audience: url }),
      { code: 'ERR_SALESFORCE_CLIENT_REJECTED', status: 502 },
    ],
    [
      'another secret',
      {},
      { clientSecret: '__fake_wrong__' },
      () => ({}),
      { code: 'ERR_SALESFORCE_CLIENT_REJECTED', status: 502 },
    ],
    ['no key', {}, {}, () => ({ user: 'x' }), { code: 'ERR_SALESFORCE_OPTION_INVALID', option: 'clientKey' }],
    [
      'a public client',
      {},
      { clientSecret: undefined },
      () => ({}),
      { code: 'ERR_SALESFORCE_OPTION_INVALID', option: 'clientSecret' },
    ],
    [
      'a foreign host',
      {},
      {},
      () => ({ baseUrl: 'https://evil.example' }),
      { code: 'ERR_SALESFORCE_BASE_URL_NOT_ALLOWED' },
    ],
    ['a misspelt option', {}, {}, () => ({ username: 'x' }) as never, { code: 'ERR_SALESFORCE_OPTION_INVALID' }],
  ])('%s', async (_, policy, options, app, expected) => {
    const { salesforce, emulator } = await start(policy, options);

    await expect(salesforce.app(app(emulator)).getAccessToken()).rejects.toMatchObject(expected);
  });

  it('an inactive user, without ending the grant', async () => {
    const { salesforce, emulator, clock } = await start();
    const app = salesforce.app();
    emulator.users[0]!.active = false;
    await expect(app.getAccessToken()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_USER_INACTIVE' });
    emulator.users[0]!.active = true;
    clock.advanceSeconds(60);

    expect((await app.fetch(limits)).status).toBe(200);
  });
});
