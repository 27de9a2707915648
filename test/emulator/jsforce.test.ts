import { Connection, OAuth2 } from 'jsforce';
import type { Emulator } from '../../lib/emulator';
import { defaultCallbackURL, logInAtEmulator, startTestEmulator } from '../helpers/emulator';

/** jsforce as it is published, told nothing about an emulator. */
describe('jsforce', () => {
  let emulator: Emulator;

  beforeEach(async () => {
    emulator = await startTestEmulator({ queryBatchSize: 3 });
  });

  function createOAuth2(useVerifier = true): OAuth2 {
    const { clientID, clientSecret } = emulator.clients[0]!;
    return new OAuth2({
      loginUrl: emulator.url,
      clientId: clientID,
      clientSecret,
      redirectUri: defaultCallbackURL,
      useVerifier,
    });
  }

  async function logIn(oauth2: OAuth2, user = emulator.users[0]!): Promise<Connection> {
    const authorizeUrl = oauth2.getAuthorizationUrl({ state: 'abc' });
    const callback = new URL(await logInAtEmulator({ authorizeUrl, ...user, decision: 'allow' }));
    const connection = new Connection({ oauth2 });
    await connection.authorize(callback.searchParams.get('code')!);
    return connection;
  }

  it('logs in and learns organization and user', async () => {
    const connection = await logIn(createOAuth2());

    expect(connection.userInfo).toMatchObject({
      id: emulator.users[0]!.userId,
      organizationId: emulator.users[0]!.organizationId,
    });
    expect(connection.instanceUrl).toBe(emulator.url);
    expect(connection.refreshToken).toBeTruthy();
  });

  it('logs in with PKCE, sending no challenge method', async () => {
    emulator.setPolicy(emulator.clients[0]!.clientID, { requirePkce: true });

    const connection = await logIn(createOAuth2(true));

    expect(connection.accessToken).toMatch(/^00D/);
    const authorize = emulator.requests.find(({ path }) => path.endsWith('/authorize'));
    expect(authorize!.query).toHaveProperty('code_challenge');
    expect(authorize!.query).not.toHaveProperty('code_challenge_method');
  });

  it('queries through all batches', async () => {
    const connection = await logIn(createOAuth2());

    const records = await connection
      .query('SELECT Id, Name FROM Account ORDER BY Name')
      .run({ autoFetch: true, maxFetch: 100 });

    expect(records.totalSize).toBe(10);
    expect(records.records).toHaveLength(10);
    expect(emulator.requests.filter(({ path }) => path.includes('/query/'))).toHaveLength(3);
  });

  it('creates, reads, updates and deletes a record', async () => {
    const accounts = (await logIn(createOAuth2())).sobject('Account');

    const created = await accounts.create({ Name: 'New Fake Account' });
    const id = created.id!;
    await accounts.update({ Id: id, Industry: 'Energy' });
    const record = await accounts.retrieve(id);
    await accounts.destroy(id);

    expect(record).toMatchObject({ Name: 'New Fake Account', Industry: 'Energy' });
    await expect(accounts.retrieve(id)).rejects.toMatchObject({ errorCode: 'NOT_FOUND' });
  });

  it('reads identity, limits, describe and the global describe', async () => {
    const connection = await logIn(createOAuth2());

    expect(await connection.identity()).toMatchObject({ username: emulator.users[0]!.username, asserted_user: true });
    expect((await connection.limits())['DailyApiRequests']!.Max).toBe(15000);
    expect((await connection.describe('Contact')).fields.map(({ name }) => name)).toContain('AccountId');
    expect((await connection.describeGlobal()).sobjects.map(({ name }) => name)).toContain('Account');
  });

  it('shows Salesforce’s message for a mistake in a query', async () => {
    const connection = await logIn(createOAuth2());

    await expect(connection.query('SELECT Nope FROM Account')).rejects.toMatchObject({
      errorCode: 'INVALID_FIELD',
      message: expect.stringContaining("No such column 'Nope' on entity 'Account'"),
    });
  });

  it('refreshes after the session has ended', async () => {
    const connection = await logIn(createOAuth2());
    emulator.expireAccessTokens();

    await connection.query('SELECT Id FROM Account');

    expect(emulator.presentations.get(connection.refreshToken!)).toBe(1);
  });

  it('logs out, which revokes the refresh token and with it the session', async () => {
    const connection = await logIn(createOAuth2());
    const { accessToken } = connection;

    await connection.logout(true);

    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    const late = new Connection({ instanceUrl: emulator.url, accessToken: accessToken! });
    await expect(late.limits()).rejects.toMatchObject({ errorCode: 'INVALID_SESSION_ID' });
  });

  it('explains why a token cannot be revoked', async () => {
    await expect(createOAuth2().revokeToken('no such token')).rejects.toMatchObject({ name: 'invalid_token' });
  });

  it('uploads and downloads records with Bulk API 2.0', async () => {
    const connection = await logIn(createOAuth2());
    connection.bulk2.pollInterval = 1;

    const { successfulResults, failedResults } = await connection.bulk2.loadAndWaitForResults({
      object: 'Contact',
      operation: 'insert',
      input: [
        { LastName: "O'Hara, Jr.", Title: 'CEO' },
        { LastName: '', Title: 'None' },
      ],
    });
    const stream = await connection.bulk2.query("SELECT LastName FROM Contact WHERE Title = 'CEO'", {
      pollInterval: 1,
    });
    const found = await stream.toArray();

    expect(successfulResults).toMatchObject([{ LastName: "O'Hara, Jr.", sf__Created: 'true' }]);
    expect(failedResults).toMatchObject([
      { Title: 'None', sf__Error: expect.stringContaining('REQUIRED_FIELD_MISSING') },
    ]);
    expect(found).toEqual([{ LastName: "O'Hara, Jr." }]);
  });
});
