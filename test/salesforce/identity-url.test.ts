import { parseIdentityUrl, readIdentityUrl } from '../../lib/salesforce/identity-url';
import { trustHosts } from '../../lib/salesforce/hosts';
import { failure } from '../helpers/failure';

const trusted = trustHosts('https://login.salesforce.com', []);
const identity = { organizationId: '00D000000000062EAA', userId: '005000000000001AAA' };
const path = '/id/00D000000000062EAA/005000000000001AAA';

describe('parseIdentityUrl()', () => {
  it.each([
    `https://login.salesforce.com${path}`,
    `https://test.salesforce.com${path}`,
    `https://acme.my.salesforce.com/portal${path}`,
    'https://login.salesforce.com/id/00D000000000062/005000000000001',
  ])('reads %s', (url) => {
    expect(parseIdentityUrl(url, trusted)).toEqual(identity);
  });

  it.each([
    ['another host', `https://evil.example${path}`],
    ['no ids', 'https://login.salesforce.com/id/'],
    ['only an organization', 'https://login.salesforce.com/id/00D000000000062EAA'],
    ['a user in place of the organization', 'https://login.salesforce.com/id/005000000000001AAA/005000000000001AAA'],
    ['an organization in place of the user', 'https://login.salesforce.com/id/00D000000000062EAA/00D000000000062EAA'],
    ['something behind the ids', `https://login.salesforce.com${path}/more`],
    ['no URL', path],
    ['nothing', undefined],
    ['a list', [`https://login.salesforce.com${path}`]],
    ['an object that writes itself as one', { toString: (): string => `https://login.salesforce.com${path}` }],
  ])('refuses %s', (_what, value) => {
    expect(() => parseIdentityUrl(value, trusted)).toThrow(
      failure({
        code: 'ERR_SALESFORCE_HOST_NOT_TRUSTED',
        status: 502,
        message:
          'The identity URL ("id") in the token reply is not a Salesforce identity URL, so the login was refused. ' +
          'If your users log in through a custom domain, name its host in the allowedHosts option.',
      }),
    );
  });
});

describe('readIdentityUrl()', () => {
  it('reads the ids for any host', () => {
    expect(readIdentityUrl(`https://evil.example${path}`)).toEqual(identity);
  });

  it.each([undefined, 7, '', 'nonsense', 'https://login.salesforce.com/', [`https://login.salesforce.com${path}`]])(
    'finds none in %j',
    (value) => {
      expect(readIdentityUrl(value)).toBeUndefined();
    },
  );
});
