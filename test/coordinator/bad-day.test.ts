import { digestOf } from '../../lib/coordinator/grant';
import type { Reply } from '../../lib/emulator/http/reply';
import type { Trouble } from '../schedules/network';
import { origin } from '../schedules/provider';
import { claimMs, essence, Laboratory, reauthentication } from './laboratory';

const hour = 3_600_000;

/** Another name of the same Salesforce, and its configured address by now. */
const newHost = origin.replace('localhost', '127.0.0.1');
const page: Reply = { status: 404, headers: {}, text: '<html>No such page</html>', contentType: 'text/html' };
const goneHosts: Record<string, Trouble> = {
  'does not resolve': { code: 'ENOTFOUND' },
  redirects: { reply: { status: 301, headers: { location: newHost }, text: '' } },
  'answers 404 with a page': { reply: page },
  'answers 410 with a page': { reply: { ...page, status: 410 } },
};

/** The old host is in trouble, and the new one is configured. */
async function moved(trouble: Trouble, setting: Parameters<typeof Laboratory.open>[0] = {}): Promise<Laboratory> {
  const lab = await Laboratory.open({ ...setting, options: { ...setting.options, baseUrl: newHost } });
  lab.world.trouble = ({ hostname }) => (hostname === 'localhost' ? trouble : undefined);
  lab.told();
  return lab;
}

describe('a host that is gone', () => {
  it.each(Object.entries(goneHosts))('(%s) is replaced by the configured one', async (_how, trouble) => {
    const lab = await moved(trouble);

    const token = await lab.getOther();

    expect(token).toBe((await lab.tokens()).accessToken);
    expect((await lab.tokens()).baseUrl).toBe(newHost);
    expect(lab.told()).toContainEqual(['grant.moved', { baseUrl: newHost, instanceUrl: origin }]);
    expect(lab.presentations).toEqual([1]);
  });

  it.each(Object.entries(goneHosts))('(%s) is no longer needed for a revocation', async (_how, trouble) => {
    const lab = await moved(trouble);

    await lab.during(
      lab.process().run(() => lab.process().core.grants.logOut(lab.session, true)),
      500,
    );

    expect(lab.told().map(([name]) => name)).toEqual(['grant.loggedOut', 'revocation.succeeded']);
  });

  it('is reported if no other host takes the refresh token', async () => {
    const lab = await Laboratory.open();
    lab.world.trouble = () => ({ reply: page });
    lab.told();

    expect(essence(await lab.getOther())).toMatchObject({ code: 'REFRESH_DELAYED', status: 503 });
    expect(lab.told()[1]).toEqual([
      'refresh.failed',
      expect.objectContaining({ code: 'ERR_SALESFORCE_HOST_GONE', verdict: 'not delivered' }),
    ]);
  });

  it.each([
    [
      'does not know the refresh token',
      400,
      '{"error":"invalid_grant","error_description":"expired access/refresh token"}',
    ],
    ['refuses with an unknown text', 400, '{"error":"invalid_grant","error_description":"something new"}'],
    ['does not know the client', 400, '{"error":"invalid_client_id","error_description":"client identifier invalid"}'],
  ])('ends no grant if the configured host %s', async (_what, status, text) => {
    const lab = await moved({ code: 'ENOTFOUND' });
    lab.world.trouble = ({ hostname }) =>
      hostname === 'localhost' ? { code: 'ENOTFOUND' } : { reply: { status, headers: {}, text } };

    expect(essence(await lab.getOther())).toMatchObject({ code: 'REFRESH_DELAYED', status: 503 });
    expect(await lab.record()).toMatchObject({ state: 'idle', errorCode: 'ERR_SALESFORCE_UNREACHABLE' });
    lab.world.trouble = undefined;
    await lab.world.elapse(60_000);
    expect(typeof (await lab.getOther())).toBe('string');
    expect(lab.told().map(([name]) => name)).not.toContain('refresh.ended');
  });

  it('leaves a grant in doubt if the configured host says that the refresh token is in use', async () => {
    const lab = await moved({ code: 'ENOTFOUND' });
    const text = '{"error":"invalid_grant","error_description":"token request is already being processed"}';
    lab.world.trouble = ({ hostname }) =>
      hostname === 'localhost' ? { code: 'ENOTFOUND' } : { reply: { status: 400, headers: {}, text } };

    expect(essence(await lab.getOther())).toMatchObject({ code: 'REFRESH_IN_DOUBT' });
    expect((await lab.record()).state).toBe('inDoubt');
  });

  it('ends no grant in doubt if the configured host says that the refresh token is not active', async () => {
    const lab = await moved({ code: 'ENOTFOUND' });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.trouble = undefined;
    lab.world.fail('drop-before');
    await lab.get({ rejected });
    lab.world.trouble = ({ hostname }) =>
      hostname === 'localhost'
        ? { code: 'ENOTFOUND' }
        : { reply: { status: 200, headers: {}, text: '{"active":false}' } };
    await lab.world.elapse(10_000);

    expect(essence(await lab.get({ rejected }))).toMatchObject({ code: 'REFRESH_IN_DOUBT' });
    expect((await lab.record()).state).toBe('inDoubt');
    lab.world.trouble = undefined;
    await lab.world.elapse(60_000);
    expect(await lab.get({ rejected })).not.toBe(rejected);
    expect(lab.told().map(([name]) => name)).not.toContain('refresh.ended');
  });

  it.each([
    ['wait', true, 'REAUTHENTICATION_REQUIRED'],
    ['wait', false, 'REAUTHENTICATION_REQUIRED'],
    ['login', true, 'REAUTHENTICATION_REQUIRED'],
    ['login', false, 'REAUTHENTICATION_REQUIRED'],
    ['retry', true, 'new token'],
  ] as const)(
    'does not keep a grant in doubt for ever (onLostAnswer %s, public client: %s)',
    async (onLostAnswer, isPublic, outcome) => {
      const lab = await Laboratory.open({ isPublic, onLostAnswer, options: { baseUrl: newHost } });
      const rejected = (await lab.tokens()).accessToken;
      lab.world.fail('drop-before');
      await lab.get({ rejected });
      // Salesforce tells a confidential client that the refresh token is not active, at a host that may not know the token.
      if (!isPublic) lab.world.revoke();
      lab.world.trouble = ({ hostname }) => (hostname === 'localhost' ? { code: 'ENOTFOUND' } : undefined);
      const answers = [];
      for (let minute = 0; minute < 10; minute++) {
        await lab.world.elapse(60_000);
        answers.push(await lab.get({ rejected }));
      }
      const last = answers.at(-1)!;

      if (outcome === 'new token') expect(last).toBe((await lab.tokens()).accessToken);
      else expect(essence(last)).toMatchObject({ code: outcome });
    },
  );

  it.each([
    ['does not know the token', 'error=invalid_token&error_description=invalid+token%3A+x'],
    ['does not know the client', 'error=invalid_client_id&error_description=client+identifier+invalid'],
  ])('is no longer needed for a revocation, also if the next host %s', async (_what, text) => {
    // The instance is at 127.0.0.1, and the configured host at [::1].
    const baseUrl = origin.replace('localhost', '[::1]');
    const lab = await Laboratory.open({ hasOwnInstance: true, options: { baseUrl } });
    lab.told();
    const asked: string[] = [];
    lab.world.trouble = ({ hostname }) => {
      asked.push(hostname);
      if (hostname === 'localhost') return { code: 'ENOTFOUND' };
      return hostname === '[::1]' ? { reply: { status: 400, headers: {}, text } } : undefined;
    };
    const { core } = lab.process();
    const tokens = await lab.tokens();
    await lab.during(
      lab.process().run(() => core.revocations.revoke(lab.session.grantId, tokens)),
      100,
    );

    expect(asked).toEqual(['localhost', '[::1]', '127.0.0.1']);
    expect(lab.told().map(([name]) => name)).toEqual(['revocation.succeeded']);
    expect([...lab.world.salesforce.grants.keys()].filter((grant) => lab.world.salesforce.isLive(grant))).toEqual([]);
  });

  it('is not replaced by a host that does not say whose tokens it gives', async () => {
    for (const change of [
      ({ id: _id, ...reply }: Record<string, unknown>) => reply,
      (reply: Record<string, unknown>) => ({ ...reply, id: `${origin}/id/00D000000000009AAA/005000000000009AAA` }),
    ]) {
      const lab = await moved({ code: 'ENOTFOUND' });
      const before = await lab.record();
      lab.faults.inject({ on: 'refresh', kind: 'reply', change });

      expect(essence(await lab.getOther())).toMatchObject({ code: 'REFRESH_IN_DOUBT' });
      expect((await lab.record()).payload).toBe(before.payload);
      expect(lab.told()).toContainEqual([
        'refresh.doubted',
        { cause: 'rejected', durationMs: 10, code: 'ERR_SALESFORCE_IDENTITY_CHANGED' },
      ]);
    }
  });

  it('keeps the grant, and after an hour a login is offered beside another try', async () => {
    const lab = await Laboratory.open({ isCertain: true });
    await lab.world.elapse(600_000);
    lab.world.trouble = () => ({ code: 'ENOTFOUND' });
    const first = await lab.get();
    await lab.world.elapse(30 * 60_000);
    const early = await lab.get();
    await lab.world.elapse(31 * 60_000);
    const late = await lab.get();

    expect([first, early, late].map(essence)).toEqual(
      Array(3).fill(expect.objectContaining({ code: 'REFRESH_DELAYED' })),
    );
    expect([first, early, late].map((error) => (error as { offersLogin: boolean }).offersLogin)).toEqual([
      false,
      false,
      true,
    ]);
    lab.world.trouble = undefined;
    await lab.world.elapse(60_000);
    expect(typeof (await lab.get())).toBe('string');
  });

  it.each([
    ['cannot be resolved for now', { code: 'EAI_AGAIN' }],
    ['refuses the connection', { code: 'ECONNREFUSED' }],
    ['has a wrong certificate', { code: 'CERT_HAS_EXPIRED' }],
    ['answers 503', { reply: { ...page, status: 503 } }],
  ] as [string, Trouble][])('is not one that %s: no other host gets the refresh token', async (_how, trouble) => {
    const lab = await moved(trouble);

    expect(essence(await lab.getOther())).toMatchObject({ code: 'REFRESH_DELAYED' });
    expect(lab.presentations).toEqual([]);
  });
});

describe('a refusal with a text that is not known', () => {
  const refuse = (lab: Laboratory) =>
    lab.faults.inject({ on: 'refresh', kind: 'error', error: 'invalid_grant', errorDescription: 'a brand new text' });

  it('keeps the grant if Salesforce says that the refresh token is good, and tells the operator', async () => {
    const lab = await Laboratory.open();
    refuse(lab);
    lab.told();

    expect(essence(await lab.getOther())).toEqual({ code: 'REFRESH_DELAYED', status: 503, retryAfterSeconds: 36 });
    expect(await lab.record()).toMatchObject({ state: 'idle', errorCode: 'ERR_SALESFORCE_REFUSAL_UNKNOWN' });
    expect(lab.told()[1]).toEqual([
      'refresh.failed',
      expect.objectContaining({ code: 'ERR_SALESFORCE_REFUSAL_UNKNOWN', verdict: 'try later' }),
    ]);
    await lab.world.elapse(36_000);
    expect(typeof (await lab.get())).toBe('string');
  });

  it('ends the grant if Salesforce says that the refresh token is over', async () => {
    const lab = await Laboratory.open();
    refuse(lab);
    lab.world.revoke();

    expect(essence(await lab.getOther())).toEqual(reauthentication);
  });

  it.each([true, false])('is in doubt if Salesforce does not say (a public client: %s)', async (isPublic) => {
    const lab = await Laboratory.open({ isPublic });
    refuse(lab);
    if (!isPublic) lab.faults.inject({ on: 'introspect', kind: 'status', status: 500 });

    expect(essence(await lab.getOther())).toMatchObject({ code: 'REFRESH_IN_DOUBT' });
    expect((await lab.record()).state).toBe('inDoubt');
  });
});

describe('an access token that works', () => {
  it('is served in all processes while the grant is in doubt, ended, or its doubt has run out', async () => {
    const lab = await Laboratory.open({ processes: 2, isPublic: true });
    const token = (await lab.tokens()).accessToken;
    await lab.world.elapse(7_200_000);
    lab.world.fail('drop-after');
    expect(await lab.get()).toBe(token);
    expect((await lab.record()).state).toBe('inDoubt');
    for (let minute = 0; minute < 10; minute++) {
      expect([await lab.get({}, 0), await lab.get({}, 1)]).toEqual([token, token]);
      await lab.world.elapse(60_000);
    }
    expect((await lab.record()).state).toBe('ended');
    expect([await lab.get({}, 0), await lab.get({}, 1)]).toEqual([token, token]);
  });

  it('is served by no process once one of them has seen it refused', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    const token = (await lab.tokens()).accessToken;
    lab.world.trouble = () => ({ code: 'ECONNREFUSED' });
    expect(await lab.get({}, 1)).toBe(token);

    expect(essence(await lab.get({ rejected: token }, 0))).toMatchObject({ code: 'REFRESH_DELAYED', status: 503 });
    expect((await lab.record()).refused).toBe(digestOf(token));
    await lab.world.elapse(2_000);

    expect(essence(await lab.get({}, 1))).toMatchObject({ code: 'REFRESH_DELAYED', status: 503 });
    lab.world.trouble = undefined;
    await lab.world.elapse(5_000);
    expect(await lab.get({}, 1)).toBe((await lab.tokens()).accessToken);
  });

  it('that was refused means 503 for as long as Salesforce cannot be asked, and never a login', async () => {
    const lab = await Laboratory.open();
    const token = (await lab.tokens()).accessToken;
    lab.world.trouble = () => ({ reply: { ...page, status: 500 } });
    await lab.get({ rejected: token });
    for (let minute = 0; minute < 90; minute++) {
      expect(essence(await lab.get())).toMatchObject({ code: 'REFRESH_IN_DOUBT', status: 503 });
      await lab.world.elapse(60_000);
    }
    lab.world.trouble = undefined;
    await lab.world.elapse(10_000);
    expect(typeof (await lab.get())).toBe('string');
  });
});

describe('rotation that is known to be off', () => {
  it('lets a lost answer be presented again after a pause, and the grant is not in doubt', async () => {
    for (const isPublic of [true, false]) {
      const lab = await Laboratory.open({ rotates: false, isPublic });
      const rejected = (await lab.getOther()) as string;
      lab.world.fail('drop-after');
      lab.told();

      expect(essence(await lab.get({ rejected }))).toEqual({
        code: 'REFRESH_DELAYED',
        status: 503,
        retryAfterSeconds: 5,
      });
      await lab.world.elapse(5_000);

      expect(await lab.get({ rejected })).toBe((await lab.tokens()).accessToken);
      expect(lab.told().map(([name]) => name)).not.toContain('refresh.doubted');
      expect(lab.presentations).toEqual([3]);
    }
  });

  it('lets the token of a killed process be presented again after a wait, and the grant is not in doubt', async () => {
    const lab = await Laboratory.open({ rotates: false, isPublic: true, processes: 2 });
    const rejected = (await lab.getOther()) as string;
    lab.world.fail('status-429');
    await lab.get({ rejected });
    await lab.world.elapse(60_000);
    lab.world.fail('hang-before');
    void lab.ask({ rejected }, 0);
    await lab.world.elapse(100);
    await lab.world.kill(0);
    await lab.world.elapse(claimMs);
    lab.told(1);

    const first = await lab.get({ rejected }, 1);
    await lab.world.elapse(5_000);
    const second = await lab.get({ rejected }, 1);

    expect(essence(first)).toEqual({ code: 'REFRESH_DELAYED', status: 503, retryAfterSeconds: 5 });
    // What the last answer was.
    expect((first as Error).message).toContain('ERR_SALESFORCE_RATE_LIMITED');
    expect(second).toBe((await lab.tokens()).accessToken);
    expect(lab.told(1).map(([name]) => name)).not.toContain('refresh.doubted');
  });

  it('is not known before a refresh, nor a day after it, nor once a rotated reply was seen', async () => {
    const doubts = async (prepare: (lab: Laboratory) => Promise<unknown>) => {
      const lab = await Laboratory.open({ rotates: false, isPublic: true, processes: 2 });
      await prepare(lab);
      lab.world.fail('drop-before');
      return essence(await lab.getOther());
    };
    const inDoubt = expect.objectContaining({ code: 'REFRESH_IN_DOUBT' }) as object;

    expect(await doubts(() => Promise.resolve())).toEqual(inDoubt);
    expect(
      await doubts(async (lab) => {
        await lab.getOther();
        await lab.world.elapse(24 * hour);
      }),
    ).toEqual(inDoubt);
    expect(
      await doubts(async (lab) => {
        await lab.getOther();
        Object.assign(lab.world.salesforce.client.policy, { rotateRefreshTokens: true });
        await lab.getOther();
      }),
    ).toEqual(inDoubt);
  });
});

describe('a process that was frozen for longer than a request may take', () => {
  it.each([35_000, 3_600_000])('reads the answer that has come (after %i ms)', async (ms) => {
    const lab = await Laboratory.open();
    const rejected = (await lab.tokens()).accessToken;
    const asked = lab.ask({ rejected, waitMs: 1e8 });
    await lab.world.elapse(8);
    lab.process().pause();
    await lab.world.elapse(ms);
    lab.process().resume(true);

    await lab.during(asked, 1_000);

    const record = await lab.record();
    expect(record).toMatchObject({ state: 'idle', version: 2 });
    expect(await lab.get()).toBe((await lab.tokens()).accessToken);
    expect(lab.presentations).toEqual([1]);
  });
});
