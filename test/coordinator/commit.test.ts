import type { GrantCommit, GrantRecord } from '../../lib/stores/store';
import type { TokenSet } from '../../lib/token/types';
import { claimMs, essence, Laboratory } from './laboratory';

/** A commit that is carried out and whose answer is lost, so that it is tried again. */
function loseAnswer(lab: Laboratory, then?: (before: GrantRecord, commit: GrantCommit) => Promise<unknown>): void {
  const { store } = lab.process();
  const commit = store.commit.bind(store);
  jest.spyOn(store, 'commit').mockImplementationOnce(async (grantId, given) => {
    const before = await lab.record();
    if (!then) await commit(grantId, given);
    else await then(before, given);
    throw new Error('The connection broke.');
  });
}

/** Writes other tokens than those that are being committed. */
async function write(lab: Laboratory, before: GrantRecord, changes: Partial<TokenSet>, generation = before.generation) {
  const tokens = { ...(JSON.parse(before.payload) as TokenSet), ...changes };
  const now = await lab.record();
  return lab.store.put(lab.session.grantId, {
    expected: { generation: now.generation, version: now.version },
    generation,
    writer: `over version ${now.version}`,
    payload: JSON.stringify(tokens),
    labels: before.labels,
    holder: 'another session',
    holderMs: 60_000,
    softMs: 3_600_000,
    hardMs: 3_600_000,
  });
}

describe('storing new tokens', () => {
  it('is tried after 50 ms, twice as long each time, and every two seconds at last', async () => {
    const lab = await Laboratory.open({ options: { refresh: { waitMs: 60_000 } } });
    const { clock, store } = lab.process();
    const times: number[] = [];
    const commit = jest.spyOn(store, 'commit').mockImplementation(() => {
      times.push(clock.monotonic());
      return Promise.reject(new Error('The store is down.'));
    });
    const asked = lab.ask({ rejected: (await lab.tokens()).accessToken });
    await lab.world.elapse(20_000);
    commit.mockRestore();
    const read = jest.spyOn(store, 'read');

    expect(await lab.during(asked, 5_000)).toBe((await lab.tokens()).accessToken);
    expect(times.slice(1).map((time, index) => time - times[index]!)).toEqual([
      50,
      100,
      200,
      400,
      800,
      1_600,
      ...Array<number>(8).fill(2_000),
    ]);
    // What the store has is known, without another look.
    expect(read).not.toHaveBeenCalled();
  });

  it.each([200, 2_000, 5_000])(
    'comes before another process asks Salesforce, if the store was down past the lease (drainMs %i)',
    async (drainMs) => {
      for (let extraMs = 0; extraMs < 4_000; extraMs += 1_300) {
        const lab = await Laboratory.open({ processes: 2, options: { refresh: { drainMs, waitMs: 600_000 } } });
        const { store } = lab.process();
        const isDown = () => Promise.reject(new Error('The store is down.'));
        const down = [jest.spyOn(store, 'commit'), jest.spyOn(store, 'renew')];
        for (const operation of down) operation.mockImplementation(isDown);
        const { accessToken } = await lab.tokens();
        const asked = lab.ask({ rejected: accessToken });
        await lab.world.elapse(claimMs + 5_000 + extraMs);
        for (const operation of down) operation.mockRestore();

        // The lease is over, so the other process finds the grant in doubt, and looks again as soon as it may.
        const other = lab.ask({ rejected: accessToken }, 1);
        expect(essence(await lab.during(other, 10))).toMatchObject({ code: 'REFRESH_IN_DOUBT' });
        await lab.world.elapse(drainMs);

        expect(await lab.get({ rejected: accessToken }, 1)).toBe((await lab.tokens()).accessToken);
        expect(await lab.during(asked, 5_000)).toBe((await lab.tokens()).accessToken);
        expect(lab.told(1).map(([name]) => name)).not.toContain('refresh.ended');
      }
    },
  );

  it.each([16_000, 25_000, 29_900])(
    'waits for a store that the process has lost, and no other process presents meanwhile (Salesforce takes %i ms)',
    async (takesMs) => {
      const lab = await Laboratory.open({ processes: 2, options: { refresh: { waitMs: 600_000 } } });
      const { store } = lab.process();
      const isDown = () => Promise.reject(new Error('The store is down.'));
      const down = [jest.spyOn(store, 'commit'), jest.spyOn(store, 'renew')];
      for (const operation of down) operation.mockImplementation(isDown);
      const { accessToken } = await lab.tokens();
      const held = lab.faults.inject({ on: 'refresh', kind: 'hold', when: 'before' });
      const asked = lab.ask({ rejected: accessToken });
      const other = lab.ask({ rejected: accessToken }, 1);
      await lab.world.elapse(takesMs);
      held.release();
      await lab.world.elapse(5_000);
      for (const operation of down) operation.mockRestore();

      const fresh = await lab.during(asked, 10_000);
      expect(fresh).toBe((await lab.tokens()).accessToken);
      expect(await lab.during(other, 10_000)).toBe(fresh);
      expect(lab.presentations).toEqual([1]);
    },
  );

  it('counts as done if only the answer was lost', async () => {
    const lab = await Laboratory.open();
    loseAnswer(lab);
    lab.told();

    const answer = await lab.getOther();

    expect(answer).toBe((await lab.tokens()).accessToken);
    expect((await lab.record()).version).toBe(2);
    expect(lab.told().map(([name]) => name)).toEqual([
      'refresh.started',
      'store.failed',
      'refresh.succeeded',
      'token.served',
    ]);
    // What it keeps in memory is what the store has.
    expect(await lab.getOther()).toBe((await lab.tokens()).accessToken);
    expect(lab.presentations).toEqual([1, 1]);
    expect((await lab.record()).version).toBe(3);
  });

  it('is superseded by a login: its own tokens are revoked, and those of the login are used', async () => {
    const lab = await Laboratory.open();
    loseAnswer(lab, (before) => write(lab, before, { accessToken: '__fake_other__', loginId: 'another login' }));
    lab.told();

    const answer = await lab.getOther();

    expect(answer).toBe('__fake_other__');
    expect(lab.told().filter(([name]) => name !== 'store.failed')).toEqual([
      ['refresh.started', { cause: 'rejected' }],
      ['refresh.superseded', { cause: 'rejected', durationMs: 64, by: 'update' }],
      ['revocation.succeeded', { durationMs: 10 }],
      ['token.served', { from: 'refreshed' }],
    ]);
  });

  it('is superseded by a login that was refreshed since, with the same result', async () => {
    const lab = await Laboratory.open();
    loseAnswer(lab, async (before) => {
      await write(lab, before, { accessToken: '__fake_first__', loginId: 'another login' });
      await write(lab, before, { accessToken: '__fake_second__', loginId: 'another login' });
    });
    lab.told();

    expect(await lab.getOther()).toBe('__fake_second__');
    expect(lab.told()).toContainEqual(['revocation.succeeded', { durationMs: 10 }]);
  });

  it('revokes nothing if its tokens may have been stored and refreshed since', async () => {
    const lab = await Laboratory.open();
    loseAnswer(lab, async (before, { payload }) => {
      const { loginId } = JSON.parse(payload) as { loginId: string };
      await write(lab, before, { accessToken: '__fake_first__', loginId });
      await write(lab, before, { accessToken: '__fake_second__', loginId });
    });
    lab.told();

    expect(await lab.getOther()).toBe('__fake_second__');
    expect(lab.told()).toEqual([
      ['refresh.started', { cause: 'rejected' }],
      ['store.failed', { operation: 'commit', code: undefined, reason: 'Error', durationMs: 0 }],
      ['refresh.superseded', { cause: 'rejected', durationMs: 64, by: 'update' }],
      ['token.served', { from: 'refreshed' }],
    ]);
  });

  it('failed if another refresh of the same login came before it', async () => {
    const lab = await Laboratory.open();
    loseAnswer(lab, (before, { payload }) => {
      const { loginId } = JSON.parse(payload) as { loginId: string };
      return write(lab, before, { accessToken: '__fake_first__', loginId });
    });
    lab.told();

    expect(await lab.getOther()).toBe('__fake_first__');
    expect(lab.told()).toContainEqual(['revocation.succeeded', { durationMs: 10 }]);
  });

  it.each(['loggedOut', 'begun anew'])(
    'comes too late as well where the login is %s only by the next look',
    async (what) => {
      const lab = await Laboratory.open();
      const { grantId, generation } = lab.session;
      const { labels, payload } = await lab.record();
      const commit = jest
        .spyOn(lab.process().store, 'commit')
        .mockRejectedValueOnce(new Error('The connection broke.'))
        .mockImplementationOnce(async () => {
          const end = { generation, version: null, holder: undefined, everywhere: true, tombstoneMs: 60_000 };
          await lab.store.logOut(grantId, end);
          const hold = { holder: 'another session', holderMs: 60_000, writer: 'another login' };
          const life = { softMs: 3_600_000, hardMs: 3_600_000 };
          const write = { expected: null, generation: 'second', payload, labels, ...hold, ...life };
          if (what === 'begun anew') await lab.store.put(grantId, write);
          return 'moved';
        });
      lab.told();

      expect(essence(await lab.getOther())).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });
      expect(lab.told()).toContainEqual(['refresh.superseded', { cause: 'rejected', durationMs: 62, by: 'logout' }]);
      expect(commit).toHaveBeenCalledTimes(2);
    },
  );

  it.each([
    ['ended', undefined],
    ['ended and begun anew', 'second'],
  ])(
    'comes too late for a login that has %s: its tokens are revoked, and a login is asked for',
    async (_what, next) => {
      const lab = await Laboratory.open();
      loseAnswer(lab, async (before) => {
        const { grantId, generation } = lab.session;
        await lab.store.logOut(grantId, {
          generation,
          version: null,
          holder: undefined,
          everywhere: true,
          tombstoneMs: 60_000,
        });
        if (next === undefined) return;
        const { payload, labels } = before;
        const hold = { holder: 'another session', holderMs: 60_000, writer: 'another login' };
        const life = { softMs: 3_600_000, hardMs: 3_600_000 };
        await lab.store.put(grantId, { expected: null, generation: next, payload, labels, ...hold, ...life });
      });
      lab.told();

      expect(essence(await lab.getOther())).toMatchObject({ code: 'REAUTHENTICATION_REQUIRED' });
      expect(lab.told().filter(([name]) => name !== 'store.failed')).toEqual([
        ['refresh.started', { cause: 'rejected' }],
        ['refresh.superseded', { cause: 'rejected', durationMs: 62, by: 'logout' }],
        ['revocation.succeeded', { durationMs: 10 }],
        ['token.failed', { code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED' }],
      ]);
    },
  );

  it('without a lost answer, the reply "moved" means another login or refresh', async () => {
    const lab = await Laboratory.open();
    const { store } = lab.process();
    const commit = store.commit.bind(store);
    jest.spyOn(store, 'commit').mockImplementationOnce(async (grantId, given) => {
      const { loginId } = JSON.parse(given.payload) as { loginId: string };
      const before = await lab.record();
      await write(lab, before, { accessToken: '__fake_first__', loginId });
      await write(lab, before, { accessToken: '__fake_second__', loginId });
      return commit(grantId, given);
    });
    lab.told();

    expect(await lab.getOther()).toBe('__fake_second__');
    expect(lab.told()).toContainEqual(['revocation.succeeded', { durationMs: 10 }]);
  });
});
