import { scryptSync } from 'node:crypto';
import type { SigningKey } from '../client-authentication/client-key';
import { KeyRing } from '../crypto/key-ring';
import type { ConfigurationSource } from '../options/source';

/** Keys that seal a login's cookies: configured, else derived from the client's secret or key, else made by this process. */
export function loginKeys(secrets: readonly (string | Uint8Array)[] | undefined, source: ConfigurationSource): KeyRing {
  const { clientSecret, clientKeys = [] } = source.fixed ?? {};
  const shared = secrets ?? (clientSecret === undefined ? bytesOf(clientKeys) : [stretched(clientSecret)]);
  return shared === undefined ? KeyRing.ephemeral('transaction') : new KeyRing(shared, 'transaction');
}

/** Private keys as bytes; undefined if a key is in a key service, which does not give it away. */
function bytesOf(keys: readonly SigningKey[]): Uint8Array[] | undefined {
  const bytes = keys.flatMap(({ key }) => key?.export({ type: 'pkcs8', format: 'der' }) ?? []);
  return bytes.length > 0 && bytes.length === keys.length ? bytes : undefined;
}

/**
 * Each visitor who begins a login gets a text that is sealed with a key of the client secret, and can try secrets against
 * that text offline. A long secret makes that hopeless. A short secret of an older app is stretched.
 */
function stretched(clientSecret: string): string | Uint8Array {
  return clientSecret.length >= 32 ? clientSecret : scryptSync(clientSecret, 'express-salesforce-auth', 32);
}
