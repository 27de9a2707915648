import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { SalesforceOptionError } from '../errors';

/** What a sealed text is for. Each purpose has separate keys, derived from the same secrets. */
export type Purpose = 'grant' | 'transaction';

interface Key {
  id: string;
  bytes: Uint8Array;
}

/**
 * Seals texts with AES-256-GCM (JWE compact, `dir`). The first key seals. Every key opens.
 *
 * A sealed text is bound to its subject and purpose, which are in the authenticated header. It opens only for that subject
 * and purpose.
 */
export class KeyRing {
  readonly #keys: readonly Key[];
  readonly #purpose: Purpose;

  /** @param secrets texts or bytes with at least 32 bytes of randomness, newest first */
  constructor(secrets: readonly (string | Uint8Array)[], purpose: Purpose) {
    this.#purpose = purpose;
    this.#keys = secrets.map((secret) => ({
      id: createHash('sha256').update('express-salesforce-auth/key-id').update(secret).digest('base64url').slice(0, 8),
      bytes: new Uint8Array(hkdfSync('sha256', secret, '', `express-salesforce-auth/${purpose}`, 32)),
    }));
  }

  /** Makes a ring whose key exists in this process only. */
  static ephemeral(purpose: Purpose): KeyRing {
    return new KeyRing([randomBytes(32)], purpose);
  }

  /** Ids of the keys, the one that seals first. They are stored beside what is sealed, and say nothing of the keys. */
  get ids(): readonly string[] {
    return this.#keys.map(({ id }) => id);
  }

  /** Seals a text, or bytes, for `subject`. */
  async seal(subject: string, content: string | Uint8Array): Promise<string> {
    const [key] = this.#keys;
    if (!key) throw new Error('A key ring needs a key.');
    const { CompactEncrypt } = await import('jose');
    return new CompactEncrypt(typeof content === 'string' ? Buffer.from(content, 'utf8') : content)
      .setProtectedHeader({ alg: 'dir', enc: 'A256GCM', kid: key.id, sub: subject, use: this.#purpose })
      .encrypt(key.bytes);
  }

  /**
   * Opens a text of {@link seal}. Undefined if the key is unknown, the text was changed, or the subject or purpose differs.
   */
  async open(subject: string, sealed: string): Promise<string | undefined> {
    const bytes = await this.openBytes(subject, sealed);
    return bytes && Buffer.from(bytes).toString('utf8');
  }

  /** The same, of bytes. */
  async openBytes(subject: string, sealed: string): Promise<Uint8Array | undefined> {
    const { compactDecrypt, decodeProtectedHeader } = await import('jose');
    try {
      const { kid } = decodeProtectedHeader(sealed);
      const key = this.#keys.find(({ id }) => id === kid);
      if (!key) return undefined;
      const { plaintext, protectedHeader } = await compactDecrypt(sealed, key.bytes, {
        keyManagementAlgorithms: ['dir'],
        contentEncryptionAlgorithms: ['A256GCM'],
      });
      if (protectedHeader['sub'] !== subject || protectedHeader['use'] !== this.#purpose) return undefined;
      return plaintext;
    } catch {
      return undefined;
    }
  }
}

/** Id of the key that sealed a text; undefined for a text in the clear, and for one that is damaged. */
export async function keyIdOf(sealed: string): Promise<string | undefined> {
  const { decodeProtectedHeader } = await import('jose');
  try {
    return decodeProtectedHeader(sealed).kid;
  } catch {
    return undefined;
  }
}

/**
 * Checks the `encryptionKeys` option. The result is undefined if the option is not set, or is false.
 *
 * @throws SalesforceOptionError `ERR_SALESFORCE_OPTION_INVALID`
 */
export function parseEncryptionKeys(value: unknown): readonly (string | Uint8Array)[] | undefined {
  if (value === undefined || value === false) return undefined;
  const absent = Array.isArray(value) ? value.findIndex((key) => key === undefined || key === '') : -1;
  if (absent !== -1) {
    throw new SalesforceOptionError(
      'ERR_SALESFORCE_OPTION_INVALID',
      'encryptionKeys',
      `encryptionKeys[${absent}] is missing or empty. If it comes from an environment variable, make sure that the variable is set.`,
    );
  }
  const isLongEnough = (key: unknown): key is string | Uint8Array =>
    (typeof key === 'string' || key instanceof Uint8Array) && key.length >= 32;
  if (!Array.isArray(value) || value.length === 0 || !value.every(isLongEnough)) {
    throw new SalesforceOptionError(
      'ERR_SALESFORCE_OPTION_INVALID',
      'encryptionKeys',
      'encryptionKeys must be an array, newest first, of random secrets of at least 32 characters or bytes. ' +
        'Make one with: openssl rand -base64 32',
    );
  }
  return value;
}
