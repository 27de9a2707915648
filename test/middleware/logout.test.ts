import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp } from '../helpers/app';

describe('logout', () => {
  it('ends the session and revokes everything at Salesforce', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);

    const answer = await tab.post('/auth/salesforce/logout').set('Accept', 'text/html');

    expect(answer.status).toBe(303);
    expect(answer.headers['location']).toBe('/');
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect((await tab.get('/accounts')).status).toBe(401);
  });

  it('of one browser leaves the other one logged in, and that of the last one revokes', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const [one, two] = [browser(), browser()];
    await logIn(one, emulator);
    await logIn(two, emulator);

    await one.post('/auth/salesforce/logout');

    expect((await one.get('/accounts')).status).toBe(401);
    expect((await two.get('/accounts')).status).toBe(200);
    await two.post('/auth/salesforce/logout');
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('everywhere ends all sessions of the user, and a later login revives none of them', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({
      emulator,
      routes: (app, salesforce) =>
        app.post('/logout-everywhere', salesforce.logout({ everywhere: true, returnTo: '/bye' })),
    });
    const [one, two] = [browser(), browser()];
    await logIn(one, emulator);
    await logIn(two, emulator);

    const answer = await one.post('/logout-everywhere').set('Accept', 'text/html');
    expect(answer.headers['location']).toBe('/bye');
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });

    await logIn(one, emulator);
    expect((await one.get('/accounts')).status).toBe(200);
    expect((await two.get('/accounts')).status).toBe(401);
  });

  it.each([
    ['cross-site fetch metadata', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a foreign origin', { Origin: 'https://evil.example' }],
    ['an opaque origin', { Origin: 'null' }],
  ])('is refused with %s', async (_what, headers) => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);

    const answer = await tab.post('/auth/salesforce/logout').set(headers as Record<string, string>);

    expect(answer.body.code).toBe('ERR_SALESFORCE_CROSS_SITE_LOGOUT');
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('is not answered to a GET, which any image tag can send', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);

    expect((await tab.get('/auth/salesforce/logout')).status).toBe(404);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it.each([
    ['before the rotation', 'before'],
    ['after the rotation', 'after'],
  ] as const)('wins over a refresh in flight that is held %s', async (_what, when) => {
    const emulator = await startTestEmulator();
    const { browser, salesforce } = await startApp({ emulator, policy: { rotateRefreshTokens: true } });
    const tab = browser();
    await logIn(tab, emulator);
    emulator.expireAccessTokens();
    const tombstone = new Promise((resolve) => salesforce.events.once('logout', resolve));
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold', when });
    const waiting = tab.get('/accounts').then((answer) => answer);
    await held.reached;

    const leaving = tab.post('/auth/salesforce/logout').then((answer) => answer);
    await tombstone;
    held.release();
    const [answer, left] = await Promise.all([waiting, leaving]);

    expect(left.status).toBe(204);
    expect(answer.status).toBe(401);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('is retried in the background while Salesforce cannot revoke', async () => {
    const { ManualClock } = await import('../helpers/clock');
    const clock = new ManualClock();
    const emulator = await startTestEmulator();
    const { browser, salesforce } = await startApp({ emulator, options: { clock } });
    const tab = browser();
    await logIn(tab, emulator);
    emulator.faults.inject({ on: 'revoke', kind: 'status', status: 503, times: 2 });
    const revoked = new Promise((resolve) => salesforce.events.once('revoke', resolve));

    expect((await tab.post('/auth/salesforce/logout')).status).toBe(204);
    await clock.advanceUntil(revoked, 500);

    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('answers 503 and ends nothing while the token store is down', async () => {
    const { MemoryTokenStore } = await import('../../lib');
    const store = new MemoryTokenStore();
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { store } });
    const tab = browser();
    await logIn(tab, emulator);
    const down = jest.spyOn(store, 'release').mockRejectedValue(new Error('connection refused'));

    const answer = await tab.post('/auth/salesforce/logout');

    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe('ERR_SALESFORCE_TOKEN_STORE');
    down.mockRestore();
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('of a session that is not logged in does nothing', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });

    expect((await browser().post('/auth/salesforce/logout')).status).toBe(204);
  });
});
