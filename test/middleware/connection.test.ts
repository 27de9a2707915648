/** @again legacy-policy */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isSalesforceAuthError, requiresLogin, type FetchFunction } from '../../lib';
import { compileLibrary } from '../helpers/compiled';
import { ManualClock } from '../helpers/clock';
import { oldHosts } from '../helpers/old-hosts';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, type TestAppOptions } from '../helpers/app';

async function connected(given: Partial<TestAppOptions> = {}) {
  const emulator = await startTestEmulator();
  const started = await startApp({ emulator, policy: { rotateRefreshTokens: true }, ...given });
  const tab = started.browser();
  await logIn(tab, emulator);
  const { grantId } = (await tab.get('/me')).body as { grantId: string };
  const client = await started.salesforce.tokens.get(grantId);
  return { ...started, emulator, client, grantId };
}

/** What a request of a connection fails with. */
function failureOf(request: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(request).then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('connection()', () => {
  it('queries, creates and deletes through jsforce', async () => {
    const { client } = await connected();
    const connection = await client.connection({ version: '62.0' });

    const created = await connection.sobject('Account').create({ Name: 'Fake & Daughters' });
    const found = await connection.query("SELECT Id, Name FROM Account WHERE Name = 'Fake & Daughters'");
    const removed = await connection.sobject('Account').destroy(created.id!);

    expect(connection.version).toBe('62.0');
    expect(found.totalSize).toBe(1);
    expect(removed.success).toBe(true);
  });

  it('survives many expiries with rotation on, on one connection', async () => {
    const { client, emulator } = await connected();
    const connection = await client.connection();

    for (let round = 0; round < 10; round++) {
      emulator.expireAccessTokens();
      expect((await connection.query('SELECT Id FROM Account')).totalSize).toBeGreaterThan(0);
    }

    expect([...emulator.presentations.values()].every((count) => count === 1)).toBe(true);
  });

  it('shares one refresh among a connection per request, as Express applications open them', async () => {
    const { emulator, salesforce, grantId } = await connected();
    const connections = await Promise.all(
      Array.from({ length: 20 }, async () => (await salesforce.tokens.get(grantId)).connection()),
    );
    emulator.expireAccessTokens();

    const totals = await Promise.all(
      connections.map(async (one) => (await one.query('SELECT Id FROM Account')).totalSize),
    );

    expect(totals.every((total) => total > 0)).toBe(true);
    expect([...emulator.presentations.values()]).toEqual([1]);
  });

  it('ends if every token is refused', async () => {
    const { client, emulator } = await connected();
    const connection = await client.connection();
    emulator.faults.inject({
      on: 'data',
      kind: 'error',
      error: 'INVALID_SESSION_ID',
      errorDescription: 'Session expired or invalid',
      status: 401,
      times: Infinity,
    });

    await expect(connection.query('SELECT Id FROM Account')).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_API_TOKEN_REFUSED',
      message: expect.stringContaining('refuses new access tokens') as string,
      status: 502,
    });
    expect(emulator.presentations.size).toBeLessThanOrEqual(2);
  });

  it.each([
    { what: 'the login has ended', code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED', status: 401 },
    { what: 'Salesforce is down', code: 'ERR_SALESFORCE_REFRESH_DELAYED', status: 503 },
  ])('gives its caller the error of the refresh itself, whatever it was called for: $what', async (why) => {
    const { client, emulator } = await connected();
    const connection = await client.connection({ version: '62.0' });
    emulator.expireAccessTokens();
    if (why.status === 401) emulator.revokeRefreshTokens();
    else emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503, times: Infinity });
    const { code, status } = why;

    // Requests at once share one refresh, and jsforce hands its error to each of them in another way.
    const failures = await Promise.all([
      failureOf(connection.query('SELECT Id FROM Account')),
      failureOf(connection.query('SELECT Id FROM Account', { autoFetch: true })),
      failureOf(connection.queryMore('/services/data/v62.0/query/01g000000000001-2000')),
      failureOf(connection.sobject('Account').create({ Name: 'Fake' })),
      failureOf(connection.identity()),
      failureOf(connection.bulk2.query('SELECT Id FROM Account')),
      failureOf(
        connection.bulk2.loadAndWaitForResults({ object: 'Account', operation: 'insert', input: [{ Name: 'Fake' }] }),
      ),
      failureOf(connection.request('/services/data/v62.0/limits')),
    ]);
    for (let later = 0; later < 3; later++)
      failures.push(await failureOf(connection.request('/services/data/v62.0/limits')));

    for (const error of failures) {
      expect(error).toMatchObject({ code, status });
      expect(isSalesforceAuthError(error)).toBe(true);
      expect(requiresLogin(error)).toBe(status === 401);
    }
  });

  it.each([
    { what: 'leads to the login if the login has ended', isOver: true },
    { what: 'answers with 503 if Salesforce is down', isOver: false },
  ])('behind a guard, $what meanwhile', async ({ isOver }) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) => {
        app.get('/total', salesforce.require(), async (req, res) => {
          const connection = await req.salesforce.connection();
          emulator.expireAccessTokens();
          if (isOver) emulator.revokeRefreshTokens();
          else emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503, times: Infinity });
          res.json((await connection.query('SELECT Id FROM Account')).totalSize);
        });
        app.use(salesforce.errorHandler());
      },
    });
    const tab = browser();
    await logIn(tab, emulator);

    const answer = await tab.get('/total').set({ Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' });

    const { location, 'retry-after': retryAfter } = answer.headers;
    expect(answer.status).toBe(isOver ? 302 : 503);
    expect(isOver ? location : retryAfter).toMatch(isOver ? /^\/auth\/salesforce\?/ : /^\d+$/);
  });

  it('goes on a minute after every token was refused, on the same connection', async () => {
    const clock = new ManualClock();
    const { client, emulator } = await connected({ options: { clock } });
    const connection = await client.connection();
    const refusal = { error: 'INVALID_SESSION_ID', errorDescription: 'Session expired or invalid', status: 401 };
    const refusals = emulator.faults.inject({ on: 'data', kind: 'error', ...refusal, times: Infinity });
    await expect(connection.query('SELECT Id FROM Account')).rejects.toThrow('refuses new access tokens');
    refusals.remove();
    emulator.expireAccessTokens();
    clock.advanceSeconds(61);

    expect((await connection.query('SELECT Id FROM Account')).totalSize).toBeGreaterThan(0);
  });

  it('leaves the spelling of a query alone', async () => {
    const urls: string[] = [];
    const send: FetchFunction = (url, init) => {
      urls.push(url);
      return fetch(url, init);
    };
    const { client } = await connected({ options: { fetch: send } });
    const connection = await client.connection();

    await connection.request('/services/data/v62.0/limits?flag&name=a%20b');

    expect(urls.at(-1)).toMatch(/\/limits\?flag&name=a%20b$/);
  });

  it('follows the organization to another instance', async () => {
    const { client, emulator } = await connected();
    const connection = await client.connection();
    const moved = emulator.moveInstance();

    expect((await connection.query('SELECT Id FROM Account')).totalSize).toBeGreaterThan(0);

    expect(emulator.presentations.size).toBe(1);
    expect(connection.instanceUrl).toBe(moved);
    expect((await connection.query('SELECT Id FROM Account')).totalSize).toBeGreaterThan(0);
  });

  it.each(oldHosts)(
    'follows the organization with its first call if the old instance answers with $name',
    async (old) => {
      const { client, emulator } = await connected();
      const connection = await client.connection();
      const from = connection.instanceUrl;
      const moved = emulator.moveInstance();
      emulator.faults.inject({
        ...old.fault(moved),
        on: 'data',
        match: ({ headers }) => from.endsWith(headers['host']!),
        times: Infinity,
      });

      const created = await connection.sobject('Account').create({ Name: 'Fake & Movers' });

      expect(created.success).toBe(true);
      expect(connection.instanceUrl).toBe(moved);
      expect(emulator.presentations.size).toBe(1);
    },
  );

  it('does not refresh for each page with 404', async () => {
    const { client, emulator } = await connected();
    const connection = await client.connection();
    emulator.faults.inject({ on: 'data', kind: 'status', status: 404, times: Infinity });

    for (let round = 0; round < 5; round++) {
      await expect(connection.request('/services/data/v62.0/limits')).rejects.toThrow();
    }

    expect(emulator.presentations.size).toBe(1);
  });

  it('tells who the user is after the access token has expired', async () => {
    const { client, emulator } = await connected();
    const connection = await client.connection();
    const before = await connection.identity();
    emulator.expireAccessTokens();

    expect(await connection.identity()).toEqual(before);

    expect(emulator.presentations.size).toBe(1);
    // A token in an address ends up in the logs of proxies.
    expect(emulator.requests.filter(({ query }) => 'oauth_token' in query)).toEqual([]);
  });

  it('follows the redirect of a login host to the identity at the instance, and none to a foreign host', async () => {
    const emulator = await startTestEmulator({ instance: 'my-domain' });
    const { browser, salesforce } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);
    const { grantId, user } = (await tab.get('/me')).body as { grantId: string; user: Record<string, string> };
    const connection = await (await salesforce.tokens.get(grantId)).connection();
    const { host } = new URL(emulator.url);
    const path = `/id/${user['organizationId']!}/${user['userId']!}`;
    const redirectTo = (location: string) =>
      emulator.faults.inject({
        on: 'identity',
        kind: 'redirect',
        location,
        match: ({ headers }) => headers['host'] === host,
      });
    expect(connection.instanceUrl).not.toBe(emulator.url);

    const redirect = redirectTo(emulator.myDomainUrl + path);
    const identity = await connection.request<{ user_id: string }>(emulator.url + path);
    redirect.remove();
    redirectTo(`https://evil.example${path}`);
    const refused = await connection.request(emulator.url + path);

    expect(identity.user_id).toBe(user['userId']);
    expect(refused).toBe('');
  });

  it('logs out at the organization', async () => {
    const { client, emulator } = await connected();
    const connection = await client.connection();

    await connection.logout();

    const [revocation] = emulator.requests.filter(({ path }) => path === '/services/oauth2/revoke');
    expect(revocation).toMatchObject({ status: 200 });
    expect(client.instanceUrl).toBe(`http://${revocation!.headers['host']}`);
  });

  it('sends everything by the option fetch', async () => {
    const sent: string[] = [];
    const send: FetchFunction = (url, init) => {
      sent.push(`${init.method} ${new URL(url).pathname}`);
      return fetch(url, init);
    };
    const { client, emulator } = await connected({ options: { fetch: send } });
    const connection = await client.connection({ version: '62.0' });
    const heard = emulator.requests.length;
    sent.length = 0;
    emulator.expireAccessTokens();

    const created = await connection.sobject('Account').create({ Name: 'Fake & Proxy' });
    await connection.bulk2.loadAndWaitForResults({
      object: 'Account',
      operation: 'insert',
      input: [{ Name: 'Fake in Bulk' }],
      pollInterval: 1,
      pollTimeout: 10_000,
    });
    const { records } = await connection.query<{ Name: string }>("SELECT Name FROM Account WHERE Name LIKE 'Fake %'");
    await connection.identity();
    await connection.logout();

    expect(created.success).toBe(true);
    expect(records.map(({ Name }) => Name)).toEqual(expect.arrayContaining(['Fake & Proxy', 'Fake in Bulk']));
    expect(sent).toContain('POST /services/oauth2/revoke');
    expect(sent).toHaveLength(emulator.requests.length - heard);
  });

  it('fails with an error of the network through the option fetch', async () => {
    let isDown = false;
    const send: FetchFunction = (url, init) =>
      isDown ? fetch('http://127.0.0.1:1/', { method: init.method ?? 'GET' }) : fetch(url, init);
    const { client } = await connected({ options: { fetch: send } });
    const connection = await client.connection();
    isDown = true;

    await expect(connection.query('SELECT Id FROM Account')).rejects.toThrow('fetch failed');
  });
});

describe('connection() without a jsforce that works', () => {
  let library: ReturnType<typeof compileLibrary>;
  let modules: string;

  beforeAll(() => {
    library = compileLibrary();
  });
  beforeEach(() => {
    modules = mkdtempSync(join(tmpdir(), 'modules-'));
  });
  afterEach(() => rmSync(modules, { recursive: true }));
  afterAll(() => library.remove());

  /** The error of `connection()` in a process that finds only what is in `modules`. */
  function failureIn(): { code: string; message: string } {
    const program = `
      const { openConnection } = require(${JSON.stringify(join(library.folder, 'client/connection.js'))});
      openConnection({}, {}).catch(({ code, message }) => console.log(JSON.stringify({ code, message })));
    `;
    for (const name of ['debug', 'ms'])
      cpSync(dirname(require.resolve(`${name}/package.json`)), join(modules, name), { recursive: true });
    const env = { ...library.env, NODE_PATH: modules };
    return JSON.parse(execFileSync(process.execPath, ['-e', program], { env, encoding: 'utf8' })) as never;
  }

  it('says that it is missing if it is, and which one to install', () => {
    expect(failureIn()).toEqual({
      code: 'ERR_SALESFORCE_JSFORCE',
      message: expect.stringMatching(/npm install jsforce(@3\.10\.16)?$/) as string,
    });
  });

  it.each([
    ['fails while it loads, as 3.10.19 does on Node.js 20', "require('node:zlib').none.bind(null);"],
    ['lacks a package of its own', "require('a-package-that-is-not-there');"],
  ])('says that it cannot be used if it %s', (_what, code) => {
    mkdirSync(join(modules, 'jsforce'));
    writeFileSync(join(modules, 'jsforce/package.json'), JSON.stringify({ name: 'jsforce', version: '3.10.19' }));
    writeFileSync(join(modules, 'jsforce/index.js'), code);

    expect(failureIn()).toEqual({
      code: 'ERR_SALESFORCE_JSFORCE',
      message: expect.stringMatching(
        /^jsforce 3\.10\.19 is installed but does not load on Node\.js .*npm install jsforce@/,
      ) as string,
    });
  });
});
