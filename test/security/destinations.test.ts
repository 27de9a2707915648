/** @again properties */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { MemoryTokenStore } from '../../lib';
import type { Emulator } from '../../lib/emulator';
import { logIn, startApp, walkToCallback, type TestApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';
import { fc, propertyRuns } from './property';
import { hostileReferences } from './support';

interface Trap {
  url: string;
  requests: IncomingMessage[];
}

const traps = new Set<Server>();

/** A host that is no Salesforce host, and whatever reaches it. */
async function startTrap(
  answer: (req: IncomingMessage, res: ServerResponse) => void = (_req, res) => res.end('{}'),
): Promise<Trap> {
  const requests: IncomingMessage[] = [];
  const server = createServer((req, res) => {
    requests.push(req);
    answer(req, res);
  });
  traps.add(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

afterEach(() => {
  for (const server of traps) {
    server.closeAllConnections();
    server.close();
  }
  traps.clear();
});

/** An application with a user logged in, and what an application would call for this user. */
async function loggedIn(options: Partial<Parameters<typeof startApp>[0]> = {}) {
  const emulator = await startTestEmulator();
  const app = await startApp({ emulator, ...options });
  const tab = app.browser();
  await logIn(tab, emulator);
  const { grantId } = (await tab.get('/me')).body as { grantId: string };
  const client = await app.salesforce.tokens.get(grantId);
  return { emulator, ...app, tab, grantId, client };
}

const tokenRequests = (emulator: Emulator): number =>
  emulator.requests.filter(({ path }) => path.endsWith('/token')).length;

describe('the client secret', () => {
  it.each(hostileReferences('https://acme.my.salesforce.com'))(
    'is sent to no host that a request names: org=%j',
    async (org) => {
      const emulator = await startTestEmulator();
      const { browser } = await startApp({ emulator });

      const answer = await browser().get(`/auth/salesforce?org=${encodeURIComponent(org)}`);

      // Refused, or as if nothing had been asked for.
      const location = answer.headers['location'];
      if (location === undefined) expect(answer.status).toBe(400);
      else expect(new URL(location).origin).toBe(org === '' ? emulator.url : 'https://acme.my.salesforce.com');
    },
  );

  it('is sent only to the configured port of this machine', async () => {
    const trap = await startTrap();
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });

    expect((await browser().get(`/auth/salesforce?org=${trap.url}`)).status).toBe(400);
    expect(trap.requests).toEqual([]);
  });

  it('does not follow a redirect of the token endpoint', async () => {
    const trap = await startTrap();
    const emulator = await startTestEmulator();
    const { browser, errors } = await startApp({ emulator });
    const tab = browser();
    for (const status of [301, 302, 303, 307, 308]) {
      const callback = await walkToCallback(tab, emulator);
      emulator.faults.inject({ on: 'code', kind: 'redirect', location: `${trap.url}/token`, status });
      await tab.get(callback);
    }

    expect(errors).toHaveLength(5);
    expect(trap.requests).toEqual([]);
  });

  it('is not sent to the host of a stored grant, at a refresh, a revocation or an introspection', async () => {
    const trap = await startTrap();
    const store = new MemoryTokenStore();
    const { emulator, grantId, client, salesforce } = await loggedIn({ options: { store, refresh: { cacheMs: 0 } } });
    // What somebody can do who can write to a store that is not encrypted.
    const plant = async (baseUrl: string): Promise<void> => {
      const record = (await store.read(grantId))!;
      const written = await store.put(grantId, {
        expected: { generation: record.generation, version: record.version },
        generation: record.generation,
        writer: baseUrl,
        payload: JSON.stringify({ ...(JSON.parse(record.payload) as object), baseUrl }),
        labels: record.labels,
        holder: 'planted',
        holderMs: 60_000,
        softMs: 0,
        hardMs: 0,
      });
      expect(written.outcome).toBe('written');
    };
    await plant(trap.url);
    const before = tokenRequests(emulator);

    await expect(client.getAccessToken()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_CLIENT_CHANGED' });
    await salesforce.tokens.revoke(grantId);
    await salesforce.close();

    expect(trap.requests).toEqual([]);
    expect(tokenRequests(emulator)).toBe(before);
  });
});

describe('an access token', () => {
  it('goes to the instance only, whatever URL fetch() is given', async () => {
    const trap = await startTrap();
    const { client, emulator } = await loggedIn();
    const { host } = new URL(emulator.url);
    const hostile = [
      trap.url,
      trap.url.replace('http:', ''),
      trap.url.replace('http://', '\\\\'),
      trap.url.replace('http://', '/\\'),
      `http://${host}@${new URL(trap.url).host}/`,
      `http://user:password@${host}/`,
      `https://${host}/`,
      `blob:${emulator.url}/0`,
      'file:///etc/passwd',
      'data:text/plain,x',
      `http://${host.split(':')[0]}.evil.test/`,
      '\t//evil.test',
      ...hostileReferences('https://acme.my.salesforce.com').filter((text) => text !== ''),
    ];

    for (const url of hostile) {
      const outcome = client.fetch(url).then(
        () => 'sent',
        (error: unknown) => (error as { code?: string }).code ?? 'unknown',
      );
      expect([url, await outcome]).toEqual([
        url,
        expect.stringMatching(/ERR_SALESFORCE_FOREIGN_ORIGIN|ERR_INVALID_URL/),
      ]);
    }
    expect(trap.requests).toEqual([]);
  });

  /** Paths that a visitor's text can make of a path: on the instance, and a URL of another host if resolved once more. */
  const pathsOf = ({ host }: URL): string[] => [
    `/.//${host}/x`,
    `/services/data/../..//${host}/x`,
    `/services/data/v62.0/sobjects/${decodeURIComponent('..%2F..%2F..%2F..%2F')}/${host}/x`,
    `.//${host}/x`,
  ];

  it('goes to the instance only, if the organization has moved', async () => {
    const trap = await startTrap();
    for (const [index] of pathsOf(new URL(trap.url)).entries()) {
      const { client, emulator } = await loggedIn();
      await client.getAccessToken();
      const to = emulator.moveInstance();
      const path = pathsOf(new URL(trap.url))[index]!;

      const answer = await client.fetch(path);

      expect([path, answer.url]).toEqual([path, `${to}//${new URL(trap.url).host}/x`]);
    }
    expect(trap.requests).toEqual([]);
  });

  it('goes to the instance only, if its first answer is a refusal', async () => {
    const trap = await startTrap();
    for (const path of pathsOf(new URL(trap.url))) {
      const sent: string[] = [];
      const { client, emulator } = await loggedIn({
        options: {
          fetch: (url, init) => {
            if (!url.endsWith('/x')) return fetch(url, init);
            return sent.push(url) === 1
              ? Promise.resolve(Response.json([{ errorCode: 'INVALID_SESSION_ID' }], { status: 401 }))
              : fetch(url, init);
          },
        },
      });

      await client.fetch(path);

      const expected = `${emulator.url}//${new URL(trap.url).host}/x`;
      expect([path, sent]).toEqual([path, [expected, expected]]);
    }
    expect(trap.requests).toEqual([]);
  });

  it('goes to the instance only, with random paths', async () => {
    const { client, emulator } = await loggedIn();
    const before = emulator.requests.length;
    const piece = fc.constantFrom(
      '/',
      '\\',
      '..',
      '.',
      '%2f',
      '%2e',
      '@',
      ':',
      '?',
      '#',
      '\t',
      '\n',
      'x',
      'é',
      '//',
      'evil.test',
      'http:',
      ' ',
    );
    let sent = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 6 }), async (pieces) => {
        const path = pieces.join('');
        const answer = await client.fetch(path).catch((error: unknown) => (error as { code: string }).code);
        if (typeof answer === 'string') return /ERR_SALESFORCE_FOREIGN_ORIGIN|ERR_INVALID_URL/.test(answer);
        sent += 1;
        return answer.url.startsWith(`${emulator.url}/`);
      }),
      propertyRuns(200),
    );

    // A page in place of an API's answer can mean that the organization has moved: then the token is refreshed once.
    const refreshes = emulator.requests.slice(before).filter(({ path }) => path.endsWith('/token')).length;
    expect(refreshes).toBeLessThanOrEqual(1);
    expect(emulator.requests.length - before - refreshes).toBe(sent);
  });

  it('does not follow a redirect of the API', async () => {
    const trap = await startTrap();
    const { client, emulator } = await loggedIn();
    emulator.faults.inject({ on: 'data', kind: 'redirect', location: `${trap.url}/data`, status: 307 });

    const answer = await client.fetch('/services/data/v62.0/limits', { method: 'POST', body: 'x' });

    expect(answer.status).toBe(307);
    expect(trap.requests).toEqual([]);
  });

  describe.each([
    ['with its own way of sending', {}],
    ['with the option fetch', { fetch: (url: string, init: RequestInit) => fetch(url, init) }],
  ] as const)('of a jsforce connection %s', (_name, options) => {
    it('goes to no host but those of Salesforce', async () => {
      const trap = await startTrap();
      const { client, emulator } = await loggedIn({ options });
      const connection = await client.connection({ version: '62.0' });
      const { host } = new URL(trap.url);
      const hostile = [
        `${trap.url}/services/data/v62.0/query/next`,
        `${emulator.url}@${host}/x`,
        'http://acme.my.salesforce.com/x',
        'https://acme.my.salesforce.com:444/x',
        'https://acme.my.salesforce.com.evil.test/x',
        `blob:${emulator.url}/0`,
      ];
      const refused = expect.objectContaining({ code: 'ERR_SALESFORCE_FOREIGN_ORIGIN' }) as Error;

      const outcomes = [];
      for (const url of hostile) {
        const request = connection.request(url);
        outcomes.push([url, await request.catch((error: unknown) => error)]);
      }
      const posted = connection.request({ method: 'POST', url: trap.url, body: 'x', headers: {} });
      await expect(posted).rejects.toEqual(refused);

      expect(outcomes).toEqual(hostile.map((url) => [url, refused]));
      expect(trap.requests).toEqual([]);
      expect((await connection.query('SELECT Id FROM Account')).totalSize).toBeGreaterThan(0);
    });

    it('goes to the instance only, if the organization has moved', async () => {
      const trap = await startTrap();
      const { client, emulator } = await loggedIn({ options });
      const connection = await client.connection({ version: '62.0' });
      const before = connection.instanceUrl;
      emulator.moveInstance();

      await connection.request(`${before}/services/data/v62.0/limits`);
      await connection.request(`${connection.instanceUrl}/services/data/v62.0/limits`);

      expect(connection.instanceUrl).not.toBe(before);
      await expect(connection.request(`${trap.url}/x`)).rejects.toMatchObject({
        code: 'ERR_SALESFORCE_FOREIGN_ORIGIN',
      });
      expect(trap.requests).toEqual([]);
    });

    it('follows no redirect, neither of the instance nor of another host of Salesforce', async () => {
      const trap = await startTrap();
      const { client, emulator } = await loggedIn({ options });
      const connection = await client.connection({ version: '62.0' });
      const other = emulator.url.replace('localhost', '127.0.0.1');
      expect(other).not.toBe(connection.instanceUrl);
      emulator.faults.inject({ on: 'data', kind: 'redirect', location: `${trap.url}/data`, times: Infinity });

      await connection.request('/services/data/v62.0/limits').catch(() => undefined);
      await connection.request(`${other}/services/data/v62.0/limits`).catch(() => undefined);

      expect(emulator.requests.at(-1)!.headers['host']).toBe(new URL(other).host);
      expect(trap.requests).toEqual([]);
    });
  });

  it('follows no redirect to another host, also if the caller asks for it', async () => {
    const trap = await startTrap();
    const { client, emulator } = await loggedIn();
    emulator.faults.inject({ on: 'data', kind: 'redirect', location: `${trap.url}/data` });

    const { status } = await client.fetch('/services/data/v62.0/limits', { redirect: 'follow' });

    expect(status).toBe(302);
    expect(trap.requests).toEqual([]);
  });

  it("cannot be replaced or redirected by headers of a user's request", async () => {
    const { client, emulator } = await loggedIn();
    const visitors = {
      Host: 'evil.my.salesforce.com',
      Authorization: 'Bearer planted',
      Cookie: 'app.sid=session',
      'X-Kept': 'yes',
    };

    const answer = await client.fetch('/services/data/v62.0/limits', { headers: visitors });

    const { headers } = emulator.requests.at(-1)!;
    expect(answer.status).toBe(200);
    expect(headers['host']).toBe(new URL(emulator.url).host);
    expect(headers['authorization']).toBe(`Bearer ${client.accessToken}`);
    expect(headers).not.toHaveProperty('cookie');
    expect(headers['x-kept']).toBe('yes');
  });

  it.each(['id', 'instance_url', 'sfdc_community_url'])(
    'is sent nowhere for a reply whose %s is foreign',
    async (field) => {
      const trap = await startTrap();
      const emulator = await startTestEmulator();
      const { browser } = await startApp({ emulator });
      const value = field === 'id' ? `${trap.url}/id/00D000000000001EAA/005000000000001AAA` : trap.url;
      emulator.faults.inject({ on: 'code', kind: 'reply', change: (reply) => ({ ...reply, [field]: value }) });
      const tab = browser();

      const answer = await logIn(tab, emulator);

      expect(trap.requests).toEqual([]);
      // A foreign site is left out; the other two end the login.
      expect(answer.status).toBe(field === 'sfdc_community_url' ? 302 : 502);
      if (field === 'sfdc_community_url') expect((await tab.get('/accounts')).status).toBe(200);
    },
  );

  it('is sent nowhere for a refresh whose instance_url is foreign', async () => {
    const trap = await startTrap();
    const { tab, emulator } = await loggedIn();
    emulator.expireAccessTokens();
    emulator.faults.inject({ on: 'refresh', kind: 'reply', change: (reply) => ({ ...reply, instance_url: trap.url }) });

    await tab.get('/accounts');
    await tab.get('/accounts');

    expect(trap.requests).toEqual([]);
  });

  it('does not follow a redirect of the identity URL or userinfo', async () => {
    const trap = await startTrap();
    const emulator = await startTestEmulator();
    for (const profileSource of ['identity', 'userinfo'] as const) {
      const { browser } = await startApp({ emulator, options: { login: { profileSource } } });
      emulator.faults.inject({ on: profileSource, kind: 'redirect', location: trap.url });

      expect((await logIn(browser(), emulator)).body.code).toBe('ERR_SALESFORCE_PROFILE');
    }
    expect(trap.requests).toEqual([]);
  });

  it.each(['access_token', 'refresh_token'])(
    'that is none is refused before a header could quote it (%s)',
    async (field) => {
      const emulator = await startTestEmulator();
      const app: TestApp = await startApp({ emulator });
      const tab = app.browser();
      for (const bad of ['__fake_token__\r\nX-Injected: 1', '__fake_token__\u0000', '__fake_token__é']) {
        emulator.faults.inject({ on: 'code', kind: 'reply', change: (reply) => ({ ...reply, [field]: bad }) });
        expect((await logIn(tab, emulator)).body.code).toBe('ERR_SALESFORCE_REPLY_INVALID');
      }
      expect(inspect(app.errors, { depth: 9, showHidden: true })).not.toContain('__fake_token__');
    },
  );
});
