/** @again newest-node legacy-policy */
import { logIn } from '../helpers/app';
import { loggedIn, refreshes } from './support';

describe('a token that has ended', () => {
  it('is refreshed as well where refresh tokens do not rotate', async () => {
    const { emulator, tab } = await loggedIn({ policy: { rotateRefreshTokens: false } });

    for (let round = 0; round < 3; round++) {
      emulator.expireAccessTokens();
      expect((await tab.get('/accounts')).status).toBe(200);
    }

    expect([...emulator.presentations.values()]).toEqual([3]);
  });

  it('is followed to another instance', async () => {
    const { emulator, tab } = await loggedIn();
    const moved = emulator.moveInstance();

    const accounts = await tab.get('/accounts');

    expect(accounts.status).toBe(200);
    expect((await tab.get('/token')).body.instanceUrl).toBe(moved);
  });
});

describe('staleness', () => {
  it('refreshes in the background when most of the life is over, and nobody waits', async () => {
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

  it('waits for a refresh when the whole session timeout is over', async () => {
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
  ])('goes by %s where there is one', async (_what, policy, life) => {
    const { emulator, clock, tab } = await loggedIn({ policy: { rotateRefreshTokens: true, ...policy } });

    clock.advanceSeconds(life * 0.7);
    await tab.get('/token');
    expect(refreshes(emulator)).toHaveLength(0);

    clock.advanceSeconds(life * 0.25);
    const before = (await tab.get('/token')).body.accessToken as string;
    expect(refreshes(emulator)).toHaveLength(1);
    expect((await tab.get('/token')).body.accessToken).toBe(before);
  });

  it('is not put off by a wall clock that is set back, and one that jumps ahead costs a refresh', async () => {
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

  it('takes no trip to the store while the record is warm', async () => {
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
  ])('with %s logs nobody out and is tried again later', async (_what, fault) => {
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

  it('honours Retry-After for all requests', async () => {
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

  it('is tried once per backoff through an outage, not once per request', async () => {
    const { emulator, clock, tab } = await loggedIn({ policy: { rotateRefreshTokens: true, expiresInSeconds: 600 } });
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503, times: Infinity });
    clock.advanceSeconds(600);

    for (let request = 0; request < 100; request++) await tab.get('/token');

    expect(refreshes(emulator)).toHaveLength(1);
  });

  it('serves a token whose end is only presumed while Salesforce is down', async () => {
    const { emulator, clock, tab } = await loggedIn();
    emulator.faults.inject({ on: 'refresh', kind: 'status', status: 503, times: Infinity });
    clock.advanceSeconds(3 * 7200);

    expect((await tab.get('/token')).status).toBe(200);
  });

  it('waits no longer than waitMs, and goes on without the request', async () => {
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

  it('because the grant is revoked asks for a new login, once and for all', async () => {
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

  it('because no refresh token was granted asks for a new login', async () => {
    const { emulator, tab } = await loggedIn({ options: { scope: 'id api' } });
    expect((await tab.get('/accounts')).status).toBe(200);
    emulator.expireAccessTokens();

    expect((await tab.get('/accounts')).body.code).toBe('ERR_SALESFORCE_REAUTHENTICATION_REQUIRED');
    expect(refreshes(emulator)).toHaveLength(0);
  });

  it('with a foreign instance_url reports it, keeps the rotated token, and goes on with the old instance', async () => {
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
  it('is resolved by introspection where the request was never carried out', async () => {
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
  ])('(%s) after the rotation ends in one new login, and no spent token is presented', async (_what, fault) => {
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

  it.each<[string, { signature?: string | undefined; id?: string | undefined }]>([
    // For some minutes after a Consumer Secret was replaced, Salesforce may sign with the other one.
    ['is signed with another secret', { signature: 'x'.repeat(44) }],
    ['is not signed', { signature: undefined }],
    ['names the user at a host that is not known', { id: 'https://login.example.com/id/%s/%s' }],
    ['does not name the user', { id: undefined }],
  ])('whose reply %s keeps its rotated tokens', async (_what, changes) => {
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

  it('goes unnoticed while the old access token lives', async () => {
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

  it('is held for a public client, whose introspection proves nothing, and given up after inDoubtMs', async () => {
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

  it('is presented again under onLostAnswer gamble', async () => {
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

  it('asks for a login at once under onLostAnswer reauth', async () => {
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

  it('because it is "already being processed" elsewhere is looked into, not repeated', async () => {
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

  it('without an answer for longer than httpTimeoutMs counts as lost', async () => {
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
});
