import { generateKeyPairSync } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { systemClock } from '../../clock';
import { der, derHex, octets, selfSignedCertificate, sequence } from '../../crypto/certificate';

/** A certificate and its private key, both as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly privateKey: string;
}

const lifeMs = 90 * 24 * 60 * 60 * 1000;

/** Object identifiers (RFC 5280) as DER. */
const oid = {
  keyUsage: derHex('0603551d0f'),
  extendedKeyUsage: derHex('0603551d25'),
  serverAuth: derHex('06082b06010505070301'),
  subjectAltName: derHex('0603551d11'),
};

/**
 * Makes a self-signed certificate for these host names and addresses. Each start makes a new one, so that the package
 * contains no private key.
 */
export function createCertificate(names: readonly string[]): Certificate {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = systemClock.now();
  return {
    // The certificate is its own authority. A client must be configured to trust it.
    certificate: selfSignedCertificate(privateKey, {
      commonName: 'Salesforce emulator',
      notBefore: now - 60 * 60 * 1000,
      notAfter: now + lifeMs,
      isAuthority: true,
      extensions: extensions(names),
    }),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extensions(names: readonly string[]): Buffer[] {
  const critical = derHex('0101ff');
  return [
    // digitalSignature and keyCertSign.
    sequence(oid.keyUsage, critical, octets(derHex('03020284'))),
    sequence(oid.extendedKeyUsage, octets(sequence(oid.serverAuth))),
    sequence(oid.subjectAltName, octets(sequence(...names.map(generalName)))),
  ];
}

function generalName(name: string): Buffer {
  if (isIPv4(name)) return der(0x87, Buffer.from(name.split('.').map(Number)));
  if (isIPv6(name)) return der(0x87, ipv6Bytes(name));
  return der(0x82, Buffer.from(name));
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::');
  const groups = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => parseInt(group, 16)));
  const [left, right] = [groups(head), groups(tail ?? '')];
  const zeros = new Array<number>(8 - left.length - right.length).fill(0);
  return Buffer.from([...left, ...zeros, ...right].flatMap((group) => [group >> 8, group & 0xff]));
}
