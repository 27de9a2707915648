import { createSign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import express from 'express';
import * as connectRedis from 'connect-redis';
import expressSession from 'express-session';
import passport from 'passport';
import { Pool } from 'pg';
import { createClient } from 'redis';
import request from 'supertest';
import * as undici from 'undici';
import * as mainEntry from '../../lib';
import * as emulatorEntry from '../../lib/emulator';
import * as contractEntry from '../../lib/stores/contract';
import * as postgresEntry from '../../lib/stores/postgres';
import * as redisEntry from '../../lib/stores/redis';
import * as sqliteEntry from '../../lib/stores/sqlite';
import * as strategyEntry from '../../lib/strategy';
import type { Emulator } from '../../lib/emulator';
import { makeKey } from '../client-authentication/keys';
import { ManualClock } from '../helpers/clock';
import { logInAtEmulator, startTestEmulator } from '../helpers/emulator';
import { describeWith, has } from '../helpers/programs';
import { openPool, startPostgres } from '../stores/servers/postgres';
import { temporaryFolder } from '../stores/servers/programs';
import { startRedis } from '../stores/servers/redis';
import { logInByHand } from '../tokens/before';
import { blocks, examples, fileOf, root, run, runWaiting, type Block } from './blocks';

/*
 * The blocks of the documentation in use: each is run with what it takes for given, an application among it, and its routes
 * are requested. The client it names is that of an emulator; everything else is as written.
 */

/** Blocks that other tests run: documents.test.ts, linking-accounts.test.ts, and telemetry.test.ts for the recipe of its name. */
const elsewhere =
  /^(quick start.*|recipe|node:test recipe|migration: .*|linking accounts: .*|the OpenTelemetry recipe)$/;

const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
  jest.restoreAllMocks();
});

const encryptionKey = '__test_encryption_key_of_32_chars__';

/** What the blocks have in common. */
interface Scene {
  emulator: Emulator;
  app: express.Express;
  /** The block. */
  code: string;
  /** All that the block has made. */
  made: mainEntry.SalesforceAuth[];
  /** The first of them, or what is given to it. */
  salesforce: mainEntry.SalesforceAuth;
  browser: ReturnType<typeof request.agent>;
  /** Handlers the block has set for signals. */
  signals: Map<string, () => void>;
  /** What it has printed. */
  printed: unknown[][];
  exit: jest.Mock;
  server: Server;
  logIn: (loginPath?: string) => Promise<void>;
}

interface Run {
  /** What else is given to the block. */
  given?: (scene: Scene) => Record<string, unknown> | Promise<Record<string, unknown>>;
  env?: () => Record<string, string>;
  /** A login before the block runs, where it is given a middleware. */
  isLoggedIn?: true;
  /** The base URL in place of the one in the block. */
  baseUrl?: (emulator: Emulator) => string;
  /** What stands for modules of Node. */
  modules?: () => Record<string, unknown>;
  /** What is mounted before it. */
  before?: (scene: Scene) => void;
  /** Uses what it has made. */
  use?: (scene: Scene) => Promise<void> | void;
}

/** The host of an emulator in place of one of Salesforce. */
function baseUrlAt(emulator: Emulator, documented: string): string {
  if (documented.includes('.my.site.com')) return emulator.siteUrl;
  return documented.includes('.my.salesforce.com') ? emulator.myDomainUrl : emulator.url;
}

/** The main entry and that of the strategy, with the client of an emulator in place of the one in a block. */
function atEmulator(
  emulator: Emulator,
  baseUrlOf: Run['baseUrl'],
  made: (salesforce: mainEntry.SalesforceAuth) => void,
) {
  const client = emulator.clients[0]!;
  const replace = (options: Record<string, unknown>): Record<string, unknown> => ({
    ...options,
    clientID: client.clientID,
    ...('clientKey' in options ? {} : { clientSecret: client.clientSecret }),
    callbackURL: options['callbackURL'] ?? '/auth/salesforce/callback',
    baseUrl: baseUrlOf?.(emulator) ?? baseUrlAt(emulator, String(options['baseUrl'])),
    scope: options['scope'] ?? 'openid id api refresh_token',
  });
  const salesforceAuth = (options: never): mainEntry.SalesforceAuth => {
    const isClient = typeof options === 'object' && 'clientID' in options;
    const salesforce = mainEntry.salesforceAuth(isClient ? (replace(options) as never) : options);
    made(salesforce);
    open.push(() => salesforce.close());
    return salesforce;
  };
  class SalesforceStrategy extends strategyEntry.SalesforceStrategy {
    constructor(options: never, verify: never) {
      super(replace(options) as never, verify);
    }
  }
  return {
    'express-salesforce-auth': { ...mainEntry, salesforceAuth, default: salesforceAuth, __esModule: true },
    'express-salesforce-auth/strategy': { SalesforceStrategy },
  };
}

/** The store for SQLite with a file of this run; the memory store on a Node.js without SQLite. */
function sqliteStore(): unknown {
  if (!('getBuiltinModule' in process) || !isBuiltin('node:sqlite')) {
    return function SqliteTokenStore() {
      return new mainEntry.MemoryTokenStore();
    };
  }
  const { path, remove } = temporaryFolder();
  open.push(remove);
  return class extends sqliteEntry.SqliteTokenStore {
    constructor(options: { file: string }) {
      super({ ...options, file: join(path, 'tokens.db') });
    }
  };
}

async function play(code: string, steps: Run): Promise<void> {
  const callbackURLs = ['/auth/salesforce/callback', '/callback'].map((path) => `http://localhost:3000${path}`);
  callbackURLs.push('https://app.example.com/auth/salesforce/callback');
  const emulator = await startTestEmulator({
    callbackURLs,
    instance: 'my-domain',
    policy: { authorizationCodeAndCredentials: true },
  });
  const app = express();
  // A proxy that says where the application is reached, so that its callback is one that is registered.
  app.set('trust proxy', true);
  app.use((req, _res, next) => {
    Object.assign(req.headers, { host: 'localhost:3000' });
    next();
  });
  app.use(expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }));
  const server = createServer(app).listen(0);
  open.push(() => server.close());
  const scene = {
    emulator,
    app,
    code,
    server,
    signals: new Map(),
    printed: [],
    made: [],
    exit: jest.fn(),
  } as unknown as Scene;
  const modules = {
    ...atEmulator(emulator, steps.baseUrl, (salesforce) => {
      scene.made.push(salesforce);
      if (scene.made.length === 1) scene.salesforce = salesforce;
    }),
    'express-salesforce-auth/emulator': emulatorEntry,
    'express-salesforce-auth/stores/postgres': postgresEntry,
    'express-salesforce-auth/stores/redis': redisEntry,
    'express-salesforce-auth/stores/sqlite': { SqliteTokenStore: sqliteStore() },
    express: Object.assign(() => app, express, { default: express }),
    undici,
    passport: { default: passport, __esModule: true },
    redis: {
      createClient: (options: object) => {
        const client = createClient(options);
        open.push(() => client.destroy());
        return client;
      },
    },
    pg: {
      Pool: class extends Pool {
        constructor(options: object) {
          super(options);
          open.push(() => this.end());
        }
      },
    },
  };
  scene.browser = request.agent(server);
  void scene.browser.set('Sec-Fetch-Site', 'same-origin');
  scene.logIn = async (loginPath) => {
    const cookie = await emulator.logInTo(app, loginPath === undefined ? {} : { loginPath });
    scene.browser.set('Cookie', cookie);
  };
  if (!code.includes('salesforceAuth(') && !code.includes('SalesforceStrategy(')) {
    const clock = new ManualClock();
    scene.salesforce = modules['express-salesforce-auth'].salesforceAuth({ clientID: '', clock } as never);
    app.use(scene.salesforce);
  }
  steps.before?.(scene);
  if (steps.isLoggedIn) await scene.logIn();
  const print = (...line: unknown[]): void => void scene.printed.push(line);
  Object.assign(modules, steps.modules?.());
  await runWaiting(
    code,
    {
      app,
      salesforce: scene.salesforce,
      server,
      emulator,
      process: {
        env: { TOKEN_KEY: encryptionKey, KEY: encryptionKey, ...steps.env?.() },
        on: (name: string, handler: () => void) => scene.signals.set(name, handler),
        exit: scene.exit,
      },
      salesforceAuth: modules['express-salesforce-auth'].salesforceAuth,
      console: { log: print, warn: print, error: print },
      ...(await steps.given?.(scene)),
    },
    modules,
  );
  await steps.use?.(scene);
}

/** Requests paths one after the other, and gives the statuses. */
async function get({ browser }: Scene, ...paths: string[]): Promise<number[]> {
  const statuses = [];
  for (const path of paths) statuses.push((await browser.get(path)).status);
  return statuses;
}

/** Ends as a process does on SIGTERM. */
async function terminate(scene: Scene): Promise<void> {
  const { signals, salesforce, server, exit } = scene;
  const client = await salesforce.tokens.get((await firstGrant(scene))!);
  const closed = new Promise((resolve) => server.once('close', resolve));
  signals.get('SIGTERM')!();
  await closed;
  while (exit.mock.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(exit).toHaveBeenCalledWith(0);
  await expect(client.getAccessToken({ rejected: client.accessToken })).rejects.toMatchObject({
    code: 'ERR_SALESFORCE_CLOSED',
  });
}

const clientKey = makeKey();

/** A login with a key and no secret. */
async function logInWithKey(scene: Scene): Promise<void> {
  if (!scene.code.includes('app.use(')) scene.app.use(scene.salesforce);
  await scene.logIn();
  const exchange = scene.emulator.requests.findLast(({ path }) => path.endsWith('/token'))!;
  expect(exchange).toMatchObject({ status: 200, body: { client_assertion: expect.any(String) } });
  expect(exchange.body).not.toHaveProperty('client_secret');
}

const hasKey = ({ emulator }: Scene): void =>
  emulator.replaceKey(emulator.clients[0]!.clientID, { certificate: clientKey.certificate });

const runs: Readonly<Record<string, readonly Run[]>> = {
  'docs/guide/app-tokens.md': [
    {
      before: ({ emulator }) =>
        emulator.setPolicy(emulator.clients[0]!.clientID, { clientCredentialsRunAs: emulator.users[0]!.username }),
      use: async ({ browser }) => expect((await browser.post('/webhook')).status).toBe(201),
    },
    {
      before: (scene) => {
        hasKey(scene);
        const { emulator } = scene;
        const user = emulator.addUser({ username: 'integration@example.com' });
        emulator.setPolicy(emulator.clients[0]!.clientID, { adminApprovedUsers: [user.username] });
      },
      // The audience of a My Domain is its login host, which for an emulator cannot be told from the name.
      baseUrl: ({ url }) => url,
      given: () => ({ key: clientKey.pem }),
      use: ({ printed }) => expect(printed).toMatchObject([[{ done: true }]]),
    },
  ],
  'docs/guide/client-keys.md': [
    {
      before: hasKey,
      modules: () => ({
        'node:fs': { readFileSync: (path: string) => (path.endsWith('.key') ? clientKey.pem : clientKey.certificate) },
      }),
      use: logInWithKey,
    },
    {
      before: hasKey,
      given: () => ({
        keyService: {
          sign: (_name: string, input: Uint8Array) =>
            Promise.resolve(createSign('sha256').update(input).sign(clientKey.key)),
        },
      }),
      use: logInWithKey,
    },
    { before: hasKey, given: () => ({ keys: { next: makeKey().pem, current: clientKey.pem } }), use: logInWithKey },
  ],
  'README.md': [
    {
      use: async (scene) => {
        expect(await get(scene, '/', '/me')).toEqual([200, 401]);
        await scene.logIn();
        expect(await get(scene, '/me', '/admin', '/')).toEqual([200, 403, 200]);
        expect((await scene.browser.post('/logout-everywhere').set('Accept', 'text/html')).status).toBe(303);
        expect(scene.emulator.liveTokens().refreshTokens).toBe(0);
      },
    },
    {
      given: ({ emulator: { clients } }) => {
        const { clientID, clientSecret } = clients[0]!;
        return { tenants: new Map([['localhost', { clientID, clientSecret }]]) };
      },
      use: async ({ made: [oneApp, manyApps] }) => {
        const owner = { organizationId: '00D000000000001', userId: '005000000000001' };
        expect(await oneApp!.tokens.find(owner)).toBeUndefined();
        expect(await manyApps!.tokens.find({ ...owner, tenant: 'localhost' })).toBeUndefined();
        await expect(manyApps!.tokens.find(owner)).rejects.toMatchObject({ code: 'ERR_SALESFORCE_CONFIGURATION' });
      },
    },
    {
      isLoggedIn: true,
      given: async ({ salesforce }) => {
        for await (const { grantId } of salesforce.tokens.list()) return { grantId };
        return {};
      },
      use: async (scene) => {
        scene.emulator.revokeRefreshTokens();
        await expect(scene.salesforce.tokens.get((await firstGrant(scene))!)).resolves.toBeDefined();
        await (await scene.salesforce.tokens.get((await firstGrant(scene))!)).getAccessToken({ rejected: 'x' });
        scene.signals.get('SIGTERM')!();
      },
    },
    {
      before: ({ app }) => {
        passport.serializeUser((user, done) => done(null, user));
        passport.deserializeUser((user, done) => done(null, user as Express.User));
        app.use(passport.session());
      },
      use: async (scene) => {
        await scene.logIn('/login');
        expect(await get(scene, '/')).toEqual([404]);
      },
    },
  ],
  'docs/guide/network.md': [{ use: ({ made }) => expect(made).toHaveLength(1) }],
  'docs/guide/deployment.md': [{ isLoggedIn: true, use: terminate }],
  'docs/reference/doctor.md': [{ use: ({ printed }) => expect(printed.map(([level]) => level)).toContain('ok') }],
  'docs/reference/errors.md': [
    {
      before: ({ app, salesforce }) => app.get('/failing', (req) => void salesforce.get(req)),
      use: async ({ browser }) => {
        const { status, body } = await browser.get('/failing');
        expect([status, body.error ?? body.code]).toEqual([401, 'ERR_SALESFORCE_NOT_AUTHENTICATED']);
      },
    },
    {
      given: () => ({ client: { clientID: '' } }),
      use: async ({ app, salesforce, browser }) => {
        app.set('view', ViewOfTitles);
        app.use(salesforce);
        const { status, text } = await browser
          .get('/auth/salesforce/callback?code=x&state=y')
          .set('Accept', 'text/html');
        expect([status, /<h1>.+<\/h1>/.test(text)]).toEqual([403, true]);
      },
    },
  ],
  'docs/guide/faq.md': [
    {
      use: async ({ browser, logIn }) => {
        const open = () => browser.get('/shop').set({ Accept: 'text/html', 'Sec-Fetch-Site': 'same-origin' });
        const asked = await open();
        expect(asked.headers['location']).toBe('/silent?returnTo=/shop');
        const { headers } = await browser.get('/silent?returnTo=/shop').set('Sec-Fetch-Site', 'same-origin');
        expect(headers['location']).toContain('immediate=true');
        await logIn();
        expect((await open()).text).toMatch(/^Hello \w/);
      },
    },
    {
      use: async (scene) => {
        await scene.logIn();
        expect(await get(scene, '/admin')).toEqual([403]);
        await scene.logIn('/more');
        expect(await get(scene, '/admin')).toEqual([200]);
      },
    },
    {
      isLoggedIn: true,
      given: () => ({ isManager: () => true }),
      use: async ({ browser }) => expect((await browser.get('/start')).headers['location']).toBe('/reports'),
    },
  ],
  'docs/guide/security.md': [
    { use: ({ made }) => expect(made).toHaveLength(1) },
    {
      use: async ({ browser, printed }) => {
        await browser.get('/nowhere?code=aPrx&state=s');
        expect(printed).toEqual([['GET', '/nowhere', 404]]);
      },
    },
  ],
  'docs/guide/headless-login.md': [
    {
      use: async ({ browser, emulator }) => {
        const { username, password } = emulator.users[0]!;
        const { status, headers } = await browser
          .post('/login')
          .type('form')
          .set('Accept', 'text/html')
          .send({ username, password });
        expect([status, headers['location']]).toEqual([303, '/']);
      },
    },
  ],
  'docs/guide/integrations.md': [
    {
      isLoggedIn: true,
      use: async (scene) => {
        expect(await get(scene, '/limits')).toEqual([200]);
        scene.emulator.expireAccessTokens();
        expect(await get(scene, '/limits')).toEqual([200]);
        expect(scene.emulator.requests.filter(({ path }) => path.endsWith('/token'))).toHaveLength(2);
      },
    },
    {
      before: ({ emulator }) =>
        emulator.setPolicy(emulator.clients[0]!.clientID, {
          assignedScopes: ['openid', 'id', 'api', 'refresh_token', 'sfap_api', 'chatbot_api'],
        }),
      // The host is not asked: tokens of this app are opaque.
      use: async ({ logIn, browser }) => {
        await logIn();
        const { status, body } = await browser.get('/agent').set('Accept', 'application/json');
        expect([status, JSON.stringify(body)]).toEqual([403, expect.stringContaining('JWT_TOKEN_NEEDED')]);
      },
    },
  ],
  'docs/guide/logout.md': [
    {
      isLoggedIn: true,
      use: async ({ browser, emulator }) => {
        expect((await browser.post('/leave')).headers['location']).toBe('/');
        expect(emulator.liveTokens().refreshTokens).toBe(0);
      },
    },
    {
      isLoggedIn: true,
      given: () => ({ express: { static: (_root: string, given: object) => express.static(root, given) } }),
      use: async ({ browser }) => {
        const { status, headers } = await browser.get('/reports/README.md').set('Accept', 'text/html');
        expect([status, headers['cache-control']]).toEqual([200, 'private, max-age=3600']);
      },
    },
    {
      isLoggedIn: true,
      use: async ({ browser, logIn, emulator }) => {
        const here = await browser.post('/logout').set('Accept', 'text/html');
        expect(here.text).toContain(`content="0;url=${emulator.myDomainUrl}/services/auth/idp/oidc/logout"`);
        await logIn();
        expect((await browser.post('/goodbye').set('Accept', 'text/html')).text).toContain(
          'MyDomain.my.salesforce.com'.toLowerCase(),
        );
        await logIn();
        expect((await browser.get('/salesforce-logout')).status).toBeLessThan(400);
      },
    },
  ],
  'docs/guide/observability.md': [
    { isLoggedIn: true, use: (scene) => loseGrant(scene) },
    {
      given: () => ({ client: { clientID: '' }, log: { warn: (...line: unknown[]) => logged.push(line) } }),
      use: async ({ app, salesforce, browser }) => {
        app.use(salesforce);
        await browser.get('/auth/salesforce/callback?code=x&state=y');
        expect(logged).toEqual([
          [
            { code: 'ERR_SALESFORCE_STATE_MISMATCH', suppressed: 0 },
            expect.stringMatching(/^The "state" of the callback/),
          ],
        ]);
      },
    },
    {
      isLoggedIn: true,
      before: ({ app, salesforce }) => useToken(app, salesforce),
      use: async (scene) => {
        scene.emulator.expireAccessTokens();
        expect(await get(scene, '/limits')).toEqual([200]);
        expect(scene.printed.at(-1)![0]).toMatch(/^refreshed in [\d.]+ ms \(\w+\)$/);
      },
    },
  ],
  'docs/reference/options.md': [
    {
      given: ({ emulator: { clients } }) => ({
        store: new mainEntry.MemoryTokenStore(),
        byTenant: () => Promise.resolve({ clientID: clients[0]!.clientID }),
        byHost: () => Promise.resolve({ clientID: clients[0]!.clientID }),
      }),
      env: () => ({ SALESFORCE_CLIENT_ID: '3MVG9', SALESFORCE_CLIENT_SECRET: '__fake__' }),
      use: ({ salesforce }) => expect(salesforce).toBeDefined(),
    },
    {
      use: async (scene) => {
        await scene.logIn();
        const { body } = await scene.browser.get('/accounts');
        expect(body).toEqual({ user: 'Ada Fake', token: expect.any(Number), reply: 200 });
      },
    },
  ],
  'docs/guide/migration.md': [
    {
      before: ({ app, emulator }) => {
        app.get('/old-login', async (req, res) => {
          const { refreshToken } = await logInByHand(emulator, emulator.clients[0]!);
          Object.assign(req.session, { tokens: { refreshToken } });
          res.sendStatus(204);
        });
      },
      use: async (scene) => {
        scene.app.get('/me', scene.salesforce.require(), (req, res) => {
          res.json(req.salesforce.user?.displayName);
        });
        expect(await get(scene, '/me', '/old-login')).toEqual([401, 204]);
        expect((await scene.browser.get('/me')).body).toBe('Ada Fake');
        expect([...scene.emulator.presentations.values()]).toEqual([1]);
      },
    },
  ],
  'docs/guide/organizations.md': [
    {
      use: async ({ browser }) => {
        expect((await browser.get('/auth/salesforce?org=sandbox')).headers['location']).toMatch(
          /^https:\/\/test\.salesforce\.com\/services\/oauth2\/authorize\?/,
        );
      },
    },
    {
      isLoggedIn: true,
      use: async (scene) => {
        expect(await get(scene, '/organizations', '/compare', '/acme')).toEqual([200, 302, 403]);
        expect((await scene.browser.post('/switch')).body.code ?? 'thrown').toBeTruthy();
      },
    },
    {
      given: () => ({ store: new mainEntry.MemoryTokenStore() }),
      use: async (scene) => {
        await scene.logIn();
        expect(await get(scene, '/partner')).toEqual([401]);
        expect((await scene.browser.get('/partner').set('Accept', 'text/html')).headers['location']).toContain(
          '/partner/login',
        );
      },
    },
    {
      given: ({ emulator }) => {
        const { clientID, clientSecret } = emulator.clients[0]!;
        const { organizationId } = emulator.users[0]!;
        const client = { clientID, clientSecret, baseUrl: emulator.url };
        return { customers: new Map([['localhost', { organizationId, client }]]) };
      },
      use: async (scene) => {
        scene.app.get('/me', scene.salesforce.require(), (_req, res) => void res.end());
        await scene.logIn();
        expect(await get(scene, '/me')).toEqual([200]);
        const other = scene.emulator.addUser({ organizationId: scene.emulator.users.at(-1)!.organizationId });
        await expect(scene.emulator.logInTo(scene.app, { username: other.username })).rejects.toThrow('403');
        for await (const { grantId } of scene.salesforce.tokens.list({ tenant: 'localhost' }))
          await scene.salesforce.tokens.revoke(grantId);
        expect(scene.emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
      },
    },
  ],
  'docs/guide/stores.md': [
    { use: ({ salesforce }) => expect(salesforce).toBeDefined() },
    { use: storesGrants },
    { env: () => ({ REDIS_URL: servers.redis }), use: storesGrants },
    { env: () => ({ DATABASE_URL: servers.postgres }), use: storesGrants },
  ],
  'docs/guide/sessions.md': [
    {
      env: () => ({ REDIS_URL: servers.redis, SESSION_SECRET: '__test_session_secret__' }),
      modules: () => ({ 'connect-redis': connectRedis }),
      use: storesGrants,
    },
  ],
  'docs/guide/testing.md': [
    {
      use: async ({ browser, emulator }) => {
        expect(emulator.liveTokens().refreshTokens).toBe(1);
        expect((await browser.get('/auth/salesforce')).status).toBe(302);
      },
    },
    {
      isLoggedIn: true,
      before: ({ app, salesforce }) => useToken(app, salesforce),
      given: (scene) => {
        scene.emulator.expireAccessTokens();
        void scene.browser.get('/limits').then(() => undefined);
        return {};
      },
      use: async (scene) => {
        scene.emulator.faults.clear();
        expect(await get(scene, '/limits')).toEqual([200]);
      },
    },
  ],
  'docs/internals/token-lifecycle.md': [{ isLoggedIn: true, use: terminate }],
  'lib/client/api-error.ts': [
    {
      isLoggedIn: true,
      use: async ({ browser }) => {
        const { status, text } = await browser.get('/nothing');
        expect([status, text]).toEqual([502, expect.stringContaining('Salesforce answered &quot;NOT_FOUND')]);
      },
    },
  ],
  'lib/doctor/diagnose.ts': [
    { use: ({ printed }) => expect(printed).toEqual([['error', expect.stringContaining('clientID')]]) },
  ],
  'lib/emulator/emulator.ts': [{ use: ({ made }) => expect(made).toHaveLength(1) }],
  'lib/errors.ts': [
    { use: ({ printed }) => expect(printed).toEqual([['callbackURL', expect.stringContaining('https')]]) },
    {
      before: failsWithoutLogin,
      use: async ({ browser }) => {
        const { status, text } = await browser.get('/failing');
        expect([status, text]).toEqual([401, expect.stringMatching(/^[A-Z].*\.$/)]);
      },
    },
    {
      before: failsWithoutLogin,
      use: async ({ browser, printed }) => {
        await browser.get('/failing');
        expect(printed[0]![0]).toBe('ERR_SALESFORCE_NOT_AUTHENTICATED');
      },
    },
    {
      before: failsWithoutLogin,
      use: async ({ browser }) => expect((await browser.get('/failing')).headers['location']).toBe('/auth/salesforce'),
    },
  ],
  'lib/middleware/require.ts': [
    {
      isLoggedIn: true,
      use: async (scene) => expect(await get(scene, '/limits')).toEqual([200]),
    },
  ],
  'lib/middleware/salesforce-auth.ts': [
    {
      use: async (scene) => {
        expect(await get(scene, '/')).toEqual([401]);
        await scene.logIn();
        expect((await scene.browser.get('/')).body.displayName).toBe('Ada Fake');
      },
    },
  ],
  'lib/options/environment.ts': [
    {
      env: () => ({ SALESFORCE_CLIENT_ID: '3MVG9', SALESFORCE_CLIENT_SECRET: '__fake__' }),
      use: async (scene) => {
        await scene.logIn();
        expect(await firstGrant(scene)).toBeDefined();
      },
    },
  ],
  'lib/stores/memory.ts': [{ use: storesGrants }],
  'lib/stores/postgres.ts': [{ env: () => ({ DATABASE_URL: servers.postgres }), use: storesGrants }],
  'lib/stores/redis.ts': [{ env: () => ({ REDIS_URL: servers.redis }), use: storesGrants }],
  'lib/stores/sqlite.ts': [{ use: storesGrants }],
  'lib/strategy/strategy.ts': [
    {
      use: async ({ app, emulator }) => {
        const byStrategy = passport.authenticate('salesforce', { session: false }) as express.RequestHandler;
        app.get('/login', byStrategy);
        app.get('/callback', byStrategy, (req, res) => {
          res.json(req.user);
        });
        const browser = request.agent(app).set('X-Forwarded-Proto', 'http');
        const { headers } = await browser.get('/login');
        const authorizeUrl = String(headers['location']);
        const callback = new URL(await logInAtEmulator({ authorizeUrl, ...emulator.users[0]! }));
        const { body } = await browser.get(callback.pathname + callback.search);
        expect(body.displayName).toBe('Ada Fake');
      },
    },
  ],
};

function failsWithoutLogin({ app, salesforce }: Scene): void {
  app.get('/failing', (req) => void salesforce.get(req));
}

/** A template engine that has one template for everything. */
class ViewOfTitles {
  path = 'any';
  render(options: { title?: string }, done: (error: null, page: string) => void): void {
    done(null, `<h1>${options.title}</h1>`);
  }
}

/** What the log of a block has got. */
const logged: unknown[] = [];

/** Addresses of real servers, for the blocks about stores. */
const servers = { redis: '', postgres: '' };

async function firstGrant({ salesforce }: Scene): Promise<string | undefined> {
  for await (const { grantId } of salesforce.tokens.list()) return grantId;
  return undefined;
}

function useToken(app: express.Express, salesforce: mainEntry.SalesforceAuth): void {
  app.get('/limits', salesforce.require(), async (req, res) => {
    res.sendStatus((await req.salesforce.fetch('/services/data/v62.0/limits')).status);
  });
}

async function loseGrant(scene: Scene): Promise<void> {
  scene.emulator.revokeRefreshTokens();
  const client = await scene.salesforce.tokens.get((await firstGrant(scene))!);
  await expect(client.getAccessToken({ rejected: client.accessToken })).rejects.toMatchObject({ status: 401 });
  expect(scene.printed).toEqual([['log in again', client.grantId, expect.stringMatching(/^ERR_/)]]);
}

/** A login whose grant is in the store of the block. */
async function storesGrants(scene: Scene): Promise<void> {
  await scene.logIn();
  const grantId = await firstGrant(scene);
  expect(grantId).toMatch(/^[\w-]{43}$/);
  await scene.salesforce.tokens.revoke(grantId!);
}

describe('a block of the documentation', () => {
  const own = [...blocks, ...examples].filter(
    (block) => fileOf(block) === undefined && !elsewhere.test(block.comment.trim()) && !isSuite(block),
  );
  const named = own.map((block) => {
    const number = own.filter(({ document }) => document === block.document).indexOf(block);
    return { name: `${block.document}, number ${number + 1}`, block, steps: runs[block.document]?.[number] };
  });

  const stops: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    const [redis, postgres] = await Promise.all([has('Redis') ? startRedis() : undefined, startPostgres()]);
    Object.assign(servers, { redis: redis?.url, postgres: postgres.url });
    const pool = openPool(postgres.url);
    await pool.query(readFileSync(join(root, 'lib/stores/postgres.sql'), 'utf8'));
    await pool.end();
    if (redis) stops.push(redis.stop);
    stops.push(postgres.stop);
  }, 120_000);
  afterAll(() => Promise.all(stops.map((stop) => stop())));

  it('is used, every block', () => {
    expect(named.filter(({ steps }) => steps === undefined).map(({ name }) => name)).toEqual([]);
    expect(named).toHaveLength(Object.values(runs).flat().length);
  });

  const needsRedis = ({ block }: (typeof named)[number]): boolean => block.code.includes('REDIS_URL');
  const runsIt = async ({ block, steps }: (typeof named)[number]): Promise<void> => play(block.code, steps!);
  it.each(named.filter((one) => !needsRedis(one)))('runs: $name', runsIt);
  describeWith('Redis')('with a Redis', () => {
    it.each(named.filter(needsRedis))('runs: $name', runsIt);
  });
});

describe('the suite for stores in the documentation', () => {
  const clock = new ManualClock();
  const given = { myStore: new mainEntry.MemoryTokenStore({ clock }), elapse: (ms: number) => clock.advanceMs(ms) };
  for (const { code } of [...blocks, ...examples].filter(isSuite)) {
    run(code, given, { 'express-salesforce-auth/stores/contract': contractEntry });
  }
});

/** A block that registers tests itself. */
function isSuite({ code }: Block): boolean {
  return code.includes('describeTokenStore(');
}
