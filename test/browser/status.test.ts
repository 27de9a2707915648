/** @tier all */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { collect } from '../helpers/collect';
import { startTestEmulator } from '../helpers/emulator';
import { describeWith } from '../helpers/programs';
import { startApplication } from './application';
import { logInAtSalesforce, useBrowserOfTest } from './walk';

/* A page that is built in the browser, and watches its login by the recipe of docs/guide/integrations.md. */

jest.setTimeout(60_000);

const recipe = readFileSync(join(__dirname, '../../example/public/login-status.js'), 'utf8');
const html = `<!doctype html><title>Page</title><h1>Page</h1><p role="status"></p>
<script type="module">
  import { watchLogin } from '/login-status.js';
  const text = ({ authenticated, user, loginNeeded, endsSoon }) =>
    authenticated ? (endsSoon ? (loginNeeded ? 'Log in again' : 'Ends soon') : 'Logged in as ' + user.username) : 'Log in';
  watchLogin((status) => { document.querySelector('p').textContent = text(status); }, { everyMs: 50 });
</script>`;

async function start(refresh: object = {}) {
  const emulator = await startTestEmulator();
  const app = await startApplication({
    emulator,
    options: { routes: { status: '/auth/salesforce/status' }, refresh },
    routes: (router) => {
      router.get('/page', (_req, res) => void res.send(html));
      router.get('/login-status.js', (_req, res) => void res.type('js').send(recipe));
    },
  });
  const root = `http://app.test:${app.port}`;
  app.client.callbackURLs.push(`${root}/auth/salesforce/callback`);
  return { ...app, emulator, root };
}

const expectStatus = (page: Page, text: string): Promise<void> =>
  page.getByRole('status').filter({ hasText: text }).waitFor();

describeWith('Chromium')('a page that watches its login', () => {
  const browser = useBrowserOfTest();

  it('sees the login, its end, and a server that does not answer', async () => {
    const { emulator, root, salesforce } = await start();
    const page = await browser.newPage();
    await page.goto(`${root}/page`);
    await expectStatus(page, 'Log in');

    const other = await page.context().newPage();
    await other.goto(`${root}/guarded`);
    await logInAtSalesforce(other, emulator.users[0]!, 'Guarded');
    await page.bringToFront();
    await expectStatus(page, 'Logged in as ada@acme.example');

    const asked = emulator.requests.length;
    await page.waitForResponse('**/auth/salesforce/status');
    await page.waitForResponse('**/auth/salesforce/status');
    expect(emulator.requests).toHaveLength(asked);

    // No answer says nothing of the login.
    await page.route('**/auth/salesforce/status', (route) => route.fulfill({ status: 503, json: { code: 'ERR' } }));
    await page.waitForResponse((response) => response.status() === 503);
    await page.waitForResponse((response) => response.status() === 503);
    await expectStatus(page, 'Logged in as ada@acme.example');
    await page.unroute('**/auth/salesforce/status');

    const [grant] = await collect(salesforce.tokens.list());
    await salesforce.tokens.revoke(grant!.grantId);
    await expectStatus(page, 'Log in');
  });

  it('warns before the login ends', async () => {
    const { emulator, root } = await start({ idleLimitSeconds: 2 * 86_400 });
    const page = await browser.newPage();
    await page.goto(`${root}/guarded`);
    await logInAtSalesforce(page, emulator.users[0]!, 'Guarded');

    await page.goto(`${root}/page`);

    await expectStatus(page, 'Ends soon');
  });

  it('is told nothing if it is a page of another site', async () => {
    const { emulator, root } = await start();
    const page = await browser.newPage();
    await page.goto(`${root}/guarded`);
    await logInAtSalesforce(page, emulator.users[0]!, 'Guarded');
    await page.route('http://evil.test/', (route) =>
      route.fulfill({ contentType: 'text/html', body: '<title>Evil</title>' }),
    );
    await page.goto('http://evil.test/');

    const read = await page.evaluate(
      `fetch('${root}/auth/salesforce/status', { credentials: 'include' }).then((reply) => reply.text(), (error) => error.name)`,
    );

    expect(read).toBe('TypeError');
  });
});
