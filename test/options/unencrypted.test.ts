import { MemoryTokenStore, type SalesforceAuthOptions, type TokenStore } from '../../lib';

const client = { clientID: '3MVG9__fake__', clientSecret: '__fake_secret__' };

/** Warnings of making the middleware, in a library that has just been loaded: it warns once in its life. */
async function warningsOf(...list: Partial<SalesforceAuthOptions>[]): Promise<[string, unknown][]> {
  jest.resetModules();
  const { salesforceAuth } = await import('../../lib');
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
  for (const options of list) salesforceAuth({ ...client, ...options } as SalesforceAuthOptions);
  const calls = warn.mock.calls as unknown as [string, unknown][];
  warn.mockRestore();
  return calls;
}

/** A store that is not the one of the package's memory. */
function otherStore(): TokenStore {
  const memory = new MemoryTokenStore();
  const names = ['read', 'put', 'claim', 'renew', 'arm', 'settle', 'commit', 'reference', 'release', 'list'] as const;
  return Object.fromEntries(names.map((name) => [name, memory[name].bind(memory)])) as unknown as TokenStore;
}

describe('a start without encryptionKeys', () => {
  it('warns once where tokens leave the process', async () => {
    const warnings = await warningsOf({ store: otherStore() }, { store: otherStore() });

    expect(warnings).toHaveLength(1);
    expect(warnings[0]![0]).toMatch(/in the clear.+Set encryptionKeys.+or to false/);
    expect(warnings[0]![1]).toEqual({ type: 'SalesforceAuthWarning', code: 'SALESFORCE_AUTH_UNENCRYPTED' });
  });

  it.each([
    ['there are keys', { store: otherStore(), encryptionKeys: ['__fake_encryption_key_of_32_chars__'] }],
    ['the application knows', { store: otherStore(), encryptionKeys: false as const }],
    ['tokens stay in memory', {}],
  ])('does not warn where %s', async (_why, options) => {
    expect(await warningsOf(options)).toEqual([]);
  });
});
