import type { Emulator } from '../../lib/emulator';
import { SalesforceAuthError } from '../../lib/errors';
import { LoginClaims, ProcessClaims } from '../../lib/login/claims';
import { finish, type FinishedLogin } from '../../lib/login/finish';
import { KeyRing } from '../../lib/crypto/key-ring';
import { invalid } from '../../lib/options/check';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { requestOf } from '../helpers/request';
import { callbackURL, startLogins } from './one-login';

let emulator: Emulator;

beforeAll(async () => {
  emulator = await startTestEmulator();
});

beforeEach(() => {
  emulator.requests.length = 0;
});

const appState = { returnTo: '/page' };
const tokenRequests = () =>
  emulator.requests.filter(({ path }) => path.endsWith('/token')).map(({ body }) => body as Record<string, string>);

/** The error that a callback ends in. */
async function errorOf(result: Promise<unknown>): Promise<SalesforceAuthError> {
  const error = await result.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  return error as SalesforceAuthError;
}

/** A login up to its callback, which is not opened yet. */
async function atCallback(
  given: Parameters<typeof startLogins>[2] = {},
  callback: Parameters<ReturnType<typeof startLogins>['callbackOf']>[1] = {},
) {
  const logins = startLogins(emulator, {}, given);
  const req = await logins.callbackOf(await logins.begin({ appState }), callback);
  return { ...logins, req };
}

describe('a callback', () => {
  it('ends a login with the tokens, the profile, and what the login began with', async () => {
    const { req, context, client, configuration, abandoned } = await atCallback();

    const login = (await finish(req, {}, context)) as FinishedLogin;

    const { userId, username } = emulator.users[0]!;
    expect(login).toMatchObject({
      kind: 'finished',
      tokens: { userId, clientID: client.clientID },
      claims: { nonce: login.transaction.nonce },
      reply: { access_token: login.tokens.accessToken },
      profile: { userId, username },
      transaction: { appState, callbackURL },
    });
    expect(login.configuration).toBe(configuration);
    expect(abandoned).toEqual([]);
    expect(tokenRequests()).toEqual([
      expect.objectContaining({
        code: req.query['code'],
        redirect_uri: callbackURL,
        code_verifier: login.transaction.codeVerifier,
      }),
    ]);
  });

  it('that is opened again gets the outcome, and the code is presented once', async () => {
    const { req, context } = await atCallback();
    const login = (await finish(req, {}, context)) as FinishedLogin;
    await login.settle({ result: 'the page' });

    expect(await finish(req, {}, context)).toStrictEqual({
      kind: 'repeated',
      transaction: login.transaction,
      outcome: { result: 'the page' },
    });
    expect(tokenRequests()).toHaveLength(1);
  });

  it('sends further parameters of the token request, and loads the profile as the caller says', async () => {
    const { req, context } = await atCallback();
    const seen: unknown[] = [];

    const login = (await finish(
      req,
      {
        tokenParams: { format: 'json' },
        loadProfile: (proven) => {
          seen.push(proven);
          return Promise.resolve(undefined);
        },
      },
      context,
    )) as FinishedLogin;

    const { kind: _kind, settle: _settle, profile, ...proven } = login;
    expect(profile).toBeUndefined();
    expect(seen).toEqual([proven]);
    expect(tokenRequests()).toEqual([expect.objectContaining({ format: 'json' })]);
    expect(emulator.requests.filter(({ path }) => path.startsWith('/id/'))).toEqual([]);
  });

  it('that comes after 15 minutes is refused before Salesforce is asked, and tells where the user wanted to go', async () => {
    const { req, context, clock } = await atCallback();
    clock.advanceMs(15 * 60_000 + 1);

    const error = await errorOf(finish(req, {}, context));

    expect(error).toMatchObject({ code: 'ERR_SALESFORCE_LOGIN_EXPIRED', status: 403 });
    expect(error.login).toStrictEqual({ appState, baseUrl: emulator.url, tenant: undefined });
    expect(tokenRequests()).toEqual([]);
  });

  it.each([
    ['no code', undefined],
    ['an empty code', ''],
  ])('is refused with %s and no error', async (_what, code) => {
    const { req, context } = await atCallback({}, { change: { code } });

    const error = await errorOf(finish(req, {}, context));

    expect(error).toMatchObject({ code: 'ERR_SALESFORCE_CODE_REJECTED', status: 400 });
    expect(error.login).toMatchObject({ appState });
  });

  it('is refused with two codes', async () => {
    const { req, context } = await atCallback();
    const { cookie = '' } = req.headers;
    const twice = await requestOf(`${req.originalUrl}&code=two`, { headers: { cookie } });

    expect(await errorOf(finish(twice, {}, context))).toMatchObject({ code: 'ERR_SALESFORCE_CODE_REJECTED' });
    expect(tokenRequests()).toEqual([]);
  });
});

describe('a callback with an error', () => {
  it('of a user who denies access says so, and is not worth another try', async () => {
    const { req, context } = await atCallback({}, { decision: 'deny' });

    const error = await errorOf(finish(req, {}, context));

    expect(error).toMatchObject({
      ...{ code: 'ERR_SALESFORCE_ACCESS_DENIED', status: 403, error: 'access_denied' },
      ...{ errorDescription: 'end-user denied authorization', retryAfterSeconds: undefined, headers: {} },
      message: expect.stringContaining('"access_denied: end-user denied authorization"'),
    });
    expect(error.login).toMatchObject({ appState });
    expect(tokenRequests()).toEqual([]);
  });

  it.each([
    ['that passes', { error: 'temporarily_unavailable' }, 'temporarily_unavailable'],
    ['without a name', { error: '' }, 'unknown_error'],
  ])('%s is worth another try in five seconds', async (_what, change, said) => {
    const { req, context } = await atCallback({}, { change });

    expect(await errorOf(finish(req, {}, context))).toMatchObject({
      ...{ code: 'ERR_SALESFORCE_UPSTREAM', status: 503, error: said, errorDescription: undefined },
      ...{ retryAfterSeconds: 5, headers: { 'Retry-After': '5' } },
    });
  });

  it('that nobody knows is shown in words that are safe', async () => {
    const change = { error: 'new_error', error_description: `line\n${'x'.repeat(40)}` };
    const { req, context } = await atCallback({}, { change });

    expect(await errorOf(finish(req, {}, context))).toMatchObject({
      ...{ code: 'ERR_SALESFORCE_OAUTH', status: 502, error: 'new_error', errorDescription: 'line [redacted]' },
      message: expect.stringContaining('"new_error: line [redacted]"'),
    });
  });
});

describe('the client of a callback', () => {
  it('is that of the tenant that began the login', async () => {
    const { req, context } = await atCallback({ tenant: () => 'acme' });

    expect(await finish(req, {}, context)).toMatchObject({ kind: 'finished', transaction: { tenant: 'acme' } });
  });

  it.each([
    ['another tenant', 'globex'],
    ['no tenant', undefined],
  ])('is refused to %s', async (_what, tenant) => {
    const { req, context } = await atCallback({ tenant: () => 'acme' });

    expect(await errorOf(finish(req, {}, { ...context, tenant: () => tenant }))).toMatchObject({
      code: 'ERR_SALESFORCE_CLIENT_CHANGED',
      login: { appState, tenant: 'acme' },
    });
    expect(tokenRequests()).toEqual([]);
  });

  it('serves a login that moved here from a host of another tenant', async () => {
    const logins = startLogins(emulator, {}, { tenant: (given) => given.hostname.split('.')[0] });
    const away = await requestOf('/login', { headers: { host: 'acme.localhost:3000' } });
    const move = new URL((await logins.begin({ appState }, away)).redirectTo);
    const here = await requestOf(move.pathname + move.search, { headers: { host: move.host } });
    const req = await logins.callbackOf(await logins.begin({}, here));

    expect(await finish(req, {}, logins.context)).toMatchObject({
      kind: 'finished',
      transaction: { tenant: 'acme', isMoved: true, appState },
    });
  });

  it('is asked for by the name and the tenant of the login, and no code goes to a host that it trusts no more', async () => {
    const asked: unknown[] = [];
    let baseUrl = emulator.url;
    const logins = startLogins(
      emulator,
      {},
      {
        tenant: () => 'acme',
        configure: ({ clientID, tenant, req }) => {
          asked.push([clientID, tenant, req?.path]);
          return { ...logins.client, baseUrl };
        },
      },
    );
    const req = await logins.callbackOf(await logins.begin({ appState }));
    baseUrl = 'https://acme.my.salesforce.com';

    const error = await errorOf(finish(req, {}, logins.context));

    expect(error).toMatchObject({ code: 'ERR_SALESFORCE_CLIENT_CHANGED', login: { baseUrl: emulator.url } });
    expect(asked).toEqual([
      [undefined, 'acme', '/login'],
      [logins.client.clientID, 'acme', '/auth/callback'],
    ]);
    expect(tokenRequests()).toEqual([]);
  });
});

describe('tokens of a login that fails', () => {
  it('are those of the reply if they are not proven', async () => {
    const { req, context, client, abandoned } = await atCallback();
    emulator.faults.inject({
      on: 'code',
      kind: 'reply',
      change: (reply) => ({ ...reply, id_token: undefined }),
    });

    const error = await errorOf(finish(req, {}, context));

    expect(error).toMatchObject({ code: 'ERR_SALESFORCE_ID_TOKEN_INVALID', login: { appState } });
    expect(abandoned).toEqual([
      expect.objectContaining({ clientID: client.clientID, userId: '', refreshToken: expect.any(String) }),
    ]);
    expect(await finish(req, {}, context)).toMatchObject({
      kind: 'repeated',
      outcome: { errorCode: 'ERR_SALESFORCE_ID_TOKEN_INVALID' },
    });
  });

  it.each<[string, Error, string, boolean]>([
    [
      'an error of this package',
      new SalesforceAuthError('ERR_SALESFORCE_PROFILE', 'No profile.'),
      'ERR_SALESFORCE_PROFILE',
      true,
    ],
    ['a wrong option', invalid('prompt', 'another one'), 'ERR_SALESFORCE_OPTION_INVALID', false],
    ['an error of the application', new Error('The application failed.'), 'ERR_SALESFORCE_LOGIN_FAILED', false],
  ])('are the proven ones if the profile ends in %s, which is thrown', async (_what, thrown, errorCode, hasLogin) => {
    const { req, context, abandoned } = await atCallback();

    const error = await errorOf(finish(req, { loadProfile: () => Promise.reject(thrown) }, context));

    expect(error).toBe(thrown);
    expect(error.login).toEqual(hasLogin ? { appState, baseUrl: emulator.url, tenant: undefined } : undefined);
    expect(abandoned).toEqual([expect.objectContaining({ userId: emulator.users[0]!.userId })]);
    expect(await finish(req, {}, context)).toMatchObject({ kind: 'repeated', outcome: { errorCode } });
  });

  it('are none if Salesforce gave none', async () => {
    const { req, context, abandoned } = await atCallback();
    emulator.faults.inject({ on: 'code', kind: 'error', error: 'invalid_grant' });

    expect(await errorOf(finish(req, {}, context))).toMatchObject({ code: 'ERR_SALESFORCE_CODE_REJECTED' });
    expect(abandoned).toEqual([]);
  });

  it('may have no taker', async () => {
    const { req, context } = await atCallback();
    const thrown = new Error('The application failed.');

    const failed = finish(req, { loadProfile: () => Promise.reject(thrown) }, { ...context, onAbandoned: undefined });

    expect(await errorOf(failed)).toBe(thrown);
  });
});

it('a login that fails ends in its own error, also if the store does not take the outcome', async () => {
  const clock = new ManualClock();
  const records = new ProcessClaims(clock);
  const claims = new LoginClaims(
    {
      claimOnce: records.claimOnce.bind(records),
      settleClaim: () => Promise.reject(new Error('The store is down.')),
    },
    KeyRing.ephemeral('transaction'),
    { clock },
  );
  const { req, context } = await atCallback({ claims });
  emulator.faults.inject({ on: 'code', kind: 'error', error: 'invalid_grant' });

  expect(await errorOf(finish(req, {}, context))).toMatchObject({ code: 'ERR_SALESFORCE_CODE_REJECTED' });
});
