/** @again newest-node legacy-policy */
import { MemoryTokenStore, requiresLogin } from '../../lib';
import type { TokenStore } from '../../lib/stores/store';
import { startTestEmulator } from '../helpers/emulator';
import { logIn, startApp, type TestApp } from '../helpers/app';
import { collect } from '../helpers/collect';

/** A store that is not the one in memory, as far as its class tells. */
function otherStore(store: MemoryTokenStore): TokenStore {
  return new Proxy({} as TokenStore, {
    get: (_target, name) => {
      const value: unknown = Reflect.get(store, name);
      return typeof value === 'function' ? (value.bind(store) as unknown) : value;
    },
  });
}

describe('salesforce.tokens', () => {
  it('names the store to a job that looks for a grant in another one, and the logout to a job whose user has logged out', async () => {
    const emulator = await startTestEmulator();
    const { browser, salesforce } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };
    const job = await startApp({ emulator });
    const jobOnRedis = await startApp({ emulator, options: { store: otherStore(new MemoryTokenStore()) } });
    const messageOf = (app: TestApp) =>
      app.salesforce.tokens.get(grantId).then(
        () => '',
        (error: unknown) => {
          expect(requiresLogin(error)).toBe(true);
          return (error as Error).message;
        },
      );

    expect(await messageOf(job)).toContain('one token store (option store)');
    expect(await messageOf(jobOnRedis)).toContain('another prefix, table or file');
    await salesforce.tokens.revoke(grantId);
    expect(await messageOf({ ...job, salesforce })).toBe('The login has ended. Log in with Salesforce again.');
  });

  it('finds, lists and revokes grants by user', async () => {
    const emulator = await startTestEmulator();
    const { browser, salesforce, client } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator, { user: 0 });
    await logIn(browser(), emulator, { user: 2 });
    const { organizationId, userId } = emulator.users[0]!;
    const user = { organizationId: organizationId.slice(0, 15), userId: userId.slice(0, 15) };

    const found = await salesforce.tokens.find(user);
    const access = await salesforce.tokens.get(user);
    const all = await collect(salesforce.tokens.list());
    const ofOrganization = await collect(salesforce.tokens.list({ organizationId: user.organizationId }));

    expect(found).toEqual({
      grantId: access.grantId,
      organizationId,
      userId,
      clientID: client.clientID,
      tenant: undefined,
      state: 'idle',
      health: 'working',
      since: undefined,
      errorCode: undefined,
      idleUntil: expect.any(Date) as Date,
    });
    expect(all).toHaveLength(2);
    expect(ofOrganization).toEqual([{ ...found, idleUntil: expect.any(Date) as Date }]);

    await salesforce.tokens.revoke(user);

    expect(await salesforce.tokens.find(user)).toBeUndefined();
    expect(emulator.liveTokens({ userId })).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect((await tab.get('/accounts')).status).toBe(401);
    await expect(salesforce.tokens.get(user)).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED',
    });
  });

  it.each([undefined, null, 7, {}, { organizationId: '00D000000000001' }])(
    'says what to pass if no grant is named: %j',
    async (grant) => {
      const { salesforce } = await startApp({ emulator: await startTestEmulator() });
      const { tokens } = salesforce;
      const none = grant as never;
      const asked = [tokens.get(none), tokens.find(none), tokens.keepAlive(none), tokens.revoke(none)];
      for (const { reason } of (await Promise.allSettled(asked)) as PromiseRejectedResult[]) {
        expect(reason).toMatchObject({
          code: 'ERR_SALESFORCE_NOT_AUTHENTICATED',
          message: expect.stringContaining('organizationId and userId') as string,
        });
      }
    },
  );

  it('serves jobs while no request is there, through expiries', async () => {
    const emulator = await startTestEmulator();
    const { browser, salesforce } = await startApp({ emulator, policy: { rotateRefreshTokens: true } });
    const tab = browser();
    await logIn(tab, emulator);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };

    const job = await salesforce.tokens.get(grantId);
    for (let run = 0; run < 3; run++) {
      emulator.expireAccessTokens();
      expect((await job.fetch('/services/data/v62.0/limits')).status).toBe(200);
    }

    expect(job.instanceUrl).toBe(emulator.url);
    expect((await tab.get('/accounts')).status).toBe(200);
  });
});

describe('sessions and their grant', () => {
  it('extend their time as a holder while they are used, so that another logout does not end them', async () => {
    const { ManualClock } = await import('../helpers/clock');
    const clock = new ManualClock();
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { clock, sessionTimeoutSeconds: 1_000_000 } });
    const [daily, other] = [browser(), browser()];
    await logIn(daily, emulator);
    // A hold lasts a day where the session does not say how long it lives.
    for (let halfDay = 0; halfDay < 6; halfDay++) {
      clock.advanceSeconds(13 * 60 * 60);
      expect((await daily.get('/me')).status).toBe(200);
    }
    await logIn(other, emulator);

    await other.post('/auth/salesforce/logout');

    expect((await daily.get('/me')).status).toBe(200);
    expect(emulator.liveTokens().refreshTokens).toBe(1);
  });

  it('try again to extend their time as a holder that the token store did not extend', async () => {
    const { ManualClock } = await import('../helpers/clock');
    const { MemoryTokenStore } = await import('../../lib');
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock });
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { clock, store, sessionTimeoutSeconds: 1_000_000 } });
    const tab = browser();
    await logIn(tab, emulator);
    const extend = jest.spyOn(store, 'addHolder').mockRejectedValueOnce(new Error('The store is down.'));
    clock.advanceSeconds(13 * 60 * 60);

    for (let request = 0; request < 3; request++) expect((await tab.get('/me')).status).toBe(200);

    // One that failed, and one more.
    expect(extend).toHaveBeenCalledTimes(2);
  });

  it('that ended without a logout do not keep a grant for ever', async () => {
    const { ManualClock } = await import('../helpers/clock');
    const clock = new ManualClock();
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator, options: { clock, sessionTimeoutSeconds: 1_000_000 } });
    const [closed, other] = [browser(), browser()];
    await logIn(closed, emulator);
    clock.advanceSeconds(37 * 60 * 60);
    await logIn(other, emulator);

    await other.post('/auth/salesforce/logout');

    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('release their former grant when another user logs in', async () => {
    const emulator = await startTestEmulator();
    const { browser } = await startApp({ emulator });
    const tab = browser();
    await logIn(tab, emulator, { user: 0 });
    await logIn(tab, emulator, { user: 2 });

    expect((await tab.get('/me')).body.user.userId).toBe(emulator.users[2]!.userId);
    for (let turn = 0; emulator.liveTokens().refreshTokens > 1 && turn < 10_000; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(emulator.liveTokens({ userId: emulator.users[0]!.userId })).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });
});
