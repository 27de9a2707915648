import { inspect } from 'node:util';
import { createHash } from 'node:crypto';
import { MemoryTokenStore } from '../../lib';
import type { TokenStore } from '../../lib/stores';
import { GrantCodec } from '../../lib/coordinator/codec';
import { KeyRing } from '../../lib/crypto/key-ring';
import { logIn, onClient, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';

const keys = ['__test_encryption_key_of_32_chars__'];

/** Two users logged in on one encrypted store; and what somebody can do who can write to it but has no key. */
async function twoUsers(options: object = {}) {
  const emulator = await startTestEmulator();
  const store = new MemoryTokenStore();
  const app = await startApp({
    emulator,
    options: { store, encryptionKeys: keys, refresh: { cacheMs: 0 }, ...options },
  });
  const [one, two] = [app.browser(), app.browser()];
  await logIn(one, emulator, { user: 0 });
  await logIn(two, emulator, { user: 1 });
  const idOf = async (tab: typeof one): Promise<string> => ((await tab.get('/me')).body as { grantId: string }).grantId;
  return { emulator, store, ...app, one, two, oneId: await idOf(one), twoId: await idOf(two) };
}

async function plant(store: TokenStore, grantId: string, payload: string): Promise<void> {
  const { generation, version, labels } = (await store.read(grantId))!;
  const written = await store.put(grantId, {
    expected: { generation, version },
    generation,
    writer: `over version ${version}`,
    payload,
    labels,
    holder: 'planted',
    holderMs: 60_000,
    softMs: 3_600_000,
    hardMs: 3_600_000,
  });
  expect(written.outcome).toBe('written');
}

describe('a sealed grant', () => {
  it("does not open as another user's grant", async () => {
    const { store, two, oneId, twoId } = await twoUsers();
    await plant(store, twoId, (await store.read(oneId))!.payload);

    const answer = await two.get('/accounts');

    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe('ERR_SALESFORCE_GRANT_UNREADABLE');
  });

  it('that does not open can be revoked, and the operator is told that its tokens live on, also after a page was', async () => {
    const { emulator, salesforce, store, two, oneId, twoId, warnings } = await twoUsers();
    const failed: unknown[] = [];
    salesforce.events.on('revocation.failed', ({ code }) => failed.push(code));
    await plant(store, twoId, (await store.read(oneId))!.payload);
    await two.get('/accounts').set('Accept', 'text/html');

    await salesforce.tokens.revoke(twoId);

    expect(failed).toEqual(['ERR_SALESFORCE_GRANT_UNREADABLE']);
    expect(warnings).toContainEqual(
      expect.objectContaining({ code: 'TOKENS_NOT_REVOKED', message: expect.stringContaining('revoke the access') }),
    );
    expect(emulator.liveTokens().refreshTokens).toBe(2);
  });

  it('does not open if a single character was changed', async () => {
    const { store, oneId } = await twoUsers();
    const { payload } = (await store.read(oneId))!;
    const ring = new KeyRing(keys, 'grant');
    expect(await ring.open(oneId, payload)).toContain('accessToken');

    // Each part of the JWE; the last character of a part may be padding and is left out.
    const places = [
      0,
      10,
      60,
      ...payload
        .split('.')
        .slice(0, -1)
        .map(
          (_part, index) =>
            payload
              .split('.')
              .slice(0, index + 1)
              .join('.').length + 1,
        ),
    ];
    for (const place of places.filter((at) => payload[at] !== undefined && payload[at] !== '.')) {
      const altered = payload.slice(0, place) + (payload[place] === 'A' ? 'B' : 'A') + payload.slice(place + 1);
      expect([place, await ring.open(oneId, altered)]).toEqual([place, undefined]);
    }
  });

  it('does not open as a login, nor a login as a grant', async () => {
    const [grants, logins] = [new KeyRing(keys, 'grant'), new KeyRing(keys, 'transaction')];

    expect(await logins.open('x', await grants.seal('x', 'secret'))).toBeUndefined();
    expect(await grants.open('x', await logins.seal('x', 'secret'))).toBeUndefined();
    expect(await grants.open('x', await grants.seal('x', 'secret'))).toBe('secret');
  });

  it('cannot be replaced by an unencrypted one with other tokens or another host', async () => {
    const { store, two, twoId, emulator } = await twoUsers();
    const tokens = {
      accessToken: '__fake_planted_token__',
      instanceUrl: 'https://evil.test',
      baseUrl: 'https://evil.test',
      clientID: emulator.clients.at(-1)!.clientID,
      organizationId: '00D000000000001EAA',
      userId: '005000000000001AAA',
      scope: ['api'],
    };
    await plant(store, twoId, JSON.stringify(tokens));

    const answer = await two.get('/token');

    expect(answer.body.code).toBe('ERR_SALESFORCE_GRANT_UNREADABLE');
    expect(answer.text).not.toContain('evil');
  });

  it('may be unencrypted while encryption is being switched on, and is sealed by the next refresh', async () => {
    const emulator = await startTestEmulator();
    const store = new MemoryTokenStore();
    const before = await startApp({ emulator, options: { store } });
    await logIn(before.browser(), emulator);
    let grantId = '';
    for await (const record of store.list()) grantId = record.grantId;
    const { clientID, clientSecret } = before.client;
    const after = (acceptUnencrypted: boolean) =>
      startApp({
        emulator,
        options: { store, clientID, clientSecret, encryptionKeys: keys, grants: { acceptUnencrypted } },
      });
    expect((await store.read(grantId))!.payload).toContain('accessToken');

    const strict = await after(false);
    await expect(strict.salesforce.tokens.get(grantId)).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_GRANT_UNREADABLE',
    });
    const lenient = await after(true);
    const client = await lenient.salesforce.tokens.get(grantId);
    await client.getAccessToken({ rejected: client.accessToken });

    expect((await store.read(grantId))!.payload).toMatch(/^eyJ[\w-]+\.\.[\w.-]+$/);
    expect((await strict.salesforce.tokens.get(grantId)).accessToken).toBeDefined();
  });

  it('causes an error without its content if it is damaged', async () => {
    const codec = new GrantCodec(undefined);
    const record = { schema: 2, grantId: 'x', payload: '{"accessToken":"__fake_token__' } as never;

    const error = await codec.decode(record).then(
      () => undefined,
      (failure: unknown) => failure,
    );

    expect(error).toMatchObject({ code: 'ERR_SALESFORCE_GRANT_UNREADABLE', status: 503 });
    expect(inspect(error, { showHidden: true, depth: 9 })).not.toContain('__fake_token__');
  });
});

describe('the id of a grant', () => {
  it('is another with grants.idKey, and the same in all processes with one key', async () => {
    const emulator = await startTestEmulator();
    const client = emulator.clients[0]!;
    const idWith = async (grants: object): Promise<string> => {
      const { browser } = await startApp({ emulator, create: onClient(emulator, client, { grants }) });
      const tab = browser();
      await logIn(tab, emulator);
      return ((await tab.get('/me')).body as { grantId: string }).grantId;
    };

    const [plain, plainAgain] = [await idWith({}), await idWith({})];
    const [keyed, keyedAgain] = [await idWith({ idKey: '__test_one__' }), await idWith({ idKey: '__test_one__' })];
    const other = await idWith({ idKey: '__test_two__' });

    expect([plainAgain, keyedAgain]).toEqual([plain, keyed]);
    expect(new Set([plain, keyed, other]).size).toBe(3);
  });
});

describe('a pending login in its cookie', () => {
  it('does not help to guess a short client secret, because each try costs work', async () => {
    const emulator = await startTestEmulator();
    const clientSecret = '1234567890123456789';
    const { clientID } = emulator.registerClient({ callbackURLs: [], clientSecret });
    const { browser } = await startApp({ emulator, options: { clientID, clientSecret } });
    const { headers } = await browser().get('/auth/salesforce');
    const [pair] = (headers['set-cookie'] as unknown as string[])
      .find((text) => text.includes('salesforce-login.'))!
      .split(';') as [string];
    const sealed = pair.slice(pair.indexOf('.', pair.indexOf('=')) + 1);
    const { kid } = JSON.parse(Buffer.from(sealed.split('.')[0]!, 'base64url').toString()) as { kid: string };
    const state = new URL(headers['location']!).searchParams.get('state')!;

    const cheap = createHash('sha256')
      .update('express-salesforce-auth/key-id')
      .update(clientSecret)
      .digest('base64url');
    expect(cheap.startsWith(kid)).toBe(false);
    expect(await new KeyRing([clientSecret], 'transaction').open(state, sealed)).toBeUndefined();
  });
});
