import { generateKeyPairSync } from 'node:crypto';
import { isSalesforceAuthError } from '../../lib';
import { selfSignedCertificate } from '../../lib/crypto/certificate';
import { startEmulator, type Emulator, type EmulatorOptions } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';

const callbackURLs = ['http://localhost:3000/auth/salesforce/callback'];

describe('a mistake in the options of startEmulator()', () => {
  it.each<[string, object, string]>([
    ['a misspelt name', { callbackURLs, prot: 4400 }, "startEmulator() has no option 'prot'. Did you mean 'port'?"],
    [
      'a misspelt switch',
      { callbackURLs, policy: { rotateRefreshToken: true } },
      "startEmulator() has no option 'policy.rotateRefreshToken'. Did you mean 'policy.rotateRefreshTokens'?",
    ],
    [
      'a switch outside of policy',
      { callbackURLs, requirePkce: false },
      "startEmulator() has no option 'requirePkce'. Did you mean 'policy.requirePkce'?",
    ],
    ['one URL instead of a list', { callbackURLs: callbackURLs[0] }, 'callbackURLs must be an array of URLs'],
    ['no URL', {}, 'callbackURLs must be an array of URLs'],
    ['a port that is a text', { callbackURLs, port: '4400' }, 'port must be a whole number from 0 to 65535'],
    ['a port of none', { callbackURLs, apiPort: 65_536 }, 'apiPort must be a whole number from 0 to 65535'],
    ['an app of another age', { callbackURLs, app: 'modern' }, "app must be one of 'current', 'legacy'"],
    ['no requests', { callbackURLs, maxRequests: 0 }, 'maxRequests must be a whole number from 1'],
  ])('is told: %s', async (_what, options, message) => {
    const error: unknown = await startEmulator(options as EmulatorOptions).then(
      (emulator) => emulator.stop(),
      (failure: unknown) => failure,
    );

    expect(error).toBeInstanceOf(TypeError);
    expect(isSalesforceAuthError(error)).toBe(true);
    expect((error as Error).message).toContain(message);
  });

  it('is told for a switch of a client that is registered or changed later, and the client stays as it is', async () => {
    const emulator = await startTestEmulator();
    const [client] = emulator.clients;
    const before = { ...client!.policy };
    const sentence = "has no option 'blockd'. Did you mean 'blocked'?";

    expect(() => emulator.setPolicy(client!.clientID, { blockd: true } as never)).toThrow(`setPolicy() ${sentence}`);
    expect(() => emulator.registerClient({ callbackURLs, policy: { blockd: true } as never })).toThrow(
      "registerClient() has no option 'policy.blockd'. Did you mean 'policy.blocked'?",
    );
    expect(client!.policy).toEqual(before);
    expect(emulator.clients).toHaveLength(1);
  });

  const wrongSwitches: [string, unknown][] = [
    ...[
      'requireSecretForWebServerFlow',
      'requirePkce',
      'rotateRefreshTokens',
      'locked',
      'blocked',
      'appInstalled',
    ].flatMap((name) => ['no', 'yes', 0, null].map<[string, unknown]>((value) => [name, value])),
    ...[
      'idleTTLSeconds',
      'jwtTimeoutSeconds',
      'sessionTimeoutSeconds',
      'idTokenTimeoutSeconds',
      'expiresInSeconds',
    ].flatMap((name) => ['60', -1, 0.5, Infinity, null].map<[string, unknown]>((value) => [name, value])),
    ...['adminApprovedUsers', 'refreshTokenIPAllowlist', 'assignedScopes'].flatMap((name) =>
      ['bob', [5], {}, null].map<[string, unknown]>((value) => [name, value]),
    ),
    ...['never', { idleSecond: 5 }, { idleSeconds: '5' }, { idleSeconds: undefined }, {}, [], null, 60].map<
      [string, unknown]
    >((value) => ['refreshTokenPolicy', value]),
    ['maxApprovals', 'x'],
    ['maxApprovals', 0],
    ['accessTokenFormat', 'JWT'],
    ['idHost', 'my-domain'],
    ['appKind', null],
    ['clientCredentialsRunAs', ''],
  ];

  it.each(wrongSwitches)(
    'is told at the start, at registerClient() and at setPolicy(): %s is not %j',
    async (name, value) => {
      const emulator = await startTestEmulator({ app: 'legacy' });
      const [client] = emulator.clients;
      const before = { ...client!.policy };
      const policy = { [name]: value } as never;
      const message = new RegExp(`^policy\\.${name}\\S* must be `);

      await expect(startEmulator({ callbackURLs, policy })).rejects.toThrow(message);
      expect(() => emulator.registerClient({ callbackURLs, policy })).toThrow(message);
      expect(() => emulator.setPolicy(client!.clientID, policy)).toThrow(message);
      expect(client!.policy).toEqual(before);
      expect(emulator.clients).toHaveLength(1);
    },
  );

  it.each([true, null, '', 5, {}])('is told if the secret of a client is %j', async (clientSecret) => {
    const emulator = await startTestEmulator();
    const given = { callbackURLs, clientSecret: clientSecret as never };

    await expect(startEmulator(given)).rejects.toThrow('clientSecret must be a string that is not empty, or false');
    expect(() => emulator.registerClient(given)).toThrow('clientSecret must be a string that is not empty, or false');
    expect(emulator.clients).toHaveLength(1);
  });

  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecCertificate = selfSignedCertificate(ec.privateKey, {
    ...{ commonName: 'x', notBefore: Date.now(), notAfter: Date.now() + 1_000_000, isAuthority: false, extensions: [] },
  });

  it.each<[string, object, string]>([
    ['no key', { publicKey: {} }, 'publicKey must be an RSA public key'],
    ['half a key', { publicKey: { kty: 'RSA', e: 'AQAB' } }, 'publicKey must be an RSA public key'],
    ['a key on a curve', { publicKey: ec.publicKey.export({ format: 'jwk' }) }, 'publicKey must be an RSA public key'],
    ['a certificate of such a key', { certificate: ecCertificate }, 'certificate must be that of an RSA key'],
  ])('is told for a key with which no client can prove itself: %s', async (_what, key, message) => {
    const emulator = await startTestEmulator();
    const { clientID } = emulator.clients[0]!;

    expect(() => emulator.registerClient({ callbackURLs, ...key })).toThrow(message);
    expect(() => emulator.replaceKey(clientID, key)).toThrow(message);
    if ('certificate' in key)
      await expect(startEmulator({ callbackURLs, ...(key as object) })).rejects.toThrow(message);
    expect(emulator.clients).toHaveLength(1);
  });

  it.each<[string, (emulator: Emulator) => unknown, string]>([
    [
      'registerClient()',
      (emulator) => emulator.registerClient({ callbackURLs, clientSecrt: 'x' } as never),
      'clientSecret',
    ],
    ['addUser()', (emulator) => emulator.addUser({ usernam: 'x' } as never), 'username'],
    [
      'replaceKey()',
      (emulator) => emulator.replaceKey(emulator.clients[0]!.clientID, { cert: 'x' } as never),
      'certificate',
    ],
  ])('is told for a misspelt name at %s', async (what, call, meant) => {
    const emulator = await startTestEmulator();

    expect(() => call(emulator)).toThrow(new RegExp(`^${what.replace('()', '\\(\\)')} has no option`));
    if (meant !== 'certificate') expect(() => call(emulator)).toThrow(`Did you mean '${meant}'?`);
    expect([emulator.clients.length, emulator.users.length]).toEqual([1, 3]);
  });

  it.each<[string, (emulator: Emulator, value: never) => unknown]>([
    ['registerClient()', (emulator, value) => emulator.registerClient(value)],
    ['addUser()', (emulator, value) => emulator.addUser(value)],
    ['replaceKey()', (emulator, value) => emulator.replaceKey(emulator.clients[0]!.clientID, value)],
    ['setPolicy()', (emulator, value) => emulator.setPolicy(emulator.clients[0]!.clientID, value)],
  ])('is told for what is no object at %s', async (what, call) => {
    const emulator = await startTestEmulator();

    for (const value of ['text', ['list'], null, 5, new Map()]) {
      expect(() => call(emulator, value as never)).toThrow(`${what} takes its options in a plain object`);
    }
  });

  it('is not an option that is undefined, which stays as it is', async () => {
    const emulator = await startTestEmulator({ app: 'current', policy: { rotateRefreshTokens: undefined } as never });
    const [client] = emulator.clients;
    emulator.setPolicy(client!.clientID, { maxApprovals: undefined } as never);

    expect(client!.policy).toMatchObject({ rotateRefreshTokens: true, maxApprovals: 5 });
    expect(emulator.addUser({ username: undefined } as never).username).toBe('user4@acme.example');
    expect(() => emulator.addUser({ active: 'no' } as never)).toThrow('active must be true or false');
  });

  it('is not that maxRequests is Infinity', async () => {
    const emulator = await startTestEmulator({ maxRequests: Infinity });

    await fetch(`${emulator.url}/services/data`);

    expect(emulator.requests).toHaveLength(1);
  });
});
