import { scryptSync } from 'node:crypto';
import { KeyRing } from '../crypto/key-ring';
import type { ConfigurationSource } from '../options/source';

/** Keys for what a login leaves in the browser: configured, else derived from the client secret, else of this process. */
export function loginKeys(secrets: readonly (string | Uint8Array)[] | undefined, source: ConfigurationSource): KeyRing {
  const { clientSecret } = source.fixed ?? {};
  const shared = secrets ?? (clientSecret === undefined ? undefined : [stretched(clientSecret)]);
  return shared === undefined ? KeyRing.ephemeral('transaction') : new KeyRing(shared, 'transaction');
}

/**
 * Each visitor who begins a login gets a text sealed with a key of the client secret, and may try secrets against that text
 * at home. A long secret makes this hopeless; a short one of an older app is stretched.
 */
function stretched(clientSecret: string): string | Uint8Array {
  return clientSecret.length >= 32 ? clientSecret : scryptSync(clientSecret, 'express-salesforce-auth', 32);
}
