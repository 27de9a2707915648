import { createHash, createPrivateKey, createPublicKey, KeyObject, X509Certificate } from 'node:crypto';
import type { Jwk } from './jwk';
import { SalesforceOptionError } from '../errors';
import { checkFunction, invalid, oneOf, optionalText } from '../options/check';

/** How a client key signs (RFC 7518, section 3.1). */
type ClientKeyAlgorithm = 'RS256' | 'RS384' | 'RS512' | 'PS256' | 'PS384' | 'PS512' | 'ES256' | 'ES384' | 'ES512';

const algorithms: readonly ClientKeyAlgorithm[] = [
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const),
  ...(['ES256', 'ES384', 'ES512'] as const),
];

/** A private key that the client proves itself with, instead of a secret. */
export interface ClientKey {
  /** The private key: PEM text (PKCS #8 or PKCS #1), a JWK, or a `KeyObject` of `node:crypto`. Left out if there is `sign`. */
  key?: string | Jwk | KeyObject | undefined;
  /**
   * Signs with a key that stays in a key service. It gets the bytes to sign, and gives the signature as JWS has it (RFC 7518,
   * section 3.4: for ECDSA the two numbers, not DER). Left out if there is `key`.
   */
  sign?: ((input: Uint8Array, algorithm: ClientKeyAlgorithm) => Uint8Array | Promise<Uint8Array>) | undefined;
  /** `kid` in the header of what is signed. Default: the `kid` of a JWK, else none. */
  keyId?: string | undefined;
  /** Default `RS256`, the only one that Salesforce is known to take; for a key on an elliptic curve, that of the curve. */
  algorithm?: ClientKeyAlgorithm | undefined;
  /** `aud` of what the client proves itself with. Default: the URL of the token endpoint it is sent to. */
  audience?: string | undefined;
  /** The certificate that was uploaded to the app, as PEM: the doctor compares it with the key, and says when it ends. */
  certificate?: string | undefined;
}

/** {@link ClientKey}, checked. */
export interface SigningKey {
  /** Tells keys apart, and says nothing about the key. */
  readonly name: string;
  readonly key: KeyObject | undefined;
  readonly sign: ClientKey['sign'];
  readonly keyId: string | undefined;
  readonly algorithm: ClientKeyAlgorithm;
  readonly audience: string | undefined;
  readonly certificate: X509Certificate | undefined;
}

/** Most keys of one client: the one in use, and the one before or after it. */
const maxKeys = 2;

/** Checks the option `clientKey`, but for the names in it. Without the option the list is empty. @throws SalesforceOptionError `ERR_SALESFORCE_OPTION_INVALID` */
export function parseClientKeys(value: unknown): readonly SigningKey[] {
  if (value === undefined) return [];
  const isList = Array.isArray(value);
  const list: readonly unknown[] = isList ? value : [value];
  if (list.length === 0 || list.length > maxKeys) {
    throw invalid('clientKey', 'one key, or an array of two while the key is changed, the new one first');
  }
  return list.map((each, index) => parseClientKey(isList ? `clientKey[${index}]` : 'clientKey', each));
}

function parseClientKey(option: string, value: unknown): SigningKey {
  if (typeof value !== 'object' || value === null || value instanceof KeyObject) {
    throw invalid(option, "an object such as { key: '-----BEGIN PRIVATE KEY-----…' }");
  }
  const { key: given, sign, certificate } = value as ClientKey;
  checkFunction(`${option}.sign`, sign);
  if ((given === undefined) === (sign === undefined)) {
    throw invalid(option, 'given either key, or sign for a key that stays in a key service');
  }
  const key = given === undefined ? undefined : parseKey(`${option}.key`, given);
  const kid = (given as { kid?: unknown } | undefined)?.kid;
  const keyId =
    optionalText(`${option}.keyId`, (value as ClientKey).keyId) ?? (typeof kid === 'string' ? kid : undefined);
  const asked = oneOf(`${option}.algorithm`, (value as ClientKey).algorithm, algorithms);
  return Object.freeze({
    name: key ? digestOfPublic(key) : (keyId ?? option),
    key,
    sign,
    keyId,
    algorithm: key ? algorithmOf(option, key, asked) : (asked ?? 'RS256'),
    audience: optionalText(`${option}.audience`, (value as ClientKey).audience),
    certificate: certificate === undefined ? undefined : parseCertificate(`${option}.certificate`, certificate),
  });
}

function parseKey(option: string, given: unknown): KeyObject {
  let key: KeyObject;
  try {
    // A variable of an environment often has the line breaks of PEM written as two characters.
    if (typeof given === 'string') key = createPrivateKey(given.replaceAll('\\n', '\n'));
    else if (given instanceof KeyObject) key = given;
    else key = createPrivateKey({ key: given, format: 'jwk' } as Parameters<typeof createPrivateKey>[0]);
  } catch {
    // The error of node:crypto is dropped: it could quote what it was given.
    throw invalid(option, `a private key: PEM text, a JWK or a KeyObject.${hintFor(given)}`.replace(/\.$/, ''));
  }
  if (key.type !== 'private') throw invalid(option, 'the private key; the public one is for Salesforce');
  const { modulusLength } = key.asymmetricKeyDetails ?? {};
  if (modulusLength !== undefined && modulusLength < 2048) {
    throw invalid(option, `an RSA key of at least 2048 bits, and it has ${modulusLength}`);
  }
  return key;
}

function hintFor(given: unknown): string {
  if (typeof given !== 'string') return '';
  if (/ENCRYPTED/.test(given))
    return ' It is encrypted: open it with createPrivateKey({ key, passphrase }) of node:crypto';
  if (/CERTIFICATE|PUBLIC KEY/.test(given)) return ' This is the public part, which is for Salesforce';
  return /-----BEGIN/.test(given) ? '' : ' It has no line that begins with -----BEGIN; a path has to be read first';
}

const curves: Readonly<Record<string, ClientKeyAlgorithm>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};

function algorithmOf(option: string, key: KeyObject, asked: ClientKeyAlgorithm | undefined): ClientKeyAlgorithm {
  const ofCurve = curves[key.asymmetricKeyDetails?.namedCurve ?? ''];
  const isRsa = key.asymmetricKeyType === 'rsa';
  const algorithm = asked ?? (isRsa ? 'RS256' : ofCurve);
  if (algorithm === undefined) throw invalid(`${option}.key`, 'an RSA key, or one on the curve P-256, P-384 or P-521');
  if (isRsa ? algorithm.startsWith('ES') : algorithm !== ofCurve) {
    throw invalid(`${option}.algorithm`, `one that fits the key, such as '${isRsa ? 'RS256' : (ofCurve ?? 'RS256')}'`);
  }
  return algorithm;
}

function parseCertificate(option: string, value: unknown): X509Certificate {
  try {
    return new X509Certificate((value as string).replaceAll('\\n', '\n'));
  } catch {
    throw new SalesforceOptionError(
      'ERR_SALESFORCE_OPTION_INVALID',
      option,
      `${option} must be the certificate as PEM text, beginning with -----BEGIN CERTIFICATE-----.`,
    );
  }
}

function digestOfPublic(key: KeyObject): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('base64url').slice(0, 16);
}
