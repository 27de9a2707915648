/** @again legacy-policy */
import {
  createHash,
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type JsonWebKey,
} from 'node:crypto';
import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { authorize, credentials, exchangeCode, get, logIn, pkce, post, refresh, type Json } from './support';

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startTestEmulator();
});

const setPolicy = (changes: Parameters<Emulator['setPolicy']>[1]): void => {
  emulator.setPolicy(emulator.clients[0]!.clientID, changes);
};

const claimsOf = (jwt: string, part = 1): Json =>
  JSON.parse(Buffer.from(jwt.split('.')[part]!, 'base64url').toString('utf8')) as Json;

async function isSignedBy(jwksUrl: string, jwt: string): Promise<boolean> {
  const { keys } = (await get(jwksUrl)).json;
  const [header, payload, signature] = jwt.split('.');
  const key = createPublicKey({
    key: keys.find(({ kid }) => kid === claimsOf(jwt, 0).kid) as JsonWebKey,
    format: 'jwk',
  });
  return verify('sha256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature!, 'base64url'));
}

type Fields = Record<string, string | undefined>;

describe('POST /services/oauth2/token with a code', () => {
  it('answers with Salesforce’s fields and headers', async () => {
    const code = (await authorize(emulator)).get('code')!;

    const reply = await exchangeCode(emulator, code);

    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('application/json;charset=UTF-8');
    expect(reply.headers.get('cache-control')).toContain('no-store');
    const { userId, organizationId } = emulator.users[0]!;
    expect(reply.json).toMatchObject({
      access_token: expect.stringMatching(new RegExp(`^${organizationId.slice(0, 15)}!AQ\\.`)),
      refresh_token: expect.stringMatching(/^5Aep861/),
      token_format: 'opaque',
      token_type: 'Bearer',
      instance_url: emulator.url,
      id: `${emulator.url}/id/${organizationId}/${userId}`,
      issued_at: expect.stringMatching(/^\d{13}$/),
      scope: emulator.clients[0]!.policy.assignedScopes.join(' '),
    });
    expect(reply.json).not.toHaveProperty('expires_in');
  });

  it('signs id and issued_at with the client secret', async () => {
    const { id, issued_at, signature } = await logIn(emulator);

    const expected = createHmac('sha256', emulator.clients[0]!.clientSecret)
      .update(`${id}${issued_at}`)
      .digest('base64');
    expect(signature).toBe(expected);
  });

  it('signs an ID token with one of the published keys, nonce and at_hash included', async () => {
    const tokens = await logIn(emulator, { params: { nonce: 'a nonce', scope: 'openid' } });

    const claims = claimsOf(tokens.id_token);
    expect(claims).toMatchObject({
      iss: emulator.url,
      sub: tokens.id,
      aud: emulator.clients[0]!.clientID,
      nonce: 'a nonce',
      at_hash: createHash('sha256').update(tokens.access_token).digest().subarray(0, 16).toString('base64url'),
    });
    expect(await isSignedBy(`${emulator.url}/id/keys`, tokens.id_token)).toBe(true);
    expect(tokens).not.toHaveProperty('refresh_token');
  });

  it('names My Domain as issuer and identity host if the policy says so', async () => {
    emulator = await startTestEmulator({
      instance: 'my-domain',
      policy: { idTokenIssuer: 'instance', idHost: 'instance' },
    });

    const tokens = await logIn(emulator);

    expect(claimsOf(tokens.id_token)['iss']).toBe(emulator.myDomainUrl);
    expect(tokens['instance_url']).toBe(emulator.myDomainUrl);
    expect((await get(tokens.id, tokens.access_token)).status).toBe(200);
    expect(tokens.id.startsWith(`${emulator.myDomainUrl}/id/`)).toBe(true);
  });

  it('accepts a code once, and revokes its tokens at the second use', async () => {
    const code = (await authorize(emulator)).get('code')!;
    await exchangeCode(emulator, code);

    const second = await exchangeCode(emulator, code);

    expect(second).toMatchObject({
      status: 400,
      json: { error: 'invalid_grant', error_description: 'expired authorization code' },
    });
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('accepts a code for 15 minutes', async () => {
    const early = (await authorize(emulator)).get('code')!;
    const late = (await authorize(emulator)).get('code')!;

    emulator.clock.advanceSeconds(14 * 60);
    expect((await exchangeCode(emulator, early)).status).toBe(200);
    emulator.clock.advanceSeconds(60);
    expect((await exchangeCode(emulator, late)).json['error_description']).toBe('expired authorization code');
  });

  it('binds a code to its client and redirect URI', async () => {
    const other = emulator.registerClient({ callbackURLs: emulator.clients[0]!.callbackURLs });
    const code = (await authorize(emulator)).get('code')!;

    expect((await exchangeCode(emulator, code, credentials(other))).json['error']).toBe('invalid_grant');
    expect((await exchangeCode(emulator, code, { redirect_uri: 'http://localhost/other' })).json['error']).toBe(
      'redirect_uri_mismatch',
    );
  });

  it.each([
    ['the right verifier', {}, {}, 200],
    ['a wrong verifier', {}, { code_verifier: 'x'.repeat(43) }, 400],
    ['no verifier', {}, { code_verifier: undefined }, 400],
    ['a verifier without a challenge', { code_challenge: undefined }, {}, 400],
  ])('checks PKCE: %s', async (_, params: Fields, form: Fields, status) => {
    // An app that requires PKCE asks for the challenge first.
    if ('code_challenge' in params) setPolicy({ requirePkce: false, locked: false });
    const code = (await authorize(emulator, { params })).get('code')!;

    const reply = await exchangeCode(emulator, code, form);

    expect(reply.status).toBe(status);
    if (status === 400)
      expect(reply.json).toEqual({ error: 'invalid_grant', error_description: 'invalid code verifier' });
  });

  it('refuses a repeated parameter', async () => {
    const reply = await post(`${emulator.url}/services/oauth2/token`, {});
    const body = 'grant_type=authorization_code&code=a&code=b';
    const twice = await get(`${emulator.url}/services/oauth2/token`, undefined, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    });

    expect(reply.json).toEqual({ error: 'unsupported_grant_type', error_description: 'grant type not supported' });
    expect(twice.json['error']).toBe('invalid_request');
  });

  it('answers with a form or XML if asked to', async () => {
    const url = `${emulator.url}/services/oauth2/token`;

    const form = await post(url, { grant_type: 'password', format: 'urlencoded' });
    const xml = await post(url, { grant_type: 'password' }, { accept: 'application/xml' });

    expect(form.text).toBe('error=unsupported_grant_type&error_description=grant+type+not+supported');
    expect(xml.text).toContain('<OAuth><error>unsupported_grant_type</error>');
  });
});

describe('client authentication', () => {
  it('accepts the Basic header', async () => {
    const { clientID, clientSecret } = emulator.clients[0]!;
    const { refresh_token } = await logIn(emulator);

    const reply = await post(
      `${emulator.url}/services/oauth2/token`,
      { grant_type: 'refresh_token', refresh_token },
      { authorization: `Basic ${Buffer.from(`${clientID}:${clientSecret}`).toString('base64')}` },
    );

    expect(reply.status).toBe(200);
  });

  it('accepts a signed assertion', async () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const client = emulator.registerClient({
      callbackURLs: emulator.clients[0]!.callbackURLs,
      publicKey: pair.publicKey.export({ format: 'jwk' }),
    });
    const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
    const assert = (aud: string): Record<string, string> => {
      const claims = { iss: client.clientID, sub: client.clientID, aud, exp: Math.floor(Date.now() / 1000) + 60 };
      const input = `${encode({ alg: 'RS256' })}.${encode(claims)}`;
      return {
        client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        client_assertion: `${input}.${sign('sha256', Buffer.from(input), pair.privateKey).toString('base64url')}`,
      };
    };
    const { refresh_token } = await logIn(emulator, { client });
    const url = `${emulator.url}/services/oauth2/token`;

    const wrong = await post(url, {
      grant_type: 'refresh_token',
      refresh_token,
      ...assert('https://elsewhere.example'),
    });
    const right = await post(url, { grant_type: 'refresh_token', refresh_token, ...assert(url) });

    expect(right.status).toBe(200);
    expect(wrong.json['error']).toBe('invalid_client');
  });

  it.each([
    ['a wrong secret', { client_secret: 'wrong' }],
    ['an empty secret', { client_secret: '' }],
  ])('refuses %s even if no credentials are required', async (_, form) => {
    setPolicy({ requireSecretForRefreshTokenFlow: false });
    const { refresh_token } = await logIn(emulator);

    const reply = await refresh(emulator, refresh_token, form);

    expect(reply).toMatchObject({
      status: 400,
      json: { error: 'invalid_client', error_description: 'invalid client credentials' },
    });
  });

  it.each([
    ['required', true, 400],
    ['not required', false, 200],
  ])('treats a missing secret as the policy says: %s', async (_, requireSecretForRefreshTokenFlow, status) => {
    setPolicy({ requireSecretForRefreshTokenFlow });
    const { refresh_token } = await logIn(emulator);

    const reply = await post(`${emulator.url}/services/oauth2/token`, {
      grant_type: 'refresh_token',
      refresh_token,
      client_id: emulator.clients[0]!.clientID,
    });

    expect(reply.status).toBe(status);
  });

  it('lets public clients use PKCE only', async () => {
    const client = emulator.registerClient({ callbackURLs: emulator.clients[0]!.callbackURLs, clientSecret: false });
    const code = (await authorize(emulator, { client, params: { code_challenge: pkce.challenge } })).get('code')!;
    const form = {
      grant_type: 'authorization_code',
      code,
      redirect_uri: client.callbackURLs[0]!,
      code_verifier: pkce.verifier,
      client_id: client.clientID,
    };

    const withSecret = await post(`${emulator.url}/services/oauth2/token`, { ...form, client_secret: '' });
    const reply = await post(`${emulator.url}/services/oauth2/token`, form);

    expect(withSecret.json['error']).toBe('invalid_client');
    expect(reply.status).toBe(200);
    const without = await authorize(emulator, { client, params: { code_challenge: undefined } });
    expect(without.toString()).toContain('missing+required+code+challenge');
  });
});

describe('JWT-based access tokens', () => {
  it('are signed, work for data and end at a fixed time', async () => {
    setPolicy({ accessTokenFormat: 'jwt', jwtTimeoutSeconds: 600 });
    const tokens = await logIn(emulator);
    const url = `${emulator.url}/services/data/v64.0/limits`;

    expect(tokens['token_format']).toBe('jwt');
    expect(claimsOf(tokens.access_token, 0)).toMatchObject({ alg: 'RS256', tty: 'sfdc-core-token' });
    expect(claimsOf(tokens.access_token)).toMatchObject({
      client_id: emulator.clients[0]!.clientID,
      sub: tokens.id,
    });
    expect(await isSignedBy(`${emulator.url}/id/keys`, tokens.access_token)).toBe(true);
    emulator.clock.advanceSeconds(590);
    expect((await get(url, tokens.access_token)).status).toBe(200);
    emulator.clock.advanceSeconds(10);
    expect((await get(url, tokens.access_token)).status).toBe(401);
  });
});
