import { MemoryTokenStore } from '../../lib';
import { describeTokenStore } from '../../lib/stores/contract';
import { ManualClock } from '../helpers/clock';
import { claim, login, logOut } from './grants';

describeTokenStore(
  'MemoryTokenStore',
  () => {
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock, maxHolders: 101 });
    return {
      store,
      elapse: (ms) => {
        clock.advanceMs(ms);
      },
      close: () => {
        store.close();
      },
    };
  },
  { isShared: false, maxHolders: 101 },
);

describe('MemoryTokenStore', () => {
  it('forgets one-time claims that have ended, and has no timer without claims and grants', async () => {
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock });
    await store.claimOnce('key', 'owner', 90_000);
    expect(clock.pending).toBe(1);

    clock.advanceMs(60_000);
    expect(clock.pending).toBe(1);
    expect(await store.claimOnce('key', 'another', 90_000)).toEqual({ outcome: 'taken', result: undefined });
    clock.advanceMs(60_000);

    expect(clock.pending).toBe(0);
  });

  it('counts a one-time claim that has ended as none, also before it is swept', async () => {
    const clock = new ManualClock();
    const store = new MemoryTokenStore({ clock });
    await store.claimOnce('key', 'owner', 1_000);
    await store.resolveClaim('key', 'owner', { result: 'result', keptMs: 500 });
    clock.advanceMs(500);
    expect(await store.claimOnce('key', 'another', 1_000)).toEqual({ outcome: 'taken', result: undefined });
    clock.advanceMs(500);

    expect(await store.resolveClaim('key', 'owner', { result: 'late', keptMs: 500 })).toBe(false);
    expect(await store.claimOnce('key', 'another', 1_000)).toEqual({ outcome: 'claimed' });
    store.close();
  });

  it('has room for a flood of one-time claims, and forgets the oldest ones first', async () => {
    const store = new MemoryTokenStore({ clock: new ManualClock() });
    for (let index = 0; index <= 100_000; index++) await store.claimOnce(`key ${index}`, 'owner', 60_000);

    expect(await store.claimOnce('key 1', 'another', 60_000)).toMatchObject({ outcome: 'taken' });
    expect(await store.claimOnce('key 0', 'another', 60_000)).toEqual({ outcome: 'claimed' });
    store.close();
  });

  describe.each([1, -1])('with a wall clock that jumps by %i day', (days) => {
    const dayMs = 24 * 60 * 60 * 1000;
    const open = async () => {
      const clock = new ManualClock();
      const store = new MemoryTokenStore({ clock });
      await store.put('grant', { ...login, softMs: dayMs / 2, hardMs: dayMs / 2 });
      return { store, jump: () => clock.jumpMs(days * dayMs) };
    };

    it('ends no claim, no doubt, no pause and no error before its time', async () => {
      const { store, jump } = await open();
      await store.claim('grant', claim);
      jump();
      expect(await store.claim('grant', { ...claim, owner: 'another' })).toMatchObject({
        outcome: 'busy',
        record: { leaseInMs: 60_000 },
      });

      const release = { ...claim, state: 'inDoubt', backoffMs: 5_000, failed: true, errorCode: 'CODE' } as const;
      expect(await store.releaseClaim('grant', release)).toBe(true);
      jump();
      expect(await store.claim('grant', claim)).toMatchObject({
        outcome: 'backoff',
        record: { state: 'inDoubt', stateAgeMs: 0, backoffInMs: 5_000, errorAgeMs: 0 },
      });
      store.close();
    });

    it('ends no tombstone and no one-time claim before its time', async () => {
      const { store, jump } = await open();
      await store.claimOnce('callback', 'owner', 60_000);
      await store.logOut('grant', logOut);
      jump();

      const late = { generation: 'first', version: 1, payload: 'late tokens', softMs: null, hardMs: null };
      expect(await store.commit('grant', late)).toBe('loggedOut');
      expect(await store.claimOnce('callback', 'another', 60_000)).toMatchObject({ outcome: 'taken' });
      store.close();
    });

    it('believes in no access token for longer than the later of both clocks says', async () => {
      const { store, jump } = await open();
      jump();

      const { hardInMs } = (await store.read('grant'))!;
      expect(hardInMs! <= 0).toBe(days > 0);
      expect(hardInMs).toBeLessThanOrEqual(dayMs / 2);
      store.close();
    });
  });
});
