import { Lease } from '../../lib/coordinator/refresh/lease';
import { partsOf, turn } from './support';

/** A lease of fifteen seconds, and when it was renewed. */
function start({ requestMs = 0 } = {}) {
  const { clock, deps, store } = partsOf();
  const renewals: number[] = [];
  const renew = jest.spyOn(store, 'renew').mockImplementation(() => {
    renewals.push(clock.monotonic());
    return Promise.resolve(true);
  });
  const lease = new Lease({ grantId: 'grant', generation: 'first', owner: 'owner', leaseMs: 15_000, requestMs }, deps);
  const advance = async (ms: number): Promise<void> => {
    clock.advanceMs(ms);
    await turn();
  };
  return { advance, clock, lease, renew, renewals };
}

describe('a lease', () => {
  it('is relied on for half of its time', () => {
    const { clock, lease } = start();
    expect(lease.isSure).toBe(true);
    clock.advanceMs(7_499);
    expect(lease.isSure).toBe(true);
    clock.advanceMs(1);
    expect(lease.isSure).toBe(false);

    lease.restart();
    expect(lease.isSure).toBe(true);
  });

  it('is no longer relied on if the wall clock shows that the machine slept', () => {
    const { clock, lease } = start();
    clock.jumpMs(7_499);
    expect(lease.isSure).toBe(true);
    clock.jumpMs(1);
    expect(lease.isSure).toBe(false);
    lease.restart();
    clock.jumpMs(-86_400_000);
    expect(lease.isSure).toBe(true);
    clock.advanceMs(7_500);
    expect(lease.isSure).toBe(false);
  });

  it.each([
    [0, 15_000],
    [7_500, 15_000],
    [7_501, 15_001],
    [30_000, 37_500],
  ])(
    'with a request of at most %i ms is stored for %i ms: a request that begins while it is sure ends before',
    (requestMs, storedMs) => {
      const { clock, lease } = start({ requestMs });
      expect(lease.storedMs).toBe(storedMs);
      clock.advanceMs(7_500);
      expect(lease.isSure).toBe(false);
    },
  );

  it('is renewed for as long as it was asked for', async () => {
    const { advance, lease, renew } = start({ requestMs: 30_000 });
    lease.keep();
    await advance(5_000);
    lease.stop();

    expect(renew.mock.calls).toEqual([['grant', { generation: 'first', owner: 'owner', leaseMs: 37_500 }]]);
  });

  it('is renewed every third of its time until it is stopped', async () => {
    const { advance, clock, lease, renew, renewals } = start();
    lease.keep();
    for (let second = 0; second < 16; second++) await advance(1_000);

    expect(renewals).toEqual([5_000, 10_000, 15_000]);
    expect(renew.mock.calls[0]).toEqual(['grant', { generation: 'first', owner: 'owner', leaseMs: 15_000 }]);
    expect(lease.isSure).toBe(true);
    lease.stop();
    await advance(60_000);
    expect(renewals).toHaveLength(3);
    expect(clock.pending).toBe(0);
    expect(lease.isSure).toBe(false);
  });

  it('counts from the request of a renewal, not from its answer', async () => {
    const { advance, clock, lease, renew } = start();
    let answer: (isMine: boolean) => void = () => undefined;
    renew.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    lease.keep();
    await advance(5_000);
    await advance(2_400);
    answer(true);
    await turn();
    lease.stop();

    clock.advanceMs(5_000);
    expect(lease.isSure).toBe(true);
    clock.advanceMs(100);
    expect(lease.isSure).toBe(false);
  });

  it.each([
    ['is lost', () => Promise.resolve(false)],
    ['could not be renewed', () => Promise.reject(new Error('The store is down.'))],
  ])('that %s counts from before, and is asked for again', async (_what, answer) => {
    const { advance, lease, renew } = start();
    renew.mockImplementationOnce(answer);
    lease.keep();
    await advance(5_000);
    expect(lease.isSure).toBe(true);
    await advance(2_500);
    expect(lease.isSure).toBe(false);
    await advance(2_500);

    expect(lease.isSure).toBe(true);
    lease.stop();
  });
});
