/** @again properties */
import { fc, propertyRuns } from './property';
import { parseBaseUrl, parseRequestedBaseUrl } from '../../lib/salesforce/base-url';
import { isTrustedHost, parseUrl, trustHosts } from '../../lib/salesforce/hosts';
import { parseIdentityUrl } from '../../lib/salesforce/identity-url';
import { isSalesforceAuthError } from '../../lib';
import { hostileReferences } from './support';

const production = trustHosts('https://login.salesforce.com', ['support.acme.example', '.acme-login.example']);
const ids = '00D000000000001EAA/005000000000001AAA';

/** What the package may trust, said a second time and in another way: by labels, from the right. */
function mayReceiveTokens(text: string): boolean {
  const url = new URL(text);
  const labels = url.hostname.split('.');
  const endsWith = (...last: string[]): boolean =>
    labels.length > last.length && last.every((label, index) => labels[labels.length - last.length + index] === label);
  return (
    url.protocol === 'https:' &&
    url.port === '' &&
    url.username + url.password === '' &&
    labels.every((label) => /^[\w-]+$/.test(label)) &&
    (url.hostname === 'support.acme.example' ||
      endsWith('salesforce', 'com') ||
      endsWith('salesforce', 'mil') ||
      endsWith('sfcrmproducts', 'cn') ||
      endsWith('acme-login', 'example'))
  );
}

const names = [
  'login.salesforce.com',
  'acme.my.salesforce.com',
  'salesforce.com',
  'evilsalesforce.com',
  'salesforce.com.evil.test',
  'login.salesforce.com.evil.test',
  'login-salesforce.com',
  'login.salesforce.co',
  'evil.test',
  'acme.my.site.com',
  'acme.my.salesforce-sites.com',
  'acme.force.com',
  'support.acme.example',
  'x.support.acme.example',
  'acme-login.example',
  'evilacme-login.example',
  'localhost',
  '127.0.0.1',
  '2130706433',
  '0x7f000001',
  '0177.0.0.1',
  '127.1',
  '0.0.0.0',
  '169.254.169.254',
  '2852039166',
  '[::1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:a9fe:a9fe]',
  '[fe80::1]',
  'xn--salesforce-x5a.com',
  'login.ѕalesforce.com',
  'login.salesforce。com',
  'login.salesforce．com',
  'login.ſalesforce.com',
  'login.salesforce.com\u00ad',
  'LOGIN.SALESFORCE.COM',
];

/** Texts that look like URLs of Salesforce, put together from the pieces look-alikes are made of. */
const lookAlike = fc
  .record({
    scheme: fc.constantFrom(
      'https://',
      'http://',
      'https:/',
      'https:',
      'HTTPS://',
      'ftp://',
      'ws://',
      'javascript:',
      'blob:https://',
      '//',
      '',
    ),
    user: fc.constantFrom(
      '',
      '',
      '',
      'login.salesforce.com@',
      'user:pass@',
      '@',
      'login.salesforce.com%40',
      'a\\@',
      'login.salesforce.com:443@',
    ),
    sub: fc.constantFrom(
      '',
      '',
      '.',
      '..',
      'x.',
      '*.',
      '%00.',
      '\t',
      '­',
      'evil.test/.',
      'evil.test?.',
      'evil.test#.',
      'evil.test\\.',
      'evil.test%2f.',
      'evil.test／.',
      'evil.test\u2100.',
    ),
    host: fc.oneof(
      fc.constantFrom(...names),
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((ip) => `[${ip}]`),
    ),
    tail: fc.constantFrom(
      '',
      '',
      '.',
      '..',
      '%2e',
      '%2eevil.test',
      '%00.evil.test',
      '.evil.test',
      '\\.evil.test',
      '@evil.test',
      '。',
      '%e3%80%82evil.test',
      '\n',
      ' ',
    ),
    port: fc.constantFrom('', '', '', ':443', ':80', ':8443', ':0443', ':', ':99999', ':443@evil.test'),
    path: fc.constantFrom(
      '',
      '/',
      '/customers',
      `/id/${ids}`,
      '\\@evil.test',
      '/..//evil.test',
      '?x',
      '#x',
      '/%2e%2e/',
    ),
  })
  .map(({ scheme, user, sub, host, tail, port, path }) => scheme + user + sub + host + tail + port + path);

describe('the hosts that receive tokens and secrets', () => {
  it('are those of Salesforce and of the operator, for every shape of URL', () => {
    fc.assert(
      fc.property(lookAlike, (text) => {
        const url = parseUrl(text);
        return !url || !isTrustedHost(url, production) || mayReceiveTokens(url.href);
      }),
      propertyRuns(4_000),
    );
  });

  it('are the same for a base URL that a request chose, which is a plain one when it is accepted', () => {
    fc.assert(
      fc.property(lookAlike, (text) => {
        const accepted = attempt(() => parseRequestedBaseUrl(text, production));
        return (
          accepted === undefined || (mayReceiveTokens(accepted) && /^https:\/\/[a-z0-9.-]+(\/[^?#]*)?$/.test(accepted))
        );
      }),
      propertyRuns(4_000),
    );
  });

  it('are the same for the identity URL of a token reply', () => {
    fc.assert(
      fc.property(lookAlike, (text) => {
        const identity = attempt(() => parseIdentityUrl(text, production));
        return !identity || mayReceiveTokens(text);
      }),
      propertyRuns(4_000),
    );
  });

  it.each(hostileReferences('https://acme.my.salesforce.com'))('are not that of %j', (text) => {
    const url = parseUrl(text);

    expect(url !== undefined && isTrustedHost(url, production)).toBe(false);
    expect(attempt(() => parseRequestedBaseUrl(text, production))).toBeUndefined();
    expect(attempt(() => parseIdentityUrl(`${text}/id/${ids}`, production))).toBeUndefined();
  });

  it.each([
    'https://login.salesforce.com',
    'https://test.salesforce.com/',
    'https://acme--dev.sandbox.my.salesforce.com',
    'https://acme.my.salesforce.mil',
    'https://acme.my.sfcrmproducts.cn',
    'https://support.acme.example/customers',
    'https://eu.acme-login.example',
    'HTTPS://LOGIN.SALESFORCE.COM:443',
  ])('are among them %s', (text) => {
    expect(parseRequestedBaseUrl(text, production)).toMatch(/^https:/);
    expect(mayReceiveTokens(text)).toBe(true);
  });

  it('include this machine only if a base URL names it, and only at that port', () => {
    const emulator = trustHosts('http://localhost:4000', []);
    const trusted = (text: string): boolean => isTrustedHost(new URL(text), emulator);

    expect(['http://localhost:4000', 'http://127.0.0.1:4000/x', 'http://[::1]:4000'].map(trusted)).toEqual([
      true,
      true,
      true,
    ]);
    expect(
      [
        'http://localhost',
        'http://localhost:4001',
        'http://127.0.0.1:22',
        'http://0.0.0.0:4000',
        'http://localhost.:4000',
        'http://localhost.evil.test:4000',
        'http://127.0.0.1.evil.test:4000',
        'http://[::ffff:127.0.0.1]:4000',
        'http://169.254.169.254:4000',
      ].map(trusted),
    ).toEqual(Array.from({ length: 9 }, () => false));
  });

  it('include a host with sites of customers only if the operator configured exactly that host', () => {
    const site = 'https://acme.my.site.com/customers';

    expect(parseBaseUrl(site, [])).toBe(site);
    expect(isTrustedHost(new URL(site), trustHosts(site, []))).toBe(true);
    expect(isTrustedHost(new URL('https://evil.my.site.com'), trustHosts(site, []))).toBe(false);
    expect(() => parseRequestedBaseUrl(site, production)).toThrow('acme.my.site.com');
  });

  it('never include plain http, or a port or suffix that the operator did not allow', () => {
    const trusted = trustHosts('https://login.salesforce.com', ['acme.example:8443', '.acme.example']);
    const verdict = (text: string): boolean => isTrustedHost(new URL(text), trusted);

    expect(['https://acme.example:8443', 'https://a.acme.example'].map(verdict)).toEqual([true, true]);
    expect(
      ['http://acme.example:8443', 'https://acme.example', 'https://a.acme.example:8443', 'https://.acme.example'].map(
        verdict,
      ),
    ).toEqual([false, false, false, false]);
    expect(() => parseBaseUrl('http://login.salesforce.com', [])).toThrow('https');
  });
});

/** What a parser returns; undefined where it refuses, and that with an error of its own. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    if (isSalesforceAuthError(error)) return undefined;
    throw error;
  }
}
