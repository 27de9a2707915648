import { createPublicKey, randomBytes, sign, type KeyObject } from 'node:crypto';

/** The fields of a certificate. */
export interface CertificateContent {
  commonName: string;
  /** First and last moment of the certificate, in milliseconds since the epoch. Both must be before the year 2050. */
  notBefore: number;
  notAfter: number;
  /** Extensions other than the basic constraints, as DER. */
  extensions: readonly Buffer[];
  /** Whether the certificate is its own authority, which may sign other certificates. */
  isAuthority: boolean;
}

/** Object identifiers (RFC 5280, RFC 4055, RFC 5758) as DER. */
const oid = {
  commonName: derHex('0603550403'),
  ecdsaWithSHA256: derHex('06082a8648ce3d040302'),
  sha256WithRSAEncryption: derHex('06092a864886f70d01010b'),
  basicConstraints: derHex('0603551d13'),
};

/**
 * Makes a self-signed certificate (RFC 5280), as PEM. This file writes DER only; `node:crypto` makes the signature.
 *
 * @param privateKey an RSA key, or a key on an elliptic curve
 */
export function selfSignedCertificate(privateKey: KeyObject, content: CertificateContent): string {
  const isRsa = privateKey.asymmetricKeyType === 'rsa';
  const algorithm = isRsa ? sequence(oid.sha256WithRSAEncryption, derHex('0500')) : sequence(oid.ecdsaWithSHA256);
  const name = sequence(der(0x31, sequence(oid.commonName, der(0x0c, Buffer.from(content.commonName)))));
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(15)]);
  const constraints = sequence(...(content.isAuthority ? [derHex('0101ff')] : []));
  const body = sequence(
    der(0xa0, derHex('020102')),
    der(0x02, serial),
    algorithm,
    name,
    sequence(utcTime(content.notBefore), utcTime(content.notAfter)),
    name,
    createPublicKey(privateKey).export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(sequence(oid.basicConstraints, derHex('0101ff'), octets(constraints)), ...content.extensions)),
  );
  const signature = sign('sha256', body, privateKey);
  return pem('CERTIFICATE', sequence(body, algorithm, der(0x03, Buffer.from([0]), signature)));
}

export function sequence(...content: readonly Uint8Array[]): Buffer {
  return der(0x30, ...content);
}

export function octets(content: Uint8Array): Buffer {
  return der(0x04, content);
}

/** Encodes tag, length and content (ITU-T X.690, section 8.1). */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

export function derHex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

function utcTime(time: number): Buffer {
  const text = new Date(time).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${text}Z`));
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
