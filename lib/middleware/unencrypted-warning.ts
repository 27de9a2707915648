import { MemoryTokenStore } from '../stores/memory';
import type { ParsedOptions } from './options';

let hasWarned = false;

/**
 * Says once in the life of a process that tokens leave it in the clear. That is no error, since a store may encrypt by itself,
 * and an application that knows says `encryptionKeys: false`.
 */
export function warnOfUnencrypted({ store, secrets, isUnencryptedOnPurpose }: ParsedOptions): void {
  if (hasWarned || secrets || isUnencryptedOnPurpose || store instanceof MemoryTokenStore) return;
  hasWarned = true;
  process.emitWarning(
    'Access and refresh tokens are written to the token store in the clear: whoever reads it, or a backup of it, can act as your users. Set encryptionKeys to a random secret of at least 32 characters, the same on every server (openssl rand -base64 32), or to false if that is meant.',
    { type: 'SalesforceAuthWarning', code: 'SALESFORCE_AUTH_UNENCRYPTED' },
  );
}
