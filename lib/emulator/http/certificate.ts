import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { systemClock } from '../../clock';

/** A certificate and its private key, both as PEM. */
export interface Certificate {
  readonly certificate: string;
  readonly privateKey: string;
}

const lifeMs = 90 * 24 * 60 * 60 * 1000;

/** Object identifiers (RFC 5280, RFC 5758) as DER. */
const oid = {
  commonName: derHex('0603550403'),
  ecdsaWithSHA256: derHex('06082a8648ce3d040302'),
  basicConstraints: derHex('0603551d13'),
  keyUsage: derHex('0603551d0f'),
  extendedKeyUsage: derHex('0603551d25'),
  serverAuth: derHex('06082b06010505070301'),
  subjectAltName: derHex('0603551d11'),
};

/**
 * A certificate that signs itself, for these host names and addresses. It is made anew at each start, so that no private key
 * is in the package.
 */
export function createCertificate(names: readonly string[]): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid.ecdsaWithSHA256);
  const name = sequence(der(0x31, sequence(oid.commonName, der(0x0c, Buffer.from('Salesforce emulator')))));
  const now = systemClock.now();
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(15)]);
  const body = sequence(
    der(0xa0, derHex('020102')),
    der(0x02, serial),
    algorithm,
    name,
    sequence(utcTime(now - 60 * 60 * 1000), utcTime(now + lifeMs)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(names))),
  );
  const signature = sign('sha256', body, privateKey);
  return {
    certificate: pem('CERTIFICATE', sequence(body, algorithm, der(0x03, Buffer.from([0]), signature))),
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extensions(names: readonly string[]): Buffer[] {
  const critical = derHex('0101ff');
  return [
    // It is its own authority, which a client has to trust by name.
    sequence(oid.basicConstraints, critical, octets(sequence(derHex('0101ff')))),
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

function utcTime(time: number): Buffer {
  const text = new Date(time).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(0x17, Buffer.from(`${text}Z`));
}

function sequence(...content: readonly Uint8Array[]): Buffer {
  return der(0x30, ...content);
}

function octets(content: Uint8Array): Buffer {
  return der(0x04, content);
}

/** Tag, length and content (ITU-T X.690, section 8.1). */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

function derHex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
