/** @tier all */
import { randomBytes } from 'node:crypto';
import { MemoryTokenStore, type SalesforceAuth } from '../../lib';
import type { TokenStore } from '../../lib/stores';
import { keyIdOf } from '../../lib/crypto/key-ring';
import type { Emulator } from '../../lib/emulator';
import { logIn, onClient, startApp, type TestApp } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { startStores } from '../stores/open-stores';
import { refreshes } from './support';

const [oldKey, newKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];

/** Several processes of one application: one store and client, and the keys that each of them has. */
async function start(store: TokenStore, clock?: ManualClock) {
  const emulator = await startTestEmulator();
  const client = emulator.registerClient({ callbackURLs: [], policy: { rotateRefreshTokens: true } });
  const process = (encryptionKeys: string[] | false, options: object = {}): Promise<TestApp> =>
    startApp({ emulator, create: onClient(emulator, client, { encryptionKeys, store, clock, ...options }) });
  return { emulator, client, process };
}

async function logInAll(app: TestApp, emulator: Emulator): Promise<string[]> {
  const ids: string[] = [];
  for (const user of [0, 1]) {
    const tab = app.browser();
    await logIn(tab, emulator, { user });
    ids.push(((await tab.get('/me')).body as { grantId: string }).grantId);
  }
  return ids;
}

const settle = 2 * 60_000;
const keyIds = async (store: TokenStore, ids: string[]): Promise<(string | undefined)[]> =>
  Promise.all(ids.map(async (id) => keyIdOf((await store.read(id))!.payload)));
const countsOf = async ({ tokens }: SalesforceAuth) =>
  (await tokens.keys()).map(({ position, grants }) => [position, grants]);

describe('the change of an encryption key', () => {
  it('is counted, carried out, and lets the old key go without a login or a refresh', async () => {
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock });
    const { emulator, process } = await start(store, clock);
    const ids = await logInAll(await process([oldKey]), emulator);
    const both = await process([newKey, oldKey]);
    clock.advanceMs(settle);
    expect(await countsOf(both.salesforce)).toEqual([
      [0, 0],
      [1, 2],
    ]);

    expect(await both.salesforce.tokens.reseal()).toEqual({ resealed: 2, current: 0, left: 0, unreadable: 0 });

    expect(await countsOf(both.salesforce)).toEqual([
      [0, 2],
      [1, 0],
    ]);
    expect(await both.salesforce.tokens.reseal()).toEqual({ resealed: 0, current: 2, left: 0, unreadable: 0 });
    expect(new Set(await keyIds(store, ids)).size).toBe(1);
    const after = await process([newKey]);
    for (const id of ids)
      expect((await (await after.salesforce.tokens.get(id)).fetch('/services/data/v62.0/limits')).status).toBe(200);
    expect(refreshes(emulator)).toEqual([]);
    // The refresh tokens are good: each is presented once, and none is lost.
    emulator.expireAccessTokens();
    for (const id of ids)
      expect((await (await after.salesforce.tokens.get(id)).fetch('/services/data/v62.0/limits')).status).toBe(200);
  });

  it('leaves alone what no key opens, and says so', async () => {
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock });
    const { emulator, process } = await start(store, clock);
    const ids = await logInAll(await process([oldKey]), emulator);
    const before = await Promise.all(ids.map((id) => store.read(id)));
    const wrong = await process([newKey]);
    clock.advanceMs(settle);

    expect(await wrong.salesforce.tokens.reseal()).toEqual({ resealed: 0, current: 0, left: 0, unreadable: 2 });

    expect(await countsOf(wrong.salesforce)).toEqual([
      [0, 0],
      [undefined, 2],
    ]);
    expect((await Promise.all(ids.map((id) => store.read(id)))).map((record) => record?.payload)).toEqual(
      before.map((record) => record?.payload),
    );
  });

  it('encrypts grants in the clear, if these are accepted', async () => {
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock });
    const { emulator, process } = await start(store, clock);
    await logInAll(await process(false), emulator);
    clock.advanceMs(settle);

    const strict = await process([newKey]);
    expect(await strict.salesforce.tokens.keys()).toEqual([
      expect.objectContaining({ position: 0, grants: 0 }),
      { keyId: undefined, position: undefined, grants: 2 },
    ]);
    expect(await strict.salesforce.tokens.reseal()).toMatchObject({ resealed: 0, unreadable: 2 });
    const lenient = await process([newKey], { grants: { acceptUnencrypted: true } });
    expect(await lenient.salesforce.tokens.reseal()).toMatchObject({ resealed: 2, unreadable: 0 });
    expect(await countsOf(strict.salesforce)).toEqual([[0, 2]]);
  });

  it('leaves new tokens for the next call, since a client of a store may send their write again', async () => {
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock });
    const { emulator, process } = await start(store, clock);
    await logInAll(await process([oldKey]), emulator);
    const both = await process([newKey, oldKey]);

    expect(await both.salesforce.tokens.reseal()).toMatchObject({ resealed: 0, left: 2 });
    clock.advanceMs(settle);
    expect(await both.salesforce.tokens.reseal()).toMatchObject({ resealed: 2, left: 0 });
  });

  it('ends between two grants if it is asked to', async () => {
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock });
    const { emulator, process } = await start(store, clock);
    await logInAll(await process([oldKey]), emulator);
    const both = await process([newKey, oldKey]);
    clock.advanceMs(settle);

    expect(await both.salesforce.tokens.reseal({ signal: AbortSignal.abort() })).toMatchObject({
      resealed: 0,
      left: 0,
    });
    await expect(both.salesforce.tokens.reseal({ limit: 1 } as never)).rejects.toThrow(/has no option 'limit'/);
  });

  it('needs keys, and a store that can do it', async () => {
    const clock = new ManualClock();
    const { process } = await start(new MemoryTokenStore({ clock }), clock);
    await expect((await process(false)).salesforce.tokens.reseal()).rejects.toThrow(/^encryptionKeys must be set/);
    const old = Object.assign(new MemoryTokenStore({ clock }), { reseal: undefined }) as unknown as TokenStore;
    const other = await start(old, clock);
    await expect((await other.process([newKey])).salesforce.tokens.reseal()).rejects.toThrow(/^store must be one/);
  });
});

/** A store that tells of old tokens: none is left alone because it is new. */
function olderThanItIs(store: TokenStore): TokenStore {
  const list: TokenStore['list'] = async function* (filter) {
    for await (const record of store.list(filter)) yield { ...record, tokensAgeMs: record.tokensAgeMs + settle };
  };
  return new Proxy(store, {
    get: (target, name) => {
      const member = Reflect.get(target, name) as unknown;
      if (name === 'list') return list;
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

describe('on a server', () => {
  let servers: Awaited<ReturnType<typeof startStores>>;
  beforeAll(async () => {
    servers = await startStores();
  }, 60_000);
  afterAll(() => servers.stop());

  it.each(['Redis', 'PostgreSQL'] as const)(
    '%s: a key changes while requests refresh the same grants, and no login is lost',
    async (name) => {
      const store = servers.stores[name]?.store;
      if (!store) return;
      const { emulator, process } = await start(olderThanItIs(store));
      const [first, second] = [await process([oldKey]), await process([newKey, oldKey])];
      const ids = await logInAll(first, emulator);
      const third = await process([newKey, oldKey]);

      // Rounds of both at once: requests whose token was refused, and the change of the key.
      for (let round = 0; round < 10; round++) {
        emulator.expireAccessTokens();
        const work = ids.flatMap((id) =>
          [second, third].map(async ({ salesforce }) => {
            const access = await salesforce.tokens.get(id);
            return (await access.fetch('/services/data/v62.0/limits')).status;
          }),
        );
        const [statuses] = await Promise.all([Promise.all(work), second.salesforce.tokens.reseal()]);
        expect(new Set(statuses)).toEqual(new Set([200]));
      }

      expect(emulator.liveTokens().refreshTokens).toBe(2);
      const counts = await second.salesforce.tokens.keys();
      expect(counts.find(({ position }) => position === 1)?.grants).toBe(0);
    },
    60_000,
  );
});
