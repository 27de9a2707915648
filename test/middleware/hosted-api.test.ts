import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { MemoryTokenStore, salesforceAuth, type SalesforceAuthOptions } from '../../lib';
import type { ClientPolicy, Emulator, FaultInjection, RecordedRequest } from '../../lib/emulator';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

const scope = 'openid id api refresh_token sfap_api';
const jwt: Partial<ClientPolicy> = { accessTokenFormat: 'jwt', assignedScopes: [...scope.split(' '), 'web'] };
const path = '/einstein/some-api/v1/agents';

/** A user of an application that may call the emulator's host of APIs. */
async function access({ policy = {}, options = {} }: { policy?: Partial<ClientPolicy>; options?: object } = {}) {
  const emulator = await startTestEmulator({ apiPort: 0 });
  const apiUrl = emulator.apiUrl!;
  const started = await startApp({
    emulator,
    policy: { ...jwt, rotateRefreshTokens: true, ...policy },
    options: { scope, apiHosts: [new URL(apiUrl).host], ...options },
  });
  const tab = started.browser();
  await logIn(tab, emulator);
  const { grantId } = (await tab.get('/me')).body as { grantId: string };
  const client = await started.salesforce.tokens.get(grantId);
  return { ...started, emulator, apiUrl, grantId, client };
}

const refreshes = ({ requests }: Emulator): number =>
  requests.filter(({ body }) => body?.['grant_type'] === 'refresh_token').length;
const calls = ({ requests }: Emulator): RecordedRequest[] => requests.filter((request) => request.path === path);

describe('fetch() at a host of apiHosts', () => {
  it.each([
    ['of the API hosts, with their port', 0, true],
    ['only if the port is set', undefined, false],
  ])('lets the first app ask for the scopes %s', async (_what, apiPort, isThere) => {
    const emulator = await startTestEmulator({ apiPort, callbackURLs: ['http://localhost:3000/callback'] });
    const query = new URLSearchParams({
      response_type: 'code',
      client_id: emulator.clients[0]!.clientID,
      redirect_uri: 'http://localhost:3000/callback',
      scope: 'openid id api refresh_token sfap_api chatbot_api mcp_api',
      code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    });

    const back = await emulator.logIn({
      authorizeUrl: `${emulator.url}/services/oauth2/authorize?${query.toString()}`,
    });

    expect(new URL(back).searchParams.has('code')).toBe(isThere);
    expect(new URL(back).searchParams.get('error')).toBe(isThere ? null : 'invalid_scope');
  });

  it("calls Salesforce's API as the user, with the token of the instance", async () => {
    const { client, emulator, apiUrl } = await access();

    const answer = await client.fetch(apiUrl + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', cookie: 'session=secret' },
      body: JSON.stringify({ question: 'Who am I?' }),
    });

    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({
      body: { question: 'Who am I?' },
      caller: { username: 'ada@acme.example' },
    });
    const [call] = calls(emulator);
    expect(call!.headers['authorization']).toBe(`Bearer ${client.accessToken}`);
    expect(call!.headers['cookie']).toBeUndefined();
    expect((await client.fetch('/services/data/v62.0/limits')).status).toBe(200);
  });

  it('refreshes once however many requests find the token ended', async () => {
    const { client, emulator, apiUrl } = await access();
    emulator.expireAccessTokens();

    const answers = await Promise.all(Array.from({ length: 20 }, () => client.fetch(apiUrl + path)));

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(refreshes(emulator)).toBe(1);
  });

  it('asks no more than twice if the host refuses each token, and leaves the instance alone', async () => {
    const { client, emulator, apiUrl } = await access();
    emulator.faults.inject({ on: 'hosted-api', kind: 'error', error: 'invalid_token', times: Infinity });

    const first = await client.fetch(apiUrl + path);
    const instance = await client.fetch('/services/data/v62.0/limits');
    const second = await client.fetch(apiUrl + path);

    expect([first.status, instance.status, second.status]).toEqual([401, 200, 401]);
    expect(refreshes(emulator)).toBe(1);
    expect(calls(emulator)).toHaveLength(3);
    // The host has refused the token, and not the instance: there a token that ends is refreshed as ever.
    emulator.expireAccessTokens();
    expect((await client.fetch('/services/data/v62.0/limits')).status).toBe(200);
    expect(refreshes(emulator)).toBe(2);
    emulator.faults.clear();
    expect((await client.fetch(apiUrl + path)).status).toBe(200);
  });

  it.each([
    ['a missing scope', { on: 'hosted-api', kind: 'error', error: 'insufficient_scope' }],
    ['status 403', { on: 'hosted-api', kind: 'status', status: 403 }],
    ['status 404', { on: 'hosted-api', kind: 'status', status: 404 }],
    ['status 503', { on: 'hosted-api', kind: 'status', status: 503 }],
  ] as const)('passes %s on, and refreshes nothing', async (_what, fault) => {
    const { client, emulator, apiUrl } = await access();
    emulator.faults.inject(fault);

    const { status } = await client.fetch(apiUrl + path);

    expect(status).toBe('status' in fault ? fault.status : 401);
    expect([refreshes(emulator), calls(emulator).length]).toEqual([0, 1]);
  });

  it('sends a body that is a stream once, and has a new token for the next request', async () => {
    const { client, emulator, apiUrl } = await access();
    emulator.expireAccessTokens();
    const body = Readable.from(['{}']);

    const first = await client.fetch(apiUrl + path, { method: 'POST', body, duplex: 'half' } as never);
    const second = await client.fetch(apiUrl + path);

    expect([first.status, second.status, refreshes(emulator)]).toEqual([401, 200, 1]);
  });

  it('says which host was lost', async () => {
    const { client, emulator, apiUrl } = await access();
    emulator.faults.inject({ on: 'hosted-api', kind: 'drop' });

    await expect(client.fetch(apiUrl + path)).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_CONNECTION_LOST',
      message: expect.stringContaining(new URL(apiUrl).host) as string,
    });
  });

  it('sends no opaque token, and names the setting; after the change the next refresh helps', async () => {
    const { client, emulator, apiUrl, grantId, salesforce } = await access({ policy: { accessTokenFormat: 'opaque' } });

    await expect(client.fetch(apiUrl + path)).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_JWT_TOKEN_NEEDED',
      status: 403,
      message: expect.stringContaining('Issue JSON Web Token (JWT)-based access tokens') as string,
    });
    expect([refreshes(emulator), calls(emulator).length]).toEqual([0, 0]);
    emulator.setPolicy(emulator.clients.at(-1)!.clientID, { accessTokenFormat: 'jwt' });
    await client.getAccessToken({ rejected: client.accessToken });
    const again = await salesforce.tokens.get(grantId);
    expect((await again.fetch(apiUrl + path)).status).toBe(200);
  });

  it.each([
    ['no host is named', () => ({ apiHosts: undefined })],
    ['another host is named', () => ({ apiHosts: ['api.salesforce.com'] })],
    ['another port is named', () => ({ apiHosts: ['localhost:1'] })],
  ])('sends no token if %s', async (_what, options) => {
    const { client, emulator, apiUrl } = await access({ options: options() });

    await expect(client.fetch(apiUrl + path)).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_FOREIGN_ORIGIN',
      message: expect.stringContaining('apiHosts') as string,
    });
    expect(calls(emulator)).toEqual([]);
  });

  it.each([
    'https://api.salesforce.com.evil.example/x',
    'https://api.salesforce.com./x',
    'https://api.salesforce.com:8443/x',
    'https://evil.example/api.salesforce.com',
    'https://api.salesforce.com@evil.example/x',
    'https://user:secret@api.salesforce.com/x',
    'http://api.salesforce.com/x',
    'https://api.gov.salesforce.com/x',
    'blob:https://api.salesforce.com/x',
    '//evil.example/x',
  ])('takes %s for no host that is named', async (url) => {
    const { client } = await access({ options: { apiHosts: ['api.salesforce.com'] } });

    await expect(client.fetch(url)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_FOREIGN_ORIGIN' });
  });

  it('follows no redirect, also if it is asked to', async () => {
    const { client, emulator, apiUrl } = await access();
    const seen: (string | undefined)[] = [];
    const trap = createServer((req, res) => {
      seen.push(req.headers.authorization);
      res.end('{}');
    }).listen(0, '127.0.0.1');
    await once(trap, 'listening');
    const location = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/`;
    emulator.faults.inject({ on: 'hosted-api', kind: 'redirect', location, status: 307 });

    const answer = await client.fetch(apiUrl + path, { redirect: 'follow' });

    expect([answer.status, answer.headers.get('location')]).toEqual([307, location]);
    expect(seen).toEqual([]);
    trap.close();
  });

  it('is for the clients that name the host: another tenant calls none', async () => {
    const emulator = await startTestEmulator({ apiPort: 0 });
    const host = new URL(emulator.apiUrl!).host;
    const policy = { ...jwt, clientCredentialsRunAs: 'ada@acme.example' };
    const { clientID, clientSecret } = emulator.registerClient({ callbackURLs: ['http://localhost:3000/cb'], policy });
    const options: SalesforceAuthOptions = {
      encryptionKeys: false,
      tenant: () => 'with',
      configuration: ({ tenant }) => ({
        ...{ clientID, clientSecret, baseUrl: emulator.myDomainUrl, scope: 'api' },
        ...(tenant === 'with' ? { apiHosts: [host] } : {}),
      }),
    };
    const salesforce = salesforceAuth(options);

    const calling = salesforce.app({ tenant: 'with' });
    expect((await calling.fetch(emulator.apiUrl! + path)).status).toBe(200);
    await expect(salesforce.app({ tenant: 'without' }).fetch(emulator.apiUrl! + path)).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_FOREIGN_ORIGIN',
    });
    await salesforce.close();
  });
});

describe('the option apiHosts', () => {
  const parse = (apiHosts: unknown) =>
    salesforceAuth({ clientID: 'id', clientSecret: 'secret', apiHosts } as SalesforceAuthOptions).close();

  it.each([
    [['api.salesforce.com']],
    [['API.gov.salesforce.com']],
    [['localhost:4401', '127.0.0.1:1', '[::1]:1']],
    [[]],
  ])('takes %j', async (hosts) => {
    await expect(parse(hosts)).resolves.toBeUndefined();
  });

  it.each([
    ['a text', 'api.salesforce.com'],
    ['a URL', ['https://api.salesforce.com']],
    ['a path', ['api.salesforce.com/x']],
    ['a host that is not of Salesforce', ['api.example.com']],
    ['a host that only looks like one', ['api.salesforce.com.evil.example']],
    ['a login host', ['login.salesforce.com']],
    ['a My Domain', ['api.my.salesforce.com']],
    ['a suffix', ['.salesforce.com']],
    ['any subdomain', ['*.salesforce.com']],
    ['a site of a customer', ['api.my.site.com']],
    ['a port', ['api.salesforce.com:8443']],
    ['a user name', ['user@api.salesforce.com']],
    ['nothing', ['']],
    ['a number', [1]],
  ])('refuses %s', (_what, hosts) => {
    expect(() => parse(hosts)).toThrow(/^apiHosts must be an array of API hosts/);
  });
});

describe('a host of apiHosts that refuses each token', () => {
  it('ends no login that has no refresh token: the instance still takes the token', async () => {
    const { client, emulator, apiUrl } = await access({ options: { scope: 'openid id api sfap_api' } });
    emulator.faults.inject({ on: 'hosted-api', kind: 'error', error: 'invalid_token', times: Infinity });

    const refused = await client.fetch(apiUrl + path);

    expect(refused.status).toBe(401);
    expect((await client.fetch('/services/data/v62.0/limits')).status).toBe(200);
  });

  describe('and a token endpoint', () => {
    /** Two processes on one store. The host refuses the token, and the token endpoint does as told. */
    async function refused(fault: FaultInjection) {
      const store = new MemoryTokenStore();
      const one = await access({ options: { store } });
      const { emulator, apiUrl, grantId } = one;
      const { clientID, clientSecret } = emulator.clients.at(-1)!;
      const secret = clientSecret || undefined;
      const options = { clientID, clientSecret: secret, store, scope, baseUrl: emulator.url };
      const other = salesforceAuth({ ...options, refresh: { cacheMs: 0 } });
      const inject = (): void => {
        emulator.faults.inject({ on: 'hosted-api', kind: 'error', error: 'invalid_token', times: Infinity });
        emulator.faults.inject({ ...fault, times: Infinity });
      };
      inject();
      const { accessToken } = one.client;
      const asked = await one.client.fetch(apiUrl + path).catch((error: unknown) => error);
      return { ...one, accessToken, asked, other: await other.tokens.get(grantId), close: () => other.close() };
    }

    it('that is down: the instance is asked with the same token, in each process', async () => {
      const { client, other, asked, accessToken, emulator, apiUrl, close } = await refused({
        on: 'refresh',
        kind: 'status',
        status: 503,
      });

      expect(asked).toMatchObject({ status: 503, retryAfterSeconds: expect.any(Number) as number });
      expect((await client.fetch('/services/data/v62.0/limits')).status).toBe(200);
      expect((await other.fetch('/services/data/v62.0/limits')).status).toBe(200);
      expect([await client.getAccessToken(), await other.getAccessToken()]).toEqual([accessToken, accessToken]);
      // The pause after the failure holds for all: nothing is presented again and again.
      await expect(client.fetch(apiUrl + path)).rejects.toMatchObject({ status: 503 });
      expect(refreshes(emulator)).toBe(1);
      await close();
    });

    it('that has ended the grant: the instance is still asked with the token', async () => {
      const { client, other, asked, close } = await refused({
        ...{ on: 'refresh', kind: 'error', error: 'invalid_grant' },
        errorDescription: 'expired access/refresh token',
      });

      expect(asked).toMatchObject({ code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' });
      expect((await client.fetch('/services/data/v62.0/limits')).status).toBe(200);
      expect((await other.fetch('/services/data/v62.0/limits')).status).toBe(200);
      await close();
    });

    it('that is down, and an instance that refuses the token as well: that refusal counts', async () => {
      const { client, emulator, close } = await refused({ on: 'refresh', kind: 'status', status: 503 });
      emulator.expireAccessTokens();

      await expect(client.fetch('/services/data/v62.0/limits')).rejects.toMatchObject({ status: 503 });
      await expect(client.getAccessToken()).rejects.toMatchObject({ status: 503 });
      await close();
    });
  });

  it('costs each process one refresh a minute, however many processes call the host', async () => {
    const store = new MemoryTokenStore();
    const one = await access({ options: { store } });
    const { emulator, apiUrl, grantId } = one;
    const { clientID, clientSecret } = emulator.clients.at(-1)!;
    const other = salesforceAuth({
      ...{
        clientID,
        clientSecret: clientSecret || undefined,
        store,
        scope,
        baseUrl: emulator.url,
        apiHosts: [new URL(apiUrl).host],
      },
      refresh: { cacheMs: 0 },
    });
    const second = await other.tokens.get(grantId);
    emulator.faults.inject({ on: 'hosted-api', kind: 'error', error: 'invalid_token', times: Infinity });

    for (let turn = 0; turn < 3; turn++) {
      await one.client.fetch(apiUrl + path);
      await second.fetch(apiUrl + path);
    }

    expect(refreshes(emulator)).toBeLessThanOrEqual(2);
    await other.close();
  });
});
