/** @again legacy-policy */
import type { Emulator } from '../../lib/emulator';
import { startTestEmulator } from '../helpers/emulator';
import { assertNoViolations, takeViolations } from '../helpers/oracle';
import { get, logIn, post, refresh } from './support';

let emulator: Emulator;
beforeEach(async () => {
  emulator = await startTestEmulator();
});

const setPolicy = (changes: Parameters<Emulator['setPolicy']>[1]): void => {
  emulator.setPolicy(emulator.clients[0]!.clientID, changes);
};

/** The refresh token to present next: a new one if the reply has one. */
function latest(before: string, { json }: Awaited<ReturnType<typeof refresh>>): string {
  return 'refresh_token' in json ? json.refresh_token : before;
}

const expired = { status: 400, json: { error: 'invalid_grant', error_description: 'expired access/refresh token' } };
const busy = {
  status: 400,
  json: { error: 'invalid_grant', error_description: 'token request is already being processed' },
};

describe('POST /services/oauth2/token with a refresh token', () => {
  it('answers without a refresh token if rotation is off, and the old token stays valid', async () => {
    emulator = await startTestEmulator({ policy: { rotateRefreshTokens: false } });
    const before = await logIn(emulator);

    const first = await refresh(emulator, before.refresh_token);
    const second = await refresh(emulator, before.refresh_token);

    expect(first.json).not.toHaveProperty('refresh_token');
    expect(first.json.access_token).not.toBe(before.access_token);
    expect(first.json).toMatchObject({ id: before.id, instance_url: emulator.url, id_token: expect.any(String) });
    expect(second.status).toBe(200);
    expect(emulator.presentations.get(before.refresh_token)).toBe(2);
  });

  it('gives a new refresh token with every refresh if rotation is on', async () => {
    setPolicy({ rotateRefreshTokens: true });
    const before = await logIn(emulator);

    const first = await refresh(emulator, before.refresh_token);
    const second = await refresh(emulator, first.json.refresh_token);

    expect(new Set([before, first.json, second.json].map((reply) => reply.refresh_token)).size).toBe(3);
    expect(emulator.liveTokens().refreshTokens).toBe(1);
  });

  it('revokes the whole grant when a spent token is presented, and records the violation', async () => {
    setPolicy({ rotateRefreshTokens: true });
    const before = await logIn(emulator);
    const current = (await refresh(emulator, before.refresh_token)).json;

    const reuse = await refresh(emulator, before.refresh_token);

    expect(reuse).toMatchObject(expired);
    expect(takeViolations(emulator)).toMatchObject([
      { kind: 'spent', username: emulator.users[0]!.username, presentation: 2 },
    ]);
    expect(await refresh(emulator, current.refresh_token)).toMatchObject(expired);
    expect((await get(`${emulator.url}/services/data/v64.0/limits`, current.access_token)).status).toBe(401);
    expect(emulator.liveTokens()).toEqual({ accessTokens: 0, refreshTokens: 0 });
  });

  it('processes one refresh per token at a time, refuses the other and records the violation', async () => {
    const { refresh_token } = await logIn(emulator);
    const fault = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    const first = refresh(emulator, refresh_token);
    await fault.reached;

    const second = await refresh(emulator, refresh_token);
    fault.release();

    expect(second).toMatchObject(busy);
    expect((await first).status).toBe(200);
    expect(takeViolations(emulator)).toMatchObject([{ kind: 'overlapping', presentation: 2 }]);
    expect((await refresh(emulator, latest(refresh_token, await first))).status).toBe(200);
  });

  it('processes refreshes of different tokens at the same time', async () => {
    const [one, other] = [await logIn(emulator), await logIn(emulator)];
    const fault = emulator.faults.inject({ on: 'refresh', kind: 'hold' });
    const first = refresh(emulator, one.refresh_token);
    await fault.reached;

    expect((await refresh(emulator, other.refresh_token)).status).toBe(200);
    fault.release();
    expect((await first).status).toBe(200);
  });

  it('does not count a revoked or unknown token as a violation', async () => {
    const { refresh_token } = await logIn(emulator);
    emulator.revokeRefreshTokens();

    expect(await refresh(emulator, refresh_token)).toMatchObject(expired);
    expect(await refresh(emulator, 'no such token')).toMatchObject(expired);
    expect(emulator.violations).toEqual([]);
    expect(emulator.presentations.get('no such token')).toBe(1);
  });

  it('keeps five approvals per user and app and revokes the oldest', async () => {
    const tokens: string[] = [];
    for (let login = 0; login < 6; login++) tokens.push((await logIn(emulator)).refresh_token);
    await logIn(emulator, { user: emulator.users[1]! });

    expect(emulator.liveTokens({ username: emulator.users[0]!.username }).refreshTokens).toBe(5);
    expect(await refresh(emulator, tokens[0]!)).toMatchObject(expired);
    expect((await refresh(emulator, tokens[1]!)).status).toBe(200);
  });

  it.each([
    ['immediately', 'immediate' as const, 0, 0],
    ['when it is idle too long', { idleSeconds: 100 }, 90, 110],
    ['some time after the approval', { absoluteSeconds: 100 }, 90, 20],
  ])('lets a refresh token expire %s', async (_, refreshTokenPolicy, first, second) => {
    setPolicy({ refreshTokenPolicy });
    let { refresh_token } = await logIn(emulator);

    if (first > 0) {
      emulator.clock.advanceSeconds(first);
      const reply = await refresh(emulator, refresh_token);
      expect(reply.status).toBe(200);
      refresh_token = latest(refresh_token, reply);
      emulator.clock.advanceSeconds(second);
    }
    expect(await refresh(emulator, refresh_token)).toMatchObject(expired);
  });

  it('counts the idle TTL from the last use', async () => {
    setPolicy({ idleTTLSeconds: 100, locked: false });
    let { refresh_token } = await logIn(emulator);

    for (let use = 0; use < 2; use++) {
      emulator.clock.advanceSeconds(90);
      const reply = await refresh(emulator, refresh_token);
      expect(reply.status).toBe(200);
      refresh_token = latest(refresh_token, reply);
    }
    emulator.clock.advanceSeconds(110);
    expect(await refresh(emulator, refresh_token)).toMatchObject(expired);
  });

  it.each([
    ['blocked', { blocked: true }, 'app_blocked'],
    ['uninstalled', { appInstalled: false }, 'app_not_found'],
    ['not approved for the user', { adminApprovedUsers: [] }, 'invalid_app_access'],
  ])('refuses an app that is %s', async (_, policy, error) => {
    const { refresh_token } = await logIn(emulator);
    setPolicy(policy);

    expect((await refresh(emulator, refresh_token)).json['error']).toBe(error);
  });

  it('refuses a user who is no longer active', async () => {
    const { refresh_token } = await logIn(emulator);
    emulator.users[0]!.active = false;

    expect((await refresh(emulator, refresh_token)).json['error_description']).toBe('inactive user');
  });

  it('refuses the token of another client', async () => {
    const { refresh_token } = await logIn(emulator);
    const other = emulator.registerClient({ callbackURLs: ['http://localhost/other'] });

    const reply = await refresh(emulator, refresh_token, {
      client_id: other.clientID,
      client_secret: other.clientSecret,
    });

    expect(reply).toMatchObject(expired);
    expect(emulator.liveTokens().refreshTokens).toBe(1);
  });

  it('sends expires_in only if the policy says so', async () => {
    setPolicy({ expiresInSeconds: 900 });

    expect((await logIn(emulator))['expires_in']).toBe(900);
  });
});

describe('moveInstance', () => {
  it('ends sessions, names the new instance at the next refresh, and serves data there only', async () => {
    const before = await logIn(emulator);
    const limits = '/services/data/v64.0/limits';

    const moved = emulator.moveInstance();
    const old = await get(emulator.url + limits, before.access_token);
    const { json } = await refresh(emulator, before.refresh_token);

    expect(old).toMatchObject({ status: 401, json: [{ errorCode: 'INVALID_SESSION_ID' }] });
    expect(json['instance_url']).toBe(moved);
    expect(moved).not.toBe(emulator.url);
    expect((await get(moved + limits, json.access_token)).status).toBe(200);
    expect((await get(emulator.url + limits, json.access_token)).status).toBe(401);
  });

  it('can move a single organization', async () => {
    const organizationId = emulator.users[2]!.organizationId;

    const moved = emulator.moveInstance(undefined, organizationId);

    expect((await logIn(emulator))['instance_url']).toBe(emulator.url);
    expect((await logIn(emulator, { user: emulator.users[2]! }))['instance_url']).toBe(moved);
  });
});

describe('the oracle', () => {
  it('fails a test that presented a spent token, with an explanation', async () => {
    setPolicy({ rotateRefreshTokens: true });
    const { refresh_token } = await logIn(emulator);
    await refresh(emulator, refresh_token);
    await refresh(emulator, refresh_token);

    expect(assertNoViolations).toThrow(/spent: ….{8} of ada@acme.example, presentation 2/);
    expect(emulator.violations).toEqual([]);
  });

  it('allows introspection and revocation of a spent token', async () => {
    setPolicy({ rotateRefreshTokens: true });
    const { refresh_token } = await logIn(emulator);
    await refresh(emulator, refresh_token);
    const { clientID, clientSecret } = emulator.clients[0]!;

    const form = { token: refresh_token, client_id: clientID, client_secret: clientSecret };
    expect((await post(`${emulator.url}/services/oauth2/introspect`, form)).json).toEqual({ active: false });
    expect((await post(`${emulator.url}/services/oauth2/revoke`, form)).status).toBe(400);
    expect(emulator.violations).toEqual([]);
    expect(emulator.presentations.get(refresh_token)).toBe(1);
  });
});
