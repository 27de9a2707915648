import type { KeyRing } from '../crypto/key-ring';
import { SalesforceAuthError } from '../errors';
import type { GrantRecord } from '../stores/store';
import type { TokenSet } from '../token/types';

/** Turns tokens into the opaque payload of a record and back; encrypted where there are keys. */
export class GrantCodec {
  readonly #keys: KeyRing | undefined;

  constructor(keys: KeyRing | undefined) {
    this.#keys = keys;
  }

  /** The payload for a grant's record; another grant's record cannot use it. */
  async encode(grantId: string, tokens: TokenSet): Promise<string> {
    const text = JSON.stringify(tokens);
    return this.#keys ? this.#keys.seal(grantId, text) : text;
  }

  /**
   * The tokens of a record.
   *
   * @throws SalesforceAuthError `ERR_SALESFORCE_GRANT_UNREADABLE`: a wrong key is a mistake of the operator, never a logout
   */
  async decode(record: GrantRecord): Promise<TokenSet> {
    if ((record.schema as number) !== 1) throw unreadable('was written by another version of this package');
    // Read as it is where it was written before encryption was switched on; the next refresh seals it.
    const text = record.payload.startsWith('{')
      ? record.payload
      : await this.#keys?.open(record.grantId, record.payload);
    if (text === undefined) throw unreadable('cannot be decrypted with the configured encryptionKeys');
    return JSON.parse(text) as TokenSet;
  }
}

function unreadable(why: string): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_GRANT_UNREADABLE',
    `A stored grant ${why}. Nothing was deleted: put the former key back as the last of encryptionKeys, or deploy the ` +
      'version that wrote it.',
    { status: 503, retryAfterSeconds: 30 },
  );
}
