import expressSession, { MemoryStore } from 'express-session';
import { MemoryTokenStore, type Status } from '../../lib';
import { logIn, startApp, type TestAppOptions } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { startTestEmulator } from '../helpers/emulator';

const path = '/auth/salesforce/status';
const day = 86_400_000;

async function start(given: Partial<TestAppOptions> = {}) {
  const clock = new ManualClock();
  const store = new MemoryTokenStore({ clock });
  const emulator = await startTestEmulator();
  const options = { clock, store, routes: { status: path }, ...given.options };
  const app = await startApp({ emulator, ...given, options });
  return { clock, store, emulator, ...app };
}

const nobody = { authenticated: false, user: null, loginNeeded: true, idleUntil: null, organizations: [] };

describe('the status route', () => {
  it('is off unless it has a path', async () => {
    const { browser } = await start({ options: { routes: {} } });

    expect((await browser().get(path)).status).toBe(404);
  });

  it.each([4, 5] as const)('answers who is logged in, and for how long, on Express %d', async (major) => {
    const { browser, emulator, clock } = await start({ express: major });
    const tab = browser();
    expect((await tab.get(path)).body).toEqual(nobody);
    await logIn(tab, emulator, { user: 0 });

    const answer = await tab.get(path);

    const idleUntil = new Date(clock.now() + 30 * day).toISOString();
    const { organizations, ...status } = answer.body as Status;
    expect(status).toMatchObject({
      ...{ authenticated: true, loginNeeded: false, idleUntil },
      user: { username: 'ada@acme.example', organizationId: emulator.users[0]!.organizationId },
    });
    expect(organizations).toEqual([{ user: status.user, isCurrent: true, loginNeeded: false, idleUntil }]);
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-store',
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
  });

  it('lists all logins of the session, and the current one', async () => {
    const { browser, emulator } = await start();
    const tab = browser();
    await logIn(tab, emulator, { user: 0 });
    await logIn(tab, emulator, { user: 2, loginPath: '/auth/salesforce?add=true' });

    const { organizations } = (await tab.get(path)).body as Status;

    expect(organizations.map(({ user, isCurrent }) => [user.username, isCurrent])).toEqual([
      [emulator.users[2]!.username, true],
      [emulator.users[0]!.username, false],
    ]);
  });

  it('says that a login is needed as soon as that is known, and that the user is not logged in after a logout elsewhere', async () => {
    const { browser, emulator, salesforce, clock, store } = await start();
    const tab = browser();
    await logIn(tab, emulator);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };
    const { generation, version } = (await store.read(grantId))!;
    await store.claim(grantId, { generation, version, owner: 'a test', leaseMs: 1_000 });
    const release = { generation, version, owner: 'a test', state: 'ended' as const, backoffMs: 0, failed: true };
    await store.releaseClaim(grantId, { ...release, errorCode: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' });
    clock.advanceMs(1_000);

    expect((await tab.get(path)).body).toMatchObject({ authenticated: true, loginNeeded: true, idleUntil: null });
    await salesforce.tokens.revoke(grantId);
    expect((await tab.get(path)).body).toEqual(nobody);
  });

  it.each([
    ['a page of another site', { 'Sec-Fetch-Site': 'cross-site' }],
    ['another subdomain', { 'Sec-Fetch-Site': 'same-site' }],
    ['another origin, by an old browser', { Origin: 'https://evil.example' }],
  ])('says nothing to %s', async (_what, headers) => {
    const { browser, emulator } = await start();
    const tab = browser();
    await logIn(tab, emulator);

    const answer = await tab.get(path).unset('Sec-Fetch-Site').set(headers);

    expect([answer.status, answer.body.code]).toEqual([403, 'ERR_SALESFORCE_CROSS_SITE']);
    expect(answer.text).not.toContain('ada@acme.example');
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('asks Salesforce nothing, refreshes nothing, and keeps neither grant nor session alive', async () => {
    const sessions = new MemoryStore();
    const cookie = { maxAge: 60_000 };
    const sessionMiddleware = expressSession({
      ...{ secret: '__test_session_secret__', resave: false, saveUninitialized: false, rolling: true, cookie },
      store: sessions,
    }) as never;
    const { browser, emulator, clock, store } = await start({ sessionMiddleware });
    const tab = browser();
    await logIn(tab, emulator);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };
    const ends = (): Promise<string> =>
      new Promise((resolve) => {
        sessions.all((_error, all) => {
          resolve(JSON.stringify(Object.values(all ?? {}).map(({ cookie: kept }) => kept)));
        });
      });
    const [before, requests] = [await ends(), emulator.requests.length];
    const record = (await store.read(grantId))!;
    clock.advanceMs(20 * day);

    for (let poll = 0; poll < 3; poll++) expect((await tab.get(path)).status).toBe(200);

    expect(await ends()).toEqual(before);
    expect(emulator.requests).toHaveLength(requests);
    const after = (await store.read(grantId))!;
    expect([after.version, after.tokensAgeMs]).toEqual([record.version, record.tokensAgeMs + 20 * day]);
    // Any other request of the same page extends the session.
    await tab.get('/');
    expect(await ends()).not.toEqual(before);
  });

  it('answers 503 if the token store fails, and does not say that the login is over', async () => {
    const { browser, emulator, store } = await start();
    const tab = browser();
    await logIn(tab, emulator);
    Object.assign(store, { read: () => Promise.reject(new Error('down')) });

    const answer = await tab.get(path);

    expect([answer.status, answer.body.code]).toEqual([503, 'ERR_SALESFORCE_TOKEN_STORE']);
  });

  it('is served for GET alone', async () => {
    const { browser } = await start();

    expect((await browser().post(path)).status).toBe(404);
  });
});
