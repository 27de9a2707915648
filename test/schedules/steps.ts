import fc from 'fast-check';
import { introspectionFaults, networkFaults, type IntrospectionFault, type NetworkFault } from './network';
import { storeFaults, type StoreFault } from './store';
import type { Setting, World } from './world';

/** One thing that happens, and how much time passes after it. */
export type Step = { thenMs: number } & (
  | { do: 'request'; process: number; session: number }
  | { do: 'login'; process: number; scope: string }
  | { do: 'logout' | 'logout everywhere'; process: number; session: number }
  | { do: 'reject' }
  | { do: 'revoke' }
  | { do: 'pause before'; process: number; operation: PausedAt }
  | { do: 'kill' | 'pause' | 'resume' | 'resume unnoticed'; process: number }
  | { do: 'jump wall clock' | 'jump monotonic clock'; process: number; byMs: number }
  | { do: 'freeze'; process: number; forMs: number }
  | { do: 'provider fault'; fault: NetworkFault }
  | { do: 'introspection fault'; fault: IntrospectionFault }
  | { do: 'store fault'; fault: StoreFault; times: number }
  | { do: 'elapse' }
);

/** Operations a pause before which leaves something under way. */
const pausedAt = ['claim', 'commit', 'releaseClaim', 'put', 'logOut'] as const;
type PausedAt = (typeof pausedAt)[number];

const index = fc.nat({ max: 3 });
/** Between the legs of a request to the store (1 ms) and to Salesforce (5 ms), and beyond them. */
const shortly = fc.constantFrom(0, 1, 2, 4, 7, 11, 16, 60, 400);

const on = <const Do extends string, More extends object>(
  name: Do,
  more: { [Key in keyof More]: fc.Arbitrary<More[Key]> },
) => fc.record({ do: fc.constant(name), thenMs: shortly, ...more }) as fc.Arbitrary<{ do: Do; thenMs: number } & More>;

/** Without rare faults a schedule has more of the rest, and finds a broken store sooner. */
const stepOf = (hasRareFaults: boolean): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 10, arbitrary: on('request', { process: index, session: index }) },
    { weight: 3, arbitrary: on('reject', {}) },
    {
      weight: 3,
      arbitrary: on('login', {
        process: index,
        scope: fc.constantFrom('id api refresh_token', 'id api refresh_token', 'api refresh_token', 'id api'),
      }),
    },
    { weight: 2, arbitrary: on('logout', { process: index, session: index }) },
    { weight: 1, arbitrary: on('logout everywhere', { process: index, session: index }) },
    { weight: 2, arbitrary: on('kill', { process: index }) },
    { weight: 2, arbitrary: on('pause', { process: index }) },
    { weight: 2, arbitrary: on('pause before', { process: index, operation: fc.constantFrom(...pausedAt) }) },
    { weight: 1, arbitrary: on('revoke', {}) },
    { weight: 3, arbitrary: on('resume', { process: index }) },
    { weight: 1, arbitrary: on('resume unnoticed', { process: index }) },
    // Past the time limit of a request, and past lease and drain.
    ...(hasRareFaults
      ? [
          { weight: 1, arbitrary: on('freeze', { process: index, forMs: fc.constantFrom(8_000, 31_000, 60_000) }) },
          { weight: 1, arbitrary: on('introspection fault', { fault: fc.constantFrom(...introspectionFaults) }) },
        ]
      : []),
    {
      weight: 3,
      arbitrary: on('provider fault', {
        fault: fc.constantFrom(...(hasRareFaults ? networkFaults : networkFaults.slice(0, 14))),
      }),
    },
    {
      weight: 3,
      arbitrary: on('store fault', {
        fault: fc.constantFrom(...(hasRareFaults ? storeFaults : storeFaults.slice(0, 5))),
        times: fc.integer({ min: 1, max: 4 }),
      }),
    },
    {
      weight: 1,
      arbitrary: on('jump wall clock', {
        process: index,
        byMs: fc.constantFrom(86_400_000, -86_400_000, 3_600_000, ...(hasRareFaults ? [-3_600_000] : [])),
      }),
    },
    { weight: 1, arbitrary: on('jump monotonic clock', { process: index, byMs: fc.constantFrom(20_000, 3_600_000) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('elapse' as const),
        // Past the drain, the lease, a backoff, the doubt; to the soft and the hard end of both kinds of tokens.
        thenMs: fc.constantFrom(100, 1_100, 6_000, 16_000, 70_000, 310_000, 470_000, 560_000, 6_500_000, 7_300_000),
      }),
    },
  );

export interface Schedule {
  setting: Setting;
  /** Of the library's jitter. */
  random: number;
  steps: Step[];
}

export const schedulesOf = (hasRareFaults: boolean): fc.Arbitrary<Schedule> =>
  fc.record({
    setting: fc.record({
      processes: fc.integer({ min: 2, max: 3 }),
      isPublic: fc.boolean().map((value) => value),
      rotates: fc.constantFrom(true, true, false),
      isCertain: fc.boolean(),
      hasOwnInstance: fc.constant(hasRareFaults),
      onLostAnswer: fc.constantFrom('wait' as const, 'wait' as const, 'login' as const),
    }),
    random: fc.nat(),
    steps: fc.array(stepOf(hasRareFaults), { maxLength: 30, size: 'max' }),
  });

/** Does a step; what it begins goes on behind the ones that follow. */
export async function take(world: World, given: Step): Promise<void> {
  switch (given.do) {
    case 'request': {
      const session = world.session(given.session);
      if (session) void world.request(world.process(given.process), session);
      break;
    }
    case 'login':
      void world.login(world.process(given.process), given.scope);
      break;
    case 'logout':
    case 'logout everywhere': {
      const session = world.session(given.session);
      if (session) void world.logout(world.process(given.process), session, given.do === 'logout everywhere');
      break;
    }
    case 'reject':
      world.salesforce.provider.grants.expireAccessTokens({});
      break;
    case 'revoke':
      world.revoke();
      break;
    case 'pause before':
      world.process(given.process).pauseBefore = given.operation;
      break;
    case 'kill':
      await world.kill(given.process);
      break;
    case 'pause':
      world.process(given.process).pause();
      break;
    case 'resume':
    case 'resume unnoticed':
      world.process(given.process).resume(given.do === 'resume');
      break;
    case 'jump wall clock':
      world.process(given.process).clock.jumpMs(given.byMs);
      break;
    case 'jump monotonic clock':
      world.jumpMonotonic(given.process, given.byMs);
      break;
    case 'freeze': {
      const process = world.process(given.process);
      process.pause();
      await world.elapse(given.forMs);
      process.resume(true);
      break;
    }
    case 'introspection fault':
      world.failIntrospection(given.fault);
      break;
    case 'provider fault':
      world.fail(given.fault);
      break;
    case 'store fault':
      world.failStore(given.fault, given.times);
  }
  await world.elapse(given.thenMs);
}
