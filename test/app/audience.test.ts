import { identityOf } from '../../lib/app/app-options';
import { parseConfiguration } from '../../lib/options/configuration';

it.each([
  ['https://login.salesforce.com', 'https://login.salesforce.com'],
  ['https://test.salesforce.com', 'https://test.salesforce.com'],
  ['https://acme.my.salesforce.com', 'https://login.salesforce.com'],
  ['https://acme--dev.sandbox.my.salesforce.com', 'https://test.salesforce.com'],
  ['https://acme-dev-ed.scratch.my.salesforce.com', 'https://test.salesforce.com'],
  ['https://acme-dev-ed.develop.my.salesforce.com', 'https://login.salesforce.com'],
  ['https://acme.my.site.com/partners', 'https://acme.my.site.com/partners'],
  ['https://acme.my.salesforce.mil', 'https://acme.my.salesforce.mil'],
  ['http://localhost:4400', 'http://localhost:4400'],
])('a JWT for %s is for the audience %s', (baseUrl, audience) => {
  const configuration = parseConfiguration({ clientID: 'x', clientKey: { sign: () => Buffer.from('x') }, baseUrl });

  expect(identityOf({ user: 'ada@acme.example' }, configuration).audience).toBe(audience);
  expect(identityOf({ user: 'ada@acme.example', audience: 'mine' }, configuration).audience).toBe('mine');
});
