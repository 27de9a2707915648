import { finish } from '../../lib/login/finish';
import { assertIdentityProvable, proveReply, unprovenTokens } from '../../lib/login/prove';
import type { Emulator } from '../../lib/emulator';
import { parseConfiguration, type ClientOptions } from '../../lib/options/configuration';
import { startTestEmulator } from '../helpers/emulator';
import { startLogins } from './one-login';

let emulator: Emulator;

beforeAll(async () => {
  emulator = await startTestEmulator();
});

/** A token reply of a login, with what proves it. */
async function reply(options: Partial<ClientOptions> = {}) {
  const logins = startLogins(emulator, options);
  const login = await finish(await logins.callbackOf(await logins.begin()), {}, logins.context);
  if (login.kind !== 'finished') throw new Error('The callback was opened once.');
  return { ...login, clock: logins.clock };
}

describe('a token reply of a login', () => {
  it('with an ID token is proven by it, with the nonce of the login', async () => {
    const { reply: given, transaction, configuration, clock } = await reply();

    const { tokens, claims } = await proveReply(given, { configuration, transaction }, clock);

    const { userId, organizationId } = emulator.users[0]!;
    expect(tokens).toMatchObject({ userId, organizationId, accessToken: given.access_token });
    expect(claims).toMatchObject({ nonce: transaction.nonce, aud: expect.anything() });
    await expect(
      proveReply(given, { configuration, transaction: { ...transaction, nonce: 'another' } }, clock),
    ).rejects.toMatchObject({ code: 'ERR_SALESFORCE_ID_TOKEN_INVALID' });
  });

  it('must have an ID token if the login asked for it and Salesforce granted it', async () => {
    const { reply: given, transaction, configuration, clock } = await reply();
    const { id_token: _left, ...bare } = given;

    await expect(proveReply(bare, { configuration, transaction }, clock)).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_ID_TOKEN_INVALID',
      status: 502,
    });
  });

  it.each([
    ['the login did not ask for it', { nonce: undefined }, {}],
    ['Salesforce did not grant it', {}, { scope: 'id api' }],
  ])('needs no ID token if %s', async (_what, asked, granted) => {
    const { reply: given, transaction, configuration, clock } = await reply();
    const { id_token: _left, ...bare } = given;
    const { nonce, ...rest } = { ...transaction, ...asked };

    const proven = await proveReply(
      { ...bare, ...granted },
      { configuration, transaction: nonce === undefined ? rest : { ...rest, nonce } },
      clock,
    );

    expect(proven).toEqual({ tokens: expect.objectContaining({ accessToken: given.access_token }), claims: undefined });
  });

  it('without an ID token proves nothing to a client without a secret that reads the id URL alone', async () => {
    const {
      reply: given,
      transaction,
      configuration,
      clock,
    } = await reply({
      clientSecret: undefined,
      scope: 'id api refresh_token',
      login: { profileSource: 'identity' },
    });

    await expect(
      proveReply(given, { configuration: { ...configuration, profileSource: 'id' }, transaction }, clock),
    ).rejects.toMatchObject({ code: 'ERR_SALESFORCE_IDENTITY_UNPROVEN' });
    expect(await proveReply(given, { configuration, transaction }, clock)).toHaveProperty('claims', undefined);
  });
});

describe('the identity of a reply without an ID token', () => {
  const clientSecret = '__test_secret_of_a_client_with_one__';

  it.each<[string, Partial<ClientOptions>]>([
    ['a secret, which verifies the id URL', { clientSecret, login: { profileSource: 'id' } }],
    ['a secret and a profile of Salesforce', { clientSecret, login: { profileSource: 'userinfo' } }],
    ['a profile of the identity service', { login: { profileSource: 'identity' } }],
    ['a profile of userinfo', { login: { profileSource: 'userinfo' } }],
  ])('can be proven with %s', (_what, options) => {
    const configuration = parseConfiguration({ clientID: '__test_client__', ...options });

    expect(() => {
      assertIdentityProvable(configuration);
    }).not.toThrow();
  });

  it('cannot be proven with neither, and the operator reads what to set', () => {
    const configuration = { ...parseConfiguration({ clientID: '__test_client__' }), profileSource: 'id' as const };

    let error: unknown;
    try {
      assertIdentityProvable(configuration);
    } catch (thrown) {
      error = thrown;
    }

    expect(error).toMatchObject({
      code: 'ERR_SALESFORCE_IDENTITY_UNPROVEN',
      status: 500,
      message: expect.stringContaining('login.profileSource'),
    });
  });
});

describe('tokens of a reply that is not proven', () => {
  const transaction = {
    ...{ clientID: '__test_client__', baseUrl: 'https://acme.my.salesforce.com', codeVerifier: '__test_verifier__' },
    callbackURL: 'http://localhost:3000/callback',
  };
  const bare = {
    ...{ accessToken: '__test_access__', clientID: transaction.clientID, baseUrl: transaction.baseUrl, scope: [] },
    ...{ instanceUrl: transaction.baseUrl, organizationId: '', userId: '' },
  };

  it('are enough to revoke them at the host that gave them, and name no user', () => {
    expect(
      unprovenTokens(
        { access_token: '__test_access__', refresh_token: '__test_refresh__', instance_url: 'https://evil.example' },
        { ...transaction, tenant: 'acme' },
      ),
    ).toStrictEqual({ ...bare, refreshToken: '__test_refresh__', tenant: 'acme' });
  });

  it('have a refresh token and a tenant only if both are given', () => {
    expect(unprovenTokens({ access_token: '__test_access__' }, transaction)).toStrictEqual(bare);
  });
});
