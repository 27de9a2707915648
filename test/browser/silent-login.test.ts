/** @tier all */
import { startTestEmulator } from '../helpers/emulator';
import { describeWith } from '../helpers/programs';
import { sessions, startApplication } from './application';
import { choosePorts, startNginx, type Nginx } from './nginx';
import { expectText, logInAtSalesforce, useBrowserOfTest } from './walk';

/* A silent login at a host whose callback is at another host: https, so that Chromium says which site led to a page. */

jest.setTimeout(60_000);

describeWith('Chromium', 'nginx')('a public page of a host that has its callback at another host', () => {
  const browser = useBrowserOfTest();
  let nginx: Nginx | undefined;
  afterEach(() => nginx?.stop());

  async function start() {
    const emulator = await startTestEmulator();
    const ports = await choosePorts();
    const [apex, www] = [`https://app.test:${ports.https}`, `https://www.app.test:${ports.https}`];
    const client = emulator.registerClient({ callbackURLs: [`${apex}/auth/salesforce/callback`] });
    const app = await startApplication({
      ...{ emulator, client, trustProxy: 1, session: sessions({ cookie: { domain: 'app.test' } }) },
      options: { publicUrl: [apex, www] },
      routes: (router, salesforce) => {
        router.get('/silent', salesforce.login({ silent: true }));
        router.get('/front', (_req, res) => void res.send('<a href="/shop">Shop</a>'));
        router.get('/shop', (req, res) => {
          if (req.salesforce.canLogInSilently) res.redirect('/silent?returnTo=/shop');
          else res.send(`<p>Hello ${req.salesforce.user?.username ?? 'visitor'}</p>`);
        });
      },
    });
    const forwarded = 'proxy_set_header Host $http_host; proxy_set_header X-Forwarded-Proto $scheme;';
    nginx = await startNginx(ports, [app.port], `location / { proxy_pass http://node; ${forwarded} }`);
    return { ...app, emulator, apex, www };
  }

  it.each(['typed', 'a link'])('stays there for a visitor, asked once (%s)', async (way) => {
    const { www, emulator } = await start();
    const page = await browser.newPage();
    const asked: string[] = [];
    page.on('request', (request) => {
      if (request.url().startsWith(emulator.url)) asked.push(request.url());
    });

    for (let times = 0; times < 2; times++) {
      await page.goto(`${www}/${way === 'typed' ? 'shop' : 'front'}`);
      if (way === 'a link') await page.getByRole('link', { name: 'Shop' }).click();
      await expectText(page, 'Hello visitor');
      expect(page.url()).toBe(`${www}/shop`);
    }
    expect(asked).toHaveLength(1);
  });

  it.each(['typed', 'a link'])('greets there a user who is logged in at Salesforce (%s)', async (way) => {
    const { www, apex, emulator } = await start();
    const [user] = emulator.users;
    const page = await browser.newPage();
    await page.goto(`${apex}/guarded`);
    await logInAtSalesforce(page, user!, 'Guarded');
    await page.context().clearCookies({ domain: /app\.test$/ });

    await page.goto(`${www}/${way === 'typed' ? 'shop' : 'front'}`);
    if (way === 'a link') await page.getByRole('link', { name: 'Shop' }).click();

    await expectText(page, `Hello ${user!.username}`);
    expect(page.url()).toBe(`${www}/shop`);
  });
});
