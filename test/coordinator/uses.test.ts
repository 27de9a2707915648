import { MemoryTokenStore } from '../../lib';
import type { GrantHolder } from '../../lib/coordinator/grants';
import { addUser } from '../../lib/emulator/org/users';
import { ManualClock } from '../helpers/clock';
import type { Trouble } from '../schedules/network';
import { begin } from '../schedules/play';
import type { World } from '../schedules/world';

const second = 1_000;
const down: Trouble = { reply: { status: 503, headers: {}, text: '' } };

/** What the store does with the claims of tokens, and how often it was asked for one. */
interface Claims {
  asked: number;
  set: (trouble: 'none' | 'fails' | 'hangs' | 'slow') => void;
}

function storeWithClaims(clock: ManualClock): { store: MemoryTokenStore; claims: Claims } {
  const store = new MemoryTokenStore({ clock });
  const claimOnce = store.claimOnce.bind(store);
  let state = 'none';
  const claims: Claims = { asked: 0, set: (next) => (state = next) };
  store.claimOnce = async (...given) => {
    claims.asked += 1;
    if (state === 'fails') throw new Error('connection lost');
    if (state === 'hangs') await new Promise(() => undefined);
    if (state === 'slow') await new Promise<void>((resolve) => clock.setTimer(2 * second, resolve));
    return claimOnce(...given);
  };
  return { store, claims };
}

interface Scene {
  world: World;
  claims: Claims;
  /** The token that a user gets from a process. */
  get: (process: number) => Promise<string>;
  /** The token that the user gets who says that Salesforce's API has refused the first one. */
  refuse: (process: number) => Promise<string>;
  /** Lets the time since the login become so many seconds. */
  until: (seconds: number) => Promise<void>;
  /** The outage ends, and both processes see so. */
  recover: () => Promise<void>;
  old: string;
}

/**
 * A user of two processes, whose token lives two hours: its refresh becomes due after 90 to 108 minutes. From 5,000 s on,
 * Salesforce does not answer, as both processes learn from another user's requests.
 */
async function outage({ hasClaims = true, isCertain = false } = {}): Promise<Scene> {
  const clock = new ManualClock();
  const { store, claims } = storeWithClaims(clock);
  if (!hasClaims) Object.assign(store, { claimOnce: undefined, resolveClaim: undefined });
  const options = { report: () => undefined };
  const setting = {
    processes: 2,
    isPublic: false,
    rotates: true,
    isCertain,
    onLostAnswer: 'wait' as const,
    options,
  };
  const world = begin(setting, { store, clock }, () => 0.5);
  const startedAt = clock.monotonic();
  // All of one organization, since each organization has its outages.
  const { provider } = world.salesforce;
  const users = [0, 1, provider.users.indexOf(addUser(provider, {}))];
  const logins = users.map((who) => world.login(world.process(0), 'id api refresh_token', who));
  await world.elapse(100);
  const [user, ...scouts] = (await Promise.all(logins)) as [GrantHolder, GrantHolder, GrantHolder];
  const of = (index: number, { grantId, generation }: GrantHolder, rejected?: string): Promise<string> => {
    const process = world.process(index);
    return process.run(() =>
      process.core.coordinator.get({ grantId, generation }, { rejected }).then(
        ({ accessToken }) => accessToken,
        () => 'none',
      ),
    );
  };
  const after = async (answers: Promise<string>[]): Promise<string[]> => {
    await world.elapse(4 * second);
    return Promise.all(answers);
  };
  const until = async (seconds: number): Promise<void> => {
    await world.elapse(seconds * second - (clock.monotonic() - startedAt));
  };
  const get = async (index: number): Promise<string> => (await after([of(index, user)]))[0]!;
  const [old, ...oldOfScouts] = await after([user, ...scouts].map((holder) => of(0, holder)));
  const try_ = (): Promise<string[]> => after(scouts.map((holder, index) => of(index, holder, oldOfScouts[index])));
  await until(5_000);
  world.trouble = () => down;
  await try_();
  const recover = async (): Promise<void> => {
    // The last try before the end shows that the outage went on until then.
    await try_();
    world.trouble = undefined;
    await world.elapse(130 * second);
    await try_();
  };
  const refuse = async (index: number): Promise<string> => (await after([of(index, user, old)]))[0]!;
  return { world, claims, get, refuse, until, recover, old: old! };
}

describe('after an outage, a token past its presumed end', () => {
  it.each([
    ['this process', 0, 0],
    ['another process', 0, 1],
  ])('is served until its turn, if %s handed it out when its refresh was due', async (_who, usedAt, askedAt) => {
    const { world, get, until, recover, old } = await outage();
    await until(6_900);
    expect(await get(usedAt)).toBe(old);
    await until(7_800);
    await recover();

    expect(await get(askedAt)).toBe(old);
    await world.elapse(200 * second);
    expect(await get(askedAt)).toBe(old);
    await world.elapse(2_000 * second);
    expect(await get(askedAt)).not.toBe(old);
    expect(world.violations).toEqual([]);
  });

  it.each([
    ['at no time', []],
    ['before its refresh was due', [5_100]],
    ['after its presumed end', [7_300]],
  ])('is refreshed at once, if it was handed out %s', async (_when, uses) => {
    const { get, until, recover, old } = await outage();
    for (const at of uses) {
      await until(at);
      expect(await get(0)).toBe(old);
    }
    await until(7_800);
    await recover();

    expect(await get(0)).not.toBe(old);
    expect(await get(1)).not.toBe(old);
  });

  it('is refreshed at once for all requests that ask at one time, and the store is asked once', async () => {
    const { world, claims, get, until, recover, old } = await outage();
    await until(7_800);
    await recover();
    const before = claims.asked;

    const answers = Promise.all(Array.from({ length: 100 }, () => get(0)));
    await world.elapse(10 * second);

    const tokens = new Set(await answers);
    expect(tokens.size).toBe(1);
    expect(tokens).not.toContain(old);
    expect(claims.asked - before).toBe(1);
  });

  it('is asked about once, however often its refresh fails afterwards', async () => {
    const { world, claims, get, until, recover, old } = await outage();
    await until(7_800);
    await recover();
    const before = claims.asked;
    // The client is refused, so the token endpoint works and no token comes.
    world.trouble = () => ({ reply: { status: 400, headers: {}, text: '{"error":"invalid_client_id"}' } });

    for (let request = 0; request < 10; request++) expect(await get(0)).toBe(old);

    expect(claims.asked - before).toBe(1);
  });

  it('is not served after it was refused, while another request waits for the store', async () => {
    const { world, claims, get, until, recover, old, refuse } = await outage();
    await until(6_900);
    await get(1);
    await until(7_800);
    await recover();
    claims.set('slow');

    const waiting = get(0);
    const refused = refuse(0);
    await world.elapse(20 * second);

    expect(await refused).not.toBe(old);
    expect(await waiting).toBe(await refused);
  });

  it.each(['fails', 'hangs'] as const)('is refreshed, if the store %s when it is asked', async (trouble) => {
    const { world, claims, get, until, recover, old } = await outage();
    await until(6_900);
    await get(0);
    await until(7_800);
    await recover();
    claims.set(trouble);

    const answer = get(1);
    await world.elapse(20 * second);

    expect(await answer).not.toBe(old);
  });

  it.each(['fails', 'hangs'] as const)('was handed out without delay, if the store %s at the note', async (trouble) => {
    const { world, claims, get, until, old } = await outage();
    claims.set(trouble);
    await until(6_900);

    expect(await get(0)).toBe(old);
    expect(world.violations).toEqual([]);
  });

  it('waits in the process that handed it out, if the store keeps no claims', async () => {
    const { get, until, recover, old } = await outage({ hasClaims: false });
    await until(6_900);
    await get(0);
    await until(7_800);
    await recover();

    expect(await get(0)).toBe(old);
    expect(await get(1)).not.toBe(old);
  });
});

it('writes no note of a token that ends at a certain time', async () => {
  const { claims, get, until } = await outage({ isCertain: true });
  await until(5_500);

  await get(0);
  await get(1);

  expect(claims.asked).toBe(0);
});

it('asks the store for no claim of a token without an outage', async () => {
  const { world, claims, get, until } = await outage();
  world.trouble = undefined;
  await until(5_200);
  const before = claims.asked;

  await until(5_000 + 24 * 3_600);
  await get(0);
  await get(1);

  expect(claims.asked).toBe(before);
});
