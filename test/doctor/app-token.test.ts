import { diagnose, type AppOptions, type Finding } from '../../lib';
import type { Emulator } from '../../lib/emulator';
import { makeKey } from '../client-authentication/keys';
import { defaultCallbackURL, startTestEmulator } from '../helpers/emulator';

const key = makeKey();

async function found(
  emulator: Emulator,
  app: AppOptions | undefined,
  { runAs = true, secret = false }: { runAs?: boolean; secret?: boolean } = {},
): Promise<Finding[]> {
  const { clientID, clientSecret } = emulator.registerClient({
    callbackURLs: [defaultCallbackURL],
    certificate: key.certificate,
    policy: {
      ...(runAs ? { clientCredentialsRunAs: emulator.users[0]!.username } : {}),
      adminApprovedUsers: [emulator.users[1]!.username],
    },
  });
  const { findings } = await diagnose(
    {
      clientID,
      ...(secret ? { clientSecret } : { clientKey: { key: key.key } }),
      baseUrl: emulator.myDomainUrl,
      callbackURL: defaultCallbackURL,
    },
    { app },
  );
  return findings.filter(({ check }) => check === 'app-token');
}

it('asks for an app token of each kind, and revokes it', async () => {
  const emulator = await startTestEmulator();

  expect(await found(emulator, {}, { secret: true })).toMatchObject([{ level: 'ok' }]);
  expect(await found(emulator, {})).toMatchObject([{ level: 'ok' }]);
  const user = emulator.users[1]!.username;
  expect(await found(emulator, { user, audience: emulator.url })).toMatchObject([{ level: 'ok' }]);
  expect(emulator.requests.filter(({ path }) => path.endsWith('/revoke')).map(({ status }) => status)).toEqual([
    200, 200, 200,
  ]);
  expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
});

it('asks for no app token by default', async () => {
  const emulator = await startTestEmulator();

  expect(await found(emulator, undefined)).toEqual([]);
});

it('says what is missing in Setup', async () => {
  const emulator = await startTestEmulator();

  expect(await found(emulator, {}, { runAs: false })).toMatchObject([
    { level: 'error', code: 'ERR_SALESFORCE_RUN_AS_USER_MISSING', message: expect.stringContaining('"Run As" user') },
  ]);
  expect(await found(emulator, { user: 'x' })).toMatchObject([{ code: 'ERR_SALESFORCE_AUDIENCE_INVALID' }]);
  expect(await found(emulator, { user: 'x' }, { secret: true })).toMatchObject([
    { level: 'error', code: 'ERR_SALESFORCE_OPTION_INVALID' },
  ]);
});

it('says that a token could not be revoked', async () => {
  const emulator = await startTestEmulator();
  emulator.faults.inject({ on: 'revoke', kind: 'status', status: 503 });

  expect((await found(emulator, {})).map(({ level }) => level)).toEqual(['ok', 'warning']);
});
