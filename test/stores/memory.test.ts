import { MemoryTokenStore } from '../../lib';
import { describeTokenStore } from '../../lib/stores/contract';
import { ManualClock } from '../helpers/clock';

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
});
