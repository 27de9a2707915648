import { GrantCodec } from '../../lib/coordinator/codec';
import { KeyRing } from '../../lib/crypto/key-ring';
import { recordOf, tokensOf } from './support';

const keys = new KeyRing(['__test_encryption_key_of_32_chars__'], 'grant');
const unreadable = (why: RegExp) => ({
  code: 'ERR_SALESFORCE_GRANT_UNREADABLE',
  status: 503,
  retryAfterSeconds: 30,
  message: expect.stringMatching(why) as string,
});

describe('a grant as it is stored', () => {
  it('opens unchanged, with and without encryption', async () => {
    for (const codec of [new GrantCodec(undefined), new GrantCodec(keys)]) {
      const payload = await codec.encode('grant', tokensOf());
      expect(payload.includes('__fake_refresh_token__')).toBe(payload.startsWith('{'));
      expect(await codec.decode(recordOf({ payload }))).toEqual(tokensOf());
    }
  });

  it('opens for its own grant only', async () => {
    const codec = new GrantCodec(keys);
    const payload = await codec.encode('grant', tokensOf());

    await expect(codec.decode(recordOf({ grantId: 'other', payload }))).rejects.toMatchObject(
      unreadable(/cannot be decrypted/),
    );
    await expect(new GrantCodec(undefined).decode(recordOf({ payload }))).rejects.toMatchObject(
      unreadable(/cannot be decrypted/),
    );
  });

  it('is not read unencrypted if there are keys, unless the option allows it', async () => {
    await expect(new GrantCodec(keys).decode(recordOf())).rejects.toMatchObject(unreadable(/is not encrypted/));
    expect(await new GrantCodec(keys, true).decode(recordOf())).toEqual(tokensOf());
  });

  it('is not read if another version wrote it, or if it is damaged', async () => {
    const codec = new GrantCodec(undefined);

    await expect(codec.decode(recordOf({ schema: 1 as 2 }))).rejects.toMatchObject(unreadable(/another version/));
    await expect(codec.decode(recordOf({ payload: '{"accessToken":"__fake' }))).rejects.toMatchObject(
      unreadable(/is damaged/),
    );
  });
});
