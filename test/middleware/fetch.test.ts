import { Readable } from 'node:stream';
import { startTestEmulator } from '../helpers/emulator';
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

describe('fetch()', () => {
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

  it('does not follow a redirect', async () => {
    const { client, emulator } = await access();
    emulator.faults.inject({ on: 'data', kind: 'redirect', location: 'https://evil.example/' });

    expect((await client.fetch(limits)).status).toBe(302);
  });

  it('passes 503 on while the refresh is delayed, and keeps the user logged in', async () => {
    const { tab, emulator } = await access();
    emulator.expireAccessTokens();
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503 });

    const answer = await tab.get('/accounts');

    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe('ERR_SALESFORCE_REFRESH_DELAYED');
    // The token that was refused is served no more; the session is still there.
    const page = await tab.get('/me').set('accept', 'text/html').set('sec-fetch-mode', 'navigate');
    expect([page.status, page.headers['retry-after']]).toEqual([503, expect.stringMatching(/^\d+$/)]);
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

describe('req.salesforce where nobody is logged in', () => {
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
