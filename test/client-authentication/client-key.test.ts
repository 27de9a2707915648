import { createPublicKey, createSign, createVerify, generateKeyPairSync, verify, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { configurationFromEnv } from '../../lib';
import { signClaims } from '../../lib/client-authentication/signed-claims';
import { parseClientKeys } from '../../lib/client-authentication/client-key';
import { parseConfiguration } from '../../lib/options/configuration';
import { ManualClock } from '../helpers/clock';
import { makeKey } from './keys';

const rsa = makeKey();
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
const sign = (): Uint8Array => Buffer.from('x');
const valid = { clientID: '3MVG9' };

describe('the option clientKey', () => {
  it.each<[what: string, options: Record<string, unknown>, part: string]>([
    ['a secret beside it', { clientSecret: 'x', clientKey: { key: rsa.pem } }, 'clientKey must be left out'],
    [
      'a way to send a secret',
      { clientAuthentication: 'client_secret_basic', clientKey: { key: rsa.pem } },
      'clientAuthentication must',
    ],
    ['no object', { clientKey: rsa.pem }, 'clientKey must be an object'],
    ['a bare KeyObject', { clientKey: rsa.key }, 'clientKey must be an object'],
    ['an empty list', { clientKey: [] }, 'one key, or an array of two'],
    ['three keys', { clientKey: [{ sign }, { sign }, { sign }] }, 'one key, or an array of two'],
    ['neither key nor sign', { clientKey: {} }, 'either key, or sign'],
    ['both key and sign', { clientKey: { key: rsa.pem, sign } }, 'either key, or sign'],
    ['a misspelt member', { clientKey: { key: rsa.pem, kid: 'x' } }, "Did you mean 'clientKey.keyId'?"],
    ['a path', { clientKey: { key: '/run/secrets/salesforce.key' } }, 'a path has to be read first'],
    ['a certificate as the key', { clientKey: { key: rsa.certificate } }, 'public part'],
    [
      'a public JWK',
      { clientKey: { key: createPublicKey(rsa.key).export({ format: 'jwk' }) } },
      'clientKey.key must be',
    ],
    ['a public KeyObject', { clientKey: { key: createPublicKey(rsa.key) } }, 'must be the private key'],
    [
      'an encrypted key',
      { clientKey: { key: rsa.key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }) } },
      'passphrase',
    ],
    ['a short RSA key', { clientKey: { key: weak.privateKey } }, 'at least 2048 bits, and it has 1024'],
    ['a curve JOSE has no name for', { clientKey: { key: secp256k1.privateKey } }, 'P-256'],
    ['an algorithm that does not fit', { clientKey: { key: rsa.pem, algorithm: 'ES256' } }, "such as 'RS256'"],
    ['an algorithm of another curve', { clientKey: { key: ec.privateKey, algorithm: 'ES384' } }, "such as 'ES256'"],
    ['no known algorithm', { clientKey: { key: rsa.pem, algorithm: 'HS256' } }, 'clientKey.algorithm must be one of'],
    ['no certificate', { clientKey: { key: rsa.pem, certificate: 'x' } }, 'BEGIN CERTIFICATE'],
    ['a wrong second key', { clientKey: [{ key: rsa.pem }, { key: 'x' }] }, 'clientKey[1].key must be'],
  ])('refuses %s', (_, options, part) => {
    let error: unknown;
    try {
      parseConfiguration({ ...valid, ...options });
    } catch (thrown) {
      error = thrown;
    }

    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_SALESFORCE_OPTION_/) });
    expect((error as Error).message).toContain(part);
    expect(inspect(error, { depth: 9 })).not.toMatch(/MII|PRIVATE KEY-----\n/);
  });

  it('takes PKCS #1 as openssl of earlier years writes it', () => {
    const pem = rsa.key.export({ type: 'pkcs1', format: 'pem' });

    expect(parseClientKeys({ key: pem })[0]).toMatchObject({ algorithm: 'RS256' });
  });

  it('comes from the environment, with line breaks written out', () => {
    const env = {
      SALESFORCE_CLIENT_ID: 'x',
      SALESFORCE_CLIENT_KEY: rsa.pem.replaceAll('\n', '\\n'),
      SALESFORCE_CLIENT_CERTIFICATE: rsa.certificate,
    };
    const { clientKeys } = parseConfiguration(configurationFromEnv(env));

    expect(clientKeys[0]!.certificate!.checkPrivateKey(clientKeys[0]!.key!)).toBe(true);
  });

  it('shows no key in a printed configuration', () => {
    const configuration = parseConfiguration({ ...valid, clientKey: { key: rsa.pem } });
    const secret = rsa.pem.split('\n')[2]!;

    expect(inspect(configuration, { depth: 9, showHidden: true }) + JSON.stringify(configuration)).not.toContain(
      secret,
    );
  });
});

describe('signed claims', () => {
  const claims = { iss: 'a', sub: 'a', aud: 'https://login.salesforce.com' };
  const context = { clock: new ManualClock(), limitMs: 1_000 };

  it('can be verified with the public key, by a key at hand and by a key service', async () => {
    const [atHand] = parseClientKeys({ key: rsa.key, keyId: 'k1' });
    const [service] = parseClientKeys({
      keyId: 'k1',
      sign: (input: Uint8Array) => {
        return createSign('sha256').update(input).sign(rsa.key);
      },
    });
    for (const key of [atHand!, service!]) {
      const [header, payload, signature] = (await signClaims(claims, key, context)).split('.');

      expect(JSON.parse(Buffer.from(header!, 'base64url').toString())).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'k1' });
      const verifier = createVerify('sha256').update(`${header}.${payload}`);
      expect(verifier.verify(createPublicKey(rsa.key), Buffer.from(signature!, 'base64url'))).toBe(true);
    }
  });

  it('fit a key on an elliptic curve', async () => {
    const [key] = parseClientKeys({ key: ec.privateKey });
    const [header, payload, signature] = (await signClaims(claims, key!, context)).split('.');

    const publicKey = { key: ec.publicKey, dsaEncoding: 'ieee-p1363' as const };
    const input = Buffer.from(`${header}.${payload}`);
    expect(verify('sha256', input, publicKey, Buffer.from(signature!, 'base64url'))).toBe(true);
  });

  it.each([['text'], [new Uint8Array(0)], [undefined]])('are refused if a key service gives %p', async (given) => {
    const [key] = parseClientKeys({ sign: () => given });

    await expect(signClaims(claims, key!, context)).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_CLIENT_KEY',
      status: 503,
    });
  });
});

describe('a certificate of this package', () => {
  it('is one that others read: it signs itself, has its time, and is small enough for Salesforce', () => {
    const certificate = new X509Certificate(rsa.certificate);

    expect(certificate.verify(certificate.publicKey)).toBe(true);
    expect(certificate.checkIssued(certificate)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.subject).toBe('CN=Test client');
    expect(Date.parse(certificate.validTo) - Date.parse(certificate.validFrom)).toBeGreaterThan(364 * 24 * 3600 * 1000);
    expect(rsa.certificate.length).toBeLessThan(4096);
  });
});
