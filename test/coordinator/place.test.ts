import { TokenClient } from '../../lib/token/client';
import type { LeaveGate } from '../../lib/token/host-gates';
import { origin } from '../schedules/provider';
import { essence, Laboratory } from './laboratory';

/* Requests to one host are bounded. A refresh waits for its place before it takes the claim, whose lease would run meanwhile. */

const taken = new Set<LeaveGate>();

afterEach(() => {
  for (const leave of taken) leave();
  taken.clear();
});

/** Takes all places at a host, as refreshes do that Salesforce does not answer. */
async function crowd(lab: Laboratory, host = origin): Promise<void> {
  const { options } = lab.process().core;
  const client = new TokenClient(await options.source.resolve({}), host, options.clock);
  for (let place = 0; place < 64; place++) taken.add(await client.takePlace());
}

function leaveOne(): void {
  const [leave] = taken;
  taken.delete(leave!);
  leave!();
}

describe('a refresh while all places at the host are taken', () => {
  it('does not claim the grant before it has a place', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    await crowd(lab);
    const refreshed = lab.getOther().catch(() => undefined);
    // Longer than a lease, had there been a claim.
    await lab.world.elapse(9_000);

    expect(await lab.record()).toMatchObject({ state: 'idle', leaseInMs: 0, failures: 0 });

    leaveOne();
    await lab.world.elapse(100);
    await refreshed;
    expect(await lab.record()).toMatchObject({ state: 'idle', version: 2 });
    expect(lab.presentations).toEqual([1]);
  });

  it('needs no place if another process has refreshed the grant', async () => {
    const lab = await Laboratory.open({ processes: 2 });
    await lab.get({}, 1);
    const rejected = (await lab.tokens()).accessToken;
    const fresh = await lab.getOther(1);
    await crowd(lab);

    expect(await lab.get({ rejected })).toBe(fresh);
  });

  it('leaves the grant unchanged if no place becomes free in the time of a request', async () => {
    const lab = await Laboratory.open();
    await crowd(lab);
    const { accessToken } = await lab.tokens();
    const asked = lab.ask({ rejected: accessToken, waitMs: 60_000 });
    await lab.world.elapse(31_000);

    expect(essence(await asked)).toEqual({ code: 'REFRESH_DELAYED', status: 503, retryAfterSeconds: 5 });
    expect(await lab.record()).toMatchObject({ state: 'idle', version: 1, failures: 0 });
    expect(lab.told().filter(([name]) => name.startsWith('refresh.'))).toEqual([
      [
        'refresh.failed',
        {
          cause: 'rejected',
          code: 'ERR_SALESFORCE_UNREACHABLE',
          durationMs: 0,
          retryInMs: 5_000,
          verdict: 'not delivered',
        },
      ],
    ]);
    expect(lab.presentations).toEqual([]);
  });

  it('leaves its place once Salesforce has answered, although the store does not take the new tokens', async () => {
    const lab = await Laboratory.open();
    const commit = jest.spyOn(lab.process().store, 'commit').mockRejectedValue(new Error('The store is down.'));
    const refreshed = lab.getOther().catch(() => undefined);
    await lab.world.elapse(1_000);
    expect(lab.presentations).toEqual([1]);

    await lab.during(crowd(lab), 0);

    commit.mockRestore();
    await lab.world.elapse(10_000);
    await refreshed;
    expect(await lab.record()).toMatchObject({ state: 'idle', version: 2 });
  });

  it('takes no place while another process has the claim, or the pause is not over', async () => {
    const lab = await Laboratory.open();
    const { grantId, generation } = lab.session;
    const claim = { generation, version: 1, owner: 'another', leaseMs: 60_000 };
    await lab.store.claim(grantId, claim);
    await crowd(lab);
    const { accessToken } = await lab.tokens();
    const waiting = lab.ask({ rejected: accessToken, waitMs: 60_000 });
    await lab.world.elapse(1_000);
    expect(lab.told().map(([name]) => name)).toContain('claim.delayed');

    await lab.store.releaseClaim(grantId, {
      ...claim,
      state: 'idle',
      backoffMs: 30_000,
      errorCode: undefined,
      failed: true,
    });
    await lab.world.elapse(1_000);
    expect(essence(await waiting)).toMatchObject({ code: 'REFRESH_DELAYED', retryAfterSeconds: 30 });
  });

  it('releases a claim that came without a place, and takes a place first', async () => {
    const lab = await Laboratory.open();
    lab.forget();
    const { grantId, generation } = lab.session;
    const claim = { generation, version: 1, owner: 'another', leaseMs: 1_000 };
    await lab.store.claim(grantId, claim);
    await lab.store.releaseClaim(grantId, {
      ...claim,
      state: 'idle',
      backoffMs: 2,
      errorCode: undefined,
      failed: true,
    });

    expect(typeof (await lab.getOther())).toBe('string');
    expect(await lab.record()).toMatchObject({ state: 'idle', version: 2 });
    expect(lab.presentations).toEqual([1]);
  });

  it('ends when the application shuts down', async () => {
    const lab = await Laboratory.open();
    await crowd(lab);
    const { accessToken } = await lab.tokens();
    const asked = lab.ask({ rejected: accessToken, waitMs: 60_000 });
    await lab.world.elapse(100);
    const closed = lab.process().core.coordinator.close();
    await lab.world.elapse(100);
    await closed;

    expect(essence(await asked)).toMatchObject({ status: 503 });
    expect(await lab.record()).toMatchObject({ state: 'idle', version: 1 });
  });
});
