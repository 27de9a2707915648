import { createHash } from 'node:crypto';
import type { Emulator } from '../../lib/emulator';
import { isMove, moveParameter } from '../../lib/login/move';
import { startTestEmulator } from '../helpers/emulator';
import { requestOf } from '../helpers/request';
import { callbackURL, startLogins } from './one-login';

let emulator: Emulator;

beforeAll(async () => {
  emulator = await startTestEmulator();
});

const home = { host: 'localhost:3000' };
const www = { host: 'www.localhost:3000' };

describe('a login that begins', () => {
  /** What the browser keeps of a login, and what it sends to Salesforce. */
  async function beginning(
    call: Parameters<ReturnType<typeof startLogins>['begin']>[0] = {},
    options: Parameters<typeof startLogins>[1] = {},
  ) {
    const logins = startLogins(emulator, options);
    const begun = await logins.begin(call);
    const url = new URL(begun.redirectTo);
    const sent = Object.fromEntries(url.searchParams);
    const cookie = begun.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const back = await requestOf(`/callback?state=${sent['state']}`, { headers: { ...home, cookie } });
    const { transaction } = await logins.context.transactions.open(back, false);
    return { ...logins, url, sent, transaction };
  }

  it('sends the browser to Salesforce, and keeps what the callback needs', async () => {
    const { url, sent, transaction, client, warnings } = await beginning({ appState: 'page' });

    expect(url.href.split('?')[0]).toBe(`${emulator.url}/services/oauth2/authorize`);
    expect(sent).toEqual({
      ...{ prompt: 'login', response_type: 'code', client_id: client.clientID, redirect_uri: callbackURL },
      ...{ scope: 'openid id api refresh_token', nonce: transaction.nonce, state: expect.any(String) },
      code_challenge: createHash('sha256').update(transaction.codeVerifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    expect(transaction).toStrictEqual({
      ...{ clientID: client.clientID, baseUrl: emulator.url, callbackURL, codeVerifier: expect.any(String) },
      ...{ nonce: expect.any(String), appState: 'page' },
    });
    expect(warnings).toEqual([]);
  });

  it('keeps and sends nothing that nobody asked for', async () => {
    const { sent, transaction } = await beginning({ prompt: false }, { scope: [] });

    expect(Object.keys(sent).sort()).toEqual([
      ...['client_id', 'code_challenge', 'code_challenge_method', 'redirect_uri', 'response_type', 'state'],
    ]);
    expect(Object.keys(transaction).sort()).toEqual(['baseUrl', 'callbackURL', 'clientID', 'codeVerifier']);
  });

  it('sends the parameters of a subclass, which replace none of those of the login', async () => {
    const { sent, transaction, client } = await beginning({
      params: ({ nonce }) => ({ sso: `of ${nonce}`, client_id: 'another', state: 'another' }),
    });

    expect(sent).toMatchObject({ sso: `of ${transaction.nonce}`, client_id: client.clientID });
    expect(sent['state']).not.toBe('another');
  });

  it('asks for the configuration of the tenant of the request', async () => {
    const asked: unknown[] = [];
    const logins = startLogins(
      emulator,
      {},
      {
        tenant: (req) => req.hostname,
        configure: ({ tenant, req }) => {
          asked.push([tenant, req?.path]);
          return logins.client;
        },
      },
    );
    await logins.begin();

    expect(asked).toEqual([['localhost', '/login']]);
  });
});

describe('the callback of a login', () => {
  const begun = async (
    call: string | undefined,
    configured: string | undefined,
    fallback?: string,
    publicUrl = 'http://localhost:3000',
  ) => {
    const logins = startLogins(emulator, { callbackURL: configured }, { defaultCallback: () => fallback, publicUrl });
    const { redirectTo } = await logins.begin({ callbackURL: call });
    return { ...logins, redirectUri: new URL(redirectTo).searchParams.get('redirect_uri') };
  };

  it.each([
    ['the call', '/called', '/configured', '/default', '/called'],
    ['the configuration', undefined, '/configured', '/default', '/configured'],
    ['the middleware', undefined, undefined, '/default', '/default'],
  ])('is that of %s', async (_what, call, configured, fallback, path) => {
    expect((await begun(call, configured, fallback)).redirectUri).toBe(`http://localhost:3000${path}`);
  });

  it('has to be there', async () => {
    const refused = { option: 'callbackURL' };

    await expect(begun(undefined, undefined)).rejects.toMatchObject(refused);
    const logins = startLogins(emulator, { callbackURL: undefined });
    await expect(logins.begin()).rejects.toMatchObject(refused);
  });

  it('may have a part twice, which the operator hears once', async () => {
    const twice = await begun('/auth/callback', undefined, undefined, 'http://localhost:3000/auth');
    await twice.begin({ callbackURL: '/auth/callback' });

    expect(twice.warnings).toEqual([['PUBLIC_URL_PATH', expect.stringContaining('/auth twice')]]);
  });

  it('is no path if it is written down in full, and nobody is warned', async () => {
    const { warnings, redirectUri } = await begun(callbackURL, undefined, undefined, 'http://localhost:3000/auth');

    expect(redirectUri).toBe(callbackURL);
    expect(warnings).toEqual([]);
  });
});

it('a login whose callback is written down in full does not need to know where browsers reach the application', async () => {
  const logins = startLogins(emulator, {}, { publicUrl: () => 'no URL' });

  await expect(logins.begin({ callbackURL: '/callback' })).rejects.toMatchObject({ option: 'publicUrl' });
  expect((await logins.begin()).cookies).toHaveLength(1);
});

describe('a login that begins at another origin than its callback', () => {
  it('moves there once with the options of its call, keeps no cookie before, and tells the operator if it is still elsewhere', async () => {
    const logins = startLogins(emulator, {}, { tenant: (req) => req.hostname });
    const call = { prompt: 'consent' as const, appState: 'page', params: () => ({ sso: 'mine' }) };

    const move = await logins.begin(call, await requestOf('/login?tab=1', { headers: www }));

    expect(move.cookies).toEqual([]);
    expect(isMove(move.redirectTo)).toBe(true);
    expect(move.redirectTo).toMatch(new RegExp(`^http://localhost:3000/login\\?tab=1&${moveParameter}=`));
    expect(logins.warnings).toEqual([]);

    const { pathname, search } = new URL(move.redirectTo);
    for (const [headers, warnings] of [
      [home, []],
      [
        www,
        [['LOGIN_ORIGIN', expect.stringContaining('http://www.localhost:3000 and come back to http://localhost:3000')]],
      ],
    ] as const) {
      const here = await requestOf(pathname + search, { headers });
      const begun = await logins.begin({ prompt: 'login', params: call.params }, here);
      const sent = new URL(begun.redirectTo).searchParams;

      expect([sent.get('prompt'), sent.get('sso')]).toEqual(['consent', 'mine']);
      const cookie = begun.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
      const back = await requestOf(`/callback?state=${sent.get('state')}`, { headers: { ...home, cookie } });
      expect((await logins.context.transactions.open(back, false)).transaction).toMatchObject({
        ...{ tenant: 'www.localhost', isMoved: true, appState: 'page' },
      });
      expect(logins.warnings).toEqual(warnings);
    }
  });

  it('does not tell the operator of a proxy if publicUrl knows the origin all the same', async () => {
    const logins = startLogins(emulator, {}, { publicUrl: 'http://localhost:3000' });
    const move = new URL((await logins.begin({}, await requestOf('/login', { headers: www }))).redirectTo);

    const begun = await logins.begin({}, await requestOf(move.pathname + move.search, { headers: www }));

    expect(begun.cookies).toHaveLength(1);
    expect(logins.warnings).toEqual([]);
  });

  it.each<[string, Parameters<typeof requestOf>[1]]>([
    ['is a form, whose body cannot move', { method: 'post', headers: www }],
    ['names no valid host', { headers: { host: 'not a host' } }],
    ['is at the origin of the callback', { headers: home }],
  ])('does not move if the request %s', async (_what, given) => {
    const logins = startLogins(emulator);

    const { redirectTo, cookies } = await logins.begin({}, await requestOf('/login', given));

    expect(redirectTo.startsWith(`${emulator.url}/`)).toBe(true);
    expect(cookies).toHaveLength(1);
    expect(logins.warnings).toEqual([]);
  });
});
