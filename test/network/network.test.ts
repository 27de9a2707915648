/** @tier all */
import { join } from 'node:path';
import request from 'supertest';
import { fetch as undiciFetch, ProxyAgent, type Dispatcher } from 'undici';
import type { FetchFunction } from '../../lib';
import type { Emulator } from '../../lib/emulator';
import { logIn, startApp } from '../helpers/app';
import { compileLibrary } from '../helpers/compiled';
import { startTestEmulator } from '../helpers/emulator';
import { startForwardProxy, type ForwardProxy } from '../helpers/forward-proxy';
import { nodeLines } from '../helpers/node-lines';
import { Program } from '../helpers/program';
import { freePort } from '../stores/servers/programs';
import { privateAuthority, startTlsServer, type PrivateAuthority } from '../helpers/tls-server';

let authority: PrivateAuthority;
let library: ReturnType<typeof compileLibrary>;

beforeAll(async () => {
  authority = await privateAuthority();
  library = compileLibrary();
});

afterAll(() => {
  authority.remove();
  library.remove();
});

/** The option `fetch` as docs/guide/network.md has it. */
function through(dispatcher: Dispatcher): FetchFunction {
  return async (url, init) => {
    const answer: unknown = await undiciFetch(url, { ...init, dispatcher } as never);
    return answer as Response;
  };
}

/** Requests of the application itself: those of browsers at Salesforce go to pages. */
function ofTheApp(emulator: Emulator): string[] {
  const lines = emulator.requests.map(({ method, path }) => `${method} ${path}`);
  return lines.filter((line) => !isPage(line)).sort();
}

function throughProxy(proxy: ForwardProxy): string[] {
  return proxy.log.map((line) => line.replace(/\?.*/, '')).sort();
}

const isPage = (line: string): boolean =>
  !/ (?:\/services\/(?:oauth2\/(?!authorize)|data)|\/id\/|\/\.well-known)/.test(line);

describe.each(['http', 'https'])('an application whose only way out is an %s proxy, by the option fetch', (scheme) => {
  let proxy: ForwardProxy;
  let dispatcher: ProxyAgent;

  beforeEach(async () => {
    proxy = await startForwardProxy(scheme === 'https' ? authority : undefined);
    dispatcher = new ProxyAgent({
      uri: proxy.url,
      ...(scheme === 'https' ? { proxyTls: { ca: authority.certificate } } : {}),
    });
  });
  afterEach(async () => {
    await dispatcher.close();
    await proxy.stop();
  });

  it('logs in, refreshes, queries, logs out and looks for mistakes, and nothing goes past the proxy', async () => {
    const emulator = await startTestEmulator();
    const { browser, salesforce, errors } = await startApp({
      emulator,
      policy: { rotateRefreshTokens: true },
      options: { fetch: through(dispatcher), login: { profileSource: 'userinfo' }, refresh: { drainMs: 1 } },
      routes: (app, auth) => app.post('/out', auth.logout({ singleLogout: true })),
    });
    const tab = browser();
    expect((await logIn(tab, emulator)).status).toBe(302);
    expect((await tab.get('/accounts')).status).toBe(200);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };
    emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).body).toMatchObject({ done: true });
    const job = await salesforce.tokens.get(grantId);
    await (await job.connection({ version: '62.0' })).query('SELECT Id FROM Account');
    // After a lost answer introspection is asked.
    emulator.faults.inject({ on: 'refresh', kind: 'drop' });
    emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).status).toBe(503);
    expect((await tab.get('/accounts')).status).toBe(200);
    expect((await salesforce.diagnose({ origin: 'http://localhost:3000' })).findings.length).toBeGreaterThan(3);
    await tab.post('/out').type('form').send({});
    await salesforce.close();

    expect(errors).toHaveLength(1);
    const seen = ofTheApp(emulator);
    for (const path of [
      'POST /services/oauth2/token',
      'GET /id/keys',
      'GET /services/oauth2/userinfo',
      'POST /services/oauth2/introspect',
      'POST /services/oauth2/revoke',
      'GET /.well-known/openid-configuration',
    ]) {
      expect(seen).toContain(path);
    }
    expect(throughProxy(proxy).filter((line) => !isPage(line))).toEqual(seen);
  });

  it('has errors of the network if the proxy is down, and logs no user out', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { fetch: through(dispatcher) } });
    const tab = browser();
    await logIn(tab, emulator);
    await proxy.stop();
    emulator.expireAccessTokens();

    expect((await tab.get('/accounts')).body).toMatchObject({ code: 'ERR_SALESFORCE_UNREACHABLE' });

    proxy = await startForwardProxy(scheme === 'https' ? authority : undefined);
    expect((await tab.get('/')).body).toMatchObject({ isAuthenticated: true });
  });
});

describe('an application that finds its proxy in the environment (NODE_USE_ENV_PROXY=1)', () => {
  it('logs in, refreshes and queries, and nothing goes past the proxy', async () => {
    const emulator = await startTestEmulator();
    const proxy = await startForwardProxy();
    const newest = nodeLines()[1]!;
    const env = { ...library.env, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy.url, http_proxy: proxy.url };
    const program = new Program(join(__dirname, 'programs/app.cjs'), [library.folder], { ...newest, env });
    try {
      await program.heard('ready');
      const client = emulator.registerClient({ callbackURLs: [], policy: { rotateRefreshTokens: true } });
      const { clientID, clientSecret } = client;
      const url = await program.call<string>('start', {
        port: await freePort(),
        options: {
          clientID,
          clientSecret,
          baseUrl: emulator.url,
          scope: 'openid id api refresh_token',
          encryptionKeys: false,
        },
      });
      client.callbackURLs.push(`${url}/auth/salesforce/callback`);
      const tab = request.agent(url);
      expect((await logIn(tab, emulator)).status).toBe(302);
      emulator.expireAccessTokens();

      expect((await tab.get('/accounts')).body).toMatchObject({ done: true });
      expect((await tab.get('/jsforce')).body).toMatchObject({ done: true });
      expect((await tab.get('/doctor')).body).toMatchObject({ findings: expect.any(Array) as unknown[] });

      expect([...emulator.presentations.values()]).toEqual([1]);
      expect(ofTheApp(emulator)).toContain('POST /services/oauth2/token');
      expect(throughProxy(proxy).filter((line) => !isPage(line))).toEqual(ofTheApp(emulator));
    } finally {
      await program.end();
      await proxy.stop();
    }
  }, 120_000);
});

describe('a private certificate authority', () => {
  it.each([
    { name: 'is refused unless it is named', env: {}, by: 'fetch', answer: 'ERR_SALESFORCE_UNREACHABLE' },
    { name: 'is taken from NODE_EXTRA_CA_CERTS', env: 'extra', by: 'fetch', answer: 'answered' },
    { name: "is taken from undici's connect.ca", env: 'ca', by: 'undici', answer: 'answered' },
  ])('$name', async ({ env, by, answer }) => {
    const server = await startTlsServer(authority, 'HTTP/1.1', (req, res) => {
      req.resume();
      (res as { end: (text: string) => void }).end('answered');
    });
    const program = new Program(join(__dirname, '../token/programs/sender.cjs'), [library.folder], {
      execPath: process.execPath,
      env: {
        ...library.env,
        ...(env === 'extra' ? { NODE_EXTRA_CA_CERTS: authority.certificateFile } : {}),
        ...(env === 'ca' ? { AUTHORITY: authority.certificate } : {}),
      },
    });
    try {
      await program.heard('ready');
      expect(await program.call('send', { url: `${server.url}/token`, by, body: { a: 'b' }, guard: {} })).toBe(answer);
    } finally {
      await program.end();
      await server.stop();
    }
  });
});
