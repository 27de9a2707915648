import { once } from 'node:events';
import { healthOf } from '../../lib/coordinator/health';
import { MemoryTokenStore, type GrantSummary, type SalesforceAuth } from '../../lib';
import type { GrantRecord } from '../../lib/stores/store';
import { ManualClock } from '../helpers/clock';
import { loggedIn } from './support';

const minute = 60_000;

/** A record that works; the table says what is different. */
const working = {
  ...{ state: 'idle', stateAgeMs: 7 * minute, leaseInMs: 0, softInMs: 10 * minute, hardInMs: 20 * minute },
  refused: undefined,
} as GrantRecord;

it.each<[string, Partial<GrantRecord>, string, number | undefined]>([
  ['rests', {}, 'working', undefined],
  ['is stale and can be refreshed', { softInMs: -minute, hardInMs: -minute }, 'working', undefined],
  ['is being refreshed', { state: 'presenting', leaseInMs: minute }, 'working', undefined],
  ['was being refreshed by a process that died', { state: 'presenting' }, 'inDoubt', 7],
  ['is in doubt', { state: 'inDoubt' }, 'inDoubt', 7],
  ['has ended', { state: 'ended' }, 'loginNeeded', 7],
  ['is logged out', { state: 'loggedOut' }, 'loginNeeded', 7],
  ['has no refresh token, and a token that works', { softInMs: null }, 'working', undefined],
  ['has no refresh token, and a token that is over', { softInMs: null, hardInMs: -3 * minute }, 'loginNeeded', 3],
  ['has no refresh token, and a token that was refused', { softInMs: null, refused: 'digest' }, 'loginNeeded', 0],
])('a grant that %s is told so', (_what, record, health, minutesAgo) => {
  const clock = new ManualClock();

  expect(healthOf({ ...working, ...record }, clock)).toEqual({
    health,
    since: minutesAgo === undefined ? undefined : new Date(clock.now() - minutesAgo * minute),
  });
});

describe('the owner of a job', () => {
  const only = async ({ tokens }: SalesforceAuth): Promise<GrantSummary> => {
    const grants: GrantSummary[] = [];
    for await (const grant of tokens.list()) grants.push(grant);
    expect(grants).toHaveLength(1);
    return grants[0]!;
  };

  it('learns that a login is needed before the job fails, by event and by list()', async () => {
    const clock = new ManualClock();
    const { salesforce, emulator, grantId } = await loggedIn({
      options: { clock, store: new MemoryTokenStore({ clock }) },
    });
    expect(await only(salesforce)).toMatchObject({
      grantId,
      health: 'working',
      since: undefined,
      errorCode: undefined,
    });
    // An administrator revokes the refresh token alone: the access token works until it ends.
    emulator.faults.inject({
      on: 'refresh',
      kind: 'error',
      error: 'invalid_grant',
      errorDescription: 'expired access/refresh token',
      times: Infinity,
    });
    clock.advanceMs(115 * minute);
    const ended = once(salesforce.events, 'refresh.ended');

    // The job runs once more: its token is soft stale, and is refreshed in the background.
    const job = await salesforce.tokens.get(grantId);
    const [event] = (await ended) as [{ grantId: string }];

    expect(event.grantId).toBe(grantId);
    expect((await job.fetch('/services/data/v62.0/limits')).status).toBe(200);
    const told = await only(salesforce);
    expect(told).toMatchObject({
      ...{ grantId, state: 'ended', health: 'loginNeeded' },
      errorCode: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED',
    });
    expect(told.since).toEqual(new Date(clock.now()));
    clock.advanceMs(5 * minute);
    expect((await only(salesforce)).since).toEqual(told.since);
    expect((await salesforce.tokens.find(grantId))?.health).toBe('loginNeeded');
    // Only now does the job fail.
    emulator.expireAccessTokens();
    await expect(job.fetch('/services/data/v62.0/limits')).rejects.toMatchObject({
      code: 'ERR_SALESFORCE_REAUTHENTICATION_REQUIRED',
    });
  });

  it('learns why a refresh is refused that no login helps against, while the token works', async () => {
    const clock = new ManualClock();
    const { salesforce, emulator, grantId, client } = await loggedIn({
      options: { clock, store: new MemoryTokenStore({ clock }) },
    });
    emulator.setPolicy(client.clientID, { blocked: true });
    clock.advanceMs(115 * minute);
    const failed = once(salesforce.events, 'refresh.failed');
    await salesforce.tokens.get(grantId);
    await failed;

    expect(await only(salesforce)).toMatchObject({ health: 'working', errorCode: 'ERR_SALESFORCE_APP_BLOCKED' });
  });

  it('sees a doubt', async () => {
    const clock = new ManualClock();
    const { salesforce, emulator, grantId } = await loggedIn({
      options: { clock, store: new MemoryTokenStore({ clock }) },
    });
    emulator.faults.inject({ on: 'refresh', kind: 'drop' });
    clock.advanceMs(115 * minute);
    const doubted = once(salesforce.events, 'refresh.doubted');
    await salesforce.tokens.get(grantId);
    await doubted;
    const inDoubt = await only(salesforce);

    expect(inDoubt).toMatchObject({ health: 'inDoubt', since: new Date(clock.now()) });
  });
});
