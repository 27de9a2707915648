import { createHash, generateKeyPair, sign, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import type { Jwk } from '../client-authentication/jwk';

/** A signing key and its published `kid`. */
interface SigningKey {
  kid: string;
  privateKey: KeyObject;
  publicKey: Jwk;
}

let keys: Promise<SigningKey[]> | undefined;

/** Salesforce names its keys with short numbers and `asset`. A client must choose the key by `kid`. */
const kids = ['248', '246', 'asset'];

/** The keys are generated at first use and shared by all emulators of the process, because RSA keys take long to generate. */
function signingKeys(): Promise<SigningKey[]> {
  keys ??= Promise.all(
    kids.map(async (kid) => {
      const pair = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
      return { kid, privateKey: pair.privateKey, publicKey: pair.publicKey.export({ format: 'jwk' }) };
    }),
  );
  return keys;
}

/** The body of `/id/keys` (RFC 7517, section 5). */
export async function jsonWebKeySet(): Promise<{ keys: Record<string, unknown>[] }> {
  const all = await signingKeys();
  return {
    keys: all.map(({ kid, publicKey }) => ({
      kty: 'RSA',
      n: publicKey.n,
      e: publicKey.e,
      alg: 'RS256',
      use: 'sig',
      kid,
    })),
  };
}

/**
 * A JWT signed with RS256. The second key of {@link jsonWebKeySet} signs, so that a client that always uses the first key
 * fails.
 */
export async function signJWT(payload: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
  const all = await signingKeys();
  const key = all[1];
  if (!key) throw new Error('The emulator has no signing key.');
  const encode = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const input = `${encode({ alg: 'RS256', typ: 'JWT', kid: key.kid, ...header })}.${encode(payload)}`;
  return `${input}.${sign('sha256', Buffer.from(input), key.privateKey).toString('base64url')}`;
}

/** `at_hash` (OpenID Connect Core, section 3.1.3.6). */
export function accessTokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest().subarray(0, 16).toString('base64url');
}
