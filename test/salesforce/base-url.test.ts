import { isExperienceCloudSite, parseBaseUrl, parseRequestedBaseUrl } from '../../lib/salesforce/base-url';
import { trustHosts } from '../../lib/salesforce/hosts';
import { failure } from '../helpers/failure';

const invalid = {
  code: 'ERR_SALESFORCE_OPTION_INVALID',
  option: 'baseUrl',
  message:
    'baseUrl must be an absolute https URL without query or user name, for instance https://login.salesforce.com or ' +
    'https://MyDomain.my.salesforce.com.',
};

describe('parseBaseUrl()', () => {
  it.each([
    ['https://login.salesforce.com', 'https://login.salesforce.com'],
    ['https://login.salesforce.com///', 'https://login.salesforce.com'],
    ['HTTPS://Acme.My.Salesforce.com/', 'https://acme.my.salesforce.com'],
    ['https://acme.my.site.com/portal/', 'https://acme.my.site.com/portal'],
    ['https://acme--dev.sandbox.my.salesforce.com', 'https://acme--dev.sandbox.my.salesforce.com'],
    ['http://localhost:4400', 'http://localhost:4400'],
    ['http://127.0.0.1:4400/', 'http://127.0.0.1:4400'],
    ['http://[::1]:4400', 'http://[::1]:4400'],
  ])('turns %s into %s', (given, baseUrl) => {
    expect(parseBaseUrl(given, [])).toBe(baseUrl);
  });

  it.each([
    undefined,
    7,
    ['https://login.salesforce.com'],
    { toString: () => 'https://login.salesforce.com' },
    '',
    'login.salesforce.com',
    'ftp://login.salesforce.com',
    'xhttps://login.salesforce.com',
    'https+x://login.salesforce.com',
    'https://user@login.salesforce.com',
    'https://:pass@login.salesforce.com',
    'https://login.salesforce.com?x=1',
    'https://login.salesforce.com#x',
  ])('explains why %j is invalid', (given) => {
    expect(() => parseBaseUrl(given, [])).toThrow(failure(invalid));
  });

  it('names the option', () => {
    expect(() => parseBaseUrl('', [], 'organizations.dev')).toThrow('organizations.dev must be an absolute https URL');
  });

  it('requires https, except on this machine', () => {
    expect(() => parseBaseUrl('http://login.salesforce.com', [])).toThrow(
      failure({
        code: 'ERR_SALESFORCE_OPTION_INVALID',
        option: 'baseUrl',
        message: 'baseUrl must use https: the client secret is sent there. Plain http is accepted for localhost only.',
      }),
    );
  });

  it.each([
    ['acme.lightning.force.com', 'acme.my.salesforce.com'],
    ['acme.lightning.crmforce.mil', 'acme.my.salesforce.mil'],
    ['acme.lightning.sfcrmapps.cn', 'acme.my.sfcrmproducts.cn'],
  ])('recognizes the user interface at %s', (host, myDomain) => {
    expect(() => parseBaseUrl(`https://${host}`, [])).toThrow(
      failure({
        code: 'ERR_SALESFORCE_OPTION_INVALID',
        message: expect.stringContaining(`Did you mean https://${myDomain}?`),
      }),
    );
  });

  it('does not confuse a name that only contains such an address', () => {
    expect(() => parseBaseUrl('https://acme.lightning.force.com.evil.example', [])).toThrow(
      failure({ code: 'ERR_SALESFORCE_BASE_URL_NOT_ALLOWED' }),
    );
  });

  it.each([
    [['login.acme.example'], 'https://login.acme.example', true],
    [['login.acme.example'], 'https://login.acme.example:8443', false],
    [['login.acme.example:8443'], 'https://login.acme.example:8443', true],
    [['login.acme.example'], 'https://x.login.acme.example', false],
    [['.acme.example'], 'https://login.acme.example', true],
    [['.acme.example'], 'https://acme.example', false],
    [['.acme.example'], 'https://.acme.example', false],
    [['.acme.example'], 'https://login.acme.example:8443', false],
    [['.acme.example'], 'https://acme.example.evil.example', false],
    [['.acme.example'], 'https://evilacme.example', false],
    [['one.example', '.acme.example'], 'https://login.acme.example', true],
    [[], 'https://login.acme.example', false],
  ])('with allowedHosts %j, %s is allowed: %j', (allowedHosts, url, isAllowed) => {
    if (isAllowed) expect(parseBaseUrl(url, allowedHosts)).toBe(url);
    else {
      const { host } = new URL(url);
      expect(() => parseBaseUrl(url, allowedHosts)).toThrow(
        failure({
          code: 'ERR_SALESFORCE_BASE_URL_NOT_ALLOWED',
          option: 'baseUrl',
          message:
            `baseUrl names ${host}, which is not a known Salesforce host and would receive the client secret. ` +
            `Only if Salesforce serves your Experience Cloud site there, add '${host}' to the allowedHosts option. Never add ` +
            'the address of your own application.',
        }),
      );
    }
  });
});

describe('parseRequestedBaseUrl()', () => {
  const trusted = trustHosts('https://login.salesforce.com', ['login.acme.example', '.partners.example']);

  it.each(['https://test.salesforce.com', 'https://login.acme.example', 'https://one.partners.example'])(
    'takes %s',
    (url) => {
      expect(parseRequestedBaseUrl(url, trusted)).toBe(url);
    },
  );

  it.each(['https://acme.my.site.com', 'http://localhost:4400', 'https://evil.example'])('refuses %s', (url) => {
    expect(() => parseRequestedBaseUrl(url, trusted)).toThrow(
      failure({ code: 'ERR_SALESFORCE_BASE_URL_NOT_ALLOWED', option: 'baseUrl' }),
    );
  });
});

describe('isExperienceCloudSite()', () => {
  it.each([
    ['https://acme.my.site.com/portal', true],
    ['https://support.acme.example', true],
    ['https://login.salesforce.com', false],
    ['https://acme.my.salesforce.com', false],
  ])('%s: %j', (baseUrl, isSite) => {
    expect(isExperienceCloudSite(baseUrl)).toBe(isSite);
  });
});
