/** @tier all */
import type { Page } from 'playwright-core';
import { expectHeading } from '../helpers/chromium';
import { startTestEmulator } from '../helpers/emulator';
import { describeWith } from '../helpers/programs';
import { startApplication } from './application';
import { choosePorts, startNginx, type Nginx } from './nginx';
import { expectText, logInAtSalesforce, useBrowserOfTest, walk } from './walk';

/* An application whose service worker handles navigations: the requests that arrive are the worker's. */

jest.setTimeout(60_000);

const workers = {
  'hands each request on': 'event.respondWith(fetch(event.request));',
  'keeps what it got, for the time without a network': `event.respondWith(
    fetch(event.request).then(async (answer) => {
      if (event.request.method === 'GET' && answer.ok) (await caches.open('pages')).put(event.request, answer.clone());
      return answer;
    }).catch(() => caches.match(event.request)),
  );`,
};

describeWith('Chromium', 'nginx')('with a service worker that', () => {
  const browser = useBrowserOfTest();
  let nginx: Nginx | undefined;
  afterEach(async () => {
    await nginx?.stop();
    nginx = undefined;
  });

  async function start(worker: string) {
    const emulator = await startTestEmulator();
    const ports = await choosePorts();
    const root = `https://app.test:${ports.https}`;
    const client = emulator.registerClient({ callbackURLs: [`${root}/auth/salesforce/callback`] });
    const { port, warnings } = await startApplication({
      ...{ emulator, client, trustProxy: 1 },
      options: { organizations: { sandbox: emulator.myDomainUrl }, allowedHosts: ['127.0.0.1'] },
      routes: (router) => {
        router.get('/worker.js', (_req, res) => {
          res.type('js').send(`addEventListener('install', () => skipWaiting());
            addEventListener('activate', (event) => event.waitUntil(clients.claim()));
            addEventListener('fetch', (event) => { ${worker} });`);
        });
      },
    });
    const location = `location / { proxy_pass http://node; proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; }`;
    nginx = await startNginx(ports, [port], location);
    return { emulator, root, warnings, user: emulator.users[0]!, evil: `http://evil.test:${ports.http}` };
  }

  /** Opens the application until its worker handles its requests. */
  async function register(page: Page, root: string): Promise<void> {
    await page.goto(root);
    await page.evaluate(`navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready)`);
    await page.goto(root);
    await page.waitForFunction('navigator.serviceWorker.controller !== null');
  }

  describe.each(Object.entries(workers))('%s', (_what, worker) => {
    it('a login is as without one', async () => {
      const { root, user, warnings, emulator } = await start(worker);
      const page = await browser.newPage();
      await register(page, root);

      await walk(page, root, user);

      expect(warnings).toEqual([]);
      expect(emulator.requests.filter(({ body }) => body?.['code'])).toHaveLength(1);
    });

    it('a link of another site asks before it adds a login', async () => {
      const { root, user, emulator, evil } = await start(worker);
      const page = await browser.newPage();
      await register(page, root);
      await page.goto(`${root}/guarded`);
      await logInAtSalesforce(page, user, 'Guarded');
      await page.route(`${evil}/**`, (route) =>
        route.fulfill({
          contentType: 'text/html',
          body: `<a href="${root}/auth/salesforce?org=sandbox&amp;add=true&amp;returnTo=/guarded">Win</a>`,
        }),
      );
      await page.goto(`${evil}/attack`);

      await page.getByRole('link', { name: 'Win' }).click();
      await expectHeading(page, 'Log in with Salesforce?');

      expect(emulator.requests.filter(({ path }) => path.endsWith('/authorize'))).toHaveLength(1);
      await page.goto(root);
      await expectText(page, `Logged in as ${user.username}`);
    });
  });
});
