/**
 * A key as JSON (RFC 7517). The types of Node.js name it differently from version to version, so this package has a type of its own.
 */
export interface Jwk {
  /** Kind of key: `RSA` or `EC`. */
  kty?: string;
  /** Name of the key. */
  kid?: string;
  /** Modulus of an RSA key. */
  n?: string;
  /** Exponent of an RSA key. */
  e?: string;
}
