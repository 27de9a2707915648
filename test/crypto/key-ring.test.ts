import { createHash } from 'node:crypto';
import { CompactEncrypt, decodeProtectedHeader } from 'jose';
import { KeyRing, parseEncryptionKeys } from '../../lib/crypto/key-ring';
import { failure } from '../helpers/failure';

const secret = '__test_encryption_key_of_32_chars__';
/** What openssl derives from it: HKDF, SHA-256, no salt, `express-salesforce-auth/grant`. */
const derived = Buffer.from('LMdyIojmEcFy+0uOxSr4XjWEim5TNkBgMh6jFZuxPlY=', 'base64');
/** What openssl makes of `express-salesforce-auth/key-id` and the secret, its first eight characters. */
const kid = 'N5LPcCzC';
const header = { alg: 'dir', enc: 'A256GCM', kid, sub: 'grant', use: 'grant' };

/** A text sealed without the ring. */
function seal(text: string, changes: Record<string, unknown> = {}, key: Uint8Array = derived): Promise<string> {
  return new CompactEncrypt(Buffer.from(text)).setProtectedHeader({ ...header, ...changes }).encrypt(key);
}

describe('a key ring', () => {
  const ring = new KeyRing([secret], 'grant');

  it('seals so that the same key opens it after an update of this package', async () => {
    expect(await ring.open('grant', await seal('tökens'))).toBe('tökens');
    expect(decodeProtectedHeader(await ring.seal('grant', 'tökens'))).toEqual(header);
    expect(await ring.open('grant', await ring.seal('grant', 'tökens'))).toBe('tökens');
  });

  it.each([
    ['of another subject', {}, 'other', derived],
    ['for another purpose', { use: 'transaction' }, 'grant', derived],
    ['by a key that is not there', { kid: 'xxxxxxxx' }, 'grant', derived],
    ['by another key under the same name', {}, 'grant', createHash('sha256').update('x').digest()],
  ])('does not open a text %s', async (_what, changes, subject, key) => {
    expect(await ring.open(subject, await seal('tokens', changes, key))).toBeUndefined();
  });

  it('takes no other algorithms, though the key is right', async () => {
    const wrapped = await new CompactEncrypt(Buffer.from('tokens'))
      .setProtectedHeader({ ...header, alg: 'A256KW' })
      .encrypt(derived);
    const other = await new CompactEncrypt(Buffer.from('tokens'))
      .setProtectedHeader({ ...header, enc: 'A128CBC-HS256' })
      .encrypt(derived);

    expect(await ring.open('grant', wrapped)).toBeUndefined();
    expect(await ring.open('grant', other)).toBeUndefined();
  });

  it.each(['', 'nonsense', 'a.b.c.d.e'])('does not open %j', async (sealed) => {
    expect(await ring.open('grant', sealed)).toBeUndefined();
  });

  it('does not open what was altered', async () => {
    const sealed = await ring.seal('grant', 'tokens');

    for (const part of [3, 4]) {
      const parts = sealed.split('.');
      parts[part] = (parts[part]!.startsWith('A') ? 'B' : 'A') + parts[part]!.slice(1);
      expect(await ring.open('grant', parts.join('.'))).toBeUndefined();
    }
  });

  it('seals by its first key, and opens by all of them', async () => {
    const newer = new KeyRing([`${secret}new`, secret], 'grant');

    expect(await newer.open('grant', await ring.seal('grant', 'old'))).toBe('old');
    expect(await ring.open('grant', await newer.seal('grant', 'new'))).toBeUndefined();
    expect(await newer.open('grant', await newer.seal('grant', 'new'))).toBe('new');
  });

  it('has other keys for another purpose', async () => {
    const other = new KeyRing([secret], 'transaction');

    expect(await other.open('grant', await ring.seal('grant', 'tokens'))).toBeUndefined();
    // Even if the header said otherwise.
    expect(await other.open('grant', await seal('tokens', { use: 'transaction' }))).toBeUndefined();
  });

  it('for this process alone is never the same twice', async () => {
    const [one, two] = [KeyRing.ephemeral('transaction'), KeyRing.ephemeral('transaction')];
    const sealed = await one.seal('login', 'state');

    expect(await one.open('login', sealed)).toBe('state');
    expect(await two.open('login', sealed)).toBeUndefined();
    expect(decodeProtectedHeader(sealed)['use']).toBe('transaction');
  });

  it('without a key seals nothing', async () => {
    await expect(new KeyRing([], 'grant').seal('grant', 'tokens')).rejects.toThrow('A key ring needs a key.');
  });
});

describe('parseEncryptionKeys()', () => {
  it.each([[undefined], [false]])('takes %j for none', (value) => {
    expect(parseEncryptionKeys(value)).toBeUndefined();
  });

  it.each([[['x'.repeat(32)]], [['x'.repeat(32), 'y'.repeat(40)]], [[new Uint8Array(32)]]])('takes %j', (value) => {
    expect(parseEncryptionKeys(value)).toBe(value);
  });

  it.each([
    [[]],
    ['x'.repeat(32)],
    [{ length: 1, every: () => true }],
    [['x'.repeat(31)]],
    [['x'.repeat(32), 'short']],
    [[new Uint8Array(31)]],
    [[Array.from({ length: 32 }, () => 1)]],
    [[null]],
    [true],
    [null],
  ])('refuses %j', (value) => {
    expect(() => parseEncryptionKeys(value)).toThrow(
      failure({
        code: 'ERR_SALESFORCE_OPTION_INVALID',
        option: 'encryptionKeys',
        message:
          'encryptionKeys must be an array, newest first, of random secrets of at least 32 characters or bytes. ' +
          'Make one with: openssl rand -base64 32',
      }),
    );
  });
});
