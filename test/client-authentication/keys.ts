import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { salesforceAuth, type SalesforceAuthOptions } from '../../lib';
import { selfSignedCertificate } from '../../lib/crypto/certificate';
import type { ClientPolicy, Emulator, EmulatorClient } from '../../lib/emulator';
import { startApp, type TestApp } from '../helpers/app';

export interface TestKey {
  key: KeyObject;
  pem: string;
  certificate: string;
}

/** A key and its certificate. */
export function makeKey(days = 365): TestKey {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const now = Date.now();
  const certificate = selfSignedCertificate(privateKey, {
    commonName: 'Test client',
    notBefore: now - 1_000,
    notAfter: now + days * 24 * 60 * 60 * 1000,
    isAuthority: false,
    extensions: [],
  });
  return { key: privateKey, pem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), certificate };
}

/** An application whose client has a key and no secret, at an emulator whose app demands a proof in both flows. */
export async function startAppWithKey(
  emulator: Emulator,
  registered: TestKey,
  options: Partial<SalesforceAuthOptions> & Record<string, unknown>,
  policy: Partial<ClientPolicy> = {},
): Promise<TestApp & { keyClient: EmulatorClient }> {
  const keyClient = emulator.registerClient({
    callbackURLs: [],
    clientSecret: false,
    certificate: registered.certificate,
    policy: { requireSecretForWebServerFlow: true, requireSecretForRefreshTokenFlow: true, ...policy },
  });
  const app = await startApp({
    emulator,
    create: (_client, callbackURL) => {
      keyClient.callbackURLs.push(callbackURL);
      return salesforceAuth({
        clientID: keyClient.clientID,
        callbackURL,
        baseUrl: emulator.url,
        scope: 'openid id api refresh_token',
        encryptionKeys: false,
        report: false,
        ...options,
      });
    },
  });
  return { ...app, keyClient };
}
