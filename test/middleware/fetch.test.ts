/** @again legacy-policy */
import { once } from 'node:events';
import { createServer, type AddressInfo, type LookupFunction } from 'node:net';
import { Readable } from 'node:stream';
import { Agent, fetch as undiciFetch, Request as undiciRequest } from 'undici';
import type { FetchFunction } from '../../lib';
import type { GrantClient } from '../../lib/client/grant-client';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { oldHosts } from '../helpers/old-hosts';
import { logIn, startApp } from '../helpers/app';
import type { Emulator, RecordedRequest } from '../../lib/emulator';

/** A user's access, as a job has it. */
async function access(given: Partial<Parameters<typeof startApp>[0]> = {}) {
  const emulator = await startTestEmulator();
  const started = await startApp({ emulator, policy: { rotateRefreshTokens: true }, ...given });
  const tab = started.browser();
  await logIn(tab, emulator);
  const { grantId } = (await tab.get('/me')).body as { grantId: string };
  return { ...started, emulator, tab, grantId, client: await started.salesforce.tokens.get(grantId) };
}

function refreshes(emulator: Emulator): RecordedRequest[] {
  return emulator.requests.filter(
    ({ body }) => (body as { grant_type?: string } | undefined)?.grant_type === 'refresh_token',
  );
}

function dataRequests(emulator: Emulator): RecordedRequest[] {
  return emulator.requests.filter(({ path }) => path.startsWith('/services/data/'));
}

const limits = '/services/data/v62.0/limits';

/** Aborts a request of a client while Salesforce is held, and expects the request to end at once. */
async function expectEndBySignal(
  client: Pick<GrantClient, 'fetch'>,
  hanging: { reached: Promise<unknown>; release: () => void },
): Promise<void> {
  const reason = new Error('The user has gone.');
  const controller = new AbortController();
  const answer = client.fetch(limits, { signal: controller.signal });
  answer.catch(() => undefined);
  await hanging.reached;

  controller.abort(reason);

  await expect(answer).rejects.toBe(reason);
  hanging.release();
}

describe('fetch()', () => {
  it.each(['the token has ended', 'the token is refused'])(
    'ends as soon as its signal aborts, also while it waits for a refresh: %s',
    async (why) => {
      const clock = new ManualClock();
      const { client, emulator } = await access({ options: { clock } });
      const hanging = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
      if (why === 'the token has ended') clock.advanceSeconds(24 * 3_600);
      emulator.expireAccessTokens();

      await expectEndBySignal(client, hanging);
    },
  );

  it('takes paths and URLs on the instance', async () => {
    const { client, emulator } = await access();

    const answers = [
      await client.fetch(limits),
      await client.fetch(emulator.url + limits),
      await client.fetch(new URL(limits, emulator.url)),
    ];

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  it.each([
    'https://evil.example/services/data',
    '//evil.example/services/data',
    'http://localhost:1/services/data',
    'https://user:secret@login.salesforce.com/',
  ])('sends no token to %s', async (url) => {
    const { client } = await access();

    await expect(client.fetch(url)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_FOREIGN_ORIGIN' });
  });

  it('repeats a request with a body once, with a new token', async () => {
    const { client, emulator } = await access();
    emulator.expireAccessTokens();

    const answer = await client.fetch('/services/data/v62.0/sobjects/Account', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ Name: 'Fake & Sons' }),
    });

    expect(answer.status).toBe(201);
    expect(dataRequests(emulator).map(({ status }) => status)).toEqual([401, 201]);
  });

  it('refreshes after a 403 Bad_OAuth_Token as well', async () => {
    const { client, emulator } = await access();
    emulator.expireAccessTokens();

    expect((await client.fetch('/services/oauth2/userinfo')).status).toBe(200);
    expect(refreshes(emulator)).toHaveLength(1);
  });

  it('refreshes after a 401 to a HEAD, which has no body that says why', async () => {
    const { client, emulator } = await access();
    emulator.expireAccessTokens();

    expect((await client.fetch(limits, { method: 'head' })).status).toBe(200);

    expect(refreshes(emulator)).toHaveLength(1);
  });

  it('never repeats a streamed body, but has a new token for the next request', async () => {
    const { client, emulator, salesforce } = await access();
    emulator.expireAccessTokens();
    const done = new Promise((resolve) => salesforce.events.once('refresh.succeeded', resolve));

    const answer = await client.fetch('/services/data/v62.0/sobjects/Account', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Readable.toWeb(Readable.from(['{"Name":"Fake"}'])) as ReadableStream,
      duplex: 'half',
    });
    await done;

    expect(answer.status).toBe(401);
    expect(dataRequests(emulator)).toHaveLength(1);
    expect((await client.fetch(limits)).status).toBe(200);
  });

  it.each([
    ['a 401 about agents', 401, 'INVALID_SESSION_ID', 'Connected app is not attached to Agent'],
    ['a 401 about the REST API', 401, 'INVALID_SESSION_ID', 'This session is not valid for use with the REST API'],
    ['a 401 of another kind', 401, 'INVALID_AUTH_HEADER', 'INVALID_AUTH_HEADER'],
    ['an exhausted quota', 403, 'REQUEST_LIMIT_EXCEEDED', 'TotalRequests Limit exceeded.'],
    ['a missing permission', 403, 'INSUFFICIENT_ACCESS', 'insufficient access rights'],
  ])('does not refresh after %s', async (_what, status, error, errorDescription) => {
    const { client, emulator } = await access();
    emulator.faults.inject({ on: 'data', kind: 'error', error, errorDescription, status });

    const answer = await client.fetch(limits);

    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(errorDescription);
    expect(refreshes(emulator)).toHaveLength(0);
  });

  it('refreshes at most once for a request that is always refused, and stops refreshing for the next ones', async () => {
    const { client, emulator } = await access();
    emulator.faults.inject({
      on: 'data',
      kind: 'error',
      error: 'INVALID_SESSION_ID',
      errorDescription: 'Session expired or invalid',
      status: 401,
      times: Infinity,
    });

    const statuses: number[] = [];
    for (let request = 0; request < 5; request++) statuses.push((await client.fetch(limits)).status);

    expect(statuses).toEqual([401, 401, 401, 401, 401]);
    expect(refreshes(emulator)).toHaveLength(1);
    expect(dataRequests(emulator)).toHaveLength(6);
    emulator.faults.clear();
    expect((await client.fetch(limits)).status).toBe(200);
    emulator.expireAccessTokens();
    expect((await client.fetch(limits)).status).toBe(200);
  });

  it('makes one refresh of refusals that come one after the other', async () => {
    const { emulator, salesforce, grantId, client } = await access();
    const { accessToken } = client;
    emulator.expireAccessTokens();

    const tokens: string[] = [];
    for (let late = 0; late < 5; late++) {
      tokens.push(await (await salesforce.tokens.get(grantId)).getAccessToken({ rejected: accessToken }));
    }

    expect(new Set(tokens).size).toBe(1);
    expect(tokens[0]).not.toBe(accessToken);
    expect(refreshes(emulator)).toHaveLength(1);
  });

  it.each([undefined, 'manual', 'follow'] as const)(
    'follows no redirect, whatever its caller says: %s',
    async (redirect) => {
      const { client, emulator } = await access();
      emulator.faults.inject({ on: 'data', kind: 'redirect', location: `${emulator.url}/services/data/` });

      expect((await client.fetch(limits, { redirect } as RequestInit)).status).toBe(302);
      expect(dataRequests(emulator)).toHaveLength(1);
    },
  );

  it('fails at a redirect if its caller says so', async () => {
    const { client, emulator } = await access();
    emulator.faults.inject({ on: 'data', kind: 'redirect', location: `${emulator.url}/services/data/` });

    await expect(client.fetch(limits, { redirect: 'error' })).rejects.toMatchObject({ name: 'TypeError' });
  });

  describe.each(oldHosts)('after the organization has moved, if its old instance answers with $name', ({ fault }) => {
    async function moved(given: Parameters<typeof access>[0] = {}) {
      const found = await access(given);
      const from = found.client.instanceUrl;
      const to = found.emulator.moveInstance();
      found.emulator.faults.inject({
        ...fault(to),
        on: 'data',
        match: ({ headers }) => from.endsWith(headers['host']!),
        times: Infinity,
      });
      return { ...found, from, to };
    }

    it('looks again if the login host was down at the first look, and does not ask it with each request', async () => {
      const clock = new ManualClock();
      const { client, emulator, to } = await moved({ options: { clock } });
      const outage = emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503, times: Infinity });

      for (let request = 0; request < 20; request++) {
        const answer = await client.fetch(limits, { redirect: 'manual' });
        expect(new URL(answer.url).origin).not.toBe(to);
      }
      expect(refreshes(emulator)).toHaveLength(1);
      outage.remove();
      clock.advanceSeconds(60);

      expect(new URL((await client.fetch(limits)).url).origin).toBe(to);
      expect(refreshes(emulator)).toHaveLength(2);
    });

    it('ends as soon as its signal aborts, also while it looks for the new one', async () => {
      const { client, emulator } = await moved();
      const hanging = emulator.faults.inject({ on: 'refresh', kind: 'hold' });

      await expectEndBySignal(client, hanging);
    });

    it('goes on at the new one, with one refresh for all requests', async () => {
      const { client, emulator, to } = await moved();
      const body = JSON.stringify({ Name: 'Fake & Movers' });
      const created = await Promise.all(
        [1, 2, 3].map(() =>
          client.fetch('/services/data/v62.0/sobjects/Account', {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body,
          }),
        ),
      );

      expect(created.map(({ status }) => status)).toEqual([201, 201, 201]);
      expect(created.map(({ url }) => new URL(url).origin)).toEqual([to, to, to]);
      expect(refreshes(emulator)).toHaveLength(1);
    });

    it('hands on what the old instance says to a body that cannot be sent twice', async () => {
      const { client, emulator } = await moved();

      const answer = await client.fetch('/services/data/v62.0/sobjects/Account', {
        method: 'POST',
        body: Readable.toWeb(Readable.from([Buffer.from('{}')])) as ReadableStream,
        duplex: 'half',
      });

      expect([301, 302, 403, 404]).toContain(answer.status);
      expect(refreshes(emulator)).toHaveLength(0);
    });

    it('hands it on as well while no refresh is possible', async () => {
      const { client, emulator } = await moved();
      emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503 });

      expect([301, 302, 403, 404]).toContain((await client.fetch(limits)).status);
    });
  });

  it('refreshes once for pages with 404 that have another cause, and keeps them', async () => {
    const { client, emulator } = await access();
    emulator.faults.inject({ on: 'data', kind: 'status', status: 404, times: Infinity });

    const answers = [];
    for (let round = 0; round < 5; round++) answers.push(await client.fetch(limits));

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 404]);
    expect(await answers[4]!.text()).toContain('<html');
    expect(refreshes(emulator)).toHaveLength(1);
  });

  it('ends no login without a refresh token because of a page', async () => {
    const { client, emulator, grantId, salesforce, tab } = await access({ options: { scope: 'openid id api' } });
    const ended = jest.fn();
    salesforce.events.on('refresh.ended', ended);
    emulator.faults.inject({ on: 'data', kind: 'status', status: 404 });

    expect((await client.fetch(limits)).status).toBe(404);

    expect(ended).not.toHaveBeenCalled();
    expect(await salesforce.tokens.find(grantId)).toMatchObject({ state: 'idle', health: 'working' });
    await expect(salesforce.tokens.keepAlive(grantId)).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED',
    });
    expect(ended).not.toHaveBeenCalled();
    expect((await client.fetch(limits)).status).toBe(200);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('leaves the token in use while no refresh is possible, whatever page the instance answers with', async () => {
    const { client, emulator, tab } = await access();
    emulator.faults.inject({ on: 'data', kind: 'status', status: 404 });
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503, times: Infinity });
    const { accessToken } = client;

    expect((await client.fetch(limits)).status).toBe(404);

    expect((await client.fetch(limits)).status).toBe(200);
    expect(client.accessToken).toBe(accessToken);
    expect((await tab.get('/me')).status).toBe(200);
    expect(refreshes(emulator)).toHaveLength(1);
  });

  it('does not refresh for a 404 of the API itself', async () => {
    const { client, emulator } = await access();

    expect((await client.fetch('/services/data/v62.0/sobjects/Account/001000000000000AAA')).status).toBe(404);
    expect(refreshes(emulator)).toHaveLength(0);
  });

  describe('while the instance cannot be reached', () => {
    /** Sends calls of the API to an address that does not answer. */
    async function unreachable(origin: string, dispatcher: Agent) {
      const send: FetchFunction = (url, init) => {
        if (!url.includes('/services/data')) return fetch(url, init);
        const sent = { method: init.method ?? 'GET', dispatcher };
        // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- its Response is one of undici's own
        return undiciFetch(origin + new URL(url).pathname, sent);
      };
      return access({ options: { fetch: send } });
    }

    it('fails with a typed error if connections are refused, which is an outage', async () => {
      const closed = createServer().listen(0, '127.0.0.1');
      await once(closed, 'listening');
      const { port } = closed.address() as AddressInfo;
      closed.close();
      const { client, emulator } = await unreachable(`http://127.0.0.1:${port}`, new Agent());

      await expect(client.fetch(limits)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_UNREACHABLE', status: 502 });
      expect(refreshes(emulator)).toHaveLength(0);
    });

    it('looks for another instance once if the name no longer exists', async () => {
      const lookup: LookupFunction = (_host, _options, found) =>
        found(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' }), '');
      const { client, emulator } = await unreachable('http://old.example', new Agent({ connect: { lookup } }));

      for (let round = 0; round < 3; round++) {
        await expect(client.fetch(limits)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_UNREACHABLE', status: 502 });
      }
      expect(refreshes(emulator)).toHaveLength(1);
    });
  });

  it('fails with a typed error if the connection breaks, and keeps the user logged in', async () => {
    const { client, emulator, tab } = await access();
    emulator.faults.inject({ on: 'data', kind: 'drop' });

    await expect(client.fetch(limits)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_CONNECTION_LOST' });
    expect((await tab.get('/me')).status).toBe(200);
  });

  it("leaves the caller's own abort and mistakes as they are", async () => {
    const { client, emulator } = await access();
    emulator.faults.inject({ on: 'data', kind: 'hang' });

    await expect(client.fetch(limits, { signal: AbortSignal.timeout(50) })).rejects.toMatchObject({
      name: 'TimeoutError',
    });
    await expect(client.fetch(limits, { method: 'GET', body: 'no body' })).rejects.toMatchObject({ name: 'TypeError' });
  });

  describe('given a Request, as client libraries do', () => {
    const accounts = '/services/data/v62.0/sobjects/Account';
    const json = { 'content-type': 'application/json' };
    const post = (name: string, init: RequestInit = {}) => ({
      method: 'POST',
      headers: { ...json, 'sforce-call-options': 'client=fake' },
      body: JSON.stringify({ Name: name }),
      ...init,
    });

    it('sends its method, headers and body to its URL', async () => {
      const { client, emulator } = await access();

      const answer = await client.fetch(new Request(client.instanceUrl + accounts, post('Fake & Asked')));

      expect(answer.status).toBe(201);
      expect(dataRequests(emulator)).toEqual([
        expect.objectContaining({
          method: 'POST',
          path: accounts,
          headers: expect.objectContaining({ 'sforce-call-options': 'client=fake' }) as unknown,
          body: { Name: 'Fake & Asked' },
        }),
      ]);
      const found = await client.fetch(new Request(`${client.instanceUrl}${limits}?a=b`));
      expect(found.status).toBe(200);
      expect(dataRequests(emulator).at(-1)).toMatchObject({ method: 'GET', query: { a: 'b' } });
    });

    it('repeats it with its body after a refresh, although its body is a stream', async () => {
      const { client, emulator } = await access();
      emulator.expireAccessTokens();

      const answer = await client.fetch(new Request(client.instanceUrl + accounts, post('Fake & Again')));

      expect(answer.status).toBe(201);
      expect(dataRequests(emulator).map(({ status, body }) => [status, body])).toEqual([
        [401, { Name: 'Fake & Again' }],
        [201, { Name: 'Fake & Again' }],
      ]);
    });

    it('takes each option before what the Request says', async () => {
      const { client, emulator } = await access();
      const request = new Request(client.instanceUrl + accounts, post('Fake'));

      await client.fetch(request, { method: 'PUT', headers: { ...json, 'x-own': 'yes' }, body: '{"Name":"Other"}' });

      const [sent] = dataRequests(emulator);
      expect(sent).toMatchObject({ method: 'PUT', headers: { 'x-own': 'yes' }, body: { Name: 'Other' } });
      expect(sent!.headers).not.toHaveProperty('sforce-call-options');
      expect(request.bodyUsed).toBe(false);
    });

    it('ends by its signal, or by that of the options', async () => {
      const { client, emulator } = await access();
      emulator.faults.inject({ on: 'data', kind: 'hang', times: Infinity });
      const ended = new AbortController();
      const url = client.instanceUrl + limits;
      const reason = new Error('The user has gone.');

      const first = client.fetch(new Request(url, { signal: ended.signal }));
      const second = client.fetch(new Request(url), { signal: ended.signal });
      first.catch(() => undefined);
      second.catch(() => undefined);
      ended.abort(reason);

      await expect(first).rejects.toBe(reason);
      await expect(second).rejects.toBe(reason);
    });

    it('refuses one that was used, and one at another host', async () => {
      const { client, emulator } = await access();
      const used = new Request(client.instanceUrl + accounts, post('Fake'));
      await used.text();

      await expect(client.fetch(used)).rejects.toMatchObject({ name: 'TypeError' });
      await expect(client.fetch(new Request('https://evil.example/x', post('Fake')))).rejects.toMatchObject({
        code: 'ERR_SALESFORCE_FOREIGN_ORIGIN',
      });
      expect(dataRequests(emulator)).toEqual([]);
    });

    it('takes the Request of another undici', async () => {
      const { client, emulator } = await access();
      const request = new undiciRequest(client.instanceUrl + accounts, post('Fake & Foreign') as never);

      expect((await client.fetch(request as never)).status).toBe(201);
      expect(dataRequests(emulator)).toHaveLength(1);
    });
  });

  it('sends no header of a connection, such as those of a request that is handed on', async () => {
    const { client, emulator } = await access();
    const own = { 'content-type': 'application/json', 'sforce-call-options': 'client=fake' };
    const ofConnection = {
      connection: 'upgrade',
      expect: '100-continue',
      'keep-alive': 'timeout=5',
      'proxy-authorization': 'Basic Fake',
      te: 'trailers',
      trailer: 'x-checksum',
      'transfer-encoding': 'chunked',
      upgrade: 'h2c',
    };

    const answer = await client.fetch('/services/data/v62.0/sobjects/Account', {
      method: 'POST',
      headers: { ...own, ...ofConnection },
      body: JSON.stringify({ Name: 'Fake & Handed on' }),
    });

    expect(answer.status).toBe(201);
    const [sent] = dataRequests(emulator);
    expect(sent!.headers).toMatchObject(own);
    for (const [name, value] of Object.entries(ofConnection)) expect(sent!.headers[name]).not.toBe(value);
  });

  it.each([
    ['no number', 'a-few', 'invalid content-length header'],
    ['more than there is', '99', 'does not match content-length header'],
  ])('tells its caller of a length that cannot be sent: %s', async (_what, length, message) => {
    const { client, emulator } = await access();

    const answer = client.fetch('/services/data/v62.0/sobjects/Account', {
      method: 'POST',
      headers: { 'content-length': length },
      body: '{}',
    });

    await expect(answer).rejects.toMatchObject({
      name: 'TypeError',
      message: expect.stringContaining(message) as string,
    });
    await expect(answer).rejects.not.toHaveProperty('isTransient');
    expect(dataRequests(emulator)).toEqual([]);
  });

  it('passes 503 on while the refresh is delayed, and keeps the user logged in', async () => {
    const { tab, emulator } = await access();
    emulator.expireAccessTokens();
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503 });

    const answer = await tab.get('/accounts');

    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe('ERR_SALESFORCE_REFRESH_DELAYED');
    // Salesforce has refused the token, so no guard serves it any more, and the user stays logged in.
    const guarded = await tab.get('/me');
    expect([guarded.status, guarded.headers['retry-after']]).toEqual([503, expect.any(String)]);
    expect((await tab.get('/')).body.isAuthenticated).toBe(true);
  });
});

describe('req.salesforce', () => {
  it('can be taken apart', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) =>
        app.get('/apart', salesforce.require(), async (req, res) => {
          const { fetch: call, getAccessToken, user } = salesforce.get(req);
          const { status } = await call('/services/data/v62.0/limits');
          res.json({ status, userId: user.userId, hasToken: (await getAccessToken()).length > 0 });
        }),
    });
    const tab = browser();
    await logIn(tab, emulator);

    expect((await tab.get('/apart')).body).toEqual({ status: 200, userId: emulator.users[0]!.userId, hasToken: true });
  });
});

describe('req.salesforce without a login', () => {
  it('says so', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) => {
        app.get('/fetch', (req, _res, next) => void req.salesforce.fetch('/x').catch(next));
        app.get('/token-of-nobody', (req, _res, next) => void req.salesforce.getAccessToken().catch(next));
        app.get('/get', (req, res) => void res.json(salesforce.get(req).user));
      },
    });

    for (const path of ['/fetch', '/token-of-nobody', '/get']) {
      const answer = await browser().get(path);
      expect([answer.status, answer.body.code]).toEqual([401, 'ERR_SALESFORCE_NOT_AUTHENTICATED']);
    }
  });
});
