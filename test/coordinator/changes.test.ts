import { GrantChanges } from '../../lib/coordinator/changes';
import { MemoryTokenStore } from '../../lib';
import type { TokenStore } from '../../lib/stores';
import { ManualClock } from '../helpers/clock';

/** A store that tells of changes when it is told to. */
function start() {
  const clock = new ManualClock();
  const listeners = new Set<(grantId: string) => void>();
  const store = new MemoryTokenStore({ clock });
  store.subscribe = (listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  const changed: string[] = [];
  const changes = new GrantChanges(store, clock, (grantId) => changed.push(grantId));
  const over: string[] = [];
  const wait = (name: string, ...given: Parameters<GrantChanges['wait']>): void =>
    void changes.wait(...given).then(() => over.push(name));
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const tell = (grantId: string): Promise<unknown> => {
    for (const listener of listeners) listener(grantId);
    return turn();
  };
  return { clock, changes, changed, listeners, over, tell, turn, wait };
}

describe('changes that the store announces', () => {
  it('wake the requests that wait for the grant, and no others', async () => {
    const { changed, clock, over, tell, wait } = start();
    wait('first', 'one', 1_000);
    wait('second', 'one', 1_000);
    wait('other', 'two', 1_000);

    await tell('one');

    expect(over).toEqual(['first', 'second']);
    expect(changed).toEqual(['one']);
    expect(clock.pending).toBe(1);
    await tell('two');
    expect(over).toEqual(['first', 'second', 'other']);
    expect(clock.pending).toBe(0);
  });

  it('are not needed: a wait ends by itself', async () => {
    const { clock, over, turn, wait } = start();
    wait('wait', 'one', 1_000);
    clock.advanceMs(999);
    await turn();
    expect(over).toEqual([]);

    clock.advanceMs(1);
    await turn();

    expect(over).toEqual(['wait']);
  });

  it('reach requests that began to wait after an earlier wait for the grant had ended', async () => {
    const { clock, over, tell, turn, wait } = start();
    wait('short', 'one', 10);
    wait('long', 'one', 1_000);
    clock.advanceMs(10);
    await turn();
    await tell('one');
    wait('later', 'one', 1_000);
    await tell('one');

    expect(over).toEqual(['short', 'long', 'later']);
  });

  it('are not waited for after an abort before or during the wait', async () => {
    const { clock, over, turn, wait } = start();
    const stop = new AbortController();
    wait('meanwhile', 'one', 1_000, stop.signal);
    await turn();
    expect(over).toEqual([]);
    stop.abort();
    wait('before', 'one', 1_000, stop.signal);
    await turn();

    expect(over).toEqual(['meanwhile', 'before']);
    expect(clock.pending).toBe(0);
  });

  it('leave no listener on the signal that stops them', async () => {
    const { tell, wait } = start();
    const stop = new AbortController();
    const removed = jest.spyOn(stop.signal, 'removeEventListener');
    wait('wait', 'one', 1_000, stop.signal);
    await tell('one');

    expect(removed).toHaveBeenCalledTimes(1);
  });

  it('are listened to until the coordinator closes', () => {
    const { changes, listeners } = start();
    expect(listeners.size).toBe(1);

    changes.close();

    expect(listeners.size).toBe(0);
  });

  it('do not come from a store without subscribe()', () => {
    const store: TokenStore = Object.assign(Object.create(new MemoryTokenStore()) as TokenStore, {
      subscribe: undefined,
    });
    const changes = new GrantChanges(store, new ManualClock(), () => undefined);

    expect(() => changes.close()).not.toThrow();
  });
});
