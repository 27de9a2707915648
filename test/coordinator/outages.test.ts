import type { SalesforceAuthError } from '../../lib';
import type { GetOptions } from '../../lib/coordinator/coordinator';
import type { GrantHolder } from '../../lib/coordinator/grants';
import { Outages } from '../../lib/coordinator/refresh/outages';
import { addUser } from '../../lib/emulator/org/users';
import { ManualClock } from '../helpers/clock';
import type { Trouble } from '../schedules/network';
import { begin, memory } from '../schedules/play';
import type { World } from '../schedules/world';
import { tokensOf } from './support';

const minute = 60_000;
const hour = 60 * minute;

/** Tokens from the login host, of one client and organization. */
const tokens = tokensOf({ baseUrl: 'https://login.salesforce.com' });

/** A host that did not answer for `ms`, while it was asked every two seconds. */
function outageOf(outages: Outages, clock: ManualClock, ms: number): void {
  outages.note(tokens, 'first', 'not carried out');
  for (let passed = 0; passed < ms; passed += 2_000) {
    clock.advanceMs(Math.min(2_000, ms - passed));
    outages.note(tokens, 'first', 'lost');
  }
  outages.note(tokens, 'first', 'tokens');
}

describe('the turn of a grant', () => {
  /** After 100 s, from 1,000 s on, in which Salesforce did not answer. */
  function afterOutage(): { outages: Outages; clock: ManualClock } {
    const clock = new ManualClock();
    const outages = new Outages(clock);
    clock.advanceMs(1_000_000 - clock.monotonic());
    outageOf(outages, clock, 100_000);
    return { outages, clock };
  }

  /** A token that was stored before the outage, ends long after it, and is in use. */
  const before = { since: 500_000, endsAt: 5_000_000, isInUse: true };

  it.each([
    ['before the outage', 999_999, 0],
    ['when it began', 1_000_000, 0],
    ['a second later', 1_001_000, 1_000],
    ['in its middle', 1_050_000, 50_000],
    ['when it ended', 1_100_000, 100_000],
    ['after it, in a minute', 1_160_000, 160_000],
  ])('with older tokens that became due %s', (_when, dueAt, turnInMs) => {
    const { outages } = afterOutage();

    expect(outages.turnInMs(tokens, { ...before, dueAt })).toBe(turnInMs);
  });

  it.each([
    ['host', { baseUrl: 'https://elsewhere.my.salesforce.com' }],
    ['client', { clientID: 'another' }],
    ['organization', { organizationId: '00D000000000002EAA' }],
    ['tenant', { tenant: 'another' }],
  ])('does not depend on an outage that only another %s had', (_what, other) => {
    const { outages } = afterOutage();

    expect(outages.turnInMs({ ...tokens, ...other }, { ...before, dueAt: 1_050_000 })).toBe(0);
    outages.note(tokens, 'first', 'lost');
    expect(outages.pauseInMs(tokens, 'second')).toBeGreaterThan(0);
    expect(outages.pauseInMs({ ...tokens, ...other }, 'second')).toBe(0);
  });

  it('does not depend on an outage that had begun when the tokens were stored', () => {
    const { outages, clock } = afterOutage();
    clock.advanceMs(60_000);

    for (const since of [1_100_000, 1_000_000])
      expect(outages.turnInMs(tokens, { ...before, since, dueAt: 1_160_000 })).toBe(0);
  });

  it('comes nearer as time passes', () => {
    const { outages, clock } = afterOutage();

    clock.advanceMs(30_000);

    expect(outages.turnInMs(tokens, { ...before, dueAt: 1_050_000 })).toBe(20_000);
  });

  it('comes later by a second outage that covers it, and not by one after it', () => {
    const { outages, clock } = afterOutage();
    clock.advanceMs(20_000);
    outageOf(outages, clock, 100_000);

    // The second outage is from 1_120_000 to 1_220_000.
    expect(outages.turnInMs(tokens, { ...before, dueAt: 1_050_000 })).toBe(30_000);
    expect(outages.turnInMs(tokens, { ...before, dueAt: 1_010_000 })).toBe(0);
  });

  it('comes at the presumed end of the token, if the token is not in use', () => {
    const { outages } = afterOutage();
    const due = { since: 500_000, dueAt: 1_050_000, endsAt: 1_120_000 };

    expect(outages.turnInMs(tokens, { ...due, isInUse: false })).toBe(20_000);
    expect(outages.turnInMs(tokens, { ...due, isInUse: true })).toBe(50_000);
    expect(outages.turnInMs(tokens, { ...due, endsAt: 1_090_000, isInUse: false })).toBe(0);
  });

  it('comes half a life after the presumed end at the latest', () => {
    const { outages } = afterOutage();
    const due = { since: 900_000, dueAt: 1_090_000, endsAt: 1_095_000, isInUse: true };

    expect(outages.turnInMs(tokens, due)).toBe(90_000);
    expect(outages.turnInMs(tokens, { ...due, since: 990_000 })).toBe(47_500);
  });

  it('is kept through many short outages: a long one is remembered', () => {
    const { outages, clock } = afterOutage();
    for (let count = 0; count < 40; count++) {
      outages.note(tokens, 'first', 'not sent');
      clock.advanceMs(10);
      outages.note(tokens, 'first', 'tokens');
    }

    expect(outages.turnInMs(tokens, { ...before, dueAt: 1_050_000 })).toBeGreaterThan(45_000);
  });

  it('forgets an outage after a day', () => {
    const { outages, clock } = afterOutage();
    const later = { ...before, dueAt: clock.monotonic() + 25 * hour, endsAt: clock.monotonic() + 100 * hour };

    expect(outages.turnInMs(tokens, later)).toBe(25 * hour + 100_000);
    clock.advanceMs(24 * hour);
    expect(outages.turnInMs(tokens, later)).toBe(hour);
  });

  it('does not count the time in which no request came', () => {
    const clock = new ManualClock();
    const outages = new Outages(clock);
    const start = clock.monotonic();
    outages.note(tokens, 'first', 'not carried out');
    clock.advanceMs(14 * hour);
    outages.note(tokens, 'first', 'tokens');

    const due = { since: start - minute, dueAt: start + 14 * hour, endsAt: start + 20 * hour, isInUse: true };
    expect(outages.turnInMs(tokens, due)).toBeLessThanOrEqual(4_000);
  });
});

describe('a host that does not answer', () => {
  it('is tried by one grant, and by another one if nothing is heard of the first', () => {
    const clock = new ManualClock();
    const outages = new Outages(clock);
    outages.note(tokens, 'first', 'not carried out');

    expect(outages.pauseInMs(tokens, 'first')).toBe(0);
    expect(outages.pauseInMs(tokens, 'second')).toBe(2_000);
    clock.advanceMs(1_999);
    expect(outages.pauseInMs(tokens, 'second')).toBe(1);
    clock.advanceMs(1);
    expect(outages.pauseInMs(tokens, 'second')).toBe(0);
    expect(outages.pauseInMs(tokens, 'second')).toBe(0);
    expect(outages.pauseInMs(tokens, 'first')).toBe(4_000);
    expect(outages.pauseInMs(tokens, 'third')).toBe(4_000);
  });

  it('is tried by no other grant while the first one tries, with its own pauses of up to a minute', () => {
    const clock = new ManualClock();
    const outages = new Outages(clock);
    let tries = 0;

    for (let second = 0; second < 3_600; second++) {
      if (second % 60 === 0 || second < 8) outages.note(tokens, 'first', 'not sent');
      clock.advanceMs(1_000);
      for (const grantId of ['second', 'third', 'fourth']) if (outages.pauseInMs(tokens, grantId) === 0) tries += 1;
      expect(outages.pauseInMs(tokens, 'first')).toBe(0);
    }

    expect(tries).toBe(0);
  });

  it('is left alone after an introspection that failed, and not tried by all after one that succeeded', () => {
    const outages = new Outages(new ManualClock());
    outages.noteLook(tokens, 'first', 'tokens');
    expect(outages.pauseInMs(tokens, 'second')).toBe(0);
    outages.noteLook(tokens, 'first', 'not carried out');
    expect(outages.pauseInMs(tokens, 'second')).toBe(2_000);
    outages.noteLook(tokens, 'first', 'tokens');
    expect(outages.pauseInMs(tokens, 'second')).toBe(2_000);
  });

  it.each(['known refusal', 'unknown refusal', 'client refused', 'tokens'] as const)(
    'is no longer left alone after an answer: %s',
    (answer) => {
      const outages = new Outages(new ManualClock());
      outages.note(tokens, 'first', 'not carried out');

      outages.note(tokens, 'first', answer);

      expect(outages.pauseInMs(tokens, 'other')).toBe(0);
    },
  );
});

describe('an outage of an hour', () => {
  const users = 150;
  const kinds: [string, Trouble][] = [
    ['answers 503', { reply: { status: 503, headers: {}, text: '' } }],
    ['drops connections', { isDropped: true }],
  ];

  /** Users who log in over the time between two refreshes, and come every ten minutes, to any of two processes. */
  async function open(): Promise<{
    world: World;
    pass: (ms: number) => Promise<number>;
    set: (trouble: Trouble | undefined) => void;
  }> {
    const setting = { processes: 2, isPublic: false, rotates: true, isCertain: false, onLostAnswer: 'wait' as const };
    let state = 1;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const world = begin(setting, memory(), random);
    const { provider } = world.salesforce;
    while (provider.users.length < users) addUser(provider, {});
    let requests = 0;
    let trouble: Trouble | undefined;
    world.trouble = () => {
      requests += 1;
      return trouble;
    };
    for (let who = 0; who < users; who++) {
      const login = world.login(world.process(who), 'id api refresh_token', who);
      await world.elapse((100 * minute) / users);
      await login;
    }
    const answers: Promise<number | undefined>[] = [];
    const pass = async (ms: number): Promise<number> => {
      const before = requests;
      for (let passed = 0; passed < ms; passed += minute) {
        for (const session of world.sessions) {
          if (random() < 0.1) answers.push(world.request(world.process(random() < 0.5 ? 0 : 1), session));
        }
        await world.elapse(minute);
      }
      expect(new Set(await Promise.all(answers.splice(0)))).toEqual(new Set([200]));
      return requests - before;
    };
    return { world, pass, set: (next) => (trouble = next) };
  }

  it.each(kinds)(
    'in which Salesforce %s is followed by the usual load, and every user is served',
    async (_kind, trouble) => {
      const { world, pass, set } = await open();
      await pass(2 * hour);
      const usual = (await pass(2 * hour)) / 4;
      set(trouble);
      const during = await pass(hour);
      set(undefined);

      const after: number[] = [];
      for (let half = 0; half < 10; half++) after.push(await pass(hour / 2));

      expect(usual).toBeGreaterThan(35);
      expect(during).toBeGreaterThan(0);
      expect(during).toBeLessThan(8 * usual);
      expect(Math.max(...after) / usual).toBeLessThan(1.75);
      expect(world.sessions).toHaveLength(users);
      expect(world.violations).toEqual([]);
      expect(world.salesforce.provider.presentations.violations).toEqual([]);
    },
  );
});

describe('two users, one of whom meets an outage', () => {
  const down: Trouble = { reply: { status: 503, headers: {}, text: '' } };
  const second = 1_000;

  /** Both are logged in. The token of the first one is refused at this time, in an outage of this length. */
  async function outage(at: number, ms: number, isCertain: boolean) {
    const setting = { processes: 1, isPublic: false, rotates: true, isCertain, onLostAnswer: 'wait' as const };
    const options = { refresh: { cacheMs: 60_000 } };
    const world = begin({ ...setting, options }, memory(), () => 0.5);
    let requests = 0;
    const sessions = [0, 1].map((who) => world.login(world.process(0), 'id api refresh_token', who));
    await world.elapse(100);
    const [first, other] = (await Promise.all(sessions)) as [GrantHolder, GrantHolder];
    const get = async ({ grantId, generation }: GrantHolder, options: GetOptions = {}): Promise<string> => {
      const process = world.process(0);
      const answer = process.run(() =>
        process.core.coordinator.get({ grantId, generation }, options).then(
          ({ accessToken }) => accessToken,
          (error: unknown) => (error as SalesforceAuthError).code,
        ),
      );
      await world.elapse(second);
      return answer;
    };
    const [old, otherOld] = [await get(first), await get(other)];
    await world.elapse(at);
    world.trouble = () => {
      requests += 1;
      return down;
    };
    expect(await get(first, { rejected: old })).toBe('ERR_SALESFORCE_REFRESH_DELAYED');
    await world.elapse(ms);
    // It tries on behalf of both.
    await get(first, { rejected: old });
    const before = requests;
    const during = await get(other);
    const requestsOfOther = requests - before;
    world.trouble = undefined;
    await world.elapse(5 * second);
    expect(await get(first, { rejected: old })).not.toBe(old);
    return { world, get, other, otherOld, during, requestsOfOther };
  }

  it.each([12, 72])(
    'of %i hours has the other one refreshed at its next request, since its token has hardly lived so long',
    async (hours) => {
      const { get, other, otherOld, during, requestsOfOther } = await outage(5_000 * second, hours * hour, false);

      expect([during, requestsOfOther]).toEqual([otherOld, 0]);
      expect(await get(other)).not.toBe(otherOld);
    },
  );

  it('gives the other one a new token at once, if its token is refused', async () => {
    const { get, other, otherOld } = await outage(5_000 * second, 3_000 * second, false);

    const token = await get(other, { rejected: otherOld });

    expect(token).not.toBe(otherOld);
    expect(await get(other)).toBe(token);
  });

  it('gives the other one a new token at once, if its token has certainly ended', async () => {
    const { get, other, otherOld, during } = await outage(400 * second, 300 * second, true);

    expect(during).toBe('ERR_SALESFORCE_REFRESH_DELAYED');
    expect(await get(other)).toMatch(/^00D/);
    expect(await get(other)).not.toBe(otherOld);
  });

  it('serves no token from memory past its certain end, however long it is kept there', async () => {
    const { world, get, other, otherOld } = await outage(400 * second, 110 * second, true);
    expect(await get(other)).toBe(otherOld);

    await world.elapse(25 * second);

    expect(await get(other)).not.toBe(otherOld);
  });
});
