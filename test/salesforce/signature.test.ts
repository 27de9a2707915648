import { isSignatureValid } from '../../lib/salesforce/signature';

const id = 'https://login.salesforce.com/id/00D000000000062EAA/005000000000001AAA';
const issuedAt = '1278448101416';
/** Made by: printf '<id><issued_at>' | openssl dgst -sha256 -hmac '__fake_secret__' -binary | base64 */
const signature = 'c+fyeH32EJXweTLDrEA6EM4gRaPVhX4gsar0wN/d43I=';

describe('isSignatureValid()', () => {
  it('accepts a signature of another program', () => {
    expect(isSignatureValid('__fake_secret__', id, issuedAt, signature)).toBe(true);
  });

  it.each([
    ['another secret', '__fake_other__', id, issuedAt, signature],
    ['another id', '__fake_secret__', `${id}x`, issuedAt, signature],
    ['another time', '__fake_secret__', id, '1278448101417', signature],
    ['a bit that differs', '__fake_secret__', id, issuedAt, signature.replace('c+', 'd+')],
    ['half of it', '__fake_secret__', id, issuedAt, signature.slice(0, 20)],
    ['more than it', '__fake_secret__', id, issuedAt, signature.replace('=', 'AAAA')],
    ['nothing', '__fake_secret__', id, issuedAt, ''],
  ])('refuses %s', (_what, ...given) => {
    expect(isSignatureValid(...given)).toBe(false);
  });
});
