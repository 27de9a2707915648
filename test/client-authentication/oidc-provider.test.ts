import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { startProgram, stopProgram } from '../stores/servers/programs';
import { salesforceAuth } from '../../lib';
import { startApp, type Browser } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { browse, startTestEmulator } from '../helpers/emulator';
import { makeKey } from './keys';

const clientID = '3MVG9__fake__at_oidc_provider__';
const [first, second] = [makeKey(), makeKey()];

interface Seen {
  path: string;
  status: number;
  names: string[];
  error?: string;
}

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** An application whose login host is oidc-provider, which verifies private_key_jwt with code of its own. */
async function start(clientKey: unknown, { dropRefresh = false } = {}) {
  const clock = new ManualClock();
  // Only for the helper, which wants one; the middleware knows nothing of it.
  const emulator = await startTestEmulator();
  let isToDrop = dropRefresh;
  let issuer = '';
  let sub = '';
  const { url, browser, errors, salesforce } = await startApp({
    emulator,
    create: (_client, callbackURL) => {
      const configuration = (): object => ({
        clientID,
        clientKey,
        callbackURL,
        baseUrl: issuer,
        scope: 'openid offline_access',
        prompt: 'login consent',
        fetch: async (target: string, init: RequestInit) => {
          const reply = await fetch(target, init);
          const form = init.body as URLSearchParams | null;
          if (!isToDrop || form?.get('grant_type') !== 'refresh_token') return reply;
          isToDrop = false;
          throw Object.assign(new Error('The connection broke.'), { code: 'ECONNRESET' });
        },
      });
      return salesforceAuth({ configuration, clock, encryptionKeys: false, report: false } as never);
    },
  });
  const jwk = createPublicKey(first.key).export({ format: 'jwk' });
  const program = join(__dirname, 'programs/oidc-provider.mjs');
  const jwks = JSON.stringify({ keys: [{ ...jwk, use: 'sig', alg: 'RS256' }] });
  const args = [program, clientID, `${url}/auth/salesforce/callback`, jwks];
  const ready = /ready at (\S+) for (\S+)/;
  const started = await startProgram(process.execPath, args, { ready, missing: 'Node is missing.' });
  stops.push(() => stopProgram(started.program));
  [, issuer, sub] = ready.exec(started.output()) as unknown as [string, string, string];
  const seen = async (): Promise<Seen[]> => (await (await fetch(`${issuer}/test/seen`)).json()) as Seen[];
  const end = (): Promise<unknown> => fetch(`${issuer}/test/end`);
  return { clock, browser, errors, salesforce, seen, end, logIn: (tab: Browser) => logIn(tab, sub) };
}

/** Walks the development pages of oidc-provider: its login form and its consent form. */
async function logIn(tab: Browser, sub: string): Promise<number> {
  const begin = await tab.get('/auth/salesforce');
  let next: { url: string; body?: URLSearchParams } = { url: begin.headers['location'] as string };
  const { origin } = new URL(next.url);
  const cookies = new Map<string, string>();
  for (let step = 0; step < 12; step++) {
    const page = await browse(next, cookies);
    const text = await page.text();
    const location = page.headers.get('location');
    if (location !== null) {
      const target = new URL(location, next.url);
      if (target.origin !== origin) return (await tab.get(target.pathname + target.search)).status;
      next = { url: target.href };
      continue;
    }
    const action = /<form[^>]* action="([^"]+)"/.exec(text)?.[1];
    const prompt = /name="prompt" value="(\w+)"/.exec(text)?.[1];
    if (action === undefined || prompt === undefined) throw new Error(`No form: ${text.slice(0, 2_000)}`);
    next = { url: new URL(action, next.url).href, body: new URLSearchParams({ prompt, login: sub, password: 'any' }) };
  }
  throw new Error('The login goes in circles.');
}

const asked = (seen: Seen[]): string[] => seen.map(({ path, status }) => `${path} ${status}`);

describe('oidc-provider, which verifies private_key_jwt by itself', () => {
  it.each([
    ['one key', { key: first.pem }],
    ['a new key that it does not know, and the former one', [{ key: second.pem }, { key: first.pem }]],
  ])('lets a client with %s log in, refresh and revoke', async (_, clientKey) => {
    const { browser, logIn, seen, end } = await start(clientKey);
    const tab = browser();

    expect(await logIn(tab)).toBe(302);
    expect((await tab.get('/me')).body.user.username).toBe('ada@acme.example');
    await end();
    expect((await tab.get('/accounts')).status).toBe(200);
    await tab.post('/auth/salesforce/logout');

    const all = await seen();
    expect(asked(all.filter(({ status }) => status === 200))).toEqual(['token 200', 'token 200', 'revoke 200']);
    expect(all.filter(({ status }) => status !== 200).every(({ error }) => error === 'invalid_client')).toBe(true);
    for (const { names } of all) {
      expect(names).toContain('client_assertion');
      expect(names).not.toContain('client_secret');
    }
  });

  it('tells by introspection that a refresh token is good whose presentation was left without an answer', async () => {
    const { browser, clock, logIn, seen, end } = await start({ key: first.pem }, { dropRefresh: true });
    const tab = browser();
    await logIn(tab);
    await end();

    expect((await tab.get('/accounts')).status).toBe(503);
    clock.advanceSeconds(20);
    await end();

    expect((await tab.get('/accounts')).status).toBe(200);
    expect(asked(await seen())).toEqual(['token 200', 'token 200', 'introspect 200', 'token 200']);
  });

  it('refuses a client with a key that is not registered', async () => {
    const { browser, errors, logIn } = await start({ key: second.pem });

    expect(await logIn(browser())).toBe(502);
    expect(errors.pop()).toMatchObject({ code: 'ERR_SALESFORCE_CLIENT_REJECTED' });
  });
});
