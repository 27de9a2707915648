import type { GrantHolder } from '../../lib/coordinator/grants';
import type { RefreshOptions } from '../../lib/options/refresh';
import type { IdleGrant } from '../../lib/stores/store';
import { Laboratory } from './laboratory';

const keepAlive = { afterSeconds: 100_000, everySeconds: 10_000, abandonedAfterSeconds: 500_000 };

/** Users who are logged in and whom nobody hears of any more. */
async function start(users = 1, refresh: RefreshOptions = {}) {
  const lab = await Laboratory.open({ options: { refresh: { keepAlive, ...refresh } } });
  const sessions = [lab.session];
  const { provider } = lab.world.salesforce;
  for (let user = 1; user < users; user++) {
    provider.users[user] ??= {
      ...provider.users[0]!,
      userId: `00500000000010${user}AAA`,
      username: `${user}@acme.example`,
    };
    sessions.push((await lab.during(lab.world.login(lab.process(), 'id api refresh_token', user), 100))!);
  }
  lab.told();
  return { lab, sessions, store: lab.process().store };
}

/** Has the store name these grants as idle, in the rounds to come, one list for each. */
function idle(lab: Laboratory, ...rounds: (GrantHolder & { unheldMs?: number })[][]): jest.SpyInstance {
  const { store } = lab.process();
  return jest.spyOn(store, 'takeIdle').mockImplementation(async function* (): AsyncIterable<IdleGrant> {
    for (const { grantId, generation, unheldMs = 0 } of rounds.shift() ?? []) {
      yield await Promise.resolve({ grantId, generation, unheldMs });
    }
  });
}

/** What rounds came to. */
const rounds = (lab: Laboratory) => lab.told().flatMap(([name, data]) => (name === 'keepAlive.finished' ? [data] : []));
const sum = (refreshed: number, ended: number, failed: number) => ({
  ...{ refreshed, ended, failed, unused: 0 },
  durationMs: expect.any(Number) as number,
});

describe('keeping grants alive', () => {
  it('begins at a random moment of the interval, and then runs once in each interval', async () => {
    const { lab, store } = await start();
    const take = jest.spyOn(store, 'takeIdle');
    // All that is random is at its middle here.
    await lab.world.elapse(4_999_000);
    expect(take).not.toHaveBeenCalled();
    await lab.world.elapse(1_000);
    expect(take.mock.calls).toEqual([[{ idleMs: 100_000_000, takenMs: 10_000_000 }]]);
    await lab.world.elapse(9_999_000);
    expect(take).toHaveBeenCalledTimes(1);
    await lab.world.elapse(1_000);

    expect(take).toHaveBeenCalledTimes(2);
    expect(rounds(lab)).toEqual(Array(2).fill({ refreshed: 0, ended: 0, failed: 0, unused: 0, durationMs: 0 }));
  });

  it('refreshes idle grants, with a pause of about a second between two', async () => {
    const { lab, sessions } = await start(3);
    await lab.world.elapse(95_000_000 + 5_000_000 - 300);
    lab.told();
    await lab.world.elapse(10_000_000);

    const told = lab.told();
    expect(told.filter(([name]) => name === 'refresh.succeeded')).toHaveLength(3);
    expect(told.find(([name]) => name === 'refresh.started')).toEqual(['refresh.started', { cause: 'sweep' }]);
    // Three looks of 2 ms at whose a grant is and who uses it, three refreshes of 16 ms, and a pause after each.
    expect(told.filter(([name]) => name === 'keepAlive.finished')[0]).toEqual([
      'keepAlive.finished',
      { refreshed: 3, ended: 0, failed: 0, unused: 0, durationMs: 3 * (2 + 16 + 1_000) },
    ]);
    expect(sessions).toHaveLength(3);
  });

  it('pauses for half a second to one and a half', async () => {
    for (const [random, pauseMs] of [
      [0, 500],
      [1, 1_500],
    ] as const) {
      const { lab, sessions } = await start();
      idle(lab, sessions);
      await lab.world.elapse(4_999_000);
      Math.random = () => random;
      await lab.world.elapse(10_000);

      expect(rounds(lab)).toMatchObject([{ refreshed: 1, durationMs: 2 + 16 + pauseMs }]);
    }
  });

  it('logs out grants that had no holder for long', async () => {
    const { lab, sessions } = await start(2);
    idle(lab, [
      { ...sessions[0]!, unheldMs: 500_000_000 },
      { ...sessions[1]!, unheldMs: 499_999_999 },
    ]);
    const { grantId, generation, holder } = sessions[0]!;
    await lab.store.addHolder(grantId, { generation, holder, holderMs: 0 });
    await lab.world.elapse(6_000_000);

    expect(rounds(lab)).toEqual([{ ...sum(0, 1, 0), unused: 1 }]);
    expect(await lab.store.read(grantId)).toBeUndefined();
    expect((await lab.store.read(sessions[1]!.grantId))?.state).toBe('idle');
  });

  it('skips grants without a holder, without a pause', async () => {
    const { lab, sessions } = await start(2);
    idle(lab, [
      { ...sessions[0]!, unheldMs: 1 },
      { ...sessions[1]!, unheldMs: 499_999_999 },
    ]);
    await lab.world.elapse(6_000_000);

    // Each is read once.
    expect(rounds(lab)).toEqual([{ ...sum(0, 0, 0), unused: 2, durationMs: 4 }]);
  });

  it.each([
    ['leaves those alone', 50_000, false, 0],
    ['refreshes those of jobs', 50_000, true, 1],
    ['refreshes those in use', 200_000, false, 1],
  ])(
    '%s that were last used 100,000 s ago, with %d s and jobs: %s',
    async (_title, usedWithinSeconds, jobs, refreshed) => {
      const lab = await Laboratory.open({
        options: { refresh: { keepAlive: { ...keepAlive, usedWithinSeconds, jobs } } },
      });
      await lab.world.elapse(105_000_000);
      lab.told();
      await lab.world.elapse(10_000_000);

      expect(rounds(lab)).toMatchObject([{ refreshed, unused: 1 - refreshed }]);
    },
  );

  it('counts a request as a use, but not its own refreshes', async () => {
    const settings = { ...keepAlive, usedWithinSeconds: 150_000 };
    const lab = await Laboratory.open({ options: { refresh: { keepAlive: settings } } });
    await lab.world.elapse(60_000_000);
    await lab.during(lab.ask(), 100);
    // Used at 60,000 s: refreshed once in the background, at 160,000 s or soon after, and not 100,000 s later.
    await lab.world.elapse(250_000_000);

    const refreshed = rounds(lab).map((round) => round['refreshed']);
    expect(refreshed.filter((count) => count === 1)).toHaveLength(1);
    await lab.world.elapse(20_000_000);
    expect(rounds(lab).at(-1)).toMatchObject({ refreshed: 0, unused: 1 });
  });

  it('ends a round after three general failures, also with unused grants between them', async () => {
    const { lab, sessions } = await start(1);
    const unused = { ...sessions[0]!, unheldMs: 1 };
    idle(lab, [sessions[0]!, unused, sessions[0]!, unused, sessions[0]!, unused, sessions[0]!]);
    lab.world.fail('status-429');
    await lab.world.elapse(6_000_000);

    expect(rounds(lab)).toEqual([{ ...sum(0, 0, 3), unused: 2 }]);
  });

  it('goes on after any number of single failures', async () => {
    const { lab, sessions } = await start(1);
    idle(lab, Array(5).fill({ ...sessions[0]!, unheldMs: 500_000_000 }) as GrantHolder[]);
    await lab.world.elapse(6_000_000);

    expect(rounds(lab)).toEqual([sum(0, 5, 0)]);
  });

  it('counts any number of grants that turn out to have ended', async () => {
    const { lab, sessions } = await start(1);
    lab.world.revoke();
    const nobody = { ...sessions[0]!, grantId: 'nobody' };
    idle(lab, [...sessions, nobody, nobody, nobody, nobody]);
    await lab.world.elapse(6_000_000);

    expect(rounds(lab)).toEqual([sum(0, 5, 0)]);
  });

  it('ends a round after three failures in a row whose cause is not the grant', async () => {
    const { lab, sessions } = await start(1);
    const grants = Array(6).fill(sessions[0]!) as GrantHolder[];
    idle(lab, grants, grants);
    lab.world.fail('status-429');
    await lab.world.elapse(6_000_000);
    // The first one fails and the next are told of its pause, until that is over.
    expect(rounds(lab)).toEqual([sum(0, 0, 3)]);

    await lab.world.elapse(10_000_000);
    expect(rounds(lab)).toEqual([sum(6, 0, 0)]);
  });

  it('goes on if failures concern single grants, or are not in a row', async () => {
    const { lab, sessions } = await start(3);
    const [one, two, three] = sessions as [GrantHolder, GrantHolder, GrantHolder];
    idle(lab, [one, two, three, one], [one, two, three, one, two]);
    lab.faults.inject({ on: 'refresh', kind: 'error', error: 'invalid_client', times: 3 });
    await lab.world.elapse(6_000_000);
    // The fourth is told of the pause after the first.
    expect(rounds(lab)).toEqual([sum(0, 0, 4)]);
    let refreshes = 0;
    lab.process().core.events.emitter.on('refresh.started', () => {
      // All but the third.
      if (++refreshes !== 3) lab.world.fail('status-503');
    });
    await lab.world.elapse(10_000_000);

    expect(rounds(lab)).toEqual([sum(1, 0, 4)]);
  });

  it.each(['unknown-refusal', 'gone-name', 'gone-page'] as const)(
    'goes on after any number of grants that have trouble of their own: %s',
    async (fault) => {
      const { lab, sessions } = await start(5);
      for (let failure = 0; failure < 4; failure++) lab.world.fail(fault);
      idle(lab, sessions);
      await lab.world.elapse(6_000_000);

      expect(rounds(lab)).toEqual([sum(1, 0, 4)]);
    },
  );

  it.each(['IN DOUBT', 'PENDING', 'STORE'])('counts as general: %s', async (what) => {
    const { lab, sessions, store } = await start(3);
    if (what === 'STORE') jest.spyOn(store, 'claim').mockRejectedValue(new Error('The store is down.'));
    else {
      lab.process().core.events.emitter.on('refresh.started', () => {
        lab.world.fail(what === 'IN DOUBT' ? 'drop-after' : 'hang-before');
      });
    }
    idle(lab, [...sessions, ...sessions]);
    await lab.world.elapse(6_000_000);

    expect(rounds(lab)).toEqual([sum(0, 0, 3)]);
  });

  it('goes on in the next round if the store did not answer', async () => {
    const { lab, store } = await start();
    const take = jest.spyOn(store, 'takeIdle').mockImplementationOnce(() => {
      throw new Error('The store is down.');
    });
    await lab.world.elapse(6_000_000);
    expect(lab.told().map(([name]) => name)).toEqual(['store.failed', 'keepAlive.finished']);
    await lab.world.elapse(10_000_000);

    expect(take).toHaveBeenCalledTimes(2);
    expect(lab.told().map(([name]) => name)).toEqual(['keepAlive.finished']);
  });
});

/** Has the store look for so long before it names each grant. Tells how many looks have begun and ended. */
function slow(lab: Laboratory, sessions: GrantHolder[], lookMs: number) {
  const { clock, store } = lab.process();
  const walks = { begun: 0, ended: 0, named: 0 };
  jest.spyOn(store, 'takeIdle').mockImplementation(async function* (): AsyncIterable<IdleGrant> {
    walks.begun += 1;
    try {
      for (const { grantId, generation } of sessions) {
        await new Promise<void>((resolve) => clock.setTimer(lookMs, resolve));
        walks.named += 1;
        yield { grantId, generation, unheldMs: 0 };
      }
    } finally {
      walks.ended += 1;
    }
  });
  return walks;
}

describe('a store that looks at very many grants before it finds an idle one', () => {
  it('has the whole interval for it, so that each round gets somewhere', async () => {
    const { lab, sessions } = await start(2);
    slow(lab, sessions, 4_000_000);
    await lab.world.elapse(5_000_000 + 8_100_000);

    expect(lab.told().map(([name]) => name)).not.toContain('store.failed');
    expect(lab.presentations).toEqual([1, 1]);
  });

  it('is not asked on if it takes longer, and ends its walk as soon as it can', async () => {
    const { lab, sessions } = await start(2);
    const walks = slow(lab, sessions, 12_000_000);
    await lab.world.elapse(5_000_000 + 10_000_000 + 100);
    expect(lab.told().map(([name]) => name)).toEqual(['store.failed', 'keepAlive.finished']);
    await lab.world.elapse(2_000_000);

    expect(walks).toEqual({ begun: 1, ended: 1, named: 1 });
  });
});

describe('closing', () => {
  const close = (lab: Laboratory) => lab.process().run(() => lab.process().core.close());

  it('begins no further round', async () => {
    const { lab, store } = await start();
    const take = jest.spyOn(store, 'takeIdle');
    await lab.during(close(lab), 10);
    await lab.world.elapse(50_000_000);

    expect(take).not.toHaveBeenCalled();
  });

  it('does not wait for a store that looks for grants, which then ends its walk', async () => {
    const { lab, sessions } = await start();
    const walks = slow(lab, sessions, 10_000);
    await lab.world.elapse(5_000_000 + 10);
    await lab.during(close(lab), 10);
    expect(rounds(lab)).toEqual([sum(0, 0, 0)]);
    await lab.world.elapse(10_000);

    expect(walks).toEqual({ begun: 1, ended: 1, named: 1 });
    expect(lab.told()).toEqual([]);
    expect(lab.process().clock.pending).toBe(0);
  });

  it('waits no longer than closeTimeoutMs', async () => {
    const { lab, sessions } = await start(1, { closeTimeoutMs: 2_000 });
    idle(lab, sessions);
    lab.process().core.events.emitter.once('refresh.started', () => lab.world.fail('slow-before'));
    await lab.world.elapse(5_000_000 + 10);
    await lab.during(close(lab), 2_010);
  });

  it('waits for the refresh under way, refreshes no further one and begins no further round', async () => {
    const { lab, sessions } = await start(3);
    const take = idle(lab, sessions, sessions);
    lab.process().core.events.emitter.once('refresh.started', () => lab.world.fail('slow-before'));
    await lab.world.elapse(5_000_000 - 200 + 10);
    let isClosed = false;
    void close(lab).then(() => (isClosed = true));
    await lab.world.elapse(3_500);
    expect(isClosed).toBe(false);
    await lab.world.elapse(1_000);

    expect(isClosed).toBe(true);
    expect(rounds(lab)).toEqual([sum(1, 0, 0)]);
    await lab.world.elapse(50_000_000);
    expect(take).toHaveBeenCalledTimes(1);
    expect(lab.process().clock.pending).toBe(0);
  });
});
