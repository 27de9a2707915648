import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import express from 'express';
import { safeReturnTo } from '../../lib/middleware/return-to';
import { describeInBrowser, useBrowser } from '../example/support';
import { logIn, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';
import { fc, propertyRuns } from './property';

const origin = 'https://app.example';

/** Pieces from which open redirects are made, and ordinary ones between them. */
const pieces = [
  '/', '//', '\\', '/\\', '.', '..', '/./', '/../', '%2f', '%2F', '%5c', '%5C', '%252f', '%25252f', '%2e', '%252e', '%09', '%0a',
  '%0d%0a', '%00', '%2509', '%20', '\t', '\n', '\r', '\0', ' ', '\v', '\x7f', '\u00a0', '\u2028', '\u200b', '\ufeff', '\u3002', '\uff0e',
  '\uff0f', '\u2044', '\u2215', '\u29f5', '\ufe68', '\ud800', ':', '@', '?', '#', '?#', ';', '&', '=', '%', '%e3%80%82', '%c0%af',
  'http:', 'https:', 'https://', 'javascript:', 'data:text/html,', 'http:\\\\', 'evil.test', 'user:pass@evil.test', '127.0.0.1',
  '[::1]', 'accounts', 'a', '1', 'é', '漢', '\ud83d\ude00',
]; // prettier-ignore

const reference = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => parts.join('')),
  fc.array(fc.constantFrom(...pieces), { maxLength: 8 }).map((parts) => `/${parts.join('')}`),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }).map((text) => `/${text}`),
  fc.webUrl({ withFragments: true, withQueryParameters: true }),
  fc.webUrl().map((url) => url.slice(url.indexOf(':') + 1)),
);

/** What a reference can become on its way to a browser: as it is, or with its path decoded once or more. */
function readings(reference: string): string[] {
  const path = /^[^?#]*/.exec(reference)![0];
  const all = [path];
  for (let round = 0; round < 4; round++) {
    const last = all.at(-1)!;
    all.push(last.replace(/%[0-7][0-9a-f]/gi, (escape) => String.fromCharCode(Number.parseInt(escape.slice(1), 16))));
  }
  return all.map((reading) => reading + reference.slice(path.length));
}

describe('returnTo', () => {
  it('leads to the same origin, as a browser reads it and however often a proxy decodes it before', () => {
    fc.assert(
      fc.property(reference, (given) => {
        const kept = safeReturnTo(given);
        const bases = [origin, `${origin}/auth/salesforce/callback?code=x`];
        return (
          kept === undefined ||
          readings(kept).every((reading) => bases.every((base) => new URL(reading, base).origin === origin))
        );
      }),
      propertyRuns(6_000),
    );
  });

  it('is something a Location header can carry: printable ASCII that begins with one slash, bounded', () => {
    fc.assert(
      fc.property(reference, (given) => {
        const kept = safeReturnTo(given);
        return kept === undefined || /^\/(?![/\\])[\x21-\x7e]{0,2047}$/.test(kept);
      }),
      propertyRuns(6_000),
    );
  });

  it('stays what it is when it is looked at again', () => {
    fc.assert(
      fc.property(reference, (given) => {
        const kept = safeReturnTo(given);
        return kept === undefined || safeReturnTo(kept) === kept;
      }),
      propertyRuns(5_000),
    );
  });

  it('keeps what applications use: paths, queries and fragments', () => {
    const segment = fc.string({
      unit: fc.constantFrom(...Array.from('abcXYZ019-_~é漢 ')),
      minLength: 1,
      maxLength: 10,
    });
    fc.assert(
      fc.property(
        fc.array(segment, { minLength: 1, maxLength: 4 }),
        fc.string({ maxLength: 20 }),
        (segments, query) => {
          const path = `/${segments.map(encodeURIComponent).join('/')}?q=${encodeURIComponent(query)}#top`;
          const kept = safeReturnTo(path);
          return kept !== undefined && decodeURI(kept) === decodeURI(path);
        },
      ),
      propertyRuns(2_000),
    );
  });

  it.each(['/é'.repeat(1024), `/${'"'.repeat(2000)}`])('is bounded as it travels, escapes included (%#)', (path) => {
    expect(path.length).toBeLessThanOrEqual(2048);
    expect(safeReturnTo(path)).toBeUndefined();
  });

  it.each(['/%09/evil.test', '/%0a/evil.test', '/%2509/evil.test', '/%2e%2f/evil.test', '/%2525252525252fevil.test'])(
    'is refused where a proxy that decodes it would make another host of it: %s',
    (path) => {
      expect(safeReturnTo(path)).toBeUndefined();
    },
  );

  it.each([
    '//evil.test',
    '/\\evil.test',
    '/%5cevil.test',
    'https://evil.test',
    'https:evil.test',
    '/\t/evil.test',
    'javascript:alert(1)',
    '@evil.test',
  ])("of a login, an attacker's link and a logout goes to the home page instead of %j", async (hostile) => {
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
