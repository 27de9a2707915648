import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../lib/clock';
import { SalesforceAuthError } from '../../lib/errors';
import { loadProfile, type SalesforceProfile } from '../../lib/login/profile';
import { parseConfiguration } from '../../lib/options/configuration';
import { toId18 } from '../../lib/salesforce/ids';

const organizationId = toId18('00D000000000062');
const userId = toId18('005000000000001');
const ids = { organization_id: organizationId, user_id: userId };
const bare = { provider: 'salesforce', id: `${organizationId}/${userId}`, organizationId, userId };

const closers: (() => void)[] = [];

afterEach(() => {
  for (const close of closers.splice(0)) close();
});

type Source = 'id_token' | 'identity' | 'userinfo' | 'id';

/** What becomes of an answer of Salesforce, and the paths that were asked for. */
async function load(
  answer: { status?: number; text?: string; json?: unknown },
  given: { source?: Source; claims?: Record<string, unknown>; isPublic?: boolean } = {},
): Promise<{
  profile: SalesforceProfile | undefined;
  error: SalesforceAuthError | undefined;
  paths: string[];
  headers: IncomingHttpHeaders[];
}> {
  const paths: string[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const server = createServer((req, res) => {
    paths.push(req.url ?? '');
    headers.push(req.headers);
    res.statusCode = answer.status ?? 200;
    res.end(answer.text ?? JSON.stringify(answer.json));
  }).listen(0);
  closers.push(() => server.close());
  await once(server, 'listening');
  const url = `http://localhost:${(server.address() as AddressInfo).port}`;
  const configuration = parseConfiguration({
    clientID: '__test_client__',
    ...(given.isPublic ? {} : { clientSecret: '__test_secret_of_a_client_with_one__' }),
    login: { profileSource: given.source ?? 'identity' },
  });
  const tokens = {
    ...{ accessToken: '__test_access_token__', clientID: '__test_client__', scope: ['id'] },
    ...{ baseUrl: url, instanceUrl: url, organizationId, userId },
  };
  try {
    const profile = await loadProfile({ tokens, claims: given.claims }, configuration, systemClock);
    return { profile, error: undefined, paths, headers };
  } catch (error) {
    if (!(error instanceof SalesforceAuthError)) throw error;
    return { profile: undefined, error, paths, headers };
  }
}

describe('a profile', () => {
  it('has the names of the identity service', async () => {
    const json = {
      ...ids,
      ...{ username: 'ada@example.com', display_name: 'Ada Lovelace', last_name: 'Lovelace', first_name: 'Ada' },
      ...{ email: 'ada@mail.example', email_verified: true, photos: { picture: 'https://a.example/p.png' } },
      ...{ user_type: 'STANDARD', language: 'en_US', locale: 'en_GB', timezone: 'Europe/London', active: true },
    };

    expect((await load({ json })).profile).toEqual({
      ...bare,
      ...{ username: 'ada@example.com', displayName: 'Ada Lovelace' },
      name: { familyName: 'Lovelace', givenName: 'Ada' },
      emails: [{ value: 'ada@mail.example', verified: true }],
      photos: [{ value: 'https://a.example/p.png' }],
      ...{ userType: 'STANDARD', language: 'en_US', locale: 'en_GB', timezone: 'Europe/London' },
      _raw: JSON.stringify(json),
      _json: json,
    });
  });

  it('has the names of userinfo', async () => {
    const json = {
      ...ids,
      ...{ preferred_username: 'ada@example.com', name: 'Ada Lovelace', family_name: 'Lovelace', given_name: 'Ada' },
      ...{ email: 'ada@mail.example', zoneinfo: 'Europe/London' },
    };

    const { profile, paths } = await load({ json }, { source: 'userinfo' });

    expect(paths).toEqual(['/services/oauth2/userinfo']);
    expect(profile).toEqual({
      ...bare,
      ...{ username: 'ada@example.com', displayName: 'Ada Lovelace', timezone: 'Europe/London' },
      name: { familyName: 'Lovelace', givenName: 'Ada' },
      emails: [{ value: 'ada@mail.example', verified: false }],
      _raw: JSON.stringify(json),
      _json: json,
    });
  });

  it('holds no more than the ids if nothing else is told, or it is told in another form', async () => {
    const json = { ...ids, username: '', display_name: 7, photos: null, email: null, email_verified: 'true' };

    expect((await load({ json })).profile).toEqual({ ...bare, name: {}, _raw: JSON.stringify(json), _json: json });
  });

  it.each([
    ['is no object', 'https://a.example/p.png'],
    ['has no picture', {}],
    ['has a picture that is no text', { picture: 7 }],
  ])('has no photo if photos %s', async (_what, photos) => {
    expect((await load({ json: { ...ids, photos } })).profile).not.toHaveProperty('photos');
  });

  it('takes an email address for verified only if Salesforce says so with true', async () => {
    const json = { ...ids, email: 'ada@mail.example', email_verified: 'false' };

    expect((await load({ json })).profile?.emails).toEqual([{ value: 'ada@mail.example', verified: false }]);
  });

  it('takes no key __proto__ from Salesforce', async () => {
    const text = JSON.stringify(ids).replace('{', '{"__proto__":{"isAdmin":true},');

    const { profile } = await load({ text });

    expect(Object.keys(profile!._json!)).toEqual(['organization_id', 'user_id']);
    expect(profile!._json).not.toHaveProperty('isAdmin');
  });
});

describe('the source of a profile', () => {
  const claims = { preferred_username: 'ada@example.com', email: 'ada@mail.example' };

  it.each<[string, Parameters<typeof load>[1], string[], string | undefined]>([
    ['the id URL', { source: 'id', claims }, [], undefined],
    ['the ID token', { source: 'id_token', claims }, [], 'ada@example.com'],
    ['the identity service', { source: 'identity', claims }, [`/id/${organizationId}/${userId}`], 'served'],
    ['userinfo', { source: 'userinfo', claims }, ['/services/oauth2/userinfo'], 'served'],
    [
      'the identity service, if the ID token names no user',
      { source: 'id_token', claims: {} },
      [`/id/${organizationId}/${userId}`],
      'served',
    ],
    [
      'the identity service, if there is no ID token',
      { source: 'id_token' },
      [`/id/${organizationId}/${userId}`],
      'served',
    ],
    [
      'userinfo, if the ID token names no user and the client has no secret',
      { source: 'id_token', claims: {}, isPublic: true },
      ['/services/oauth2/userinfo'],
      'served',
    ],
    [
      'the identity service, if a client without a secret asks for it',
      { source: 'identity', isPublic: true },
      [`/id/${organizationId}/${userId}`],
      'served',
    ],
  ])('is %s', async (_what, given, paths, username) => {
    const loaded = await load({ json: { ...ids, username: 'served' } }, given);

    expect(loaded.paths).toEqual(paths);
    expect(loaded.profile?.username).toBe(username);
  });

  it('is asked with the access token, and for JSON', async () => {
    const { headers } = await load({ json: ids });

    expect(headers).toEqual([
      expect.objectContaining({ authorization: 'Bearer __test_access_token__', accept: 'application/json' }),
    ]);
  });

  it('leaves the claims of the ID token beside the profile, and nothing beside the ids alone', async () => {
    expect((await load({}, { source: 'id_token', claims })).profile?._json).toEqual(claims);
    expect((await load({}, { source: 'id', claims })).profile).toEqual(bare);
  });
});

describe('a profile that cannot be loaded', () => {
  it.each<[string, { status?: number; text: string }, { error?: string; says: string; code?: string }]>([
    [
      'a word of Salesforce',
      { status: 403, text: 'Bad_OAuth_Token\n' },
      { error: 'Bad_OAuth_Token', says: 'Bad_OAuth_Token' },
    ],
    [
      'the page of a proxy',
      { status: 503, text: '<h1>Oops</h1>' },
      { says: 'status 503', code: 'ERR_SALESFORCE_UPSTREAM' },
    ],
    ['words, of which one alone is no code', { status: 403, text: 'Forbidden by proxy' }, { says: 'status 403' }],
    ['a sentence that begins with a sign', { status: 403, text: '-Forbidden' }, { says: 'status 403' }],
    ['a text that is too long for a code', { status: 403, text: 'x'.repeat(41) }, { says: 'status 403' }],
    ['a word with status 200', { text: 'Bad_OAuth_Token' }, { says: 'status 200' }],
    ['a list', { text: '[]' }, { says: 'status 200' }],
    ['null', { text: 'null' }, { says: 'status 200' }],
    ['a text in JSON', { text: '"text"' }, { says: 'status 200' }],
    ['no JSON', { text: '{' }, { says: 'status 200' }],
    [
      'a profile with a status that is no success',
      { status: 500, text: JSON.stringify(ids) },
      { says: 'status 500', code: 'ERR_SALESFORCE_UPSTREAM' },
    ],
  ])(
    'ends in an error that says what came: %s',
    async (_what, answer, { error: word, says, code = 'ERR_SALESFORCE_PROFILE' }) => {
      const { error } = await load(answer);

      expect(error).toMatchObject({ code, upstreamStatus: answer.status ?? 200 });
      expect(error!.status).toBeGreaterThanOrEqual(500);
      expect(error!.error).toBe(word);
      expect(error!.message).toContain(says);
    },
  );

  it.each<[string, object]>([
    ['of another user', { ...ids, user_id: toId18('005000000000002') }],
    ['of another organization', { ...ids, organization_id: toId18('00D000000000063') }],
    ['without a user', { organization_id: organizationId }],
    ['without an organization', { user_id: userId }],
    ['of a user whose id is no text', { ...ids, user_id: 7 }],
    ['of an organization whose id is no text', { ...ids, organization_id: 7 }],
  ])('is refused as the profile %s', async (_what, json) => {
    expect((await load({ json })).error).toMatchObject({ code: 'ERR_SALESFORCE_IDENTITY_CHANGED', status: 502 });
  });

  it('is taken with ids of 15 characters, which name the same user', async () => {
    const json = { organization_id: organizationId.slice(0, 15), user_id: userId.slice(0, 15) };

    expect((await load({ json })).profile).toMatchObject(bare);
  });
});
