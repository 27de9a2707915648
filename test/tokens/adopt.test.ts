import type { Express } from 'express';
import { MemoryTokenStore, requiresLogin, salesforceAuth, type SalesforceAuth } from '../../lib';
import type { SessionAdoption } from '../../lib/middleware/adoption';
import type { ClientPolicy, Emulator } from '../../lib/emulator';
import { logIn, onClient, startApp, type TestAppOptions } from '../helpers/app';
import { ManualClock } from '../helpers/clock';
import { collect } from '../helpers/collect';
import { startTestEmulator } from '../helpers/emulator';
import { logInByHand } from './before';

const api = '/services/data/v62.0/limits';

/** An application that has a refresh token from before, and a route that adopts what the test says. */
async function start(given: Partial<TestAppOptions> & { user?: number; scope?: string } = {}) {
  const clock = new ManualClock();
  const store = new MemoryTokenStore({ clock });
  const emulator = given.emulator ?? (await startTestEmulator());
  const adoption: { given: SessionAdoption } = { given: { refreshToken: 'none' } };
  const routes = (app: Express): void => {
    app.post('/adopt', async (req, res) => {
      await req.salesforce.adopt(adoption.given);
      res.json({ isAuthenticated: req.salesforce.isAuthenticated, user: req.salesforce.user });
      // The holder of an adoption lasts for a millisecond, so that the last logout of a session ends the grant.
      clock.advanceMs(1);
    });
    app.get('/logins', (req, res) => {
      res.json(req.salesforce.logins.map(({ user }) => user.userId));
    });
  };
  const started = await startApp({ emulator, routes, ...given, options: { clock, store, ...given.options } });
  const { refreshToken } = await logInByHand(emulator, started.client, given);
  const { userId, organizationId } = emulator.users[given.user ?? 0]!;
  const adopt = () => started.salesforce.tokens.adopt({ refreshToken });
  return { clock, store, emulator, refreshToken, userId, organizationId, adoption, adopt, ...started };
}

async function statusOf(salesforce: SalesforceAuth, grantId: string): Promise<number> {
  return (await (await salesforce.tokens.get(grantId)).fetch(api)).status;
}

function presentationsOf(emulator: Emulator): number[] {
  return [...emulator.presentations.values()];
}

async function settled(isSettled: () => boolean): Promise<void> {
  for (let turn = 0; !isSettled() && turn < 10_000; turn++) await new Promise((resolve) => setImmediate(resolve));
}

const policies: [string, Partial<ClientPolicy>][] = [
  ['on', { rotateRefreshTokens: true }],
  ['off', { rotateRefreshTokens: false }],
];

describe.each(policies)('salesforce.tokens.adopt(), rotation %s', (rotation, policy) => {
  it('makes a grant of a refresh token by one refresh', async () => {
    const { emulator, salesforce, adopt, userId, organizationId, client } = await start({ policy });
    const events: unknown[] = [];
    salesforce.events.on('grant.adopted', (event) => events.push(event));

    const { grantId, user } = await adopt();

    expect(user).toMatchObject({ userId, organizationId, displayName: 'Ada Fake' });
    expect(presentationsOf(emulator)).toEqual([1]);
    expect(events).toEqual([{ grantId, tokens: 'new' }]);
    expect(await statusOf(salesforce, grantId)).toBe(200);
    expect(presentationsOf(emulator)).toEqual([1]);
    expect(await collect(salesforce.tokens.list())).toEqual([
      {
        grantId,
        organizationId,
        userId,
        clientID: client.clientID,
        tenant: undefined,
        state: 'idle',
        health: 'working',
        since: undefined,
        errorCode: undefined,
        idleUntil: expect.any(Date),
      },
    ]);

    emulator.expireAccessTokens();
    expect(await statusOf(salesforce, grantId)).toBe(200);
    expect(emulator.liveTokens()).toMatchObject({ refreshTokens: 1 });
  });

  it('presents a token once that is given twice at once and again later', async () => {
    const { emulator, salesforce, adopt } = await start({ policy });

    const [first, second] = await Promise.all([adopt(), adopt()]);
    const third = await adopt();

    expect(second).toEqual(first);
    expect(third).toEqual(first);
    expect(presentationsOf(emulator)).toEqual([1]);
    expect(emulator.liveTokens()).toMatchObject({ refreshTokens: 1 });
    expect(await statusOf(salesforce, first.grantId)).toBe(200);
  });

  it('keeps the tokens of a grant that is alive, and revokes the given ones', async () => {
    const { emulator, salesforce, adopt, browser } = await start({ policy, scope: 'openid id api refresh_token' });
    const tab = browser();
    await logIn(tab, emulator);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };
    const events: unknown[] = [];
    salesforce.events.on('grant.adopted', (event) => events.push(event));
    expect(emulator.liveTokens()).toMatchObject({ refreshTokens: 2 });

    expect((await adopt()).grantId).toBe(grantId);

    expect(events).toEqual([{ grantId, tokens: 'kept' }]);
    await settled(() => emulator.liveTokens().refreshTokens === 1);
    expect(emulator.liveTokens()).toMatchObject({ refreshTokens: 1 });
    emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('puts the given tokens into a grant that has ended', async () => {
    const { emulator, salesforce, browser, client } = await start({ policy });
    const tab = browser();
    await logIn(tab, emulator);
    const { grantId } = (await tab.get('/me')).body as { grantId: string };
    emulator.revokeRefreshTokens();
    emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).status).toBe(401);
    const { refreshToken } = await logInByHand(emulator, client);

    expect((await salesforce.tokens.adopt({ refreshToken })).grantId).toBe(grantId);

    expect(await statusOf(salesforce, grantId)).toBe(200);
  });

  it('puts the given tokens into a grant that can do less', async () => {
    const { emulator, salesforce, adopt, client } = await start({ policy, scope: 'id api web refresh_token' });
    const { refreshToken } = await logInByHand(emulator, client, { scope: 'id refresh_token' });
    const { grantId } = await salesforce.tokens.adopt({ refreshToken });
    expect((await salesforce.tokens.get(grantId)).scope).not.toContain('api');

    expect((await adopt()).grantId).toBe(grantId);

    expect((await salesforce.tokens.get(grantId)).scope).toContain('web');
  });

  it('presents a token once that Salesforce refuses', async () => {
    const { emulator, adopt } = await start({ policy });
    emulator.revokeRefreshTokens();

    const error: unknown = await adopt().catch((refused: unknown) => refused);

    expect(requiresLogin(error)).toBe(true);
    await expect(adopt()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED', status: 401 });
    expect(presentationsOf(emulator)).toEqual([1]);
  });

  it('does not present a token again after a lost answer before it knows that the token was not spent', async () => {
    const { emulator, adopt, clock } = await start({ policy });
    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'before' });

    await expect(adopt()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT', status: 503 });
    await expect(adopt()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT', status: 503 });
    expect(presentationsOf(emulator)).toEqual([1]);
    clock.advanceSeconds(10);

    expect((await adopt()).user.displayName).toBe('Ada Fake');
    expect(presentationsOf(emulator)).toEqual([2]);
  });

  it('keeps what it was refreshed to if Salesforce does not say who the user is', async () => {
    const { emulator, adopt } = await start({ policy });
    emulator.faults.inject({ on: 'identity', kind: 'status', status: 503 });

    await expect(adopt()).rejects.toMatchObject({ status: 503 });

    expect((await adopt()).user.displayName).toBe('Ada Fake');
    expect(presentationsOf(emulator)).toEqual([1]);
  });

  it.each([
    ['near its end', 6_800],
    ['at its end', 10_000],
  ])('goes on later, when the access token it got is %s', async (_when, seconds) => {
    const { emulator, adopt, clock, salesforce } = await start({ policy });
    emulator.faults.inject({ on: 'identity', kind: 'status', status: 503 });
    await expect(adopt()).rejects.toMatchObject({ status: 503 });
    clock.advanceSeconds(seconds);

    const { grantId } = await adopt();
    await salesforce.close();

    expect(emulator.liveTokens()).toMatchObject({ refreshTokens: 1 });
    expect(await statusOf(salesforce, grantId)).toBe(200);
  });

  it('tries the host that is given if another one has refused the token', async () => {
    const elsewhere = await startTestEmulator();
    const allowedHosts = [new URL(elsewhere.url).host];
    const { emulator, salesforce, refreshToken, client } = await start({ policy, options: { allowedHosts } });
    elsewhere.registerClient({ callbackURLs: [], clientID: client.clientID, clientSecret: client.clientSecret });
    const adoptAt = (baseUrl: string) => salesforce.tokens.adopt({ refreshToken, baseUrl });
    const refused = { code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' };

    await expect(adoptAt(elsewhere.url)).rejects.toMatchObject(refused);
    await expect(adoptAt(elsewhere.url)).rejects.toMatchObject(refused);

    expect((await adoptAt(emulator.url)).user.displayName).toBe('Ada Fake');
    expect([...presentationsOf(elsewhere), ...presentationsOf(emulator)]).toEqual([1, 1]);
  });

  it('takes a token without the scope for the identity URL if login.profileSource is id', async () => {
    const { adopt } = await start({ policy, scope: 'api refresh_token', options: { login: { profileSource: 'id' } } });

    expect(Object.keys((await adopt()).user).sort()).toEqual(['organizationId', 'userId']);
  });

  it('stores nothing for a user whose identity is not proven, and loses no token by it', async () => {
    const { emulator, adopt, salesforce } = await start({ policy });
    emulator.faults.inject({ on: 'refresh', kind: 'reply', change: (reply) => ({ ...reply, signature: 'AAAA' }) });

    await expect(adopt()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_SIGNATURE_INVALID' });
    expect(await collect(salesforce.tokens.list())).toEqual([]);

    expect(await statusOf(salesforce, (await adopt()).grantId)).toBe(200);
  });

  it.each([
    ['the grant', 3],
    ['the end of the adoption', 4],
  ])('goes on where it was if the store did not save %s', async (_what, failing) => {
    const { emulator, adopt, salesforce, store } = await start({ policy });
    const put = store.put.bind(store);
    let puts = 0;
    jest
      .spyOn(store, 'put')
      .mockImplementation((...write) => (++puts === failing ? Promise.reject(new Error('down')) : put(...write)));

    await adopt().catch(() => undefined);
    expect(puts).toBe(failing);
    const { grantId } = await adopt();
    emulator.expireAccessTokens();

    expect(await statusOf(salesforce, grantId)).toBe(200);
    await salesforce.close();
    expect(emulator.liveTokens()).toMatchObject({ refreshTokens: 1 });
    expect(Math.max(...presentationsOf(emulator))).toBe(rotation === 'on' ? 1 : 2);
  });

  it('leaves a grant alone that another process has made of the same token meanwhile', async () => {
    const { emulator, adopt, salesforce, store } = await start({ policy });
    const put = store.put.bind(store);
    let goOn = (): void => undefined;
    const mayGoOn = new Promise<void>((resolve) => (goOn = resolve));
    let puts = 0;
    // The first adoption is slow when it makes the grant.
    const slowly = jest.spyOn(store, 'put').mockImplementation(async (...write) => {
      if (++puts === 3) await mayGoOn;
      return put(...write);
    });
    const slow = adopt();
    while (puts < 3) await new Promise((resolve) => setImmediate(resolve));
    const { grantId } = await adopt();
    emulator.expireAccessTokens();
    expect(await statusOf(salesforce, grantId)).toBe(200);
    const presented = presentationsOf(emulator);

    goOn();

    expect((await slow).grantId).toBe(grantId);
    slowly.mockRestore();
    await salesforce.close();
    expect(presentationsOf(emulator)).toEqual(presented);
    expect(emulator.requests.filter(({ path }) => path.endsWith('/revoke'))).toEqual([]);
    expect(emulator.liveTokens().refreshTokens).toBe(1);
  });

  it('is found done by another process that waited for it, and looks late', async () => {
    const { emulator, adopt, store, client, clock, refreshToken } = await start({ policy });
    let isOver: Promise<unknown> = Promise.resolve();
    const late = new Proxy(store, {
      get(target, name) {
        if (name === 'read') return (grantId: string) => isOver.then(() => target.read(grantId));
        const member = Reflect.get(target, name) as unknown;
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    const other = await startApp({ emulator, create: onClient(emulator, client, { store: late, clock }) });
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    const first = adopt();
    await held.reached;
    const waits = new Promise((resolve) => other.salesforce.events.once('claim.delayed', resolve));
    const second = other.salesforce.tokens.adopt({ refreshToken });
    await waits;
    isOver = first;

    held.release();

    expect(await clock.advanceUntil(second)).toEqual(await first);
    expect(presentationsOf(emulator)).toEqual([1]);
  });

  it('does not bring back what the user logged out of', async () => {
    const { emulator, adopt, salesforce } = await start({ policy });
    await salesforce.tokens.revoke((await adopt()).grantId);

    await expect(adopt()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' });

    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect(presentationsOf(emulator)).toEqual([1]);
  });

  it('revokes the tokens of an organization that is not allowed', async () => {
    const { emulator, adopt, salesforce } = await start({
      policy,
      options: { allowedOrganizations: ['00D000000000009AAA'] },
    });

    await expect(adopt()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_ORGANIZATION_NOT_ALLOWED', status: 403 });

    await settled(() => emulator.liveTokens().refreshTokens === 0);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect(await collect(salesforce.tokens.list())).toEqual([]);
    await expect(adopt()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' });
    expect(presentationsOf(emulator)).toEqual([1]);
  });
});

describe('a lost answer to an adoption', () => {
  it('costs one login, and no second presentation, if the token was spent', async () => {
    const { emulator, adopt, clock } = await start({ policy: { rotateRefreshTokens: true } });
    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'after' });
    await expect(adopt()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' });
    clock.advanceSeconds(10);

    await expect(adopt()).rejects.toMatchObject({ code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' });

    expect(presentationsOf(emulator)).toEqual([1]);
  });

  it('is waited out for inDoubtMs if Salesforce does not tell a public client', async () => {
    const { emulator, adopt, clock } = await start({
      clientSecret: false,
      options: { login: { profileSource: 'userinfo' } },
    });
    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'after' });
    const codes: unknown[] = [];
    for (let look = 0; look < 60 && codes.at(-1) !== 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED'; look++) {
      await adopt().catch((error: unknown) => codes.push((error as { code: unknown }).code));
      clock.advanceSeconds(11);
    }

    expect(codes.length).toBeGreaterThan(20);
    expect(new Set(codes)).toEqual(
      new Set(['ERR_SALESFORCE_REFRESH_IN_DOUBT', 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED']),
    );
    expect(presentationsOf(emulator)).toEqual([1]);
  });
});

describe('req.salesforce.adopt()', () => {
  it('logs a session in as a login does', async () => {
    const onLogin = jest.fn();
    const { emulator, refreshToken, adoption, browser, userId } = await start({ options: { onLogin } });
    const tab = browser();
    adoption.given = { refreshToken };

    const { body, headers } = await tab.post('/adopt');

    expect(body).toMatchObject({ isAuthenticated: true, user: { userId, displayName: 'Ada Fake' } });
    expect(headers['set-cookie']).toHaveLength(1);
    expect(onLogin).toHaveBeenCalledTimes(1);
    expect((await tab.get('/accounts')).status).toBe(200);
    emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).status).toBe(200);

    await tab.post('/auth/salesforce/logout');
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect((await tab.post('/adopt')).status).toBe(401);
  });

  it('gives the session a new id, and what was in it goes', async () => {
    const { emulator, refreshToken, adoption, browser } = await start();
    const tab = browser();
    await logIn(tab, emulator, { user: 2 });
    const before = (await tab.get('/headers')).body.headers.cookie as string;
    adoption.given = { refreshToken };

    await tab.post('/adopt');

    expect((await tab.get('/me')).body.user.userId).toBe(emulator.users[0]!.userId);
    expect((await tab.get('/headers')).body.headers.cookie).not.toBe(before);
    expect((await browser().get('/me').set('Cookie', before)).status).toBe(401);
  });

  it('takes the grant that a job has made, for each of the sessions of its user', async () => {
    const { emulator, salesforce, adopt, adoption, browser } = await start();
    const { grantId } = await adopt();
    const [one, other] = [browser(), browser()];
    adoption.given = { grantId };

    await one.post('/adopt');
    await other.post('/adopt');

    expect((await one.get('/accounts')).status).toBe(200);
    await one.post('/auth/salesforce/logout');
    expect((await other.get('/accounts')).status).toBe(200);
    await other.post('/auth/salesforce/logout');
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
    expect(await salesforce.tokens.find(grantId)).toBeUndefined();
  });

  it('takes the token that a job has adopted, without presenting it again', async () => {
    const { emulator, refreshToken, adopt, adoption, browser } = await start();
    await adopt();
    adoption.given = { refreshToken };
    const [one, other] = [browser(), browser()];

    const answers = await Promise.all([one.post('/adopt'), other.post('/adopt'), one.post('/adopt')]);

    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await other.get('/accounts')).status).toBe(200);
    expect(presentationsOf(emulator)).toEqual([1]);
  });

  it('adds the login to those the session has if it is told to', async () => {
    const { emulator, refreshToken, adoption, browser } = await start();
    const tab = browser();
    await logIn(tab, emulator, { user: 2 });
    adoption.given = { refreshToken, add: true };

    await tab.post('/adopt');

    expect((await tab.get('/me')).body.user.userId).toBe(emulator.users[0]!.userId);
    expect((await tab.get('/logins')).body).toEqual([0, 2].map((user) => emulator.users[user]!.userId));
  });

  it('revokes the tokens of a user whom the application refuses, as after a login', async () => {
    const { emulator, refreshToken, adoption, browser } = await start({ options: { authorizeUser: () => false } });
    adoption.given = { refreshToken };

    const { status, body } = await browser().post('/adopt');

    expect([status, body.code]).toEqual([403, 'ERR_SALESFORCE_USER_NOT_ALLOWED']);
    await settled(() => emulator.liveTokens().refreshTokens === 0);
    expect(emulator.liveTokens().refreshTokens).toBe(0);
  });

  it('keeps the token if the application cannot say whether the user may log in', async () => {
    const authorizeUser = jest.fn().mockRejectedValueOnce(new Error('The directory is down.')).mockResolvedValue(true);
    const { emulator, refreshToken, adoption, browser } = await start({ options: { authorizeUser } });
    const tab = browser();
    adoption.given = { refreshToken };

    expect((await tab.post('/adopt')).status).toBe(500);
    expect((await tab.post('/adopt')).status).toBe(200);

    expect((await tab.get('/accounts')).status).toBe(200);
    expect(presentationsOf(emulator)).toEqual([1]);
    expect(authorizeUser).toHaveBeenCalledTimes(2);
  });

  it('counts the life of tokens that waited for the application from their refresh', async () => {
    const authorizeUser = jest.fn().mockRejectedValueOnce(new Error('The directory is down.')).mockResolvedValue(true);
    const { store, refreshToken, adoption, browser, clock } = await start({
      policy: { accessTokenFormat: 'jwt', jwtTimeoutSeconds: 7_200 },
      options: { authorizeUser },
    });
    const tab = browser();
    adoption.given = { refreshToken };

    expect((await tab.post('/adopt')).status).toBe(500);
    clock.advanceSeconds(3_600);
    expect((await tab.post('/adopt')).status).toBe(200);

    const records = await collect(store.list());
    const { hardInMs } = records.find(({ labels }) => labels.userId !== '')!;
    expect(hardInMs).toBeLessThanOrEqual(3_600_000);
    expect(hardInMs).toBeGreaterThan(3_500_000);
  });

  it('does not let a user in by a grant of a job whom the application refuses', async () => {
    const { salesforce, adopt, adoption, browser } = await start({ options: { authorizeUser: () => false } });
    const { grantId } = await adopt();
    adoption.given = { grantId };
    const tab = browser();

    expect((await tab.post('/adopt')).status).toBe(403);
    expect((await tab.get('/me')).status).toBe(401);
    expect(await statusOf(salesforce, grantId)).toBe(200);
  });

  it('belongs to the tenant of the request', async () => {
    let tenant = 'one';
    const emulator = await startTestEmulator();
    const scene = await start({
      emulator,
      create: (client, callbackURL) =>
        salesforceAuth({
          ...{ tenant: () => tenant, encryptionKeys: false, report: false },
          configuration: () => ({
            ...{ clientID: client.clientID, clientSecret: client.clientSecret, callbackURL, baseUrl: emulator.url },
            scope: 'id api refresh_token',
          }),
        }),
    });
    const { salesforce, refreshToken, adoption, browser } = scene;
    const { grantId } = await salesforce.tokens.adopt({ refreshToken, tenant: 'one' });
    adoption.given = { grantId };
    const tab = browser();

    tenant = 'other';
    expect((await tab.post('/adopt')).status).toBe(401);
    tenant = 'one';
    expect((await tab.post('/adopt')).status).toBe(200);
    expect((await tab.get('/me')).body.grantId).toBe(grantId);
  });

  it.each<[string, object]>([
    ['neither token nor grant', {}],
    ['both', { refreshToken: 'x', grantId: 'y' }],
    ['a token with a blank', { refreshToken: 'x y' }],
    ['a token that is no text', { refreshToken: 5 }],
    ['a misspelt option', { refreshtoken: 'x' }],
    ['a host that is not one of Salesforce', { refreshToken: 'x', baseUrl: 'https://attacker.example' }],
  ])('is a mistake of the program with %s', async (_what, given) => {
    const { emulator, adoption, browser } = await start();
    adoption.given = given as SessionAdoption;

    const { body } = await browser().post('/adopt');

    expect(body.code).toMatch(/^ERR_SALESFORCE_(OPTION_(INVALID|UNKNOWN)|BASE_URL_NOT_ALLOWED)$/);
    expect(presentationsOf(emulator)).toEqual([]);
  });
});
