import type { TestApp } from '../helpers/app';
import { logIn, onClient, startApp } from '../helpers/app';
import { startTestEmulator } from '../helpers/emulator';
import { secretsOf } from '../helpers/leaks';
import { describeEachOn } from '../helpers/programs';
import { startStores, storeNames, type OpenStore } from '../stores/open-stores';

const [oldKey, newKey] = ['__test_old_encryption_key_32_chars__', '__test_new_encryption_key_32_chars__'];
const unreadable = { code: 'ERR_SALESFORCE_GRANT_UNREADABLE', status: 503 };

let stores: Partial<Record<string, OpenStore>>;
let stop: () => Promise<void>;

beforeAll(async () => {
  ({ stores, stop } = await startStores());
}, 60_000);

afterAll(() => stop(), 60_000);

describeEachOn(storeNames)('grants at rest in %s', (name) => {
  async function start() {
    const emulator = await startTestEmulator();
    const client = emulator.registerClient({ callbackURLs: [], policy: { rotateRefreshTokens: true } });
    const { store, ...server } = stores[name]!;
    /** A process with these keys. */
    const withKeys = (...encryptionKeys: string[]): Promise<TestApp> =>
      startApp({ emulator, create: onClient(emulator, client, { store, encryptionKeys, refresh: { cacheMs: 0 } }) });
    const app = await withKeys(oldKey);
    const users = [];
    for (const user of [0, 1]) {
      const tab = app.browser();
      await logIn(tab, emulator, { user });
      const { grantId } = (await tab.get('/me')).body as { grantId: string };
      users.push({ tab, grantId, payload: (await store.read(grantId))!.payload });
    }
    const [one, two] = users as [(typeof users)[0], (typeof users)[0]];
    return { emulator, store, ...server, withKeys, app, one, two };
  }

  it('show no token and no secret to a reader of the server', async () => {
    const { app, dump, emulator, one } = await start();
    const client = await app.salesforce.tokens.get(one.grantId);
    const shown = client.accessToken;
    await client.getAccessToken({ rejected: shown });

    const everything = await dump();

    expect(everything).toContain(one.grantId);
    const secrets = [...secretsOf(emulator), shown];
    expect(secrets.length).toBeGreaterThan(5);
    expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
  });

  it("do not open as another user's grant, log no user out, and open again in their own place", async () => {
    const { one, two, overwrite, dump } = await start();
    await overwrite(one.grantId, two.payload);
    await overwrite(two.grantId, one.payload);
    const swapped = await dump();

    for (const { tab } of [one, two]) {
      const answer = await tab.get('/accounts');
      expect({ status: answer.status, code: (answer.body as { code: string }).code }).toEqual({
        status: unreadable.status,
        code: unreadable.code,
      });
    }

    expect(await dump()).toBe(swapped);
    await overwrite(one.grantId, one.payload);
    await overwrite(two.grantId, two.payload);
    for (const { tab } of [one, two]) expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('cause an error under a wrong key, and are not destroyed', async () => {
    const { app, dump, emulator, one, withKeys } = await start();
    const wrong = await withKeys(newKey);
    const before = await dump();

    await expect(wrong.salesforce.tokens.get(one.grantId)).rejects.toMatchObject(unreadable);

    expect(await dump()).toBe(before);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 2, refreshTokens: 2 });
    expect((await one.tab.get('/accounts')).status).toBe(200);
    expect((await app.salesforce.tokens.get(one.grantId)).accessToken).toBeDefined();
  });

  it('are read with every key of the ring, and sealed with the first one by the next refresh', async () => {
    const { dump, one, store, withKeys } = await start();
    const ring = await withKeys(newKey, oldKey);
    const before = await dump();

    const client = await ring.salesforce.tokens.get(one.grantId);
    expect(await dump()).toBe(before);
    await client.getAccessToken({ rejected: client.accessToken });

    expect((await store.read(one.grantId))!.payload).not.toBe(one.payload);
    expect((await (await withKeys(newKey)).salesforce.tokens.get(one.grantId)).accessToken).toBeDefined();
    await expect((await withKeys(oldKey)).salesforce.tokens.get(one.grantId)).rejects.toMatchObject(unreadable);
  });
});
