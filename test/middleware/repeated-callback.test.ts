/** @again legacy-policy */
import expressSession from 'express-session';
import { MemoryTokenStore, salesforceAuth } from '../../lib';
import type { TokenStore } from '../../lib/stores';
import type { OperatorWarning } from '../../lib/reporter';
import type { Emulator } from '../../lib/emulator';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, walkToCallback, type Browser } from '../helpers/app';

const encryptionKeys = ['__test_encryption_key_of_32_chars__'];
const codes = (emulator: Emulator): unknown[] =>
  emulator.requests
    .filter(({ path, body }) => path.endsWith('/token') && body?.['code'])
    .map(({ body }) => body!['code']);

/** Two processes of an application: one client, one token store, one session store. */
async function twoProcesses(options: object = {}) {
  const emulator = await startTestEmulator();
  const store = new MemoryTokenStore();
  const sessionMiddleware = expressSession({
    secret: '__test_session_secret__',
    resave: false,
    saveUninitialized: false,
  });
  const logins: string[] = [];
  const onLogin = ({ grantId }: { grantId: string }) => void logins.push(grantId);
  const first = await startApp({
    emulator,
    sessionMiddleware,
    options: { store, encryptionKeys, onLogin, ...options },
  });
  const { clientID, clientSecret } = first.client;
  const second = await startApp({
    emulator,
    sessionMiddleware,
    options: {
      ...{ clientID, clientSecret, store, encryptionKeys, onLogin },
      callbackURL: `${first.url}/auth/salesforce/callback`,
      ...options,
    },
  });
  return { emulator, first, second, logins };
}

/** A browser as it was before its last answer: a second click takes the first answer away. */
async function withoutAnswer(tab: Browser, app: { browser: () => Browser }): Promise<Browser> {
  const before = ((await tab.get('/headers')).body as { headers: { cookie?: string } }).headers.cookie ?? '';
  return app.browser().set('Cookie', before);
}

describe('a callback that is opened twice', () => {
  it('at two processes presents its code once, and both answers are logged in', async () => {
    const { emulator, first, second, logins } = await twoProcesses();
    const tab = first.browser();
    const callback = await walkToCallback(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/me' });
    const [one, two] = [await withoutAnswer(tab, first), await withoutAnswer(tab, second)];

    const answers = await Promise.all([one.get(callback), two.get(callback)]);

    expect(answers.map(({ status, headers }) => [status, headers['location']])).toEqual([
      [302, '/me'],
      [302, '/me'],
    ]);
    expect(codes(emulator)).toHaveLength(1);
    const users = await Promise.all(
      answers.map(async ({ headers }) => {
        const [session] = (headers['set-cookie'] as unknown as string[]).filter((line) =>
          line.startsWith('connect.sid'),
        );
        return (await second.browser().get('/me').set('Cookie', session!.split(';')[0]!)).body.user.username as string;
      }),
    );
    expect(users).toEqual([emulator.users[0]!.username, emulator.users[0]!.username]);
    expect(logins).toHaveLength(2);
    expect(new Set(logins).size).toBe(1);
  });

  it.each(['one', 'two'])(
    'logs no user in again after a logout in this browser, with %s answered before',
    async (answers) => {
      const { emulator, first } = await twoProcesses();
      // The user's other browser keeps the grant alive.
      await logIn(first.browser(), emulator);
      const tab = first.browser();
      const callback = await walkToCallback(tab, emulator);
      if (answers === 'two') await (await withoutAnswer(tab, first)).get(callback);
      await tab.get(callback);
      await tab.post('/auth/salesforce/logout');

      const back = await tab.get(callback);

      expect((await tab.get('/me')).status).toBe(401);
      expect(back.status).toBe(403);
    },
  );

  it('leaves no token behind when the session that the browser has kept is logged out', async () => {
    const { emulator, first, second } = await twoProcesses();
    const tab = first.browser();
    const callback = await walkToCallback(tab, emulator);
    const lost = await withoutAnswer(tab, second);
    await lost.get(callback);
    await tab.get(callback);

    await tab.post('/auth/salesforce/logout');

    expect(emulator.liveTokens().refreshTokens).toBe(0);
  });

  it('with another code for the same login presents the first code alone', async () => {
    const { emulator, first } = await twoProcesses();
    const tab = first.browser();
    const callback = await walkToCallback(tab, emulator);
    const other = new URL(callback, first.url);
    other.searchParams.set('code', 'aPrx__second_click__');
    await tab.get(callback);

    const answer = await tab.get(other.pathname + other.search);

    expect(answer.status).toBe(302);
    expect(codes(emulator)).toHaveLength(1);
  });

  it('offers to start again, with the page the user wanted, if the first one failed', async () => {
    const { emulator, first } = await twoProcesses({ authorizeUser: () => false });
    const tab = first.browser();
    const callback = await walkToCallback(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/me' });
    await tab.get(callback);

    const again = await tab.get(callback);

    expect([again.status, again.body.code]).toEqual([403, 'ERR_SALESFORCE_LOGIN_EXPIRED']);
    expect(again.body.message).toContain('ERR_SALESFORCE_USER_NOT_ALLOWED');
    expect(codes(emulator)).toHaveLength(1);
  });

  it('after two minutes redirects to the end of the login, and gives the login to no session', async () => {
    const clock = new ManualClock();
    const { emulator, first } = await twoProcesses({ clock });
    const tab = first.browser();
    const callback = await walkToCallback(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/me' });
    const late = await withoutAnswer(tab, first);
    await tab.get(callback);
    clock.advanceMs(2 * 60_000 + 1);

    const answer = await late.get(callback);

    expect([answer.status, answer.headers['location']]).toEqual([302, '/me']);
    expect((await late.get('/me')).status).toBe(401);
    // It counts as no login that the session has lost: the next page leads to the login.
    expect((await late.get('/me').set('Accept', 'text/html')).status).toBe(302);
    expect((await tab.get('/me')).status).toBe(200);
  });

  it('gives up after waitMs if the first one leaves no outcome, as a process that died', async () => {
    const { emulator, first } = await twoProcesses({ refresh: { waitMs: 0 } });
    const tab = first.browser();
    const callback = await walkToCallback(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/me' });
    emulator.faults.inject({ on: 'code', kind: 'hang' });
    const stuck = tab.get(callback).then(
      () => 'answered',
      () => 'cut off',
    );
    while (codes(emulator).length === 0) await new Promise((resolve) => setImmediate(resolve));

    const answer = await (await withoutAnswer(tab, first)).get(callback);

    expect([answer.status, answer.body.code]).toEqual([403, 'ERR_SALESFORCE_LOGIN_EXPIRED']);
    expect(codes(emulator)).toHaveLength(1);
    await emulator.stop();
    expect(['answered', 'cut off']).toContain(await stuck);
  });

  it("in another person's browser is refused, as before", async () => {
    const { emulator, first } = await twoProcesses();
    const tab = first.browser();
    const callback = await walkToCallback(tab, emulator);
    await tab.get(callback);

    const answer = await first.browser().get(callback);

    expect(answer.body.code).toBe('ERR_SALESFORCE_STATE_MISMATCH');
  });
});

describe('a token store that does not answer at the callback', () => {
  it('may have taken the claim: the same callback then ends the login, and presents the code once', async () => {
    const emulator = await startTestEmulator();
    const store = new MemoryTokenStore();
    let isLost = true;
    const claimOnce: TokenStore['claimOnce'] = async (...given) => {
      const answer = await MemoryTokenStore.prototype.claimOnce.call(store, ...given);
      if (isLost) throw new Error('The answer was lost.');
      return answer;
    };
    const { browser } = await startApp({ emulator, options: { store: Object.assign(store, { claimOnce }) } });
    const tab = browser();
    const callback = await walkToCallback(tab, emulator, { loginPath: '/auth/salesforce?returnTo=/me' });
    expect((await tab.get(callback)).status).toBe(503);
    isLost = false;

    const answers = await Promise.all([tab.get(callback), tab.get(callback)]);

    expect(answers.map(({ status }) => status)).toEqual([302, 302]);
    expect(codes(emulator)).toHaveLength(1);
    expect((await tab.get('/me')).status).toBe(200);
  });

  it('is 503, presents nothing, and the same callback may be opened again', async () => {
    let isDown = false;
    const store = new MemoryTokenStore();
    const claimOnce: TokenStore['claimOnce'] = (...given) =>
      isDown ? Promise.reject(new Error('down')) : MemoryTokenStore.prototype.claimOnce.call(store, ...given);
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { store: Object.assign(store, { claimOnce }) } });
    const tab = browser();
    const callback = await walkToCallback(tab, emulator);
    isDown = true;

    const failed = await tab.get(callback);
    isDown = false;
    const again = await tab.get(callback);

    expect([failed.status, failed.body.code]).toEqual([503, 'ERR_SALESFORCE_TOKEN_STORE']);
    expect(codes(emulator)).toHaveLength(1);
    expect(again.status).toBe(302);
  });

  it('of the application that keeps no claims is told once, and this process keeps them', async () => {
    const emulator = await startTestEmulator();
    const warnings: OperatorWarning[] = [];
    const store = Object.assign(new MemoryTokenStore(), { claimOnce: undefined });
    const { browser } = await startApp({
      emulator,
      create: ({ clientID, clientSecret }, callbackURL) =>
        salesforceAuth({
          ...{ clientID, clientSecret, callbackURL, baseUrl: emulator.url, allowedOrganizations: 'any' },
          store: store as unknown as TokenStore,
          report: (warning) => warnings.push(warning),
        }),
    });
    const tab = browser();
    const callback = await walkToCallback(tab, emulator);

    const answers = await Promise.all([tab.get(callback), tab.get(callback)]);

    expect(answers.map(({ status }) => status)).toEqual([302, 302]);
    expect(codes(emulator)).toHaveLength(1);
    expect(warnings.filter(({ code }) => code === 'STORE_CLAIMS')).toHaveLength(1);
  });
});
