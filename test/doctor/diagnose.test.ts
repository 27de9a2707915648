/** @again legacy-policy */
import { diagnose, MemoryTokenStore, salesforceAuth, type Diagnosis, type SalesforceAuthOptions } from '../../lib';
import type { ClientPolicy, Emulator } from '../../lib/emulator';
import { defaultCallbackURL, startTestEmulator } from '../helpers/emulator';

const callbackURL = defaultCallbackURL;

/** Options that are right for an emulator's first client, but for what is given. */
function optionsFor(emulator: Emulator, given: object = {}): SalesforceAuthOptions {
  const { clientID, clientSecret } = emulator.clients[0]!;
  return {
    clientID,
    clientSecret: clientSecret || undefined,
    callbackURL,
    baseUrl: emulator.url,
    scope: 'openid id api refresh_token',
    httpTimeoutMs: 5_000,
    ...given,
  };
}

async function started(policy: Partial<ClientPolicy> = {}): Promise<Emulator> {
  return startTestEmulator({ policy });
}

/** Levels by check. */
function levels({ findings }: Diagnosis): Record<string, string> {
  return Object.fromEntries(findings.map(({ check, level }) => [check, level]));
}

function found(diagnosis: Diagnosis, check: string) {
  return diagnosis.findings.find((finding) => finding.check === check && finding.level !== 'ok');
}

describe('diagnose', () => {
  it('finds no problem with right settings', async () => {
    const emulator = await started({ requirePkce: true });

    const diagnosis = await diagnose(optionsFor(emulator));

    expect(diagnosis.ok).toBe(true);
    expect(levels(diagnosis)).toEqual({
      configuration: 'ok',
      'base-url': 'ok',
      discovery: 'ok',
      clock: 'ok',
      'client-id': 'ok',
      'callback-url': 'ok',
      pkce: 'ok',
      'client-secret': 'ok',
      scope: 'ok',
      policies: 'unknown',
      store: 'ok',
      'store.memory': 'warning',
      'encryption-keys': 'ok',
    });
  });

  it.each([
    ['an unknown client', { clientID: '3MVG9__fake__nobody__' }, 'client-id', 'ERR_SALESFORCE_CLIENT_UNKNOWN'],
    [
      'a callback URL that is not registered',
      { callbackURL: 'https://app.example.com/callback' },
      'callback-url',
      'ERR_SALESFORCE_REDIRECT_URI_MISMATCH',
    ],
    ['a wrong secret', { clientSecret: '__wrong__' }, 'client-secret', 'ERR_SALESFORCE_CLIENT_REJECTED'],
    ['no secret', { clientSecret: undefined }, 'client-secret', 'ERR_SALESFORCE_CLIENT_REJECTED'],
    ['a scope the app lacks', { scope: 'refresh_token pardot_api' }, 'scope', 'ERR_SALESFORCE_SCOPE_INVALID'],
    [
      'an http callback URL',
      { callbackURL: 'http://app.example.com/cb' },
      'configuration',
      'ERR_SALESFORCE_OPTION_INVALID',
    ],
    [
      'an http base URL',
      { baseUrl: 'http://acme.my.salesforce.com' },
      'configuration',
      'ERR_SALESFORCE_OPTION_INVALID',
    ],
    [
      'a Lightning address',
      { baseUrl: 'https://acme.lightning.force.com' },
      'configuration',
      'ERR_SALESFORCE_OPTION_INVALID',
    ],
    [
      'a host that is not Salesforce',
      { baseUrl: 'https://evil.example' },
      'configuration',
      'ERR_SALESFORCE_BASE_URL_NOT_ALLOWED',
    ],
    ['a short encryption key', { encryptionKeys: ['short'] }, 'configuration', 'ERR_SALESFORCE_OPTION_INVALID'],
    ['a misspelt option', { clientId: 'x' }, 'configuration', 'ERR_SALESFORCE_OPTION_INVALID'],
  ])('reports %s', async (_what, given, check, code) => {
    const diagnosis = await diagnose(optionsFor(await started(), given));

    expect(diagnosis.ok).toBe(false);
    expect(diagnosis.findings.filter(({ level }) => level === 'error').map((finding) => finding.check)).toEqual([
      check,
    ]);
    expect(found(diagnosis, check)).toMatchObject({ code, fix: expect.stringMatching(/\w/) });
  });

  it('asks for no callback URL if the application has no route for one', async () => {
    const emulator = await started();
    const routes = { login: false, callback: false, logout: false } as const;

    const diagnosis = await diagnose(optionsFor(emulator, { callbackURL: undefined, routes }));

    expect(diagnosis.ok).toBe(true);
    expect(found(diagnosis, 'callback-url')).toMatchObject({
      level: 'unknown',
      message: expect.stringContaining('routes.callback is false'),
      fix: expect.stringContaining('callbackURL'),
    });
    expect(levels(diagnosis)).toMatchObject({ 'client-id': 'ok', 'client-secret': 'ok' });
  });

  it('says that it does not know the mount path of a callback route', async () => {
    const emulator = await started();
    const fixOf = (diagnosis: Diagnosis): string => found(diagnosis, 'callback-url')!.fix!;
    const mounted = await diagnose(optionsFor(emulator, { callbackURL: undefined }), {
      origin: 'https://app.example.com',
    });
    const named = await diagnose(optionsFor(emulator, { callbackURL: 'https://app.example.com/callback' }));

    expect(fixOf(mounted)).toMatch(/ If salesforceAuth\(\) is mounted at a path, set callbackURL: .*\.$/);
    expect(fixOf(named)).not.toContain('mounted');
  });

  it('does not warn of tokens in the clear if the application knows', async () => {
    const store = Object.assign(new MemoryTokenStore(), { diagnose: () => Promise.resolve([]) });
    const options = optionsFor(await started(), { store });

    expect(levels(await diagnose(options))).toMatchObject({ 'encryption-keys': 'warning' });
    const diagnosis = await diagnose({ ...options, encryptionKeys: false });
    expect(diagnosis.findings).toContainEqual({
      check: 'encryption-keys',
      level: 'ok',
      message: 'Tokens are stored unencrypted, as encryptionKeys: false says.',
    });
  });

  it.each<[given: object, sentence: string]>([
    [{ orign: 'https://app.example.com' }, "diagnose() has no option 'orign'. Did you mean 'origin'?"],
    [{ app: { usr: 'x' } }, "diagnose() has no option 'app.usr'. Did you mean 'app.user'?"],
    [{ processes: '4' }, 'processes must be a whole number from 1 to'],
    [{ processes: 0 }, 'processes must be a whole number from 1 to'],
    [{ rotation: 'yes' }, 'rotation must be true or false.'],
    [{ tenant: '' }, 'tenant must be a string that is not empty.'],
  ])('refuses %j', async (given, sentence) => {
    const options = optionsFor(await started());
    const salesforce = salesforceAuth({ ...options, report: false });

    await expect(diagnose(options, given)).rejects.toThrow(sentence);
    await expect(salesforce.diagnose(given)).rejects.toThrow(sentence);
    await salesforce.close();
  });
});
