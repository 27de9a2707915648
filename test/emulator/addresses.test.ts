import { request } from 'node:http';
import type { Emulator } from '../../lib/emulator';
import { AddressList } from '../../lib/emulator/state/addresses';
import { startTestEmulator } from '../helpers/emulator';
import { authorize, credentials, defaultForm, get, logIn, refresh, type Json } from './support';

/** Sends a request from another address of this machine: on Linux all of 127.0.0.0/8 is its own. */
function sendFrom(
  localAddress: string,
  url: string,
  { form, token }: { form?: Record<string, string>; token?: string },
): Promise<{ status: number; text: string; json: Json }> {
  return new Promise((resolve, reject) => {
    const body = form && new URLSearchParams(form).toString();
    const headers = {
      ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
    const sent = request(
      url.replace('localhost', '127.0.0.1'),
      { localAddress, method: body === undefined ? 'GET' : 'POST', headers, agent: false },
      (received) => {
        let text = '';
        received.on('data', (chunk: Buffer) => (text += chunk.toString()));
        received.on('end', () => {
          const json = (text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : {}) as Json;
          resolve({ status: received.statusCode!, text, json });
        });
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

let emulator: Emulator;

describe('the allowlist of an app', () => {
  beforeEach(async () => {
    emulator = await startTestEmulator({ policy: { refreshTokenIPAllowlist: ['127.0.0.8/30', '::1'] } });
  });

  it('lets only its addresses exchange codes and refresh tokens', async () => {
    const tokenUrl = `${emulator.url}/services/oauth2/token`;
    const exchange = async (address: string): ReturnType<typeof sendFrom> =>
      sendFrom(address, tokenUrl, { form: defaultForm(emulator, (await authorize(emulator)).get('code')!) });

    const refused = await exchange('127.0.0.1');
    const { status, json } = await exchange('127.0.0.9');
    const form = {
      grant_type: 'refresh_token',
      refresh_token: json.refresh_token,
      ...credentials(emulator.clients[0]!),
    };
    const refusedRefresh = await sendFrom('127.0.0.12', tokenUrl, { form });
    const refreshed = await sendFrom('127.0.0.11', tokenUrl, { form });

    expect(refused).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(status).toBe(200);
    expect(refusedRefresh).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(refreshed.status).toBe(200);
  });

  it('does not limit the use of an access token', async () => {
    const form = defaultForm(emulator, (await authorize(emulator)).get('code')!);
    const { json } = await sendFrom('127.0.0.9', `${emulator.url}/services/oauth2/token`, { form });

    expect((await get(`${emulator.url}/services/oauth2/userinfo`, json.access_token)).status).toBe(200);
  });

  it.each([
    [['localhost'], 'is not an address'],
    [['10.0.0.0/33'], 'is not an address'],
    [['10.0.0.0/x'], 'is not an address'],
    [['10.0.0.0/23'], 'more than 256 addresses'],
    [['2001:db8::/64'], 'more than 256 addresses'],
    [Array.from({ length: 129 }, (_, index) => `10.0.0.${index}`), 'at most 128 ranges'],
  ])('refuses %j', (refreshTokenIPAllowlist, message) => {
    const { clientID } = emulator.clients[0]!;

    expect(() => emulator.setPolicy(clientID, { refreshTokenIPAllowlist })).toThrow(message);
    expect(() => emulator.registerClient({ callbackURLs: [], policy: { refreshTokenIPAllowlist } })).toThrow(message);
  });

  it('knows an address in each of its forms', () => {
    const list = new AddressList(['10.1.2.0/24', '2001:db8::ff00/120']);

    expect(['10.1.2.255', '::ffff:10.1.2.3', '2001:db8::ff7f'].map((address) => list.includes(address))).toEqual([
      true,
      true,
      true,
    ]);
    expect(['10.1.3.0', '', 'unix', '2001:db8::1'].some((address) => list.includes(address))).toBe(false);
  });
});

describe('containment', () => {
  it('freezes only the user whose token comes from an address with a bad reputation', async () => {
    emulator = await startTestEmulator({ containedAddresses: ['127.0.0.66'] });
    const tokens = await logIn(emulator);
    const other = await logIn(emulator, { user: emulator.users[1]! });
    const userinfo = `${emulator.url}/services/oauth2/userinfo`;

    await sendFrom('127.0.0.66', userinfo, {});
    expect((await get(userinfo, tokens.access_token)).status).toBe(200);
    const contained = await sendFrom('127.0.0.66', userinfo, { token: tokens.access_token });

    expect(contained).toMatchObject({ status: 403, text: 'Bad_OAuth_Token' });
    expect((await refresh(emulator, tokens.refresh_token)).json).toMatchObject({ error: 'invalid_grant' });
    expect(emulator.users.map(({ active }) => active)).toEqual([false, true, true]);
    expect((await get(userinfo, other.access_token)).status).toBe(200);
  });

  it('refuses a refresh from such an address and freezes the user', async () => {
    emulator = await startTestEmulator({ containedAddresses: ['127.0.0.66'] });
    const { refresh_token } = await logIn(emulator);
    const form = { grant_type: 'refresh_token', refresh_token, ...credentials(emulator.clients[0]!) };

    const reply = await sendFrom('127.0.0.66', `${emulator.url}/services/oauth2/token`, { form });

    expect(reply).toMatchObject({ status: 400, json: { error: 'invalid_grant' } });
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('happens when a test asks for it', async () => {
    emulator = await startTestEmulator();
    await logIn(emulator);

    emulator.containUser(emulator.users[0]!.username);

    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    await expect(logIn(emulator)).rejects.toThrow(/check your username/);
    expect(() => emulator.containUser('nobody')).toThrow(TypeError);
  });
});
