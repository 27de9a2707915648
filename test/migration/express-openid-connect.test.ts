/**
 * The way from express-openid-connect in docs/guide/migration.md: both applications, one after the other at one address.
 *
 * @tier all
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Emulator } from '../../lib/emulator';
import { dist } from '../helpers/built';
import { browse, logInAtEmulator, startTestEmulator, type CookieJar } from '../helpers/emulator';

const running = new Set<ChildProcess>();
afterEach(async () => {
  await Promise.all([...running].map(stop));
});

async function stop(child: ChildProcess): Promise<void> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill();
  await once(child, 'exit');
}

async function start(step: 'before' | 'after', emulator: Emulator, port = '0') {
  const client = emulator.clients[0]!;
  const child = spawn(process.execPath, [join(__dirname, 'run.mjs'), `express-openid-connect-${step}`], {
    cwd: join(dist, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...{ PATH: process.env['PATH'], NODE_ENV: 'test', PORT: port, TOKEN_KEY: '__test_encryption_key_of_32_chars__' },
      ...{ SALESFORCE_URL: emulator.url, CLIENT_ID: client.clientID, CLIENT_SECRET: client.clientSecret },
    },
  });
  running.add(child);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const { url } = JSON.parse(line) as { url: string };
  client.callbackURLs.push(`${url}/callback`);
  return { child, url };
}

async function logIn(emulator: Emulator, url: string, cookies: CookieJar, loginPath: string): Promise<void> {
  const { headers } = await browse({ url: url + loginPath }, cookies);
  const { username, password } = emulator.users[0]!;
  await browse(
    { url: await logInAtEmulator({ authorizeUrl: headers.get('location') ?? '', username, password }) },
    cookies,
  );
}

async function accounts(url: string, cookies: CookieJar): Promise<{ status: number; location: string | null }> {
  const { status, headers } = await browse({ url: `${url}/accounts` }, cookies);
  return { status, location: headers.get('location') };
}

describe('the way from express-openid-connect', () => {
  it.each([
    ['before', '/login', 401],
    ['after', '/auth/salesforce', 200],
  ] as const)('logs in and shows accounts, %s', async (step, loginPath, statusAfterTheEnd) => {
    const emulator = await startTestEmulator({ callbackURLs: [] });
    const { url } = await start(step, emulator);
    const cookies: CookieJar = new Map();
    await logIn(emulator, url, cookies, loginPath);

    expect((await accounts(url, cookies)).status).toBe(200);
    emulator.expireAccessTokens();
    expect((await accounts(url, cookies)).status).toBe(statusAfterTheEnd);
  });

  it('leaves users logged in, with the tokens of their cookies adopted', async () => {
    const emulator = await startTestEmulator({ callbackURLs: [] });
    const before = await start('before', emulator);
    const cookies: CookieJar = new Map();
    await logIn(emulator, before.url, cookies, '/login');
    await stop(before.child);
    expect([...cookies.keys()]).toContain('appSession');
    const { url } = await start('after', emulator, new URL(before.url).port);

    expect((await accounts(url, cookies)).status).toBe(200);
    emulator.expireAccessTokens();
    expect((await accounts(url, cookies)).status).toBe(200);
    expect((await accounts(url, new Map())).status).toBe(401);
    expect([...emulator.presentations.values()]).toEqual([1, 1]);
    expect(cookies.get('appSession') ?? '').toBe('');
  });
});
