/** @again newest-node legacy-policy */
import { logIn } from '../helpers/app';
import { loggedIn, refreshes } from './support';

describe('a token that has ended', () => {
  it('is refreshed with the same refresh token each time if rotation is off', async () => {
    const { emulator, tab } = await loggedIn({ policy: { rotateRefreshTokens: false } });

    for (let round = 0; round < 3; round++) {
      emulator.expireAccessTokens();
      expect((await tab.get('/accounts')).status).toBe(200);
    }

    expect([...emulator.presentations.values()]).toEqual([3]);
  });

  it('is refreshed to the new instance after the organization has moved', async () => {
    const { emulator, tab } = await loggedIn();
    const moved = emulator.moveInstance();

    const accounts = await tab.get('/accounts');

    expect(accounts.status).toBe(200);
    expect((await tab.get('/token')).body.instanceUrl).toBe(moved);
  });

  it.each<[string, { signature?: string | undefined; id?: string | undefined }]>([
    // For some minutes after a Consumer Secret was replaced, Salesforce may sign with the other one.
    ['is signed with another secret', { signature: 'x'.repeat(44) }],
    ['is not signed', { signature: undefined }],
    ['names the user at a host that is not known', { id: 'https://login.example.com/id/%s/%s' }],
    ['does not name the user', { id: undefined }],
  ])('is refreshed, and the rotated tokens are kept, if the reply %s', async (_what, changes) => {
    const { emulator, tab } = await loggedIn();
    const { organizationId, userId } = emulator.users[0]!;
    const id = changes.id?.replace('%s', organizationId).replace('%s', userId);
    emulator.expireAccessTokens();
    emulator.faults.inject({
      on: 'refresh',
      kind: 'reply',
      change: (reply: object) => ({ ...reply, ...changes, ...('id' in changes ? { id } : {}) }),
    });

    expect((await tab.get('/accounts')).status).toBe(200);
    emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).status).toBe(200);
    expect([...emulator.presentations.values()]).toEqual([1, 1]);
  });
});

describe('the age of an access token', () => {
  it('begins a refresh in the background near its end, and no request waits', async () => {
    const { emulator, clock, tab, salesforce } = await loggedIn();
    const before = (await tab.get('/token')).body.accessToken as string;
    clock.advanceSeconds(0.95 * 7200);
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    const done = new Promise((resolve) => salesforce.events.once('refresh.succeeded', resolve));

    const during = (await tab.get('/token')).body.accessToken as string;
    await held.reached;
    held.release();
    await done;

    expect(during).toBe(before);
    expect((await tab.get('/token')).body.accessToken).not.toBe(before);
    expect(refreshes(emulator)).toHaveLength(1);
  });

  it('makes the request wait for a refresh once sessionTimeoutSeconds are over', async () => {
    const { emulator, clock, tab } = await loggedIn({ options: { sessionTimeoutSeconds: 900 } });
    const before = (await tab.get('/token')).body.accessToken as string;
    clock.advanceSeconds(901);

    const after = (await tab.get('/token')).body.accessToken as string;

    expect(after).not.toBe(before);
    expect(refreshes(emulator)).toHaveLength(1);
  });

  it.each([
    ['expires_in', { expiresInSeconds: 600 }, 600],
    ['the exp of a JWT', { accessTokenFormat: 'jwt' as const, jwtTimeoutSeconds: 600 }, 600],
  ])('is counted against %s if the reply has one', async (_what, policy, life) => {
    const { emulator, clock, tab } = await loggedIn({ policy: { rotateRefreshTokens: true, ...policy } });

    clock.advanceSeconds(life * 0.7);
    await tab.get('/token');
    expect(refreshes(emulator)).toHaveLength(0);

    clock.advanceSeconds(life * 0.25);
    const before = (await tab.get('/token')).body.accessToken as string;
    expect(refreshes(emulator)).toHaveLength(1);
    expect((await tab.get('/token')).body.accessToken).toBe(before);
  });

  it('ignores a wall clock that is set back, and counts one that jumps ahead, as after sleep', async () => {
    const { emulator, clock, tab } = await loggedIn();
    const jump = async (days: number): Promise<number> => {
      clock.jumpMs(days * 24 * 60 * 60 * 1000);
      expect((await tab.get('/accounts')).status).toBe(200);
      return refreshes(emulator).length;
    };

    expect(await jump(-1)).toBe(0);
    // As after a night in which the machine slept.
    expect(await jump(1)).toBe(0);
    expect(await jump(1)).toBe(1);
    expect(await jump(-2)).toBe(1);
  });

  it('is known in memory for cacheMs, without asking the store', async () => {
    const { MemoryTokenStore } = await import('../../lib');
    const store = new MemoryTokenStore();
    const reads = jest.spyOn(store, 'read');
    const { tab } = await loggedIn({ options: { store } });
    await tab.get('/token');
    const before = reads.mock.calls.length;

    for (let request = 0; request < 10; request++) await tab.get('/token');

    expect(reads.mock.calls.length).toBe(before);
  });
});

describe('a refresh that fails', () => {
  it.each([
    ['503', { kind: 'status', status: 503 }],
    ['429', { kind: 'status', status: 429, retryAfterSeconds: 3 }],
    ['server_error', { kind: 'error', error: 'server_error', status: 500 }],
    ['invalid_client', { kind: 'error', error: 'invalid_client', errorDescription: 'invalid client credentials' }],
    ['ip restricted', { kind: 'error', error: 'invalid_grant', errorDescription: 'ip restricted' }],
  ])('with %s logs no user out, and is tried again later', async (_what, fault) => {
    const { emulator, clock, tab } = await loggedIn({ policy: { rotateRefreshTokens: true, expiresInSeconds: 600 } });
    emulator.faults.inject({ on: 'refresh', ...fault } as never);
    clock.advanceSeconds(600);

    const failed = await tab.get('/token');
    const again = await tab.get('/token');
    clock.advanceSeconds(120);
    const later = await tab.get('/token');

    expect([502, 503]).toContain(failed.status);
    // A wrong setting keeps its own status until Salesforce is asked again.
    expect(again.status).toBe(failed.status === 502 ? 502 : 503);
    expect(Number(again.headers['retry-after'])).toBeGreaterThan(0);
    expect(later.status).toBe(200);
    expect(refreshes(emulator)).toHaveLength(2);
  });

  it('keeps all requests from trying again before Retry-After is over', async () => {
    const { emulator, clock, tab } = await loggedIn({ policy: { rotateRefreshTokens: true, expiresInSeconds: 600 } });
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 429, retryAfterSeconds: 300 });
    clock.advanceSeconds(600);
    await tab.get('/token');
    clock.advanceSeconds(299);

    expect((await tab.get('/token')).status).toBe(503);
    expect(refreshes(emulator)).toHaveLength(1);
    clock.advanceSeconds(62);
    expect((await tab.get('/token')).status).toBe(200);
  });

  it('is tried once in each pause of an outage, not once for each request', async () => {
    const { emulator, clock, tab } = await loggedIn({ policy: { rotateRefreshTokens: true, expiresInSeconds: 600 } });
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503, times: Infinity });
    clock.advanceSeconds(600);

    for (let request = 0; request < 100; request++) await tab.get('/token');

    expect(refreshes(emulator)).toHaveLength(1);
  });

  it('leaves the access token in use while its end is only presumed', async () => {
    const { emulator, clock, tab } = await loggedIn();
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503, times: Infinity });
    clock.advanceSeconds(3 * 7200);

    expect((await tab.get('/token')).status).toBe(200);
  });

  it('goes on after the request has waited for waitMs and was answered 503', async () => {
    const { emulator, clock, tab, salesforce } = await loggedIn({
      policy: { rotateRefreshTokens: true, expiresInSeconds: 600 },
      options: { refresh: { waitMs: 1_000 } },
    });
    clock.advanceSeconds(600);
    const held = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    const done = new Promise((resolve) => salesforce.events.once('refresh.succeeded', resolve));
    const waiting = tab.get('/token').then((answer) => answer);
    await held.reached;

    const answer = await clock.advanceUntil(waiting);
    held.release();
    await done;

    expect(answer.status).toBe(503);
    expect(answer.body.code).toBe('ERR_SALESFORCE_REFRESH_DELAYED');
    expect(answer.headers['retry-after']).toBe('1');
    expect((await tab.get('/token')).status).toBe(200);
    expect(refreshes(emulator)).toHaveLength(1);
  });

  it('because the refresh token is revoked ends the grant, and Salesforce is not asked again', async () => {
    const { emulator, tab, salesforce } = await loggedIn();
    const lost: unknown[] = [];
    salesforce.events.on('refresh.ended', (event) => lost.push(event));
    emulator.revokeRefreshTokens();

    const answers = [await tab.get('/accounts'), await tab.get('/accounts'), await tab.get('/accounts')];

    expect(answers.map(({ status }) => status)).toEqual([401, 401, 401]);
    expect(answers[0]!.body.code).toBe('ERR_SALESFORCE_REAUTHENTICATION_REQUIRED');
    expect(refreshes(emulator)).toHaveLength(1);
    expect(lost).toHaveLength(1);
    await logIn(tab, emulator);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('because the grant has no refresh token asks for a login', async () => {
    const { emulator, tab } = await loggedIn({ options: { scope: 'id api' } });
    expect((await tab.get('/accounts')).status).toBe(200);
    emulator.expireAccessTokens();

    expect((await tab.get('/accounts')).body.code).toBe('ERR_SALESFORCE_REAUTHENTICATION_REQUIRED');
    expect(refreshes(emulator)).toHaveLength(0);
  });

  it('with an untrusted instance_url is reported; the rotated token is kept, and the old instance stays in use', async () => {
    const { emulator, tab } = await loggedIn();
    emulator.expireAccessTokens();
    emulator.faults.inject({
      on: 'refresh',
      kind: 'reply',
      change: (reply) => ({ ...reply, instance_url: 'https://evil.example' }),
    });

    expect((await tab.get('/accounts')).body.code).toBe('ERR_SALESFORCE_HOST_NOT_TRUSTED');
    expect((await tab.get('/accounts')).status).toBe(200);
    emulator.expireAccessTokens();
    expect((await tab.get('/accounts')).status).toBe(200);
  });
});

describe('a refresh whose answer is lost', () => {
  it('is looked into by introspection, and repeated if the request was not carried out', async () => {
    const { emulator, clock, tab } = await loggedIn();
    emulator.expireAccessTokens();
    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'before' });

    const held = await tab.get('/accounts');
    clock.advanceSeconds(6);
    const resolved = await tab.get('/accounts');

    expect(held.body.code).toBe('ERR_SALESFORCE_REFRESH_IN_DOUBT');
    expect(held.status).toBe(503);
    expect(resolved.status).toBe(200);
    expect([...emulator.presentations.values()]).toEqual([2]);
  });

  it.each([
    ['dropped', { kind: 'drop', when: 'after' }],
    ['a web page', { kind: 'html', when: 'after' }],
    ['cut off', { kind: 'truncated', when: 'after' }],
    ['a 500', { kind: 'status', status: 500, when: 'after' }],
    [
      'of another user',
      {
        kind: 'reply',
        change: (reply: { id: string }) => ({ ...reply, id: reply.id.replace(/005\w{15}$/, '005000000000009AAA') }),
      },
    ],
  ])('(%s) after the rotation ends the grant: one login, and no spent token is presented', async (_what, fault) => {
    const { emulator, clock, tab } = await loggedIn();
    emulator.expireAccessTokens();
    emulator.faults.inject({ on: 'refresh', ...fault } as never);

    const held = await tab.get('/accounts');
    clock.advanceSeconds(6);
    const lost = await tab.get('/accounts');

    expect(held.body.code).toBe('ERR_SALESFORCE_REFRESH_IN_DOUBT');
    expect(lost.status).toBe(401);
    expect(lost.body).toMatchObject({ code: 'ERR_SALESFORCE_NOT_AUTHENTICATED', login: '/auth/salesforce' });
    expect([...emulator.presentations.values()]).toEqual([1]);
    await logIn(tab, emulator);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('goes unnoticed while the old access token works', async () => {
    const { emulator, clock, tab } = await loggedIn();
    clock.advanceSeconds(0.95 * 7200);
    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'before' });

    const statuses: number[] = [];
    for (let request = 0; request < 5; request++) {
      statuses.push((await tab.get('/accounts')).status);
      clock.advanceSeconds(3);
    }

    expect(statuses).toEqual([200, 200, 200, 200, 200]);
  });

  it('leaves the grant of a public client in doubt for inDoubtMs, since introspection tells it nothing', async () => {
    const { emulator, clock, tab } = await loggedIn({
      clientSecret: false,
      options: { refresh: { inDoubtMs: 60_000 } },
    });
    emulator.expireAccessTokens();
    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'after' });

    await tab.get('/accounts');
    const statuses: number[] = [];
    for (let look = 0; look < 8; look++) {
      clock.advanceSeconds(11);
      statuses.push((await tab.get('/accounts')).status);
    }

    expect(statuses.slice(0, 4)).toEqual([503, 503, 503, 503]);
    expect(statuses.at(-1)).toBe(401);
  });

  it("makes onLostAnswer 'retry' present the refresh token again", async () => {
    const { emulator, clock, tab } = await loggedIn({
      clientSecret: false,
      options: { refresh: { onLostAnswer: 'retry' } },
    });
    emulator.expireAccessTokens();
    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'before' });

    await tab.get('/accounts');
    clock.advanceSeconds(6);

    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it("makes onLostAnswer 'login' end the grant at the first look", async () => {
    const { emulator, clock, tab } = await loggedIn({
      clientSecret: false,
      options: { refresh: { onLostAnswer: 'login' } },
    });
    emulator.expireAccessTokens();
    emulator.faults.inject({ on: 'refresh', kind: 'drop', when: 'before' });

    await tab.get('/accounts');
    clock.advanceSeconds(6);

    expect((await tab.get('/accounts')).status).toBe(401);
  });

  it('is assumed if the token is "already being processed": introspection is asked, and nothing is presented meanwhile', async () => {
    const { emulator, clock, tab } = await loggedIn();
    emulator.expireAccessTokens();
    emulator.faults.inject({
      on: 'refresh',
      kind: 'error',
      error: 'invalid_grant',
      errorDescription: 'token request is already being processed',
    });

    const held = await tab.get('/accounts');
    clock.advanceSeconds(6);

    expect(held.status).toBe(503);
    expect((await tab.get('/accounts')).status).toBe(200);
  });

  it('is assumed if no answer came within httpTimeoutMs', async () => {
    const { emulator, clock, tab } = await loggedIn();
    emulator.expireAccessTokens();
    const hang = emulator.faults.inject({ on: 'refresh', kind: 'hang' });
    const waiting = tab.get('/accounts').then((answer) => answer);
    await hang.reached;

    const answer = await clock.advanceUntil(waiting, 1_000);
    clock.advanceSeconds(40);
    await clock.advanceUntil(tab.get('/accounts').then((later) => later));
    clock.advanceSeconds(40);

    expect(answer.body.code).toBe('ERR_SALESFORCE_REFRESH_DELAYED');
    expect((await clock.advanceUntil(tab.get('/accounts').then((later) => later))).status).toBe(200);
  });

  it.each<[string, () => Promise<Response>]>([
    ['never answers, whatever its signal says', () => new Promise(() => undefined)],
    ['gives a body without an end', () => Promise.resolve(new Response(new ReadableStream()))],
  ])('is assumed at httpTimeoutMs also if the option fetch %s', async (_what, answer) => {
    let isReached = (): void => undefined;
    const reached = new Promise<void>((resolve) => (isReached = resolve));
    const send = (url: string, init: RequestInit): Promise<Response> => {
      const isRefresh = new URLSearchParams(init.body as URLSearchParams).get('grant_type') === 'refresh_token';
      if (!isRefresh) return fetch(url, init);
      isReached();
      return answer();
    };
    const { emulator, clock, tab, salesforce } = await loggedIn({ options: { fetch: send } });
    const doubted = new Promise((resolve) => salesforce.events.once('refresh.doubted', resolve));
    emulator.expireAccessTokens();
    const waiting = tab.get('/accounts').then((answer) => answer);
    await reached;

    expect(await clock.advanceUntil(doubted, 1_000)).toMatchObject({ code: 'ERR_SALESFORCE_TIMEOUT' });
    expect((await waiting).status).toBe(503);
  });
});
