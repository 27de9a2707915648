import { SalesforceAuthError } from '../../lib';
import { TokenClient } from '../../lib/token/client';
import { essence, Laboratory } from './laboratory';

/* A process that remembers a grant claims the grant as it remembers it. The claim shows what has changed since. */

const lifeMs = 7_200_000;

interface Circumstances {
  isFixed?: boolean;
  waitMs?: number;
  jumps?: boolean;
}

afterEach(() => jest.restoreAllMocks());

/** Two processes that have served a token, and counts of what the first one asks the store. */
async function remembered(setting: Parameters<typeof Laboratory.open>[0] = {}) {
  const lab = await Laboratory.open({ processes: 2, ...setting });
  for (const index of [0, 1]) await lab.get({}, index);
  const { store } = lab.process();
  const read = jest.spyOn(store, 'read');
  const claim = jest.spyOn(store, 'claim');
  lab.told();
  return { lab, store, read, claim };
}

describe('a remembered grant', () => {
  it('is claimed without a read when its token has ended', async () => {
    const { lab, read, claim } = await remembered();
    const before = (await lab.tokens()).accessToken;
    await lab.world.elapse(lifeMs);

    const after = await lab.get();

    expect(after).not.toBe(before);
    expect(after).toBe((await lab.tokens()).accessToken);
    expect([read, claim].map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
    expect(lab.presentations).toEqual([1]);
  });

  it('is claimed without a read when its token was refused, and the store keeps the refusal', async () => {
    const { lab, read, claim } = await remembered();
    lab.faults.inject({ on: 'refresh', kind: 'status', status: 429 });

    expect(essence(await lab.getOther())).toMatchObject({ code: 'REFRESH_DELAYED' });

    expect([read, claim].map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
    expect((await lab.record()).refused).toEqual(expect.any(String));
  });

  it('is read again once a claim has shown that it is not at rest', async () => {
    const { lab, read, claim } = await remembered();
    lab.faults.inject({ on: 'refresh', kind: 'status', status: 429 });
    await lab.getOther(1);
    const counts: number[][] = [];
    for (let request = 0; request < 2; request++) {
      expect(essence(await lab.getOther())).toMatchObject({ code: 'REFRESH_DELAYED' });
      counts.push([read, claim].map(({ mock }) => mock.calls.length));
    }

    expect(counts).toEqual([
      [0, 1],
      [1, 2],
    ]);
  });

  it('is read while Salesforce does not answer, since another process may have refreshed it before', async () => {
    const { lab } = await remembered();
    const old = (await lab.tokens()).accessToken;
    const another = (await lab.during(lab.world.login(lab.process(), 'id api refresh_token', 1), 100))!;
    await lab.world.elapse(lifeMs);
    lab.faults.inject({ on: 'refresh', kind: 'status', status: 503 });
    await lab.during(lab.world.request(lab.process(), another), 100);
    const fresh = await lab.get({ rejected: old }, 1);

    expect(await lab.get()).toBe(fresh);
  });

  it('is not ended for a host that does not take its token, if it has no refresh token', async () => {
    const { lab, claim } = await remembered({ scope: 'id api' });
    const { accessToken } = await lab.tokens();

    expect(essence(await lab.get({ unwanted: accessToken }))).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });

    expect(claim).not.toHaveBeenCalled();
    expect((await lab.record()).state).toBe('idle');
  });

  it.each([
    ['its token has ended', false],
    ['its token was refused', true],
  ])('is taken from the answer to the claim if another process has refreshed it, when %s', async (_when, isRefused) => {
    const { lab, read, claim } = await remembered();
    const rejected = (await lab.tokens()).accessToken;
    if (!isRefused) await lab.world.elapse(lifeMs);
    const fresh = await lab.get({ rejected }, 1);

    expect(await lab.get(isRefused ? { rejected } : {})).toBe(fresh);

    expect([read, claim].map(({ mock }) => mock.calls.length)).toEqual([0, 1]);
    expect(lab.told().at(-1)).toEqual(['token.served', { from: 'memory' }]);
    expect(lab.presentations).toEqual([1]);
  });

  it('is refreshed again if the tokens of the other process have ended as well', async () => {
    const { lab } = await remembered();
    await lab.world.elapse(lifeMs);
    await lab.get({}, 1);
    await lab.world.elapse(lifeMs);

    expect(await lab.get()).toBe((await lab.tokens()).accessToken);
    expect(lab.presentations).toEqual([1, 1]);
  });

  it('needs a login if the tokens of the other process have ended for good, although its own token may work', async () => {
    const { lab } = await remembered();
    await lab.world.elapse(lifeMs);
    const fresh = await lab.get({}, 1);
    lab.faults.inject({
      on: 'refresh',
      kind: 'error',
      error: 'invalid_grant',
      errorDescription: 'expired access/refresh token',
    });
    expect(essence(await lab.get({ rejected: fresh as string }, 1))).toMatchObject({
      code: 'REAUTHENTICATION_REQUIRED',
    });

    expect(essence(await lab.get())).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });
  });

  it('needs no client if another process has refreshed it', async () => {
    const { lab } = await remembered();
    await lab.world.elapse(lifeMs);
    const fresh = await lab.get({}, 1);
    const error = new SalesforceAuthError('ERR_SALESFORCE_CONFIGURATION', 'The service is down.', { status: 503 });
    jest.spyOn(lab.process().core.options.source, 'resolveClient').mockRejectedValue(error);

    expect(await lab.get()).toBe(fresh);
  });

  it('is logged out if its login is, and a job takes the next login', async () => {
    const { lab } = await remembered();
    const { grantId } = lab.session;
    await lab.during(lab.world.logout(lab.process(1), lab.session, true), 100);
    await lab.during(lab.world.login(lab.process(1), 'id api refresh_token'), 100);
    await lab.world.elapse(lifeMs);

    const job = lab.process().run(() =>
      lab
        .process()
        .core.coordinator.get({ grantId })
        .then(({ accessToken }) => accessToken),
    );
    expect(await lab.during(job, 100)).toBe((await lab.tokens()).accessToken);
    expect(essence(await lab.get())).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });
  });

  it('stays in doubt if another process has lost an answer, and is not presented before that is looked into', async () => {
    const { lab, store } = await remembered();
    await lab.world.elapse(lifeMs);
    lab.world.fail('slow-after');
    void lab.ask({}, 1);
    await lab.world.elapse(1_000);
    await lab.world.kill(1);
    const arm = jest.spyOn(store, 'arm');
    await lab.world.elapse(60_000);

    expect(typeof (await lab.get())).toBe('string');
    await lab.world.elapse(1_000);
    expect(arm).not.toHaveBeenCalled();
    expect((await lab.record()).state).toBe('inDoubt');
    expect(lab.presentations).toEqual([1]);
  });

  it('of which an answer was lost is not presented before it is known whose turn that is, if rotation is off', async () => {
    const { lab, store } = await remembered({ rotates: false });
    for (const index of [0, 1]) await lab.getOther(index);
    await lab.get();
    await lab.world.elapse(lifeMs);
    lab.world.fail('slow-after');
    void lab.ask({}, 1);
    await lab.world.elapse(1_000);
    await lab.world.kill(1);
    await lab.world.elapse(60_000);
    const takeTurn = jest.spyOn(store, 'claimOnce');
    const arm = jest.spyOn(store, 'arm');

    await lab.get();
    expect([takeTurn, arm].map(({ mock }) => mock.calls.length)).toEqual([1, 0]);
    await lab.world.elapse(10_000);
    expect(await lab.get()).toBe((await lab.tokens()).accessToken);
    expect(arm).toHaveBeenCalledTimes(1);
  });

  it('is served for as long as its token may work while the store does not answer, and not each request asks the store', async () => {
    const { lab, read, claim } = await remembered();
    const token = (await lab.tokens()).accessToken;
    await lab.world.elapse(lifeMs);
    for (const operation of [read, claim]) operation.mockRejectedValue(new Error('The store is down.'));

    expect([await lab.get(), await lab.get(), await lab.get()]).toEqual([token, token, token]);
    await lab.world.elapse(10_000);
    expect(await lab.get()).toBe(token);
    expect(claim).toHaveBeenCalledTimes(1);
  });

  it('is claimed once while the store does not answer, however many requests and grants ask', async () => {
    const { lab, read, claim } = await remembered({ isCertain: true });
    const another = (await lab.during(lab.world.login(lab.process(), 'id api refresh_token', 1), 100))!;
    await lab.world.elapse(lifeMs);
    for (const operation of [read, claim]) operation.mockRejectedValue(new Error('The store is down.'));

    const { coordinator } = lab.process().core;
    for (let request = 0; request < 3; request++) {
      expect(essence(await lab.get())).toMatchObject({ code: 'TOKEN_STORE', status: 503 });
      const other = lab.process().run(() => coordinator.get(another).then(String, essence));
      expect(await lab.during(other, 100)).toMatchObject({ code: 'TOKEN_STORE', status: 503 });
    }
    expect(claim).toHaveBeenCalledTimes(1);
  });

  it.each([
    ['the answer of the claim shows', false],
    ['a read shows, if Salesforce has no place for the claim', true],
  ])(
    'is served the tokens of the other process that %s, although their own refresh is due',
    async (_what, isCrowded) => {
      const { lab } = await remembered({ isCertain: true });
      await lab.world.elapse(lifeMs);
      const fresh = await lab.get({}, 1);
      await lab.world.elapse((await lab.record()).softInMs! + 1);
      const freePlace = jest.spyOn(TokenClient.prototype, 'freePlace');
      if (isCrowded) freePlace.mockReturnValue(undefined);
      jest.spyOn(TokenClient.prototype, 'takePlace').mockImplementation(() => new Promise(() => undefined));

      expect(await lab.get()).toBe(fresh);
      expect(freePlace).toHaveBeenCalled();
    },
  );

  it.each([
    ['the client comes from a function, which may not answer', { isFixed: false }],
    ['a request waits for less than the store may take', { waitMs: 0 }],
    ['only the wall clock says that its token has ended', { jumps: true }],
  ])('is read first if %s', async (_when, { isFixed = true, waitMs, jumps = false }: Circumstances) => {
    const { lab, read } = await remembered();
    const { core, clock } = lab.process();
    if (!isFixed) jest.replaceProperty(core.options.source, 'fixed', undefined);
    if (jumps) clock.jumpMs(lifeMs);
    else await lab.world.elapse(lifeMs);

    await lab.get({ waitMs });

    expect(read).toHaveBeenCalled();
  });

  it('is not kept from an answer that another login has overtaken', async () => {
    const { lab, claim } = await remembered();
    await lab.world.elapse(lifeMs);
    await lab.get({}, 1);
    const { coordinator } = lab.process().core;
    const send = claim.getMockImplementation()!;
    claim.mockImplementationOnce(async (...given) => {
      const answer = await send(...given);
      await lab.world.login(lab.process(), 'id api refresh_token');
      return answer;
    });

    const answer = lab.ask();
    await lab.world.elapse(200);

    expect(await answer).toBe((await lab.tokens()).accessToken);
    expect(coordinator.peek(lab.session)?.accessToken).toBe(await answer);
  });
});

describe('a login', () => {
  it('is not kept in memory if the store was slow to take it: the answer may be out of date', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    const { store } = lab.process();
    const put = store.put.bind(store);
    jest.spyOn(store, 'put').mockImplementationOnce(async (...given) => {
      const answer = await put(...given);
      await new Promise<void>((resolve) => lab.world.after(600, resolve));
      return answer;
    });
    await lab.during(lab.world.login(lab.process(), 'id api refresh_token'), 1_000);

    expect(lab.process().core.coordinator.peek(lab.session)).toBeUndefined();
  });
});
