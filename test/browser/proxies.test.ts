/** @tier all */
import { randomBytes } from 'node:crypto';
import { RedisStore } from 'connect-redis';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { startTestEmulator } from '../helpers/emulator';
import { describeWith } from '../helpers/programs';
import { RedisTokenStore } from '../../lib/stores/redis';
import { startRedis } from '../stores/servers/redis';
import { sessions, startApplication, type ApplicationOptions } from './application';
import { choosePorts, startNginx, type Nginx } from './nginx';
import { logInAtSalesforce, useBrowserOfTest, walk } from './walk';

/* A real nginx in front of the application, and Chromium in front of nginx. */

jest.setTimeout(60_000);

const encryptionKeys = ['__test_encryption_key_of_32_chars__'];
const forwarded = 'proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;';
const host = 'proxy_set_header Host $http_host;';

type Scheme = 'http' | 'https';

interface Deployment {
  location: string;
  /** Path of the application's root, as browsers see it. */
  prefix: string;
  application: (root: string) => Omit<ApplicationOptions, 'emulator'>;
  /** What the operator is told. */
  warnings?: string[];
  /** Default: both. Salesforce takes a callback URL with http for localhost alone. */
  schemes?: Scheme[];
}

const deployments: Record<string, Deployment> = {
  'at the root of a host': {
    location: `location / { proxy_pass http://node; ${host} ${forwarded} }`,
    prefix: '',
    application: () => ({ trustProxy: 1 }),
  },
  'below a prefix that the proxy keeps': {
    location: `location /crm/ { proxy_pass http://node; ${host} ${forwarded} }`,
    prefix: '/crm',
    application: () => ({ trustProxy: 1, mountPath: '/crm', options: { pages: { home: '/crm/' } } }),
  },
  'below a prefix that the proxy takes away': {
    location: 'location /crm/ { proxy_pass http://node/; }',
    prefix: '/crm',
    application: (root) => ({ strippedPrefix: '/crm', options: { publicUrl: root } }),
  },
  'below one prefix that the proxy takes away, and one that it keeps': {
    location: 'location /crm/ { proxy_pass http://node/; }',
    prefix: '/crm/v2',
    application: (root) => ({
      strippedPrefix: '/crm',
      mountPath: '/v2',
      options: { publicUrl: root.replace(/\/v2$/, ''), pages: { home: '/v2/' } },
    }),
  },
  'whose Host the proxy rewrites, with a full callbackURL': {
    location: 'location / { proxy_pass http://node; }',
    prefix: '',
    application: (root) => ({ options: { callbackURL: `${root}/auth/salesforce/callback` } }),
    warnings: ['LOGIN_ORIGIN'],
    schemes: ['https'],
  },
  'whose Host the proxy rewrites, with X-Forwarded-Host': {
    location: `location / { proxy_pass http://node; proxy_set_header X-Forwarded-Host $http_host; ${forwarded} }`,
    prefix: '',
    application: () => ({ trustProxy: true }),
  },
};

describeWith('Chromium', 'nginx')('behind nginx, an application', () => {
  const browser = useBrowserOfTest();
  let nginx: Nginx | undefined;
  afterEach(async () => {
    await nginx?.stop();
    nginx = undefined;
  });

  describe.each(Object.entries(deployments))('%s', (_name, { location, prefix, application, ...expected }) => {
    it.each(expected.schemes ?? (['http', 'https'] as const))(
      'logs in, out, and survives a reloaded callback by %s',
      async (scheme) => {
        const emulator = await startTestEmulator();
        const client = emulator.registerClient({ callbackURLs: [] });
        const ports = await choosePorts();
        const root = `${scheme}://app.test:${ports[scheme]}${prefix}`;
        client.callbackURLs.push(`${root}/auth/salesforce/callback`);
        const app = await startApplication({ emulator, client, ...application(root) });
        nginx = await startNginx(ports, [app.port], location);

        await walk(await browser.newPage(), root, emulator.users[0]!);

        expect(app.warnings.map(({ code }) => code)).toEqual(expected.warnings ?? []);
        expect(emulator.requests.filter(({ body }) => body?.['code'])).toHaveLength(1);
      },
    );
  });

  describe('at several addresses', () => {
    const location = `location / { proxy_pass http://node; ${host} ${forwarded} }`;

    it('moves a login from http to the https of its callback', async () => {
      const emulator = await startTestEmulator();
      const ports = await choosePorts();
      const [http, https] = [`http://app.test:${ports.http}`, `https://app.test:${ports.https}`];
      const callbackURL = `${https}/auth/salesforce/callback`;
      const client = emulator.registerClient({ callbackURLs: [callbackURL] });
      const app = await startApplication({ emulator, client, trustProxy: 1, options: { callbackURL } });
      nginx = await startNginx(ports, [app.port], location);
      const page = await browser.newPage();

      await page.goto(`${http}/guarded?a=1`);
      await logInAtSalesforce(page, emulator.users[0]!, 'Guarded');

      expect(page.url()).toBe(`${https}/guarded?a=1`);
      expect(app.warnings).toEqual([]);
    });

    it('returns a login to the host of publicUrl at which it began', async () => {
      const emulator = await startTestEmulator();
      const ports = await choosePorts();
      const [apex, www] = [`https://app.test:${ports.https}`, `https://www.app.test:${ports.https}`];
      const client = emulator.registerClient({ callbackURLs: [`${apex}/auth/salesforce/callback`] });
      const session = sessions({ cookie: { domain: 'app.test' } });
      const app = await startApplication({
        ...{ emulator, client, session, trustProxy: 1 },
        options: { publicUrl: [apex, www] },
      });
      nginx = await startNginx(ports, [app.port], location);

      await walk(await browser.newPage(), www, emulator.users[0]!);

      expect(app.warnings).toEqual([]);
    });

    it('ends a login at the host of the callback, and says why, if the hosts of publicUrl share no session cookie', async () => {
      const emulator = await startTestEmulator();
      const ports = await choosePorts();
      const [apex, www] = [`https://app.test:${ports.https}`, `https://www.app.test:${ports.https}`];
      const client = emulator.registerClient({ callbackURLs: [`${apex}/auth/salesforce/callback`] });
      const { port, warnings } = await startApplication({
        ...{ emulator, client, trustProxy: 1 },
        options: { publicUrl: [apex, www] },
      });
      nginx = await startNginx(ports, [port], location);
      const page = await browser.newPage();

      await page.goto(`${www}/guarded`);
      await logInAtSalesforce(page, emulator.users[0]!, 'Guarded');

      expect(page.url()).toBe(`${apex}/guarded`);
      expect(warnings.map(({ code }) => code)).toEqual(['SESSION_DOMAIN']);
    });
  });

  describeWith('Redis')('of two processes on one Redis', () => {
    it.each(['http', 'https'] as const)('logs in at either process by %s', async (scheme) => {
      const redis = await startRedis();
      const tokens = new Redis(redis.url);
      const sessionClient = createClient({ url: redis.url });
      await sessionClient.connect();
      const prefix = `test:${randomBytes(6).toString('hex')}:`;
      const emulator = await startTestEmulator();
      const client = emulator.registerClient({ callbackURLs: [] });
      const ports = await choosePorts();
      const root = `${scheme}://app.test:${ports[scheme]}`;
      client.callbackURLs.push(`${root}/auth/salesforce/callback`);
      const process = () =>
        startApplication({
          emulator,
          client,
          trustProxy: 1,
          session: sessions({
            cookie: { secure: scheme === 'https' },
            store: new RedisStore({ client: sessionClient, prefix: `${prefix}session:` }),
          }),
          options: { encryptionKeys, store: new RedisTokenStore({ client: tokens, prefix }) },
        });
      const apps = [await process(), await process()];
      const location = `location / { proxy_pass http://node; ${host} ${forwarded} }`;
      nginx = await startNginx(
        ports,
        apps.map(({ port }) => port),
        location,
      );
      try {
        await walk(await browser.newPage(), root, emulator.users[0]!);

        expect(apps.flatMap(({ warnings }) => warnings)).toEqual([]);
        expect(emulator.requests.filter(({ body }) => body?.['code'])).toHaveLength(1);
      } finally {
        await nginx.stop();
        nginx = undefined;
        for (const { salesforce } of apps) await salesforce.close();
        tokens.disconnect();
        await sessionClient.close();
        await redis.stop();
      }
    });
  });
});
