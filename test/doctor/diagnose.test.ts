import { diagnose, type Diagnosis, type SalesforceAuthOptions } from '../../lib';
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
  } as SalesforceAuthOptions;
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
  it('finds nothing wrong where nothing is', async () => {
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

});
