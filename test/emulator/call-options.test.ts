import { isSalesforceAuthError } from '../../lib';
import type { Emulator, EmulatorUser } from '../../lib/emulator';
import { startApp } from '../helpers/app';
import { defaultCallbackURL, startTestEmulator } from '../helpers/emulator';
import { authorizeUrl, get, logIn } from './support';

const callbackURLs = [defaultCallbackURL];

describe('a mistake in a choice of tokens', () => {
  const wrong: [string, object, string][] = [
    ['a misspelt name', { userName: 'nobody@acme.example' }, "has no option 'userName'. Did you mean 'username'?"],
    ['another misspelt name', { clientId: '3MVG9' }, "has no option 'clientId'. Did you mean 'clientID'?"],
    ['a name of another thing', { grant: 'x' }, "has no option 'grant'. Known are: username, userId"],
    ['a user', { user: { username: 'grace@acme.example' } }, "has no option 'user'."],
    ['a value that is no text', { username: 5 }, 'username must be a string'],
    ['a list', ['ada@acme.example'], 'takes its options in a plain object'],
    ['a text', 'ada@acme.example' as never, 'takes its options in a plain object'],
  ];

  it.each(wrong)('is told, and ends no token: %s', async (_what, filter, message) => {
    const emulator = await startTestEmulator();
    await logIn(emulator);
    const calls: ((given: never) => unknown)[] = [
      (given) => emulator.expireAccessTokens(given),
      (given) => emulator.revokeRefreshTokens(given),
      (given) => emulator.liveTokens(given),
    ];

    for (const call of calls) expect(() => call(filter as never)).toThrow(message);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 1, refreshTokens: 1 });
  });

  it('names the call', async () => {
    const emulator = await startTestEmulator();

    expect(() => emulator.expireAccessTokens({ a: 1 } as never)).toThrow(/^expireAccessTokens\(\) has no option 'a'/);
    expect(() => emulator.revokeRefreshTokens({ a: 1 } as never)).toThrow(/^revokeRefreshTokens\(\) has no option 'a'/);
    expect(() => emulator.liveTokens({ a: 1 } as never)).toThrow(/^liveTokens\(\) has no option 'a'/);
  });

  it('is not an option that is undefined', async () => {
    const emulator = await startTestEmulator();
    await logIn(emulator);

    expect(emulator.liveTokens({ username: undefined, clientID: undefined })).toEqual({
      accessTokens: 1,
      refreshTokens: 1,
    });
  });
});

describe('a mistake in a fault', () => {
  const wrong: [object, string][] = [
    [{ on: 'refersh', kind: 'drop' }, 'on must be one of'],
    [{ on: 'refersh', kind: 'drop' }, "it is 'refersh'. Did you mean 'refresh'?"],
    [{ on: 'data', kind: 'tiemout' }, "kind must be one of 'status', 'error', 'drop'"],
    [{ on: 'data', kind: 'stauts', status: 503 }, "Did you mean 'status'?"],
    [{ on: 'data', kind: 'constructor' }, 'kind must be one of'],
    [{ kind: 'drop' }, 'on must be given: `refresh`, `code`'],
    [{ on: 'data' }, 'kind must be given'],
    [{ on: 'data', kind: 'drop', wen: 'after' }, "faults.inject() has no option 'wen'. Did you mean 'when'?"],
    [{ on: 'data', kind: 'drop', when: 'later' }, "when must be one of 'before', 'after'"],
    [{ on: 'data', kind: 'drop', status: 503 }, "faults.inject() has no option 'status'"],
    [{ on: 'data', kind: 'status' }, 'status must be given'],
    [{ on: 'data', kind: 'status', status: '503' }, 'status must be a whole number from 200 to 599'],
    [
      { on: 'data', kind: 'status', status: 503, retryAfter: 3 },
      'Known are: on, kind, times, when, match, status, retry',
    ],
    [{ on: 'data', kind: 'status', status: 503, body: 5 }, 'body must be a string'],
    [{ on: 'data', kind: 'error' }, 'error must be given'],
    [{ on: 'data', kind: 'error', error: 'x', errorDescription: 5 }, 'errorDescription must be a string'],
    [{ on: 'data', kind: 'delay', delay: 20 }, "Did you mean 'delayMs'?"],
    [{ on: 'data', kind: 'delay' }, 'delayMs must be given'],
    [{ on: 'data', kind: 'delay', delayMs: Number.NaN }, 'delayMs must be a number of milliseconds'],
    [{ on: 'data', kind: 'drip', intervalMs: -1 }, 'intervalMs must be a number of milliseconds'],
    [{ on: 'data', kind: 'redirect' }, 'location must be given'],
    [{ on: 'data', kind: 'reply' }, 'change must be given'],
    [{ on: 'data', kind: 'reply', change: 'x' }, 'change must be a function'],
    [{ on: 'data', kind: 'drop', times: 0 }, 'times must be a whole number from 1'],
    [{ on: 'data', kind: 'drop', times: '2' }, 'times must be a whole number from 1'],
    [{ on: 'data', kind: 'drop', match: 'x' }, 'match must be a function'],
    [[], 'faults.inject() takes its options in a plain object'],
    [undefined as never, 'faults.inject() takes its options in a plain object'],
  ];

  it.each(wrong)('is told, and no request meets the fault: %j', async (fault, message) => {
    const emulator = await startTestEmulator();
    const { access_token } = await logIn(emulator);

    let error: unknown;
    try {
      emulator.faults.inject(fault as never);
    } catch (thrown) {
      error = thrown;
    }

    expect(isSalesforceAuthError(error)).toBe(true);
    expect((error as Error).message).toContain(message);
    expect((await get(`${emulator.url}/services/data/v64.0/limits`, access_token)).status).toBe(200);
  });
});

describe('the options of a login', () => {
  type Call = (emulator: Emulator, login: object) => Promise<string>;
  const calls: [string, Call][] = [
    ['logIn()', (emulator, login) => emulator.logIn({ authorizeUrl: authorizeUrl(emulator), ...login })],
    ['logInTo()', async (emulator, login) => emulator.logInTo((await startApp({ emulator })).app, login)],
  ];

  it.each(calls)('have their defaults at %s if they are undefined', async (what, call) => {
    // An application in this process does not trust the certificate.
    const emulator = await startTestEmulator({ https: what === 'logIn()' });
    const login = { username: undefined, password: undefined, decision: undefined, cookies: undefined, ca: undefined };

    await expect(call(emulator, login)).resolves.toEqual(expect.any(String));
  });

  it.each(calls)('may be a user as a whole at %s', async (_what, call) => {
    const emulator = await startTestEmulator();
    const grace = emulator.users[1]!;
    await call(emulator, { ...grace });

    // Who logged in is seen in the pages: the browser posts the name.
    const posted = emulator.requests.find(({ body }) => body?.['pw'] !== undefined)!;
    expect(posted.body!['username']).toBe(grace.username);
  });

  it.each(calls)('are refused at %s if they do not exist', async (what, call) => {
    const emulator = await startTestEmulator();
    const { email, userId, username } = emulator.users[1]!;

    const refusal = (login: object): Promise<string> =>
      call(emulator, login).then(
        () => 'logged in',
        (error: unknown) => (error as Error).message,
      );
    expect(await refusal({ usernam: username })).toBe(`${what} has no option 'usernam'. Did you mean 'username'?`);
    expect(await refusal({ email })).toContain(`${what} has no option 'email'`);
    expect(await refusal({ username, userId: emulator.users[0]!.userId })).toContain(`${what} has no option 'userId'`);
    expect(userId).not.toBe(emulator.users[0]!.userId);
    expect(await refusal({ decision: 'denny' })).toContain("decision must be one of 'allow', 'deny'");
    expect(await refusal({ cookies: {} })).toContain('cookies must be a Map');
    if (what === 'logInTo()') {
      const { app } = await startApp({ emulator });
      await expect(emulator.logInTo(app, null as never)).rejects.toThrow(
        'logInTo() takes its options in a plain object',
      );
    }
    expect(emulator.requests.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  it('need an absolute URL at logIn()', async () => {
    const emulator = await startTestEmulator();

    await expect(emulator.logIn({ authorizeUrl: null } as never)).rejects.toThrow(
      'authorizeUrl must be the absolute URL',
    );
    await expect(emulator.logIn({ authorizeUrl: '/login' })).rejects.toThrow('authorizeUrl must be the absolute URL');
  });
});

describe('a name that is taken', () => {
  it('is refused for a client, which leaves the first one as it is', async () => {
    const emulator = await startTestEmulator();
    const { clientID } = emulator.clients[0]!;

    expect(() => emulator.registerClient({ callbackURLs, clientID, clientSecret: false })).toThrow(
      `clientID must be a Consumer Key of no other client; "${clientID}" is taken.`,
    );
    expect(emulator.clients).toHaveLength(1);
    expect(emulator.registerClient({ callbackURLs, clientID: `${clientID}2` }).clientID).toBe(`${clientID}2`);
  });

  it('is refused for a user, in another organization too', async () => {
    const emulator = await startTestEmulator();
    const { username } = emulator.users[0]!;
    const { organizationId } = emulator.users[2]!;

    for (const user of [{ username }, { username, organizationId }]) {
      expect(() => emulator.addUser(user)).toThrow(
        `username must be a username of no other user; "${username}" is taken.`,
      );
    }
    expect(emulator.users).toHaveLength(3);
  });

  it('is not made up for a user without a username', async () => {
    const emulator = await startTestEmulator();
    emulator.addUser({ username: 'user5@acme.example' });
    const names = [emulator.addUser(), emulator.addUser()].map(({ username }: EmulatorUser) => username);

    expect(new Set([...names, 'user5@acme.example']).size).toBe(3);
  });

  it('takes a delay with a fraction, as a random delay has', async () => {
    const emulator = await startTestEmulator();
    const { access_token } = await logIn(emulator);

    const delay = emulator.faults.inject({ on: 'data', kind: 'delay', delayMs: 0.5 });

    expect((await get(`${emulator.url}/services/data/v64.0/limits`, access_token)).status).toBe(200);
    expect(delay.hits).toBe(1);
  });
});
