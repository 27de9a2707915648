import { isLoopback, isSalesforceHost, isTrustedHost, parseUrl, trustHosts } from '../../lib/salesforce/hosts';

describe('parseUrl()', () => {
  it('returns undefined for a text that is not a URL', () => {
    expect(parseUrl('nonsense')).toBeUndefined();
    expect(parseUrl('https://login.salesforce.com')?.host).toBe('login.salesforce.com');
  });
});

describe('isLoopback()', () => {
  it.each([
    ['http://localhost', true],
    ['http://[::1]', true],
    ['http://127.0.0.1', true],
    ['http://127.255.254.253', true],
    ['http://127.0.0.1.evil.example', false],
    ['http://x127.0.0.1.example', false],
    ['http://x.127.0.0.1.evil.example', false],
    ['http://128.0.0.1', false],
    ['http://localhost.evil.example', false],
  ])('%s: %j', (url, is) => {
    expect(isLoopback(new URL(url))).toBe(is);
  });

  it('checks the whole name', () => {
    // Schemes other than http leave a name as it is written.
    expect(isLoopback(new URL('x://x127.0.0.1'))).toBe(false);
    expect(isLoopback(new URL('x://127.0.0.1x'))).toBe(false);
  });
});

describe('trustHosts()', () => {
  it('sorts the hosts of the operator', () => {
    const trusted = trustHosts(
      'http://localhost:4400',
      ['one.example', '.two.example'],
      ['https://three.example:8443'],
    );

    expect([...trusted.hosts]).toEqual(['localhost:4400', 'three.example:8443', 'one.example']);
    expect(trusted.suffixes).toEqual(['.salesforce.com', '.salesforce.mil', '.sfcrmproducts.cn', '.two.example']);
    expect([...trusted.loopbackPorts]).toEqual(['4400']);
  });
});

describe('isTrustedHost()', () => {
  const trusted = trustHosts('http://localhost:4400', ['one.example', '.two.example']);

  it.each([
    ['https://acme.my.salesforce.com', true],
    ['https://one.example', true],
    ['https://x.two.example', true],
    ['http://127.0.0.1:4400', true],
    ['http://127.0.0.1:4401', false],
    ['http://acme.my.salesforce.com', false],
    ['https://acme.my.salesforce.com:8443', false],
    ['https://acme.my.salesforce.com.', false],
    ['https://one.example.', false],
    ['https://user@one.example', false],
    ['https://:pass@one.example', false],
    ['https://x.one.example', false],
    ['https://two.example', false],
    ['https://*.salesforce.com', false],
    ['https://a..salesforce.com', false],
    ['https://.salesforce.com', false],
    ['https://a.b.*.salesforce.com', false],
    ['https://salesforce.com', false],
    ['https://evilsalesforce.com', false],
  ])('%s: %j', (url, is) => {
    expect(isTrustedHost(new URL(url), trusted)).toBe(is);
  });

  it('refuses a name with a trailing dot, even if the operator wrote the dot', () => {
    const url = 'https://login.acme.example.';

    expect(isTrustedHost(new URL(url), trustHosts(url, []))).toBe(false);
  });
});

describe('isSalesforceHost()', () => {
  it.each([
    ['acme.my.site.com', true],
    ['acme.force.com', true],
    ['acme.salesforce-sites.com', true],
    ['acme.my-salesforce.com', true],
    ['login.salesforce.com', true],
    ['acme.my.salesforce.mil', true],
    ['acme.my.sfcrmproducts.cn', true],
    ['site.com', false],
    ['acme.my.site.com/', false],
    ['acme.example', false],
  ])('%s: %j', (host, is) => {
    expect(isSalesforceHost(host)).toBe(is);
  });
});
