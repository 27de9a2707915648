/** @tier all */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { safeReturnTo } from '../../lib/middleware/return-to';
import { describeInBrowser, useBrowser } from '../example/support';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';
import { fc } from './property';
import { reference } from './references';

describe('returnTo of a login and a logout', () => {
  it.each([
    '//evil.test',
    '/\\evil.test',
    '/%5cevil.test',
    'https://evil.test',
    'https:evil.test',
    '/\t/evil.test',
    'javascript:alert(1)',
    '@evil.test',
  ])("of a login, an attacker's link and a logout leads to the home page instead of %j", async (hostile) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) => app.post('/bye', salesforce.logout({ returnTo: hostile })),
    });
    const tab = browser();

    const login = await logIn(tab, emulator, { loginPath: `/auth/salesforce?returnTo=${encodeURIComponent(hostile)}` });
    const logout = await tab.post('/bye').set('Accept', 'text/html');

    expect(login.headers['location']).toBe('/');
    expect(logout.headers['location']).toBe('/');
  });
});

describeInBrowser('returnTo in Chromium', () => {
  const { newPage } = useBrowser();

  it('never leaves the application', async () => {
    const app = express();
    app.get('/go', (req, res) => res.redirect(safeReturnTo(req.query['to']) ?? '/refused'));
    app.use((_req, res) => void res.type('html').send('<title>here</title>'));
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const own = `http://localhost:${(server.address() as AddressInfo).port}`;
    const page = await newPage();
    // The most telling ones: kept, and with something in them that could mislead a browser.
    const telling = fc
      .sample(reference, { numRuns: 4_000, seed: 7 })
      .filter((text) => !/[\ud800-\udfff]/.test(text) && /[^\w/?=&-]/.test(text) && safeReturnTo(text) !== undefined);

    const reached: [string, string][] = [];
    for (const text of [...telling.slice(0, 60), '//evil.test', '/\\evil.test', '/\t/evil.test']) {
      await page.goto(`${own}/go?to=${encodeURIComponent(text)}`);
      reached.push([text, new URL(page.url()).origin]);
    }
    server.close();

    expect(reached.length).toBeGreaterThan(40);
    expect(reached.filter(([, where]) => where !== own)).toEqual([]);
  });
});
