import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { KeyRing } from '../../lib/crypto/key-ring';
import type { SetCookie } from '../../lib/login/cookies';
import {
  cookiesAfterLogout,
  endedCookies,
  loggedOutAt,
  Transactions,
  type Transaction,
} from '../../lib/login/transactions';
import { ManualClock } from '../helpers/clock';
import { requestOf } from '../helpers/request';

const minuteMs = 60_000;
const http: Transaction = {
  clientID: '__test_client__',
  tenant: 'acme',
  baseUrl: 'https://login.salesforce.com',
  callbackURL: 'http://localhost:3000/callback',
  codeVerifier: '__test_verifier__',
  nonce: '__test_nonce__',
  appState: { returnTo: '/page' },
};
const https: Transaction = { ...http, callbackURL: 'https://app.example/callback' };

const attributes = { httpOnly: true, sameSite: 'lax', path: '/' };

/** A request with these cookies. */
const withCookies = (cookies: readonly Pick<SetCookie, 'name' | 'value'>[], path = '/'): Promise<Request> =>
  requestOf(path, { headers: { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') } });

async function begun(transaction: Transaction) {
  const clock = new ManualClock();
  const keys = new KeyRing([randomBytes(32)], 'transaction');
  const transactions = new Transactions(keys, clock);
  const { state, cookies } = await transactions.create(await requestOf('/'), transaction);
  const [cookie] = cookies;
  return { clock, keys, transactions, state, cookies, cookie: cookie! };
}

describe('the cookie of a login', () => {
  it.each([
    ['http', http, false, /^salesforce-login\.[\w-]{16}$/],
    ['https', https, true, /^__Host-salesforce-login\.[\w-]{16}$/],
  ])('suits a callback by %s, and is kept for two hours', async (_scheme, transaction, secure, name) => {
    const { clock, state, cookies } = await begun(transaction);

    expect(cookies).toEqual([
      {
        name: expect.stringMatching(name),
        value: expect.stringMatching(`^${clock.now()}\\.`),
        options: { ...attributes, secure, maxAge: 120 * minuteMs },
      },
    ]);
    expect(state).toMatch(/^[\w-]{32}$/);
  });

  it.each([
    ['http', http, false],
    ['https', https, true],
    ['https, if the callback looks like http', https, false],
  ])('brings everything back at a callback by %s', async (_scheme, transaction, isSecure) => {
    const { transactions, state, cookie } = await begun(transaction);

    const opened = await transactions.open(await withCookies([cookie], `/callback?state=${state}`), isSecure);

    expect(opened).toEqual({ state, transaction, isExpired: false });
  });

  it('has little more than what a login has of its own, so that several fit into a header', async () => {
    const random = (length: number): string => randomBytes(length).toString('base64url');
    const own = { codeVerifier: random(32), nonce: random(24), clientID: `3MVG9${random(57)}` };
    const { cookie } = await begun({
      ...own,
      baseUrl: 'https://login.salesforce.com',
      callbackURL: 'https://app.example/auth/salesforce/callback',
      appState: { returnTo: '/' },
    });

    expect(cookie.value.length).toBeLessThan(500);
  });

  it('is good for exactly 15 minutes', async () => {
    const { clock, transactions, state, cookie } = await begun(http);
    const req = await withCookies([cookie], `/callback?state=${state}`);

    clock.advanceMs(15 * minuteMs);
    expect(await transactions.open(req, false)).toMatchObject({ isExpired: false });
    clock.advanceMs(1);
    expect(await transactions.open(req, false)).toMatchObject({ isExpired: true, transaction: http });
  });
});

describe('a callback', () => {
  it.each([
    ['without a state', '', 'has no "state"'],
    ['with an empty state', '?state=', 'has no "state"'],
    ['with two states', '?state=a&state=b', 'has no "state"'],
    ['with a state of nobody', '?state=a', 'belongs to no login'],
    ['with an error and no state', '?error=access_denied', 'reports an error'],
    ['with an error and a state of nobody', '?error=access_denied&state=a', 'reports an error'],
  ])('%s is refused, and the operator reads why', async (_what, query, says) => {
    const { transactions, cookie } = await begun(http);

    await expect(transactions.open(await withCookies([cookie], `/callback${query}`), false)).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_STATE_MISMATCH',
      status: 403,
      message: expect.stringContaining(says),
    });
  });

  it('is refused with the cookie of another login under its name', async () => {
    const { transactions, state, cookie } = await begun(http);
    const { cookies } = await transactions.create(await requestOf('/'), http);
    const planted = { name: cookie.name, value: cookies[0]!.value };

    await expect(
      transactions.open(await withCookies([planted], `/callback?state=${state}`), false),
    ).rejects.toMatchObject({ code: 'ERR_SALESFORCE_STATE_MISMATCH' });
  });

  it('is refused with what another version of this package has sealed', async () => {
    const { keys, transactions, state, cookie } = await begun(http);
    const sealed = await keys.seal(state, JSON.stringify({ ...http, startedAt: 0 }));
    const former = { name: cookie.name, value: `1.${sealed}` };

    await expect(
      transactions.open(await withCookies([former], `/callback?state=${state}`), false),
    ).rejects.toMatchObject({ code: 'ERR_SALESFORCE_STATE_MISMATCH' });
  });

  it.each([
    ['is known to have come by https', http, true],
    ['belongs to a login that is to end by https', https, false],
  ])('takes no cookie without the prefix if it %s', async (_what, transaction, isSecure) => {
    const { transactions, state, cookie } = await begun(transaction);
    const bare = { name: cookie.name.replace('__Host-', ''), value: cookie.value };

    await expect(
      transactions.open(await withCookies([bare], `/callback?state=${state}`), isSecure),
    ).rejects.toMatchObject({ code: 'ERR_SALESFORCE_STATE_MISMATCH' });
  });
});

describe('a login that has ended', () => {
  it.each([
    ['http', http, false],
    ['https', https, true],
  ])('has a cookie that opens the same callback by %s for 15 minutes more', async (_scheme, transaction, secure) => {
    const { transactions, state, cookie } = await begun(transaction);
    const [other] = (await transactions.create(await requestOf('/'), transaction)).cookies;
    const path = `/callback?state=${state}`;

    const cookies = endedCookies(await withCookies([other!, cookie, { name: 'app', value: '1' }], path));

    expect(cookies).toEqual([
      {
        name: cookie.name,
        value: `ended.${cookie.value.slice(cookie.value.indexOf('.') + 1)}`,
        options: { ...attributes, secure, maxAge: 15 * minuteMs },
      },
    ]);
    expect(await transactions.open(await withCookies(cookies, path), secure)).toMatchObject({ transaction });
    expect(endedCookies(await withCookies(cookies, path))).toEqual(cookies);
  });

  it.each(['', '?state=a&state=b', '?state=another'])('has no cookie at the callback %p', async (query) => {
    const { cookie } = await begun(http);

    expect(endedCookies(await withCookies([cookie], `/callback${query}`))).toEqual([]);
  });

  it('makes room for others above 7 KiB alone: those of tabs that began at the same moment are still pending', async () => {
    const { state, cookie } = await begun(http);
    const others = (length: number) =>
      Array.from({ length: 10 }, (_, index) => ({
        name: `salesforce-login.0123456789abc00${index}`,
        value: `${1_700_000_000_000 + index}.`.padEnd(length, 'x'),
      }));
    const removedBeside = async (length: number) =>
      endedCookies(await withCookies([...others(length), cookie], `/callback?state=${state}`)).map(({ name }) => name);

    expect(await removedBeside(500)).toEqual([cookie.name]);
    expect(await removedBeside(800)).toEqual([others(0)[1]!.name, others(0)[0]!.name, cookie.name].filter(Boolean));
  });

  it('is forgotten after a logout, and the logins that may not have ended can be finished, and not repeated', async () => {
    const name = (last: string) => `salesforce-login.0123456789abcde${last}`;
    const cookies = [
      { name: name('a'), value: 'ended.sealed' },
      { name: `__Host-${name('b')}`, value: 'ended.sealed' },
      { name: name('c'), value: '1700000000000.ended.' },
      { name: name('d'), value: '' },
      { name: `__Host-${name('e')}`, value: '1700000000000.sealed' },
      { name: 'salesforce-login.short', value: 'ended.sealed' },
      { name: `x${name('e')}`, value: 'ended.sealed' },
      { name: `${name('f')}x`, value: 'ended.sealed' },
      { name: 'app', value: 'ended.sealed' },
    ];
    const plain = { ...attributes, secure: false };
    const secure = { ...attributes, secure: true };
    const kept = 2 * 60 * minuteMs;

    const after = cookiesAfterLogout(await withCookies(cookies), 7);

    expect(after).toEqual([
      { name: name('a'), value: '', options: plain },
      { name: `__Host-${name('b')}`, value: '', options: secure },
      { name: name('c'), value: 'out-7.ended.', options: { ...plain, maxAge: kept } },
      { name: name('d'), value: '', options: plain },
      { name: `__Host-${name('e')}`, value: 'out-7.sealed', options: { ...secure, maxAge: kept } },
    ]);
    expect(cookiesAfterLogout(await withCookies(after.filter(({ value }) => value.startsWith('out-'))), 8)).toEqual([]);
  });

  it.each([
    ['http', http],
    ['https', https],
  ])(
    'leaves a login by %s that is pending at a logout: it can be finished, and not repeated',
    async (_scheme, transaction) => {
      const { transactions, state, cookie } = await begun(transaction);
      const path = `/callback?state=${state}`;
      const before = await withCookies([cookie], path);

      const marked = cookiesAfterLogout(await withCookies([cookie], '/logout'), 7);
      const after = await withCookies(marked, path);

      expect([loggedOutAt(before), loggedOutAt(after)]).toEqual([undefined, 7]);
      expect(await transactions.open(after, false)).toMatchObject({ transaction });
      // Its own callback leaves it to the callback.
      expect(cookiesAfterLogout(before, 7)).toEqual([]);
      expect(loggedOutAt(await withCookies(marked, '/callback'))).toBeUndefined();
    },
  );
});

describe('a new login', () => {
  const name = (index: number) => `salesforce-login.0123456789abc${String(index).padStart(3, '0')}`;
  /** Pending logins, the oldest first. */
  const pending = (count: number, length = 20) =>
    Array.from({ length: count }, (_, index) => ({
      name: name(index),
      value: `${1_700_000_000_000 + index}.`.padEnd(length, 'x'),
    }));
  /** The cookies that a new login takes away from a browser with these. */
  const removed = async (
    cookies: readonly Pick<SetCookie, 'name' | 'value'>[],
    started?: { transactions: Transactions },
  ): Promise<string[]> => {
    const { transactions } = started ?? (await begun(http));
    const made = (await transactions.create(await withCookies(cookies), http)).cookies;
    return made.slice(0, -1).map((cookie) => {
      const secure = cookie.name.startsWith('__Host-');
      expect(cookie).toEqual({ name: cookie.name, value: '', options: { ...attributes, secure } });
      return cookie.name;
    });
  };

  it('leaves seven others, and takes the oldest away beyond that', async () => {
    expect(await removed(pending(7))).toEqual([]);
    expect(await removed(pending(8))).toEqual([name(0)]);
    expect((await removed(pending(12))).sort()).toEqual([0, 1, 2, 3, 4].map(name));
    expect(await removed(pending(8).reverse())).toEqual([name(0)]);
  });

  it('takes logins away that have ended, or tell no time, before those that are pending', async () => {
    const ended = { name: name(100), value: 'ended.sealed' };
    const odd = { name: `__Host-${name(101)}`, value: '' };

    expect(await removed([ended, ...pending(7)])).toEqual([ended.name]);
    expect(await removed([...pending(7), ended])).toEqual([ended.name]);
    expect(await removed([odd, ...pending(7)])).toEqual([odd.name]);
    expect(await removed([...pending(7), odd])).toEqual([odd.name]);
    expect((await removed([odd, ...pending(7), ended])).sort()).toEqual([odd.name, ended.name].sort());
  });

  it('takes away what does not fit into 4 KiB with its own cookie', async () => {
    // The same login has a cookie of the same size.
    const login = await begun(http);
    const left = 4 * 1024 - login.cookie.name.length - login.cookie.value.length;
    const [first, second] = pending(2, Math.floor(left / 2) - name(0).length) as [SetCookie, SetCookie];
    const filled = { ...first, value: first.value + 'x'.repeat(left % 2) };

    expect(await removed([filled, second], login)).toEqual([]);
    expect(await removed([{ ...filled, value: `${filled.value}x` }, second], login)).toEqual([filled.name]);
    expect(await removed([filled, { ...second, value: `${second.value}x` }], login)).toEqual([filled.name]);
  });

  it('neither counts nor removes the cookies of others', async () => {
    const others = ['app', 'salesforce-login.short', `x${name(1)}`, `${name(2)}x`].map((other) => ({
      name: other,
      value: '1'.repeat(1_500),
    }));

    expect(await removed([...others, ...pending(7)])).toEqual([]);
  });
});
