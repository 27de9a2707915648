import { generateKeyPairSync } from 'node:crypto';
import { loginKeys } from '../../lib/login/keys';
import { parseConfiguration, type ClientOptions } from '../../lib/options/configuration';
import { ConfigurationSource } from '../../lib/options/source';

const keyOf = (): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

/** The keys that a process with these options seals the cookies of logins with. */
function keysOf(options: Partial<ClientOptions>, secrets?: readonly string[]) {
  const configuration = parseConfiguration({ clientID: '__test_client__', ...options });
  return loginKeys(secrets, new ConfigurationSource(configuration));
}

/** Whether a login that began at a process with one set of options can end at a process with another. */
async function endsAt(one: ReturnType<typeof keysOf>, other: ReturnType<typeof keysOf>): Promise<boolean> {
  return (await other.open('state', await one.seal('state', 'login'))) === 'login';
}

describe('the keys of logins', () => {
  const [first, second] = [keyOf(), keyOf()];
  const long = '__test_secret_of_32_characters__';
  const sign = () => Promise.resolve(new Uint8Array(256));
  const inService = { sign, keyId: 'in-a-service', algorithm: 'RS256' };

  it.each<[string, Partial<ClientOptions>]>([
    ['a long secret', { clientSecret: long }],
    ['a short secret', { clientSecret: '__test_short__' }],
    ['a key', { clientKey: { key: first } }],
    ['two keys', { clientKey: [{ key: first }, { key: second }] }],
  ])('are the same in all processes of a client with %s', async (_what, options) => {
    expect(await endsAt(keysOf(options), keysOf(options))).toBe(true);
  });

  it('outlive a change of the key of a client', async () => {
    const before = keysOf({ clientKey: { key: first } });

    expect(await endsAt(before, keysOf({ clientKey: [{ key: second }, { key: first }] }))).toBe(true);
    expect(await endsAt(before, keysOf({ clientKey: { key: second } }))).toBe(false);
  });

  it.each<[string, Partial<ClientOptions>]>([
    ['without a secret', {}],
    ['with a key in a key service', { clientKey: inService as never }],
    ['with a key here and one in a key service', { clientKey: [{ key: first }, inService] as never }],
  ])('are those of one process for a client %s', async (_what, options) => {
    const keys = keysOf(options);

    expect(await endsAt(keys, keys)).toBe(true);
    expect(await endsAt(keys, keysOf(options))).toBe(false);
  });

  it('are those of one process for clients that a function names', async () => {
    const source = new ConfigurationSource(() => ({ clientID: '__test_client__', clientSecret: long }));
    const keys = loginKeys(undefined, source);

    expect(await endsAt(keys, keys)).toBe(true);
    expect(await endsAt(keys, loginKeys(undefined, source))).toBe(false);
  });

  it('are the configured ones, whatever the client has', async () => {
    const secrets = ['__test_encryption_key_of_32_characters__'];

    expect(await endsAt(keysOf({ clientSecret: long }, secrets), keysOf({}, secrets))).toBe(true);
    expect(await endsAt(keysOf({ clientSecret: long }, secrets), keysOf({ clientSecret: long }))).toBe(false);
  });

  it('are a long secret as it is, and a stretched one in place of a short secret', () => {
    const idsFor = (clientSecret: string) => keysOf({ clientSecret }).ids;

    expect(idsFor(long)).toEqual(keysOf({}, [long]).ids);
    expect(idsFor(long.slice(1))).not.toEqual(keysOf({}, [long.slice(1)]).ids);
  });
});
