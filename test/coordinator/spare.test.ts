import type { GrantHolder } from '../../lib/coordinator/grants';
import { Laboratory } from './laboratory';

/* A login whose tokens can do less than those of the grant: both are kept in the record, until the grant's own are proven. */

const fewer = 'api refresh_token';

async function logIn(lab: Laboratory, index = 0): Promise<GrantHolder> {
  return (await lab.during(lab.world.login(lab.process(index), fewer), 100))!;
}

/** What Salesforce would still take. */
function live(lab: Laboratory): number {
  return [...lab.world.salesforce.grants.keys()].filter((grant) => lab.world.salesforce.isLive(grant)).length;
}

/** A poorer login whose process is killed before the proof. */
async function killedBeforeProof(isRevoked: boolean): Promise<{ lab: Laboratory; before: string | undefined }> {
  const lab = await Laboratory.open({ processes: 2 });
  const before = (await lab.tokens()).loginId;
  if (isRevoked) lab.world.revoke();
  lab.world.fail('refused');
  await logIn(lab);
  await lab.world.kill(0);
  return { lab, before };
}

describe('a login that can do less', () => {
  it('is answered before the proof, with its tokens in the record', async () => {
    const lab = await Laboratory.open();
    lab.world.fail('hang-before');
    const session = await logIn(lab);

    expect(session.generation).toBe(lab.session.generation);
    const { spare, version } = await lab.record();
    expect(JSON.parse(spare!)).toMatchObject({ scope: ['api', 'refresh_token'] });
    expect(version).toBe(1);
  });

  it('loses nothing if its process is killed: the next refresh, in another process, proves the grant', async () => {
    const { lab, before } = await killedBeforeProof(false);
    expect(live(lab)).toBe(2);
    await lab.world.elapse(2_000);

    expect(typeof (await lab.getOther(1))).toBe('string');
    await lab.world.elapse(1_000);
    expect((await lab.tokens()).loginId).toBe(before);
    expect((await lab.record()).spare).toBeUndefined();
    expect(live(lab)).toBe(1);
  });

  it('loses nothing if its process is killed: its tokens replace those that have ended', async () => {
    const { lab, before } = await killedBeforeProof(true);
    await lab.world.elapse(2_000);
    lab.told(1);

    const token = await lab.getOther(1);
    const now = await lab.tokens();
    expect(token).toBe(now.accessToken);
    expect(now.loginId).not.toBe(before);
    expect(lab.told(1).map(([name]) => name)).toContain('refresh.ended');
    expect((await lab.record()).state).toBe('idle');
    expect(live(lab)).toBe(1);
  });

  it('has tokens whose life counts from the login, also if they replace others later', async () => {
    const lab = await Laboratory.open({ isCertain: true });
    lab.world.trouble = () => ({ code: 'ECONNREFUSED' });
    await lab.during(lab.world.login(lab.process(), 'api'), 100);
    await lab.world.elapse(300_000);
    lab.world.revoke();
    lab.world.trouble = undefined;

    await lab.getOther();

    const { refreshToken } = await lab.tokens();
    expect(refreshToken).toBeUndefined();
    // Ten minutes, less the five that have passed, and a minute before the end.
    const { hardInMs } = await lab.record();
    expect(hardInMs).toBeLessThanOrEqual(240_000);
    expect(hardInMs).toBeGreaterThan(239_000);
  });

  it('replaces tokens whose time of doubt is over, which are revoked', async () => {
    const lab = await Laboratory.open({ processes: 2, isPublic: true });
    const before = (await lab.tokens()).loginId;
    lab.world.fail('hang-before');
    await logIn(lab);
    await lab.world.kill(0);
    const { accessToken } = await lab.tokens();
    for (let minute = 0; minute < 8; minute++) {
      void lab.ask({ rejected: accessToken }, 1);
      await lab.world.elapse(60_000);
    }

    expect((await lab.tokens()).loginId).not.toBe(before);
    expect(live(lab)).toBe(1);
  });

  it('while Salesforce cannot be asked makes a later logout revoke the tokens of both logins', async () => {
    const { lab } = await killedBeforeProof(false);
    const { core } = lab.process(1);
    await lab.during(
      lab.process(1).run(() => core.grants.logOut(lab.session, true)),
      100,
    );
    await lab.world.elapse(1_000);

    expect((await lab.record()).spare).toBeUndefined();
    expect(live(lab)).toBe(0);
  });

  it.each([
    ['a logout', (lab: Laboratory) => lab.process(1).core.grants.logOut(lab.session, true)],
    ['a later poorer login', (lab: Laboratory) => lab.world.login(lab.process(1), fewer)],
    ['a login that can do as much', (lab: Laboratory) => lab.world.login(lab.process(1), 'id api refresh_token')],
    ['a refresh', (lab: Laboratory) => lab.getOther(1)],
  ])('is told to the operator as not revoked, if %s ends it and no key opens its tokens', async (_what, end) => {
    const { lab } = await killedBeforeProof(false);
    const { grantId, generation } = lab.session;
    await lab.store.addHolder(grantId, { generation, holder: 'holder', holderMs: 1e9, spare: '{' });
    await lab.world.elapse(2_000);
    lab.told(1);

    void lab.process(1).run(() => Promise.resolve(end(lab)));
    await lab.world.elapse(2_000);

    expect((await lab.record()).spare).not.toBe('{');
    expect(lab.told(1).filter(([name]) => name === 'revocation.failed')).toEqual([
      ['revocation.failed', { durationMs: 0, code: 'ERR_SALESFORCE_GRANT_UNREADABLE' }],
    ]);
  });

  it('while Salesforce cannot be asked replaces an earlier poorer login, which is revoked', async () => {
    const { lab } = await killedBeforeProof(false);
    const { spare } = await lab.record();
    lab.world.fail('refused');
    await logIn(lab, 1);
    await lab.world.elapse(500);

    expect((await lab.record()).spare).not.toBe(spare);
    expect(live(lab)).toBe(2);
  });

  it('during an attempt that does not know of it is revoked once the attempt has proven the grant', async () => {
    const lab = await Laboratory.open();
    lab.world.fail('slow-before');
    void lab.getOther().catch(() => undefined);
    await lab.world.elapse(50);
    await logIn(lab);
    await lab.world.elapse(20_000);

    expect((await lab.record()).spare).toBeUndefined();
    expect(live(lab)).toBe(1);
  });

  it.each([false, true])(
    'that fails, since the store was slow, leaves no revoked tokens in the record (an earlier one is there: %s)',
    async (isSecond) => {
      const { lab } = isSecond ? await killedBeforeProof(true) : { lab: await Laboratory.open({ processes: 2 }) };
      const { store } = lab.process(1);
      const add = store.addHolder.bind(store);
      jest.spyOn(store, 'addHolder').mockImplementationOnce(async (...given) => {
        await new Promise<void>((resolve) => lab.world.after(8_000, resolve));
        return add(...given);
      });
      const login = lab.world.login(lab.process(1), fewer);
      await lab.world.elapse(60_000);

      expect(await login).toBeUndefined();
      // The store has carried the write out all the same.
      expect(live(lab)).toBe(isSecond ? 1 : 2);
      const token = await lab.getOther(1);
      expect(typeof token).toBe('string');
      expect(typeof (await lab.get({ rejected: token as string }, 1))).toBe('string');
      await lab.world.elapse(60_000);
      expect(live(lab)).toBe(1);
    },
  );

  it('is revoked after the process that replaced it was killed, also if the store fails once', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    lab.world.fail('refused');
    await logIn(lab, 1);
    lab.world.trouble = ({ pathname }) => (pathname.endsWith('/revoke') ? {} : undefined);
    await lab.during(lab.world.login(lab.process(0), 'id api refresh_token'), 100);
    await lab.world.kill(0);
    lab.world.trouble = undefined;
    expect(live(lab)).toBe(3);
    const { access } = lab.process(1).core.coordinator;
    const open = access.open.bind(access);
    let failures = 0;
    const fails = jest.spyOn(access, 'open').mockImplementation(async (grantId) => {
      const isProven = (await lab.record()).version === 3;
      if (!isProven) return open(grantId);
      fails.mockRestore();
      failures += 1;
      throw new Error('The store is down.');
    });
    await lab.world.elapse(60_000);

    // The tokens that the killed process was to revoke are left.
    expect(live(lab)).toBe(2);
    expect(failures).toBe(1);
  });
});
