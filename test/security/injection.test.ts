/** @again properties */
import { get, type IncomingMessage } from 'node:http';
import { inspect } from 'node:util';
import express, { type Express } from 'express';
import express4 from 'express4';
import expressSession from 'express-session';
import createDebug from 'debug';
import { requireSalesforce, salesforceAuth } from '../../lib';
import { safeText } from '../../lib/salesforce-errors/safe-text';
import { logIn, startApp, walkToCallback, type ExpressMajor } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';
import { fc, propertyRuns } from './property';

/** Names that reach an object's prototype where data is merged carelessly. */
const poison = JSON.parse(
  '{"__proto__":{"polluted":"yes","isAuthenticated":true},"constructor":{"prototype":{"polluted":"yes"}},"prototype":{"polluted":"yes"}}',
) as Record<string, unknown>;

function isPolluted(): boolean {
  return 'polluted' in {} || 'polluted' in Function.prototype || 'isAuthenticated' in {};
}

describe('prototype pollution', () => {
  it.each(['code', 'refresh', 'identity', 'userinfo'] as const)(
    'does not come with a reply of Salesforce (%s)',
    async (on) => {
      const emulator = await startTestEmulator();
      const { browser, salesforce } = await startApp({
        emulator,
        options: { login: { profileSource: on === 'userinfo' ? 'userinfo' : 'identity' } },
      });
      // A plain spread would drop nothing, and JSON.stringify writes an own `__proto__` out.
      emulator.faults.inject({
        on,
        kind: 'reply',
        change: (reply) => Object.assign(JSON.parse(JSON.stringify(poison)) as object, reply),
        times: 4,
      });
      const tab = browser();
      const login = await logIn(tab, emulator);
      emulator.expireAccessTokens();
      const answer = await tab.get('/accounts');
      const { user, grantId } = (await tab.get('/me')).body as { user: Record<string, unknown>; grantId: string };
      const client = await salesforce.tokens.get(grantId);

      expect([login.status, answer.status]).toEqual([302, 200]);
      expect(isPolluted()).toBe(false);
      expect(user['polluted']).toBeUndefined();
      expect(Object.keys(user)).not.toContain('constructor');
      expect((client as unknown as Record<string, unknown>)['polluted']).toBeUndefined();
    },
  );

  it.each<ExpressMajor>([4, 5])('does not come with a query, on Express %d', async (major) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      express: major,
      options: { organizations: { home: emulator.url } },
    });
    const tab = browser();
    for (const name of ['returnTo', 'org', 'login_hint', 'state', 'code', 'error', 'error_description']) {
      for (const key of ['__proto__', 'constructor', 'constructor][prototype', 'toString']) {
        await tab.get(`/auth/salesforce?${name}[${key}][polluted]=yes`);
        await tab.get(`/auth/salesforce/callback?${name}[${key}]=yes&state=x`);
      }
      await tab.get(`/auth/salesforce?${name}=a&${name}=b`);
    }
    for (const org of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      expect((await tab.get(`/auth/salesforce?org=${org}`)).status).toBe(400);
    }

    expect(isPolluted()).toBe(false);
    expect((await tab.get('/')).body.isAuthenticated).toBe(false);
  });

  it('does not come with cookies', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });

    const answer = await browser()
      .get('/auth/salesforce')
      .set('Cookie', '__proto__=x; salesforce-login.__proto__=1; constructor=x; salesforce-login-loop=__proto__.x');

    expect(answer.status).toBe(302);
    expect(isPolluted()).toBe(false);
  });
});

describe('header injection', () => {
  it.each(['returnTo', 'org', 'login_hint'])('does not come through %s', async (name) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    for (const text of [
      'x\r\nSet-Cookie: planted=1',
      '/x\r\nSet-Cookie: planted=1',
      '/%0d%0aSet-Cookie:%20planted=1',
      '/\u010d\u010aSet-Cookie: planted=1',
    ]) {
      const { headers } = await browser().get(`/auth/salesforce?${name}=${encodeURIComponent(text)}`);

      expect(JSON.stringify(headers['set-cookie'] ?? '')).not.toContain('planted');
      expect(headers['location'] ?? '').not.toMatch(/[\r\n]/);
    }
  });

  it('does not come through a Host header: the callback URL of an app is the registered one', async () => {
    const emulator = await startTestEmulator();
    const { browser, url } = await startApp({ emulator });

    const forged = { Host: 'evil.test', 'X-Forwarded-Host': 'evil.test' };
    const moved = await browser().get('/auth/salesforce').set(forged);
    const { origin, pathname, search } = new URL(moved.headers['location']!);
    const { headers } = await browser()
      .get(pathname + search)
      .set(forged);

    expect(origin).toBe(url);
    expect(new URL(headers['location']!).searchParams.get('redirect_uri')).toBe(`${url}/auth/salesforce/callback`);
  });

  describe.each([
    ['4', express4],
    ['5', express],
  ] as [string, () => Express][])(
    'through a mount path of which the request has a say, on Express %s',
    (_major, framework) => {
      const ways = ['/acme', '/\\evil.test', '/%5cevil.test', '/%2fevil.test', '/.\\evil.test'];
      const isElsewhere = (reference: string): boolean =>
        new URL(reference, 'http://app.example').origin !== 'http://app.example';

      /** Asks for a path below each of them, as no URL library would send it. */
      async function ask(below: string): Promise<{ location: string; html: string }[]> {
        const emulator = await startTestEmulator();
        const { clientID, clientSecret } = emulator.clients[0]!;
        const app = framework();
        app.use(
          expressSession({ secret: '__test_session_secret__', resave: false, saveUninitialized: false }) as never,
        );
        app.use('/:tenant', salesforceAuth({ clientID, clientSecret, baseUrl: emulator.url }), requireSalesforce());
        const server = app.listen(0, '127.0.0.1');
        await new Promise((resolve) => server.once('listening', resolve));
        const { port } = server.address() as { port: number };
        const answers = [];
        for (const way of ways) {
          const options = { port, path: way + below, headers: { Accept: 'text/html', Connection: 'close' } };
          const response = await new Promise<IncomingMessage>((resolve) => get(options, resolve));
          let html = '';
          for await (const chunk of response) html += String(chunk);
          answers.push({ location: response.headers.location ?? '', html });
        }
        server.close();
        return answers;
      }

      it('no redirect to the login leads to another site', async () => {
        const locations = (await ask('/x')).map(({ location }) => location);

        expect(locations[0]).toBe('/acme/auth/salesforce?returnTo=%2Facme%2Fx');
        expect(locations.filter(isElsewhere)).toEqual([]);
      });

      it('no link on the error page leads to another site', async () => {
        const answers = await ask('/auth/salesforce/callback?state=x&code=y');
        const links = answers.map(({ html }) => [...html.matchAll(/href="([^"]*)"/g)].map(([, href]) => href!));

        expect(links[0]).toEqual(['/acme/auth/salesforce', '/']);
        expect(links.flat().filter(isElsewhere)).toEqual([]);
      });
    },
  );
});

describe('text of an attacker or of Salesforce', () => {
  const nasty = 'line\r\nSet-Cookie: x=1\u001b[31mred\u0007\u202etxt\u0000\u2028<script>alert(1)</script>';

  it('becomes one short line without control characters', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 400 }), fc.constant(nasty)), (text) => {
        const safe = safeText(text);
        return safe === undefined ? text === '' : /^[\x20-\x7e]{1,200}$/.test(safe);
      }),
      propertyRuns(5_000),
    );
  });

  it('loses every word that is long enough to be a secret', () => {
    const secret = fc.string({
      unit: fc.constantFrom(...Array.from('abcXYZ019+/=_.!~-')),
      minLength: 30,
      maxLength: 120,
    });
    fc.assert(
      fc.property(
        fc.string({ maxLength: 20 }),
        secret,
        (before, token) => !safeText(`${before} ${token} x`)!.includes(token),
      ),
      propertyRuns(2_000),
    );
  });

  it('is ignored in an error callback without a login, and is harmless on pages and in logs otherwise', async () => {
    const lines: string[] = [];
    createDebug.enable('express-salesforce-auth:*');
    const log = jest
      .spyOn(createDebug, 'log')
      .mockImplementation((...line: unknown[]) => void lines.push(inspect(line)));
    try {
      const emulator = await startTestEmulator();
      const { browser, errors } = await startApp({ emulator });
      const tab = browser();
      const query = `error=${encodeURIComponent(nasty)}&error_description=${encodeURIComponent(nasty)}`;
      const forged = await tab.get(`/auth/salesforce/callback?${query}&state=forged`);
      const state = new URL(await walkToCallback(tab, emulator), 'http://x').searchParams.get('state')!;
      const real = await tab.get(`/auth/salesforce/callback?${query}&state=${state}`);
      emulator.faults.inject({ on: 'code', kind: 'error', error: nasty, errorDescription: nasty, status: 400 });
      await logIn(tab, emulator);

      expect(forged.text).not.toContain('alert');
      expect(real.body.code).toBe('ERR_SALESFORCE_OAUTH');
      expect(errors).toHaveLength(3);
      const shown = errors.map(
        (error) => (error as Error).message + String((error as Error).stack).split('\n    at')[0]!,
      );
      for (const text of [...shown, ...lines]) expect(text.replaceAll('\n', ' ')).toMatch(/^[\x20-\x7e]*$/);
      for (const text of errors.map((error) => (error as Error).message)) expect(text).not.toMatch(/[\r\n]/);
    } finally {
      log.mockRestore();
      createDebug.disable();
    }
  });
});
