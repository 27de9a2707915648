/** @again legacy-policy */
import { request } from 'node:http';
import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { authorize, authorizeUrl, credentials, exchangeCode, get, logIn, post, refresh, type Json } from './support';

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startTestEmulator();
});

describe('GET /.well-known/openid-configuration', () => {
  const read = async (base: string): Promise<Json> => (await get(`${base}/.well-known/openid-configuration`)).json;

  it('has the login host’s shape, without logout and PKCE', async () => {
    const document = await read(emulator.url);

    expect(document).toMatchObject({
      issuer: emulator.url,
      token_endpoint: `${emulator.url}/services/oauth2/token`,
      jwks_uri: `${emulator.url}/id/keys`,
    });
    expect(document).not.toHaveProperty('end_session_endpoint');
    expect(document).not.toHaveProperty('code_challenge_methods_supported');
  });

  it('has a My Domain’s shape, with logout first', async () => {
    const document = await read(emulator.myDomainUrl);

    expect(Object.keys(document)[0]).toBe('end_session_endpoint');
    expect(document['issuer']).toBe(emulator.myDomainUrl);
  });

  it('has a site’s shape, with everything under its path', async () => {
    const document = await read(emulator.siteUrl);

    expect(document).toMatchObject({
      issuer: emulator.siteUrl,
      authorization_endpoint: `${emulator.siteUrl}/services/oauth2/authorize`,
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
    });
    const keys = await get(document.jwks_uri);
    expect(keys.json.keys.map(({ kid }: Json) => kid)).toContain('asset');
    expect(keys.headers.get('access-control-allow-origin')).toBe('*');
  });

  it('ignores an unknown Host header', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      const headers = { host: 'evil.example' };
      request(`${emulator.url}/.well-known/openid-configuration`, { headers }, (response) => {
        response.setEncoding('utf8').on('data', resolve);
      })
        .on('error', reject)
        .end();
    });

    expect(text).toContain(`"issuer":"${emulator.url}"`);
    expect(text).not.toContain('evil');
  });
});

describe('POST /services/oauth2/revoke', () => {
  const revoke = (token: string, form: Record<string, string> = {}): ReturnType<typeof post> =>
    post(`${emulator.url}/services/oauth2/revoke`, { token, ...form });

  it('revokes a refresh token and its access tokens', async () => {
    const { refresh_token } = await logIn(emulator);
    const { json } = await refresh(emulator, refresh_token);

    const reply = await revoke('refresh_token' in json ? json.refresh_token : refresh_token);

    expect(reply).toMatchObject({ status: 200, text: '' });
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('revokes an access token alone', async () => {
    const { access_token } = await logIn(emulator);

    expect((await revoke(access_token)).status).toBe(200);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 1 });
  });

  it.each([
    ['a token it does not know', 'nothing', {}, 'error=invalid_token&error_description=invalid+token'],
    [
      'another kind of token',
      'nothing',
      { token_type_hint: 'id_token' },
      'error=unsupported_token_type&error_description=token+type+not+supported',
    ],
  ])('answers %s with a form', async (_, token, form, text) => {
    const reply = await revoke(token, form);

    expect(reply).toMatchObject({ status: 400, text });
    expect(reply.headers.get('content-type')).toContain('application/x-www-form-urlencoded');
  });

  it('accepts the token in the query, by POST and by GET', async () => {
    const first = await logIn(emulator);
    const second = await logIn(emulator);
    const url = `${emulator.url}/services/oauth2/revoke?token=`;

    expect((await get(url + first.refresh_token)).status).toBe(200);
    expect((await post(url + encodeURIComponent(second.access_token), {})).status).toBe(200);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 1 });
    expect((await get(`${url}nothing`)).status).toBe(400);
    expect((await get(url + second.refresh_token, undefined, { method: 'DELETE' })).status).toBe(400);
  });

  it('checks client credentials if they are sent', async () => {
    const { refresh_token } = await logIn(emulator);
    const [client] = emulator.clients;
    const wrong = await revoke(refresh_token, { client_id: client!.clientID, client_secret: 'wrong' });

    expect(wrong).toMatchObject({
      status: 400,
      text: 'error=invalid_client&error_description=invalid+client+credentials',
    });
    const other = emulator.registerClient({ callbackURLs: [] });
    expect((await revoke(refresh_token, credentials(other))).status).toBe(400);
    expect((await revoke(refresh_token, credentials(client!))).status).toBe(200);
  });

  it('refuses a token that was revoked before', async () => {
    const { refresh_token } = await logIn(emulator);
    await revoke(refresh_token);

    expect((await revoke(refresh_token)).status).toBe(400);
  });
});

describe('POST /services/oauth2/introspect', () => {
  const introspect = async (
    token: string,
    form: Record<string, string> = credentials(emulator.clients[0]!),
  ): Promise<Json> => (await post(`${emulator.url}/services/oauth2/introspect`, { token, ...form })).json;

  it('describes an access token without keeping it alive', async () => {
    const { access_token, id } = await logIn(emulator, { params: { scope: 'openid api' } });

    const reply = await introspect(access_token);
    emulator.clock.advanceSeconds(7199);
    await introspect(access_token);
    emulator.clock.advanceSeconds(1);

    expect(reply).toMatchObject({
      active: true,
      scope: 'openid api',
      client_id: emulator.clients[0]!.clientID,
      username: emulator.users[0]!.username,
      sub: id,
      token_type: 'access_token',
    });
    expect(reply['exp'] - reply['iat']).toBe(7200);
    expect(await introspect(access_token)).toEqual({ active: false });
  });

  it('describes a refresh token without presenting it', async () => {
    const { refresh_token } = await logIn(emulator);

    expect(await introspect(refresh_token)).toMatchObject({ active: true, token_type: 'refresh_token' });
    expect(emulator.presentations.size).toBe(0);
  });

  it('tells a client without proven credentials nothing', async () => {
    const { access_token } = await logIn(emulator);
    const { clientID } = emulator.clients[0]!;

    expect(await introspect(access_token, { client_id: clientID })).toEqual({ active: false });
    expect(await introspect(access_token, { client_id: clientID, client_secret: 'wrong' })).toEqual({ active: false });
    const other = emulator.registerClient({ callbackURLs: [] });
    expect(await introspect(access_token, credentials(other))).toEqual({ active: false });
  });
});

describe.each([
  [
    '/services/oauth2/userinfo',
    async (): Promise<string> => Promise.resolve(`${emulator.url}/services/oauth2/userinfo`),
  ],
  ['/id/…', async (): Promise<string> => (await logIn(emulator)).id],
])('GET %s', (_, urlOf) => {
  it('answers a bad token with 403 and plain text', async () => {
    const url = await urlOf();

    expect(await get(url, 'bad')).toMatchObject({ status: 403, text: 'Bad_OAuth_Token' });
    expect(await get(url)).toMatchObject({ status: 403, text: 'Missing_OAuth_Token' });
  });

  it('answers an expired token in the same way', async () => {
    const url = await urlOf();
    const { access_token } = await logIn(emulator);
    emulator.expireAccessTokens();

    expect(await get(url, access_token)).toMatchObject({ status: 403, text: 'Bad_OAuth_Token' });
  });
});

describe('GET /services/oauth2/userinfo', () => {
  it('names the identity URL as subject', async () => {
    const { access_token, id } = await logIn(emulator);

    const { json } = await get(`${emulator.url}/services/oauth2/userinfo`, access_token);

    expect(json).toMatchObject({
      sub: id,
      preferred_username: emulator.users[0]!.username,
      nickname: 'ada',
      email_verified: true,
    });
  });

  it.each(['refresh_token api web', 'openid', 'api', 'full'])('works with the scopes "%s"', async (scope) => {
    const { access_token } = await logIn(emulator, { params: { scope } });

    expect((await get(`${emulator.url}/services/oauth2/userinfo`, access_token)).status).toBe(200);
  });

  it('does not work with only the scope refresh_token', async () => {
    const { access_token } = await logIn(emulator, { params: { scope: 'refresh_token' } });

    expect(await get(`${emulator.url}/services/oauth2/userinfo`, access_token)).toMatchObject({
      status: 403,
      text: 'Bad_OAuth_Token',
    });
  });

  it('accepts the token as a parameter, in query or form', async () => {
    const { access_token } = await logIn(emulator);
    const url = `${emulator.url}/services/oauth2/userinfo`;
    const username = emulator.users[0]!.username;

    expect((await get(`${url}?oauth_token=${access_token}`)).json['preferred_username']).toBe(username);
    expect((await post(url, { oauth_token: access_token })).json['preferred_username']).toBe(username);
    expect((await get(`${url}?oauth_token=bad`)).text).toBe('Bad_OAuth_Token');
    // A header that is there is the one that counts.
    expect((await get(`${url}?oauth_token=${access_token}`, 'bad')).text).toBe('Bad_OAuth_Token');
  });
});

describe('GET /id/<organization>/<user>', () => {
  it('describes the user, with ids in either form', async () => {
    const { access_token, id } = await logIn(emulator);
    const { organizationId, userId, username } = emulator.users[0]!;

    const long = await get(id, access_token);
    const short = await get(`${emulator.url}/id/${organizationId.slice(0, 15)}/${userId.slice(0, 15)}`, access_token);

    expect(long.json).toMatchObject({
      id,
      user_id: userId,
      organization_id: organizationId,
      username,
      nick_name: 'ada',
    });
    expect(short.json).toEqual(long.json);
    expect(long.json['urls'].rest).toBe(`${emulator.url}/services/data/v{version}/`);
    expect((await get(`${id}?version=latest`, access_token)).json['urls'].rest).not.toContain('{');
  });

  it('says whether the token was issued to this user', async () => {
    const { access_token, id } = await logIn(emulator);
    const other = id.replace(emulator.users[0]!.userId, emulator.users[1]!.userId);

    expect((await get(id, access_token)).json['asserted_user']).toBe(true);
    expect((await get(other, access_token)).json['asserted_user']).toBe(false);
  });

  it('shows nothing of another organization', async () => {
    const { access_token } = await logIn(emulator);
    const { organizationId, userId } = emulator.users[2]!;

    expect(await get(`${emulator.url}/id/${organizationId}/${userId}`, access_token)).toMatchObject({
      status: 403,
      text: 'Wrong_Org',
    });
    expect((await get(`${emulator.url}/id/${emulator.users[0]!.organizationId}/${userId}`, access_token)).status).toBe(
      404,
    );
  });
});

describe.each(['GET', 'POST'])('%s /services/oauth2/singleaccess', (method) => {
  const bridge = (token: string, target?: string): ReturnType<typeof get> => {
    const query = target === undefined ? '' : `?redirect_uri=${encodeURIComponent(target)}`;
    return get(`${emulator.url}/services/oauth2/singleaccess${query}`, token, { method });
  };

  it('returns a URL that opens a browser session, once', async () => {
    const { access_token } = await logIn(emulator);
    const { json } = await bridge(access_token, 'lightning/o/Account/list?filterName=All');

    const opened = await get(String(json['frontdoor_uri']));
    const cookie = opened.headers.get('set-cookie')!.split(';')[0]!;
    const silent = await get(authorizeUrl(emulator, { params: { immediate: 'true' } }), undefined, {
      headers: { cookie },
    });
    const again = await get(String(json['frontdoor_uri']));

    expect(opened).toMatchObject({ status: 302 });
    expect(opened.headers.get('location')).toBe('/lightning/o/Account/list?filterName=All');
    expect(silent.headers.get('location')).toContain('code=aPrx');
    expect(again.headers.get('set-cookie')).toBeNull();
  });

  it.each(['https://evil.example/', '//evil.example/x', 'javascript:alert(1)'])(
    'does not lead to %s, outside the organization',
    async (target) => {
      const { access_token } = await logIn(emulator);

      expect(await bridge(access_token, target)).toMatchObject({ status: 400, text: 'Invalid_Redirect_URI' });
    },
  );

  it('refuses a user who may use only the API', async () => {
    const { access_token } = await logIn(emulator);
    emulator.users[0]!.apiOnly = true;

    expect(await bridge(access_token)).toMatchObject({ status: 403, text: 'Bad_OAuth_Token' });
  });

  it('opens the user interface for an opaque token with web', async () => {
    const { access_token } = await logIn(emulator);

    expect((await bridge(access_token)).json['frontdoor_uri']).toContain('/secur/frontdoor.jsp?');
  });

  it('refuses a token without web, a JWT and a bad token', async () => {
    const narrow = await logIn(emulator, { params: { scope: 'api' } });
    emulator.setPolicy(emulator.clients[0]!.clientID, { accessTokenFormat: 'jwt' });
    const jwt = await logIn(emulator);

    expect(await bridge(narrow.access_token)).toMatchObject({ status: 403, text: 'Invalid_Scope' });
    expect(await bridge(jwt.access_token)).toMatchObject({ status: 403, text: 'Invalid_Scope' });
    expect(await bridge('bad')).toMatchObject({ status: 403, text: 'Bad_OAuth_Token' });
  });
});

describe('logout in the browser', () => {
  it.each(['/services/auth/idp/oidc/logout', '/secur/logout.jsp'])('%s leaves tokens alone', async (path) => {
    await logIn(emulator);

    const reply = await get(emulator.url + path);

    expect(reply.status).toBe(200);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 1, refreshTokens: 1 });
  });
});

describe('an Emulator', () => {
  it('records every request with its secrets, and the status of the reply', async () => {
    const code = (await authorize(emulator)).get('code')!;
    await exchangeCode(emulator, code);

    expect(emulator.requests.at(-1)).toMatchObject({
      method: 'POST',
      path: '/services/oauth2/token',
      body: { code, client_secret: emulator.clients[0]!.clientSecret },
      status: 200,
    });
    expect(emulator.requests.every(({ at }) => at > 0)).toBe(true);
  });

  it('keeps the latest requests, and counts all API requests', async () => {
    const small = await startTestEmulator({ maxRequests: 3 });
    const { access_token } = await logIn(small);
    const paths = ['/services/data/v68.0/limits', '/one', '/two', '/three'];
    const replies = [];
    for (const path of paths) replies.push(await get(small.url + path, access_token));

    expect(small.requests.map(({ path }) => path)).toEqual(['/one', '/two', '/three']);
    expect((await get(`${small.url}/services/data/v68.0/limits`, access_token)).headers.get('sforce-limit-info')).toBe(
      'api-usage=2/15000',
    );
  });

  it('shows the home page with its users', async () => {
    expect((await get(emulator.url)).text).toContain(emulator.users[2]!.username);
    expect((await get(`${emulator.url}/nowhere`)).status).toBe(404);
  });

  it('answers under both names of this machine', async () => {
    const { port } = new URL(emulator.url);

    expect((await get(`http://127.0.0.1:${port}/id/keys`)).status).toBe(200);
    expect((await get(`http://localhost:${port}/id/keys`)).status).toBe(200);
  });

  it('frees its port and connections when it stops', async () => {
    const other = await startTestEmulator();
    const fault = other.faults.inject({ on: 'data', kind: 'hang' });
    const hanging = get(`${other.url}/services/data`).catch((error: unknown) => error);
    await fault.reached;

    await other.stop();

    expect(String(await hanging)).toContain('fetch failed');
    await expect(get(other.url)).rejects.toThrow();
    const again = await startTestEmulator({ port: Number(new URL(other.url).port) });
    expect(again.url).toBe(other.url);
  });

  it('stops, moves and starts its clock', () => {
    emulator.clock.freeze();
    const frozen = emulator.clock.now();
    emulator.clock.advanceSeconds(60);

    expect(emulator.clock.now()).toBe(frozen + 60_000);
    emulator.clock.unfreeze();
    expect(emulator.clock.now()).toBeGreaterThanOrEqual(frozen + 60_000);
    expect(emulator.clock.now()).toBeLessThan(frozen + 90_000);
  });
});
