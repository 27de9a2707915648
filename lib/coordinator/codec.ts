import type { KeyRing } from '../crypto/key-ring';
import { isSalesforceAuthError, SalesforceAuthError } from '../errors';
import type { GrantRecord } from '../stores/store';
import { grantSchema } from '../stores/stored-grant';
import type { TokenSet } from '../token/types';

/** Turns tokens into the opaque payload of a record and back; encrypted if there are keys. */
export class GrantCodec {
  readonly #keys: KeyRing | undefined;
  readonly #acceptUnencrypted: boolean;

  /** @param acceptUnencrypted whether grants in the clear are read although there are keys; the next refresh seals them */
  constructor(keys: KeyRing | undefined, acceptUnencrypted = false) {
    this.#keys = keys;
    this.#acceptUnencrypted = acceptUnencrypted;
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
    if ((record.schema as number) !== grantSchema) throw unreadable('was written by another version of this package');
    const text = await this.#open(record);
    if (text === undefined) throw unreadable('cannot be decrypted with the configured encryptionKeys');
    try {
      return JSON.parse(text) as TokenSet;
    } catch {
      // The parser's own error quotes what it read.
      throw unreadable('is damaged');
    }
  }

  /** The tokens of a later login that the record keeps beside its own. */
  async decodeSpare(record: GrantRecord): Promise<TokenSet | undefined> {
    return record.spare === undefined ? undefined : this.decode({ ...record, payload: record.spare });
  }

  async #open({ grantId, payload }: GrantRecord): Promise<string | undefined> {
    if (!payload.startsWith('{')) return this.#keys?.open(grantId, payload);
    // The payload is not encrypted. If there are keys, an attacker who can write to the store, but has no key, may have put it there.
    if (this.#keys && !this.#acceptUnencrypted) {
      throw unreadable(
        'is not encrypted, though there are encryptionKeys: set grants.acceptUnencrypted while you switch encryption on',
      );
    }
    return payload;
  }
}

/** Whether a record did not open. */
export function isUnreadable(error: unknown): boolean {
  return isSalesforceAuthError(error) && error.code === 'ERR_SALESFORCE_GRANT_UNREADABLE';
}

function unreadable(why: string): SalesforceAuthError {
  return new SalesforceAuthError(
    'ERR_SALESFORCE_GRANT_UNREADABLE',
    `A stored grant ${why}. Nothing was deleted: put the former key back as the last of encryptionKeys, or deploy the ` +
      'version that wrote it.',
    { status: 503, retryAfterSeconds: 30 },
  );
}
