import { once } from 'node:events';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import expressSession from 'express-session';
import request from 'supertest';
import { MemoryTokenStore, salesforceAuth, type SalesforceAuthError } from '../../lib';
import { exchange } from '../../lib/token/http';
import { systemClock } from '../../lib/clock';
import { logIn, startApp, walkToCallback } from '../helpers/app';
import { collect } from '../helpers/collect';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { closeAfterTest } from '../helpers/servers';

/** A host in Salesforce's place that answers as badly as it can. */
async function startHost(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer);
  closeAfterTest(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/services/oauth2/token`;
}

const codeOf = (reply: Promise<unknown>): Promise<string> =>
  reply.then(
    () => 'answered',
    (error: unknown) => (error as SalesforceAuthError).code,
  );

const network = { fetch: undefined, httpTimeoutMs: 30_000 };

const post = (url: string): Promise<unknown> => exchange(url, { method: 'POST', headers: {} }, network, systemClock);

describe('logins that begin and never end', () => {
  it('leave nothing on the server: no session, no grant, no memory', async () => {
    const emulator = await startTestEmulator();
    const store = new MemoryTokenStore();
    const sessions = new expressSession.MemoryStore();
    const { url, salesforce } = await startApp({
      emulator,
      options: { store },
      sessionMiddleware: expressSession({
        secret: '__test_session_secret__',
        resave: false,
        saveUninitialized: false,
        store: sessions,
      }) as never,
    });
    const sizeOf = (): number => inspect(salesforce, { depth: 20, showHidden: true }).length;
    const before = sizeOf();

    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 20 }, () => fetch(`${url}/auth/salesforce`, { redirect: 'manual' })));
    }

    expect(Object.keys((sessions as unknown as { sessions: object }).sessions)).toEqual([]);
    expect(await collect(store.list())).toEqual([]);
    expect(sizeOf()).toBe(before);
  });

  it('never make the Cookie header too large for a server', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      session: 'cookie-session',
      routes: (app) => app.get('/cookies', (req, res) => res.json((req.headers.cookie ?? '').length)),
    });
    const tab = browser();
    for (const returnTo of [`/${'x'.repeat(2047)}`, `/${'%'.repeat(2047)}`, `/${'é'.repeat(1000)}`, '/me']) {
      for (let login = 0; login < 9; login++) {
        const { headers } = await tab.get(`/auth/salesforce?returnTo=${encodeURIComponent(returnTo)}`);
        const cookies = headers['set-cookie'] as unknown as string[];
        // RFC 6265bis: a browser drops a cookie whose name and value are longer.
        const longest = Math.max(...cookies.map((cookie) => cookie.split(';')[0]!.length));
        expect(longest).toBeLessThanOrEqual(4096);
      }
      // nginx refuses a header line of more than 8 KiB, Node.js headers of more than 16.
      expect((await tab.get('/cookies')).body).toBeLessThanOrEqual(6.5 * 1024);
    }
    expect((await logIn(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/me' })).headers['location']).toBe(
      '/me',
    );
  });
});

describe('twenty tabs that a browser opens at once, six at a time', () => {
  it('keep the Cookie header small enough for nginx', async () => {
    const emulator = await startTestEmulator();
    const create = (_client: unknown, callbackURL: string) => {
      // As long as the consumer keys of Salesforce.
      const longID = `3MVG9${randomBytes(60).toString('base64url')}`;
      const { clientID, clientSecret } = emulator.registerClient({ clientID: longID, callbackURLs: [callbackURL] });
      const scope = 'openid api refresh_token';
      return salesforceAuth({ clientID, clientSecret, callbackURL, baseUrl: emulator.url, scope, report: false });
    };
    const { url } = await startApp({ emulator, create });
    const jar = new Map<string, string>();
    const cookie = (): string => [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    let longest = 0;
    const open = async (page: string): Promise<void> => {
      longest = Math.max(longest, cookie().length);
      const { headers } = await request(url)
        .get(`/auth/salesforce?returnTo=${encodeURIComponent(page)}`)
        .set({ Cookie: cookie(), 'Sec-Fetch-Site': 'same-origin' })
        .expect(302);
      for (const line of (headers['set-cookie'] ?? []) as unknown as string[]) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line)!;
        if (value === '') jar.delete(name);
        else jar.set(name, value);
      }
    };

    const page = (tab: number): string => `/accounts/${tab}?list=recent&sort=name&columns=name,industry,owner`;
    const tabs = Array.from({ length: 20 }, (_, tab) => page(tab));
    while (tabs.length > 0) await Promise.all(tabs.splice(0, 6).map(open));

    expect(jar.size).toBeGreaterThanOrEqual(8);
    // nginx refuses a line of more than 8 KiB. The session and the application have cookies too.
    expect(longest).toBeLessThan(7 * 1024);
  });
});

describe('a huge callback', () => {
  it.each([
    ['state', (text: string) => `?code=__fake_code__&state=${text}`],
    ['code', (text: string) => `?code=${text}&state=x`],
    ['error', (text: string) => `?error=${text}&error_description=${text.slice(0, 1000)}&state=x`],
    ['list of parameters', (text: string) => `?state=x${'&code=1'.repeat(text.length / 8)}`],
  ])('with a long %s is refused, and its text is neither returned nor stored', async (_what, query) => {
    const emulator = await startTestEmulator();
    const { browser, salesforce, errors } = await startApp({ emulator });
    const before = inspect(salesforce, { depth: 20, showHidden: true }).length;

    const answer = await browser().get(`/auth/salesforce/callback${query('A'.repeat(12_000))}`);

    expect(answer.status).toBe(403);
    expect(answer.text.length).toBeLessThan(1000);
    expect(inspect(errors, { depth: 9, showHidden: true })).not.toContain('AAAAAAAAAA');
    expect(inspect(salesforce, { depth: 20, showHidden: true }).length).toBe(before);
  });

  it('with a long code is answered by Salesforce, and the code stays out of the error', async () => {
    const emulator = await startTestEmulator();
    const { browser, errors } = await startApp({ emulator });
    const tab = browser();
    const state = new URL(await walkToCallback(tab, emulator), 'http://x').searchParams.get('state')!;

    const answer = await tab.get(`/auth/salesforce/callback?code=${'A'.repeat(10_000)}&state=${state}`);

    expect(answer.body.code).toBe('ERR_SALESFORCE_CODE_REJECTED');
    expect(inspect(errors, { depth: 9, showHidden: true })).not.toContain('AAAAAAAAAA');
  });
});

describe('a reply of Salesforce', () => {
  it('without end is cut off at the limit', async () => {
    let sent = 0;
    const url = await startHost((_req, res) => {
      const more = (): void => {
        while (!res.destroyed && (sent += 16_384) < 1e9 && res.write('x'.repeat(16_384)));
        res.once('drain', more);
      };
      more();
    });

    expect(await codeOf(post(url))).toBe('ERR_SALESFORCE_REPLY_INVALID');
    expect(sent).toBeLessThan(50e6);
  });

  it.each([
    ['gzip', gzipSync],
    ['br', (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } })],
  ] as const)(
    'that is small on the wire and huge unpacked (%s) is cut off at the same cap',
    async (encoding, compress) => {
      const bomb = compress(Buffer.alloc(64 * 1024 * 1024));
      expect(bomb.length).toBeLessThan(256 * 1024);
      const url = await startHost((_req, res) => res.writeHead(200, { 'content-encoding': encoding }).end(bomb));
      const before = process.memoryUsage().arrayBuffers;

      expect(await codeOf(post(url))).toBe('ERR_SALESFORCE_REPLY_INVALID');
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
    },
  );

  it('that drips is given up after the timeout, although data keeps arriving', async () => {
    const clock = new ManualClock();
    let drop!: () => void;
    const dripped = new Promise<void>((resolve) => (drop = resolve));
    const url = await startHost((_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' });
      const drip = (): void => {
        if (!res.destroyed) res.write(' ', () => setImmediate(drip));
        drop();
      };
      drip();
    });

    const reply = codeOf(exchange(url, { method: 'POST', headers: {} }, network, clock));
    await dripped;
    clock.advanceSeconds(31);

    expect(await reply).toBe('ERR_SALESFORCE_TIMEOUT');
    expect(clock.pending).toBe(0);
  });

  it('with headers without end is given up', async () => {
    const server = createServer().on('connection', (socket) => {
      socket.once('data', () => {
        socket.write(`HTTP/1.1 200 OK\r\n`);
        for (let line = 0; line < 5_000; line++) socket.write(`x-${line}: ${'x'.repeat(100)}\r\n`);
      });
      socket.on('error', () => undefined);
    });
    closeAfterTest(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');

    const code = await codeOf(post(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));

    expect(code).toBe('ERR_SALESFORCE_CONNECTION_LOST');
  });

  it('with an extreme life is capped at ten years', async () => {
    const emulator = await startTestEmulator();
    const store = new MemoryTokenStore();
    const { browser } = await startApp({ emulator, options: { store } });
    emulator.faults.inject({ on: 'code', kind: 'reply', change: (reply) => ({ ...reply, expires_in: 1e300 }) });
    const tab = browser();
    await logIn(tab, emulator);

    const [record] = await collect(store.list());

    expect(record!.hardInMs).toBeLessThanOrEqual(10 * 365 * 24 * 60 * 60 * 1000);
    expect((await tab.get('/accounts')).status).toBe(200);
  });
});

describe('a request larger than a server reads', () => {
  it('is refused by Node.js before this package sees it', async () => {
    const emulator = await startTestEmulator();
    const { url } = await startApp({ emulator });
    const [answer] = (await once(get(`${url}/auth/salesforce/callback?state=${'x'.repeat(20_000)}`), 'response')) as [
      { statusCode: number; resume: () => void },
    ];
    answer.resume();

    expect(answer.statusCode).toBe(431);
  });
});
