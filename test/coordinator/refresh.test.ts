/** @again newest-node */
import type { SalesforceAuthError } from '../../lib';
import { claimMs, essence, failure, Laboratory, reauthentication } from './laboratory';

describe('a refresh', () => {
  it('stores new tokens before a request gets them, and reports its duration', async () => {
    const lab = await Laboratory.open();
    const before = await lab.tokens();
    lab.told();

    const answer = await lab.getOther();

    expect(answer).toBe((await lab.tokens()).accessToken);
    expect(answer).not.toBe(before.accessToken);
    expect(await lab.record()).toMatchObject({ state: 'idle', version: 2, failures: 0, leaseInMs: 0, backoffInMs: 0 });
    expect(lab.told()).toEqual([
      ['refresh.started', { cause: 'rejected' }],
      ['refresh.succeeded', { cause: 'rejected', durationMs: 12, rotated: true }],
      ['token.served', { from: 'refreshed' }],
    ]);
  });

  it('says whether the refresh token rotated', async () => {
    const lab = await Laboratory.open({ rotates: false });
    lab.told();

    await lab.getOther();

    expect(lab.told()).toContainEqual(['refresh.succeeded', { cause: 'rejected', durationMs: 12, rotated: false }]);
  });

  it('leaves the new tokens in memory', async () => {
    const lab = await Laboratory.open();
    const answer = await lab.getOther();
    lab.told();

    expect(lab.process().core.coordinator.peek(lab.session)?.accessToken).toBe(answer);
    await lab.get();
    expect(lab.told()).toEqual([['token.served', { from: 'memory' }]]);
  });

  it('counts the life of tokens from their arrival, not from the answer of the store', async () => {
    const ends: { soft: number; hard: number; version: number }[] = [];
    for (const failures of [0, 9]) {
      const lab = await Laboratory.open({ isCertain: true });
      const commit = jest.spyOn(lab.process().store, 'commit');
      for (let failure = 0; failure < failures; failure++)
        commit.mockRejectedValueOnce(new Error('The store is down.'));
      void lab.ask({ rejected: (await lab.tokens()).accessToken });
      const { clock } = lab.process();
      const askedAt = clock.monotonic();
      await lab.world.elapse(30_000);
      const elapsedMs = clock.monotonic() - askedAt;
      const { softInMs, hardInMs, version } = await lab.record();
      ends.push({ soft: softInMs! + elapsedMs, hard: hardInMs! + elapsedMs, version });
    }
    const [one, other] = ends as [(typeof ends)[0], (typeof ends)[0]];
    // A trip to the store is 1 ms one way.
    expect(Math.abs(one.hard - other.hard)).toBeLessThan(2);
    expect(Math.abs(one.soft - other.soft)).toBeLessThan(2);
    expect([one.version, other.version]).toEqual([2, 2]);
  });

  it.each([
    ['hard', true, 540_000],
    ['hard', false, 7_200_000],
    ['soft', true, 535_000],
    ['soft', false, 7_190_000],
  ])('begins for the cause %s (a certain end: %s) after %i ms', async (cause, isCertain, afterMs) => {
    const lab = await Laboratory.open({ isCertain });
    const old = (await lab.tokens()).accessToken;
    await lab.world.elapse(afterMs - 1_000);
    lab.told();
    await lab.world.elapse(1_000);

    const answer = await lab.get();

    expect(lab.told()).toContainEqual(['refresh.started', { cause }]);
    expect(answer === old).toBe(cause === 'soft');
  });

  it('is not begun if another process has stored new tokens already', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    const old = (await lab.tokens()).accessToken;
    await lab.get({}, 1);
    const fresh = await lab.getOther(0);

    expect(await lab.get({ rejected: old }, 1)).toBe(fresh);
    expect(lab.presentations).toEqual([1]);
  });

  it('waits for the attempt of another process, and reports for how long', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('slow-before');
    const one = lab.ask({ rejected }, 0);
    await lab.world.elapse(20);
    const other = lab.ask({ rejected }, 1);

    const answers = await lab.during(Promise.all([one, other]), 5_000);

    expect(answers[0]).toBe(answers[1]);
    expect(lab.presentations).toEqual([1]);
    expect(lab.told(1).map(([name, { from }]) => [name, from])).toEqual([
      ['claim.delayed', undefined],
      ['claim.waited', undefined],
      ['token.served', 'refreshed'],
    ]);
  });
});

describe('a refresh that Salesforce refuses for now', () => {
  it('is tried again after a pause that doubles up to a minute', async () => {
    const lab = await Laboratory.open({ isCertain: true });
    const pauses: unknown[] = [];
    await lab.world.elapse(600_000);
    lab.told();
    for (let failures = 0; failures < 8; failures++) {
      lab.world.fail('refused');
      const answer = await lab.get();
      const transient = lab.told().find(([name]) => name === 'refresh.failed')!;
      pauses.push(transient[1]['retryInMs']);
      expect(transient[1]).toEqual({
        cause: 'hard',
        durationMs: 0,
        code: 'ERR_SALESFORCE_UNREACHABLE',
        retryInMs: pauses.at(-1),
        verdict: 'not delivered',
      });
      expect(essence(answer)).toEqual({
        code: 'REFRESH_DELAYED',
        status: 503,
        retryAfterSeconds: Math.ceil((pauses.at(-1) as number) / 1000),
      });
      expect((answer as SalesforceAuthError).cause).toMatchObject({ code: 'ERR_SALESFORCE_UNREACHABLE' });
      expect(await lab.record()).toMatchObject({ state: 'idle', failures: failures + 1 });
      await lab.world.elapse(pauses.at(-1) as number);
    }
    expect(pauses).toEqual([1_100, 2_200, 4_400, 8_800, 17_600, 35_200, 66_000, 66_000]);
    expect(typeof (await lab.get())).toBe('string');
    expect((await lab.record()).failures).toBe(0);
  });

  it.each([
    { kind: 'status', status: 429 },
    { kind: 'status', status: 503 },
    { kind: 'error', error: 'service_unavailable', status: 503 },
  ] as const)('is tried again after such a pause as well if Salesforce asks for none: %j', async (fault) => {
    const lab = await Laboratory.open({ isCertain: true });
    const pauses: unknown[] = [];
    await lab.world.elapse(600_000);
    lab.faults.inject({ on: 'refresh', ...fault, times: 5 });
    lab.told();
    for (let failures = 0; failures < 5; failures++) {
      await lab.get();
      pauses.push(lab.told().find(([name]) => name === 'refresh.failed')![1]['retryInMs']);
      await lab.world.elapse(pauses.at(-1) as number);
    }

    expect(pauses).toEqual([1_100, 2_200, 4_400, 8_800, 17_600]);
  });

  it('is not tried before the pause is over, and says when that is', async () => {
    const lab = await Laboratory.open({ isCertain: true });
    await lab.world.elapse(600_000);
    lab.world.fail('status-429');
    expect(essence(await lab.get())).toEqual({ code: 'REFRESH_DELAYED', status: 503, retryAfterSeconds: 22 });
    lab.told();

    await lab.world.elapse(10_000);
    const early = await lab.get();
    await lab.world.elapse(11_700);

    expect(essence(early)).toEqual({ code: 'REFRESH_DELAYED', status: 503, retryAfterSeconds: 12 });
    expect((early as SalesforceAuthError).message).toContain('ERR_SALESFORCE_RATE_LIMITED');
    expect(lab.told()).toEqual([['token.failed', { code: 'ERR_SALESFORCE_REFRESH_DELAYED' }]]);
    expect(essence(await lab.get())).toMatchObject({ code: 'REFRESH_DELAYED' });
    await lab.world.elapse(200);
    expect(typeof (await lab.get())).toBe('string');
  });

  it('because of a setting is tried again after half a minute, and requests get that error meanwhile', async () => {
    const lab = await Laboratory.open({ isCertain: true });
    await lab.world.elapse(600_000);
    lab.faults.inject({ on: 'refresh', kind: 'error', error: 'invalid_client' });
    lab.told();

    const answer = await lab.get();

    expect(essence(answer)).toMatchObject({ code: 'CLIENT_REJECTED', status: 502 });
    expect(lab.told()).toEqual([
      ['refresh.started', { cause: 'hard' }],
      [
        'refresh.failed',
        {
          cause: 'hard',
          durationMs: 10,
          code: 'ERR_SALESFORCE_CLIENT_REJECTED',
          verdict: 'refused',
          retryInMs: 35_200,
        },
      ],
      ['token.failed', { code: 'ERR_SALESFORCE_CLIENT_REJECTED' }],
    ]);
    expect(await lab.record()).toMatchObject({ state: 'idle', errorCode: 'ERR_SALESFORCE_CLIENT_REJECTED' });
    await lab.world.elapse(10_000);
    for (const get of [lab.get(), lab.getOther()])
      expect(essence(await get)).toMatchObject({ code: 'CLIENT_REJECTED', status: 502, retryAfterSeconds: 26 });
  });

  it('is not visible to requests while the end of the old token is only presumed', async () => {
    const lab = await Laboratory.open();
    const old = (await lab.tokens()).accessToken;
    await lab.world.elapse(7_200_000);
    lab.world.fail('status-503');
    lab.told();

    expect(await lab.get()).toBe(old);
    expect(lab.told().at(-1)).toEqual(['token.served', { from: 'stale' }]);
  });
});

describe('a grant that ends', () => {
  it('asks for a login, and Salesforce is not asked again', async () => {
    const lab = await Laboratory.open();
    lab.world.revoke();
    lab.told();

    const first = await lab.getOther();
    const presentations = lab.presentations.length;
    const second = await lab.get();

    expect(essence(first)).toEqual(reauthentication);
    expect(essence(second)).toEqual(reauthentication);
    expect(await lab.record()).toMatchObject({
      state: 'ended',
      failures: 1,
      errorCode: expect.stringMatching(/^ERR_SALESFORCE_/) as string,
    });
    expect(lab.told()).toEqual([
      ['refresh.started', { cause: 'rejected' }],
      ['refresh.ended', { cause: 'rejected', durationMs: 10, code: expect.any(String) as string }],
      ['token.failed', { code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' }],
      ['token.failed', { code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' }],
    ]);
    expect(lab.presentations).toHaveLength(presentations);
  });

  it('is found to have ended once more if the store could not store the end', async () => {
    const lab = await Laboratory.open();
    lab.world.revoke();
    lab.told();
    const releaseClaim = jest
      .spyOn(lab.process().store, 'releaseClaim')
      .mockRejectedValue(new Error('The store is down.'));

    const answer = await lab.getOther();
    releaseClaim.mockRestore();

    expect(essence(answer)).toEqual({ code: 'REFRESH_IN_DOUBT', status: 503, retryAfterSeconds: 5 });
    expect(lab.told()).toContainEqual([
      'refresh.doubted',
      { cause: 'rejected', durationMs: expect.any(Number) as number, code: expect.any(String) as string },
    ]);
  });

  it('because it has no refresh token ends with its access token', async () => {
    const lab = await Laboratory.open({ scope: 'id api', isCertain: true });
    lab.forget();
    jest.spyOn(lab.process().store, 'read').mockResolvedValue({ ...(await lab.record()), hardInMs: -60_000 });

    expect(essence(await lab.get())).toEqual(reauthentication);
  });

  it.each([
    ['known', true],
    ['not known', false],
  ])(
    'was never there, and need not be: another login brought an access token whose end is %s',
    async (_what, isCertain) => {
      const lab = await Laboratory.open({ scope: 'id api', isCertain });
      const record = await lab.record();
      const rejected = '__fake_former_token__';
      const payload = JSON.stringify({ ...(await lab.tokens()), accessToken: rejected });
      jest
        .spyOn(lab.process().store, 'read')
        .mockResolvedValueOnce({ ...record, payload, version: record.version - 1 });

      expect(await lab.get({ rejected })).toBe((await lab.tokens()).accessToken);
      expect((await lab.record()).state).toBe('idle');
    },
  );

  it('without a refresh token has one event, and none if a login came before the end was stored', async () => {
    const lab = await Laboratory.open({ scope: 'id api' });
    jest.spyOn(lab.process().store, 'releaseClaim').mockImplementationOnce(async (grantId, release) => {
      await lab.world.login(lab.process(), 'id api');
      return lab.world.releaseClaim(grantId, release);
    });
    const rejected = (await lab.tokens()).accessToken;
    lab.told();

    expect(await lab.get({ rejected })).toBe((await lab.tokens()).accessToken);
    expect(essence(await lab.getOther())).toEqual(reauthentication);
    expect(lab.told().filter(([name]) => name === 'refresh.ended')).toHaveLength(1);
  });

  it('because it has no refresh token ends without a request to Salesforce', async () => {
    const lab = await Laboratory.open({ scope: 'id api' });
    lab.told();

    expect(essence(await lab.getOther())).toEqual(reauthentication);
    expect(lab.presentations).toEqual([]);
    expect((await lab.record()).state).toBe('ended');
    expect(lab.told()).toEqual([
      ['refresh.ended', { cause: 'rejected', durationMs: 0, code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' }],
      ['token.failed', { code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' }],
    ]);
  });
});

describe('a refresh whose answer is lost', () => {
  it('leaves the grant in doubt for drainMs, and is repeated if the refresh token was not spent', async () => {
    const lab = await Laboratory.open();
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('drop-before');
    lab.told();

    const first = await lab.get({ rejected });
    expect(await lab.record()).toMatchObject({ state: 'inDoubt', errorCode: 'ERR_SALESFORCE_CONNECTION_LOST' });
    await lab.world.elapse(2_000);
    const early = await lab.get({ rejected });
    await lab.world.elapse(3_000);
    const later = await lab.get({ rejected });

    expect(essence(first)).toEqual({ code: 'REFRESH_IN_DOUBT', status: 503, retryAfterSeconds: 5 });
    expect((first as SalesforceAuthError).cause).toMatchObject({ code: 'ERR_SALESFORCE_CONNECTION_LOST' });
    expect(essence(early)).toEqual({ code: 'REFRESH_IN_DOUBT', status: 503, retryAfterSeconds: 3 });
    expect(later).toBe((await lab.tokens()).accessToken);
    expect(lab.told()).toEqual([
      ['refresh.started', { cause: 'rejected' }],
      ['refresh.doubted', { cause: 'rejected', durationMs: 5, code: 'ERR_SALESFORCE_CONNECTION_LOST' }],
      ['token.failed', { code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' }],
      ['token.failed', { code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' }],
      ['refresh.started', { cause: 'rejected' }],
      ['refresh.succeeded', { cause: 'rejected', durationMs: 12, rotated: true }],
      ['token.served', { from: 'refreshed' }],
    ]);
  });

  it('ends the grant if Salesforce says that the refresh token was spent', async () => {
    const lab = await Laboratory.open();
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('drop-after');
    await lab.get({ rejected });
    await lab.world.elapse(5_000);
    lab.told();

    expect(essence(await lab.get({ rejected }))).toEqual(reauthentication);
    expect(lab.told()).toEqual([
      ['refresh.ended', { cause: 'rejected', durationMs: 0, code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' }],
      ['token.failed', { code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' }],
    ]);
    expect(lab.presentations).toEqual([1]);
    expect(await lab.record()).toMatchObject({
      state: 'ended',
      backoffInMs: 0,
      errorCode: 'ERR_SALESFORCE_CONNECTION_LOST',
      failures: 2,
    });
  });

  it('ends nothing if a login came before the end was stored', async () => {
    const lab = await Laboratory.open();
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('drop-after');
    await lab.get({ rejected });
    await lab.world.elapse(5_000);
    jest.spyOn(lab.process().store, 'releaseClaim').mockImplementationOnce(async (grantId, release) => {
      const login = lab.world.login(lab.process(), 'id api refresh_token');
      await login;
      return lab.world.releaseClaim(grantId, release);
    });
    lab.told();

    expect(await lab.get({ rejected })).toBe((await lab.tokens()).accessToken);
    expect(lab.told().map(([name]) => name)).not.toContain('refresh.ended');
    expect(lab.presentations).toEqual([1]);
  });

  it('leads to introspection every ten seconds while the grant is in doubt, and a last time at the end of inDoubtMs', async () => {
    const lab = await Laboratory.open({ isPublic: true, options: { refresh: { inDoubtMs: 27_000 } } });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('drop-after');
    await lab.get({ rejected });
    await lab.world.elapse(5_000);
    const answers: (object | string)[] = [];
    for (let look = 0; look < 4; look++) {
      const answer = essence(await lab.get({ rejected }));
      answers.push(answer);
      await lab.world.elapse(((answer as { retryAfterSeconds?: number }).retryAfterSeconds ?? 0) * 1_000);
    }

    const held = (retryAfterSeconds: number) => ({ code: 'REFRESH_IN_DOUBT', status: 503, retryAfterSeconds });
    expect(answers).toEqual([held(10), held(10), held(7), reauthentication]);
  });

  it('ends the grant exactly when inDoubtMs is over', async () => {
    const lab = await Laboratory.open({ isPublic: true, options: { refresh: { inDoubtMs: 20_000 } } });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('drop-after');
    await lab.get({ rejected });
    await lab.world.elapse(5_000);
    expect(essence(await lab.get({ rejected }))).toMatchObject({ code: 'REFRESH_IN_DOUBT' });

    // The claim reaches the store 2 ms after it is asked for.
    await lab.world.elapse(20_000 - (await lab.record()).errorAgeMs - 2);

    expect(essence(await lab.get({ rejected }))).toEqual(reauthentication);
  });

  it.each([
    ['is down', { kind: 'status', status: 503 }],
    ['cannot be reached', { kind: 'drop' }],
    ['has a proxy before it that asks for a password', { kind: 'status', status: 407 }],
    ['has a proxy before it that answers 202', { kind: 'status', status: 202 }],
    ['refuses the client', { kind: 'error', error: 'invalid_client', status: 401 }],
  ] as const)('stays in doubt while Salesforce %s', async (_what, fault) => {
    // A grant of which Salesforce does not tell would end at once.
    const lab = await Laboratory.open({ onLostAnswer: 'login' });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('drop-after');
    await lab.get({ rejected });
    await lab.world.elapse(5_000);
    lab.faults.inject({ on: 'introspect', ...fault });

    expect(essence(await lab.get({ rejected }))).toEqual({
      code: 'REFRESH_IN_DOUBT',
      status: 503,
      retryAfterSeconds: 10,
    });
    expect(lab.presentations).toEqual([1]);
    await lab.world.elapse(10_000);
    expect(essence(await lab.get({ rejected }))).toEqual(reauthentication);
  });

  it('does not stay in doubt because Salesforce refuses to tell a public client', async () => {
    const lab = await Laboratory.open({ onLostAnswer: 'login', isPublic: true });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('drop-after');
    await lab.get({ rejected });
    await lab.world.elapse(5_000);
    lab.faults.inject({ on: 'introspect', kind: 'error', error: 'invalid_client', status: 401 });

    expect(essence(await lab.get({ rejected }))).toEqual(reauthentication);
  });

  it('stays in doubt while Salesforce refuses the client, to which it calls every token inactive', async () => {
    const lab = await Laboratory.open({ onLostAnswer: 'login' });
    const { world } = lab;
    const other = (await lab.during(world.login(world.process(0), 'id api refresh_token', 1), 100))!;
    world.fail('drop-before');
    const rejected = (await lab.tokens()).accessToken;
    await lab.get({ rejected });
    const { client } = world.salesforce;
    const { clientSecret } = client;
    Object.assign(client, { clientSecret: '__fake_client_secret_of_tomorrow__' });
    // Another grant learns it.
    await lab.during(
      lab.process().run(() => failure(lab.process().core.coordinator.refresh(other, 'sweep'))),
      100,
    );

    for (let minute = 0; minute < 10; minute++) {
      await world.elapse(60_000);
      expect(essence(await lab.get({ rejected }))).toMatchObject({ code: 'REFRESH_IN_DOUBT' });
    }
    expect(await lab.record()).toMatchObject({ state: 'inDoubt', errorCode: 'ERR_SALESFORCE_CLIENT_REJECTED' });
    Object.assign(client, { clientSecret });
    await world.elapse(10_000);

    expect(await lab.get({ rejected })).toBe((await lab.tokens()).accessToken);
  });

  it('leads to no further introspection once the refresh token is known to be good and the next try was refused for now', async () => {
    const lab = await Laboratory.open();
    const rejected = (await lab.tokens()).accessToken;
    let questions = 0;
    lab.world.trouble = ({ pathname }) => {
      if (pathname.endsWith('/introspect')) questions += 1;
      return undefined;
    };
    lab.world.fail('drop-before');
    await lab.get({ rejected });
    await lab.world.elapse(5_000);
    lab.world.fail('refused');
    expect(essence(await lab.get({ rejected }))).toMatchObject({ code: 'REFRESH_DELAYED' });
    expect((await lab.record()).state).toBe('idle');
    await lab.world.elapse(10_000);

    expect(await lab.get({ rejected })).toBe((await lab.tokens()).accessToken);
    expect(questions).toBe(1);
  });

  it('of a killed process leads to introspection at once if drainMs is 0', async () => {
    const lab = await Laboratory.open({ processes: 2, options: { refresh: { drainMs: 0 } } });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('hang-before');
    void lab.ask({ rejected }, 0);
    await lab.world.elapse(100);
    await lab.world.kill(0);
    await lab.world.elapse(claimMs);

    expect(await lab.get({ rejected }, 1)).toBe((await lab.tokens()).accessToken);
  });

  it.each([
    ['retry', 'string'],
    ['login', 'object'],
  ] as const)('is decided at the first look with onLostAnswer %s', async (onLostAnswer, type) => {
    const lab = await Laboratory.open({ isPublic: true, onLostAnswer });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('drop-before');
    await lab.get({ rejected });
    await lab.world.elapse(5_000);

    const answer = await lab.get({ rejected });

    expect(typeof answer).toBe(type);
    if (type === 'object') expect(essence(answer)).toEqual(reauthentication);
    expect(lab.presentations).toEqual(type === 'string' ? [1] : []);
  });

  it('leads to another presentation with onLostAnswer retry, at any time of the doubt', async () => {
    const lab = await Laboratory.open({ isPublic: true, onLostAnswer: 'retry' });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('drop-before');
    await lab.get({ rejected });
    await lab.world.elapse(400_000);

    expect(await lab.get({ rejected })).toBe((await lab.tokens()).accessToken);
  });

  it('is left to the process that has the claim now', async () => {
    const lab = await Laboratory.open();
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('drop-before');
    await lab.get({ rejected });
    await lab.world.elapse(5_000);
    const arm = jest.spyOn(lab.process().store, 'arm').mockResolvedValueOnce(false);

    expect(essence(await lab.get({ rejected }))).toEqual({
      code: 'REFRESH_IN_DOUBT',
      status: 503,
      retryAfterSeconds: 10,
    });
    arm.mockRestore();
    expect(lab.presentations).toEqual([]);
  });

  it('ends with one presentation if the client of the store sends the arming twice, as after a lost connection', async () => {
    const lab = await Laboratory.open();
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('drop-before');
    await lab.get({ rejected });
    await lab.world.elapse(5_000);
    const { store } = lab.process();
    const once = store.arm.bind(store);
    const arm = jest.spyOn(store, 'arm').mockImplementationOnce(async (...given) => {
      await once(...given);
      return once(...given);
    });

    expect(await lab.get({ rejected })).toBe((await lab.tokens()).accessToken);
    expect(arm).toHaveBeenCalledTimes(1);
    expect(lab.presentations).toEqual([1]);
  });

  it('of a killed process leads to introspection once its lease and drainMs are over', async () => {
    const lab = await Laboratory.open({ processes: 2, options: { refresh: { drainMs: 20_000 } } });
    const rejected = (await lab.tokens()).accessToken;
    lab.world.fail('hang-before');
    void lab.ask({ rejected }, 0);
    await lab.world.elapse(100);
    await lab.world.kill(0);
    await lab.world.elapse(claimMs);
    lab.told(1);

    const first = await lab.get({ rejected }, 1);
    const told = lab.told(1);
    await lab.world.elapse(20_000);

    expect(essence(first)).toEqual({ code: 'REFRESH_IN_DOUBT', status: 503, retryAfterSeconds: 20 });
    expect(told).toEqual([
      ['refresh.doubted', { cause: 'rejected', durationMs: 0, code: undefined }],
      ['token.failed', { code: 'ERR_SALESFORCE_REFRESH_IN_DOUBT' }],
    ]);
    expect(await lab.get({ rejected }, 1)).toBe((await lab.tokens()).accessToken);
    expect(lab.presentations).toEqual([1]);
  });
});
