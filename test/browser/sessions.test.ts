/** @tier all */
import cookieSession from 'cookie-session';
import type { Page } from 'playwright-core';
import { enterPassword } from '../helpers/chromium';
import { requireSalesforce } from '../../lib';
import { startTestEmulator } from '../helpers/emulator';
import { describeWith } from '../helpers/programs';
import { sessions, startApplication, type ApplicationOptions } from './application';
import { choosePorts, startNginx, type Nginx } from './nginx';
import { expectText, logInAtSalesforce, useBrowserOfTest, walk } from './walk';

/* Session cookies as browsers treat them, and what the operator reads at the first login that does not hold. */

jest.setTimeout(60_000);

async function start(given: Partial<ApplicationOptions>) {
  const emulator = await startTestEmulator();
  const app = await startApplication({ emulator, ...given });
  const root = `http://app.test:${app.port}`;
  app.client.callbackURLs.push(`${root}/auth/salesforce/callback`);
  return { emulator, app, root, user: emulator.users[0]! };
}

const location = `location / { proxy_pass http://node; proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; }`;

/** An emulator and a client for an application behind nginx. */
async function behindNginx(scheme: 'http' | 'https') {
  const emulator = await startTestEmulator();
  const ports = await choosePorts();
  const root = `${scheme}://app.test:${ports[scheme]}`;
  return {
    emulator,
    ports,
    root,
    client: emulator.registerClient({ callbackURLs: [`${root}/auth/salesforce/callback`] }),
  };
}

/** The page that a loop ends at, after one login. */
async function expectLoop(page: Page): Promise<void> {
  await page.getByText('ERR_SALESFORCE_LOGIN_LOOP').waitFor();
}

const large: Partial<ApplicationOptions> = {
  session: cookieSession({ name: 'app', keys: ['__test_cookie_key__'] }) as never,
  options: {
    onLogin: ({ req }) => {
      Object.assign((req as unknown as { session: object }).session, { basket: 'x'.repeat(4000) });
    },
  },
};

describeWith('Chromium', 'nginx')('a session cookie', () => {
  const browser = useBrowserOfTest();
  let nginx: Nginx | undefined;
  afterEach(async () => {
    await nginx?.stop();
    nginx = undefined;
  });

  describe('that is SameSite=Strict', () => {
    it.each(['http', 'https'] as const)('keeps the login by %s', async (scheme) => {
      const { emulator, ports, root, client } = await behindNginx(scheme);
      const session = sessions({ cookie: { sameSite: 'strict', secure: scheme === 'https' } });
      const { port, warnings } = await startApplication({ emulator, client, session, trustProxy: 1 });
      nginx = await startNginx(ports, [port], location);

      await walk(await browser.newPage(), root, emulator.users[0]!);

      expect(warnings).toEqual([]);
      expect(emulator.requests.filter(({ body }) => body?.['code'])).toHaveLength(1);
    });

    it.each([
      ['express-session', sessions({ cookie: { sameSite: 'strict', secure: true } })],
      ['cookie-session', cookieSession({ keys: ['__test_cookie_key__'], sameSite: 'strict', secure: true }) as never],
    ])(
      '(%s) goes along with the callback, so that the session keeps what it had before the login',
      async (_kind, session) => {
        const { emulator, ports, root, client } = await behindNginx('https');
        const { port, warnings } = await startApplication({
          ...{ emulator, client, session, trustProxy: 1 },
          options: { session: { keepInfo: true } },
          routes: (router) => {
            router.get('/fill', (req, res) => {
              Object.assign((req as unknown as { session: object }).session, { basket: 'full' });
              res.send('<h1>Filled</h1>');
            });
            router.get('/see', requireSalesforce(), (req, res) => {
              const { basket } = (req as unknown as { session: { basket?: string } }).session;
              res.send(`<h1>${basket ?? 'empty'}</h1>`);
            });
          },
        });
        nginx = await startNginx(ports, [port], location);
        const page = await browser.newPage();
        await page.goto(`${root}/fill`);
        await page.goto(`${root}/see`);

        await logInAtSalesforce(page, emulator.users[0]!, 'full');

        expect(page.url()).toBe(`${root}/see`);
        expect(warnings).toEqual([]);
        expect(emulator.requests.filter(({ body }) => body?.['code'])).toHaveLength(1);
      },
    );
  });

  it.each<[string, Partial<ApplicationOptions>, RegExp]>([
    ['is secure, by plain http', { session: sessions({ cookie: { secure: true } }) }, /marked secure.*plain http/s],
    ['has more than 4096 bytes', large, /larger than 4096 bytes/],
    [
      'is for another domain',
      { session: sessions({ cookie: { domain: 'other.test' } }) },
      /did not come back.*domain, path, sameSite/s,
    ],
  ])('that %s is named as the cause after one login', async (_what, given, cause) => {
    const { app, emulator, root, user } = await start(given);
    const page = await browser.newPage();
    await page.goto(`${root}/guarded`);
    await enterPassword(page, user);
    await page.getByRole('button', { name: 'Allow' }).click();

    await expectLoop(page);

    expect(app.warnings[0]).toMatchObject({
      code: 'ERR_SALESFORCE_LOGIN_LOOP',
      message: expect.stringMatching(cause) as string,
    });
    expect(emulator.requests.filter(({ body }) => body?.['code'])).toHaveLength(1);
  });

  it('is named at the first request if session() is mounted after salesforceAuth()', async () => {
    const { app, root } = await start({
      session: false,
      routes: (router) => void router.use(sessions()),
    });
    const page = await browser.newPage();

    await page.goto(`${root}/guarded`);

    await page.getByText('ERR_SALESFORCE_SESSION_MISSING').waitFor();
    expect(app.warnings[0]?.message).toMatch(/is mounted after salesforceAuth\(\).*Move/);
  });

  it('of two processes with separate memory stores is named as the cause after one login', async () => {
    const session = sessions();
    const emulator = await startTestEmulator();
    const client = emulator.registerClient({ callbackURLs: [] });
    const ports = await choosePorts();
    const root = `http://app.test:${ports.http}`;
    client.callbackURLs.push(`${root}/auth/salesforce/callback`);
    const [first, second] = [
      await startApplication({ emulator, client, session, trustProxy: 1 }),
      await startApplication({ emulator, client, session, trustProxy: 1 }),
    ];
    // Logins end at the one, and pages are at the other.
    nginx = await startNginx(
      ports,
      [first.port],
      `proxy_set_header Host $http_host;
      location /auth/ { proxy_pass http://node; }
      location / { proxy_pass http://127.0.0.1:${second.port}; }`,
    );
    const page = await browser.newPage();
    await page.goto(`${root}/guarded`);
    await enterPassword(page, emulator.users[0]!);
    await page.getByRole('button', { name: 'Allow' }).click();

    await expectLoop(page);

    expect(second.warnings.map(({ message }) => message).join('\n')).toMatch(/memory of this process.*token store/s);
    expect(emulator.requests.filter(({ body }) => body?.['code'])).toHaveLength(1);
  });

  it('that is kept is not a loop, however often the user logs out and in', async () => {
    const { app, root, user } = await start({});
    const page = await browser.newPage();
    for (let times = 0; times < 3; times++) {
      await page.goto(`${root}/guarded`);
      await logInAtSalesforce(page, user, 'Guarded');
      await page.getByRole('button', { name: 'Log out' }).click();
      await expectText(page, 'Not logged in');
    }

    expect(app.warnings).toEqual([]);
  });
});
