/** @again legacy-policy */
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import type { Emulator, EmulatorClient } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { get, logIn, post, type Json } from './support';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
let emulator: Emulator;
let client: EmulatorClient;
beforeEach(async () => {
  emulator = await startTestEmulator();
  client = emulator.registerClient({
    callbackURLs: [...emulator.clients[0]!.callbackURLs],
    publicKey: publicKey.export({ format: 'jwk' }),
  });
});

function signJWT(claims: Record<string, unknown>, key: KeyObject = privateKey): string {
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const input = `${encode({ alg: 'RS256' })}.${encode(claims)}`;
  return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
}

const soon = (): number => Math.floor(emulator.clock.now() / 1000) + 120;
const ask = (form: Record<string, string>, base = emulator.url): ReturnType<typeof post> =>
  post(`${base}/services/oauth2/token`, form);

describe('JWT bearer', () => {
  const grantType = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
  const bearerOf = (claims: Record<string, unknown> = {}, key?: KeyObject): ReturnType<typeof post> =>
    ask({
      grant_type: grantType,
      assertion: signJWT(
        { iss: client.clientID, sub: emulator.users[0]!.username, aud: emulator.url, exp: soon(), ...claims },
        key,
      ),
    });

  it('acts for a user who approved the app before, without a refresh token', async () => {
    await logIn(emulator, { client });

    const { status, json } = await bearerOf();

    expect(status).toBe(200);
    expect(json).not.toHaveProperty('refresh_token');
    expect(String(json['scope']).split(' ')).not.toContain('refresh_token');
    const userinfo = await get(`${emulator.url}/services/oauth2/userinfo`, json.access_token);
    expect(userinfo.json['user_id']).toBe(emulator.users[0]!.userId);
    expect(emulator.liveTokens({ clientID: client.clientID }).refreshTokens).toBe(1);
  });

  it('acts for users an administrator approved, and for no others', async () => {
    emulator.setPolicy(client.clientID, { adminApprovedUsers: [emulator.users[1]!.username] });

    expect((await bearerOf({ sub: emulator.users[1]!.username })).status).toBe(200);
    expect((await bearerOf()).json).toMatchObject({ error: 'invalid_app_access' });
  });

  it('accepts an audience with a trailing slash', async () => {
    await logIn(emulator, { client });

    expect((await bearerOf({ aud: `${emulator.url}/` })).status).toBe(200);
    expect((await bearerOf({ aud: `${emulator.url}//` })).status).toBe(400);
  });

  it('works at a site', async () => {
    emulator.setPolicy(client.clientID, { adminApprovedUsers: [emulator.users[0]!.username] });

    expect((await bearerOf({ aud: [emulator.siteUrl] })).status).toBe(200);
  });

  it('is refused without an approval', async () => {
    expect(await bearerOf()).toMatchObject({
      status: 400,
      json: { error: 'invalid_grant', error_description: "user hasn't approved this consumer" },
    });
    expect((await bearerOf({ sub: 'nobody@acme.example' })).json).toMatchObject({
      error_description: "user hasn't approved this consumer",
    });
  });

  it.each([
    ['a My Domain as audience', () => ({ aud: emulator.myDomainUrl }), 'invalid_grant', 'audience is invalid'],
    ['no audience', () => ({ aud: undefined }), 'invalid_grant', 'audience is invalid'],
    ['its time over', () => ({ exp: soon() - 600 }), 'invalid_grant', 'invalid assertion'],
    ['no end', () => ({ exp: undefined }), 'invalid_grant', 'invalid assertion'],
    ['another issuer', () => ({ iss: 'nobody' }), 'invalid_client_id', 'client identifier invalid'],
    ['an app without a key', () => ({ iss: emulator.clients[0]!.clientID }), 'invalid_grant', 'invalid assertion'],
  ])('is refused with %s', async (_, claims, error, description) => {
    emulator.setPolicy(client.clientID, { adminApprovedUsers: [emulator.users[0]!.username] });

    expect(await bearerOf(claims())).toMatchObject({
      status: 400,
      json: { error, error_description: description },
    });
  });

  it('is refused with the signature of another key, and without a JWT', async () => {
    emulator.setPolicy(client.clientID, { adminApprovedUsers: [emulator.users[0]!.username] });
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 });

    expect((await bearerOf({}, other.privateKey)).json).toMatchObject({ error_description: 'invalid assertion' });
    for (const assertion of ['', 'a.b.c', 'e30.e30.', signJWT({}).replace(/\..*\./, '..')]) {
      expect((await ask({ grant_type: grantType, assertion })).status).toBe(400);
    }
  });

  it('is refused for a user who is not active', async () => {
    emulator.setPolicy(client.clientID, { adminApprovedUsers: [emulator.users[0]!.username] });
    emulator.users[0]!.active = false;

    expect((await bearerOf()).json).toMatchObject({ error: 'invalid_grant', error_description: 'inactive user' });
  });
});

describe('client credentials', () => {
  const credentialsGrant = (form: Record<string, string> = {}, base = emulator.myDomainUrl): ReturnType<typeof post> =>
    ask(
      {
        grant_type: 'client_credentials',
        client_id: client.clientID,
        client_secret: client.clientSecret,
        ...form,
      },
      base,
    );
  const enable = (): void => {
    emulator.setPolicy(client.clientID, { clientCredentialsRunAs: emulator.users[1]!.username });
  };

  it('acts as the user the administrator chose', async () => {
    enable();

    const { status, json } = await credentialsGrant();

    expect(status).toBe(200);
    expect(json).not.toHaveProperty('refresh_token');
    expect(json['api_instance_url']).toBe(json['instance_url']);
    expect(String(json['scope']).split(' ')).toEqual(['id', 'api', 'openid', 'profile', 'email', 'address', 'phone']);
    const userinfo = await get(`${emulator.url}/services/oauth2/userinfo`, json.access_token);
    expect(userinfo.json['user_id']).toBe(emulator.users[1]!.userId);
  });

  it('takes a signed assertion instead of a secret', async () => {
    enable();

    const reply = await ask(
      {
        grant_type: 'client_credentials',
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: signJWT({
          iss: client.clientID,
          sub: client.clientID,
          aud: `${emulator.myDomainUrl}/services/oauth2/token`,
          exp: soon(),
        }),
      },
      emulator.myDomainUrl,
    );

    expect(reply.status).toBe(200);
  });

  it.each([
    ['at the login host', {}, true, () => emulator.url, 'invalid_grant', 'request not supported on this domain'],
    [
      'without a chosen user',
      {},
      false,
      () => emulator.myDomainUrl,
      'invalid_grant',
      'no client credentials user enabled',
    ],
    [
      'with a wrong secret',
      { client_secret: 'wrong' },
      true,
      () => emulator.myDomainUrl,
      'invalid_client',
      'invalid client credentials',
    ],
  ])('are refused %s', async (_, form, isEnabled, base, error, description) => {
    if (isEnabled) enable();

    expect(await credentialsGrant(form, base())).toMatchObject({
      status: 400,
      json: { error, error_description: description },
    });
  });

  it('are refused without proof, even to an app that needs no secret elsewhere', async () => {
    enable();
    emulator.setPolicy(client.clientID, { requireSecretForWebServerFlow: false });

    const reply = await ask({ grant_type: 'client_credentials', client_id: client.clientID }, emulator.myDomainUrl);

    expect(reply.json).toMatchObject({ error: 'invalid_client' });
  });

  it('do not ask for the approval of the chosen user, but are refused for a blocked app', async () => {
    enable();
    emulator.setPolicy(client.clientID, { adminApprovedUsers: [] });
    expect((await credentialsGrant()).status).toBe(200);

    emulator.setPolicy(client.clientID, { blocked: true });
    expect((await credentialsGrant()).json).toMatchObject({ error: 'app_blocked' });
  });
});

describe('private_key_jwt', () => {
  const assertion = (path: string, claims: Record<string, unknown> = {}): Record<string, string> => ({
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: signJWT({
      iss: client.clientID,
      sub: client.clientID,
      aud: emulator.url + path,
      exp: soon(),
      ...claims,
    }),
  });
  const at = (path: string, form: Record<string, string>): ReturnType<typeof post> => post(emulator.url + path, form);

  it.each(['/services/oauth2/introspect', '/services/oauth2/token', ''])(
    'proves a client at introspection, with the audience "%s"',
    async (path) => {
      const { access_token } = await logIn(emulator, { client });

      const { json } = await at('/services/oauth2/introspect', { token: access_token, ...assertion(path) });

      expect(json).toMatchObject({ active: true, client_id: client.clientID });
    },
  );

  it('proves a client at revocation, and is checked there', async () => {
    const { access_token, refresh_token } = await logIn(emulator, { client });
    const path = '/services/oauth2/revoke';
    const wrong = { ...assertion(path, { sub: 'another', iss: 'another' }), client_id: client.clientID };

    expect((await at(path, { token: access_token, ...wrong })).text).toContain('error=invalid_client');
    expect((await at(path, { token: access_token, ...assertion(path, { exp: 1 }) })).status).toBe(400);
    expect((await at(path, { token: access_token, ...assertion(path) })).status).toBe(200);
    expect((await at(path, { token: refresh_token, ...assertion('') })).status).toBe(200);
  });

  it('does not work at another address', async () => {
    const { access_token } = await logIn(emulator, { client });
    const form = { token: access_token, ...assertion('', { aud: 'https://login.salesforce.com' }) };

    expect((await at('/services/oauth2/introspect', form)).json).toEqual({ active: false } as unknown as Json);
  });
});
