import type { OperatorWarning } from '../../lib/reporter';
import { MemoryTokenStore, type SalesforceAuthOptions } from '../../lib';
import type { TokenStore } from '../../lib/stores';

const client = { clientID: '3MVG9__fake__', clientSecret: '__fake_secret__' };

/** Warnings of making the middleware, in a library that has just been loaded: it warns once in its life. */
async function warningsOf(...list: Partial<SalesforceAuthOptions>[]): Promise<OperatorWarning[]> {
  jest.resetModules();
  const { salesforceAuth } = await import('../../lib');
  const warnings: OperatorWarning[] = [];
  const report = (warning: OperatorWarning) => warnings.push(warning);
  const common = { ...client, allowedOrganizations: 'any' as const, report };
  for (const options of list) salesforceAuth({ ...common, ...options });
  return warnings;
}

/** A store that is not the one of the package's memory. */
function otherStore(): TokenStore {
  const memory = new MemoryTokenStore();
  const grants = [
    'read',
    'put',
    'claim',
    'renew',
    'arm',
    'releaseClaim',
    'commit',
    'addHolder',
    'logOut',
    'list',
  ] as const;
  const names = [...grants, 'claimOnce', 'resolveClaim'] as const;
  return Object.fromEntries(names.map((name) => [name, memory[name].bind(memory)])) as unknown as TokenStore;
}

describe('a start without encryptionKeys', () => {
  it('warns once if tokens leave the process', async () => {
    const warnings = await warningsOf({ store: otherStore() }, { store: otherStore() });

    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({
      code: 'UNENCRYPTED_TOKENS',
      message: expect.stringMatching(/in the clear.+Set encryptionKeys.+or to false/),
    });
  });

  it.each([
    ['there are keys', { store: otherStore(), encryptionKeys: ['__fake_encryption_key_of_32_chars__'] }],
    ['the application knows', { store: otherStore(), encryptionKeys: false as const }],
    ['tokens stay in memory', {}],
  ])('does not warn where %s', async (_why, options) => {
    expect(await warningsOf(options)).toEqual([]);
  });
});

describe('a start without a limit on organizations', () => {
  const any = /any Salesforce organization.+allowedOrganizations.+authorizeUser/;

  it.each([
    ['the login host of production', {}],
    ['the login host of sandboxes', { baseUrl: 'https://test.salesforce.com' }],
    ['a picker', { baseUrl: 'https://acme.my.salesforce.com', routes: { choose: '/where' } }],
    [
      'an organization at the login host',
      {
        baseUrl: 'https://acme.my.salesforce.com',
        organizations: { production: 'https://login.salesforce.com' },
      },
    ],
  ])('warns with %s', async (_what, options) => {
    const warnings = await warningsOf({ ...options, allowedOrganizations: undefined });

    expect(warnings).toEqual([
      expect.objectContaining({ code: 'ANY_ORGANIZATION', message: expect.stringMatching(any) }),
    ]);
  });

  it.each([
    ['one My Domain', { baseUrl: 'https://acme.my.salesforce.com', allowedOrganizations: undefined }],
    ['a list', { allowedOrganizations: ['00D000000000001'] }],
    ['a rule of the application', { allowedOrganizations: undefined, authorizeUser: () => true }],
  ])('does not warn with %s', async (_what, options) => {
    expect(await warningsOf(options)).toEqual([]);
  });
});

describe('a start without the scope refresh_token', () => {
  it.each([
    ['openid api', ['NO_REFRESH_TOKEN']],
    ['openid api refresh_token', []],
    ['offline_access', []],
    ['full', ['NO_REFRESH_TOKEN']],
  ])('with %s warns of %j', async (scope, codes) => {
    expect((await warningsOf({ scope })).map(({ code }) => code)).toEqual(codes);
  });
});
