import type { TokenSet } from '../../lib/token/types';
import { Laboratory } from './laboratory';

/** Revokes tokens; by default those of the login. */
async function start(failures: number) {
  const lab = await Laboratory.open();
  const tokens = await lab.tokens();
  const { revocations } = lab.process().core;
  if (failures > 0) lab.faults.inject({ on: 'revoke', kind: 'status', status: 503, times: failures });
  lab.told();
  const revoke = (what: TokenSet = tokens, kept?: TokenSet): Promise<void> =>
    lab.process().run(() => revocations.revoke('grant', what, kept));
  const asked: number[] = [];
  const { provider } = lab.world.salesforce;
  const answer = lab.world.salesforce.answer.bind(lab.world.salesforce);
  jest.spyOn(lab.world.salesforce, 'answer').mockImplementation((...given) => {
    if (given[1].pathname.endsWith('/revoke')) asked.push(lab.process().clock.monotonic());
    return answer(...given);
  });
  const isLive = () => provider.grants.isRefreshTokenLive(tokens.refreshToken!);
  return { lab, tokens, revocations, revoke, asked, isLive };
}

describe('revoking', () => {
  it('ends the refresh token, and the access tokens with it', async () => {
    const { lab, revoke, isLive } = await start(0);

    await lab.during(revoke(), 100);

    expect(isLive()).toBe(false);
    expect(lab.told()).toEqual([['revocation.succeeded', { durationMs: 10 }]]);
  });

  it('does not revoke a token that is kept', async () => {
    const { lab, tokens, revoke, isLive } = await start(0);
    const { refreshToken: _none, ...alone } = tokens;

    await lab.during(revoke(tokens, { ...tokens, accessToken: '__fake_other__' }), 100);
    await lab.during(revoke(alone, { ...tokens, refreshToken: '__fake_other__' }), 100);

    expect(isLive()).toBe(true);
    expect(lab.told()).toEqual([]);
    await lab.during(revoke(tokens, { ...tokens, refreshToken: '__fake_other__', accessToken: '__fake_too__' }), 100);
    expect(isLive()).toBe(false);
  });

  it('goes on in the background while Salesforce cannot be reached, with longer pauses each time', async () => {
    const { lab, asked, revoke, isLive } = await start(4);

    await lab.during(revoke(), 100);
    expect(lab.told()).toEqual([]);
    await lab.world.elapse(200_000);

    expect(asked.slice(1).map((at, index) => at - asked[index]!)).toEqual([1_010, 5_010, 30_010, 120_010]);
    expect(lab.told()).toEqual([['revocation.succeeded', { durationMs: 156_050 }]]);
    expect(isLive()).toBe(false);
  });

  it('stops after five tries', async () => {
    const { lab, asked, revoke, isLive } = await start(9);

    await lab.during(revoke(), 100);
    await lab.world.elapse(1_000_000);

    expect(asked).toHaveLength(5);
    expect(lab.told()).toEqual([['revocation.failed', { durationMs: 156_050, code: undefined }]]);
    expect(isLive()).toBe(true);
  });

  it.each([
    [1, true, 2],
    [9, false, 2],
  ])('is tried once more when closing (%i failures)', async (failures, succeeded, times) => {
    const { lab, asked, revocations, revoke } = await start(failures);
    await lab.during(revoke(), 100);
    let isClosed = false;
    void lab.process().run(() => revocations.close().then(() => (isClosed = true)));
    await lab.world.elapse(5);
    expect(isClosed).toBe(false);
    await lab.world.elapse(15);

    expect(isClosed).toBe(true);
    expect(asked).toHaveLength(times);
    expect(lab.told()).toEqual([
      [succeeded ? 'revocation.succeeded' : 'revocation.failed', { durationMs: expect.any(Number) as number }],
    ]);
    await lab.world.elapse(1_000_000);
    expect(asked).toHaveLength(times);
  });

  it('sends no secret to a host that is not trusted', async () => {
    const { lab, tokens, asked, revoke } = await start(0);

    await lab.during(revoke({ ...tokens, baseUrl: 'https://login.example.com' }), 100);
    await lab.world.elapse(1_000_000);

    expect(asked).toEqual([]);
    expect(lab.told()).toEqual([['revocation.failed', { durationMs: 156_000 }]]);
  });

  it('is not possible for a client that is no longer configured', async () => {
    const { lab, tokens, asked, revoke } = await start(0);

    await lab.during(revoke({ ...tokens, clientID: '__fake_former_client__' }), 100);

    expect(asked).toEqual([]);
  });
});
