import { Bench, globalTestFunctions, type Part, type StoreUnderTest, type TestFunctions } from './contract/bench';
import { describeAdministration, describeForeignRecords } from './contract/administration';
import { describeClaims } from './contract/claims';
import { describeCommits } from './contract/commits';
import { describeHolderBound } from './contract/holders';
import { describeIdleGrants } from './contract/idle';
import { describeLogins } from './contract/logins';
import { describeNotifications } from './contract/notifications';
import { describeOneTimeClaims } from './contract/one-time-claims';
import { describeRefusals } from './contract/refusals';
import { describeReseals } from './contract/reseals';
import { describeSessions } from './contract/sessions';
import { describeSpares } from './contract/spares';
import { describeClaimReleases } from './contract/claim-releases';

export type { StoreUnderTest } from './contract/bench';

/** What the suite has to know of the store; and, where they are not globals, the functions of the test runner. */
export interface TokenStoreSuiteOptions extends Partial<TestFunctions> {
  /**
   * Time that may pass by itself while one test runs, in milliseconds. Default 20000: durations a store gives may be off by
   * so much, and no test of the suite is upset by it.
   */
  toleranceMs?: number;
  /** False for a store in memory, which never meets a record another version has written. Default true. */
  isShared?: boolean;
  /** False for a store without `subscribe()`, or with it switched off. Default true. */
  notifies?: boolean;
  /** False for a store without `takeIdle()`. Default true. */
  takesIdle?: boolean;
  /**
   * How many holders of one grant the store keeps, as `make` sets it up; a few are enough. Without the option the tests
   * of the bound are left out.
   */
  maxHolders?: number;
  /** False for a store without `reseal()`. Default true. */
  reseals?: boolean;
  /** False for a store without `claimOnce()` and `resolveClaim()`. Default true. */
  claimsOnce?: boolean;
}

/**
 * Describes what a token store must do, as tests: every sentence of the contract in `TokenStore`.
 *
 * Runs under jest, vitest with globals, or mocha as it is; for others pass their functions, for instance those of `node:test`.
 * Each test uses grants of its own, so one store or database will do for all of them.
 *
 * @param make called before each test; `close` of what it returns is called after it
 *
 * @example
 * import { MemoryTokenStore } from 'express-salesforce-auth';
 * import { describeTokenStore } from 'express-salesforce-auth/stores/contract';
 *
 * let nowMs = 0;
 * const clock = { now: () => nowMs, monotonic: () => nowMs, setTimer: () => () => undefined };
 * const make = () => ({ store: new MemoryTokenStore({ clock }), elapse: (ms: number) => void (nowMs += ms) });
 * describeTokenStore('a store of my own', make, { isShared: false });
 */
export function describeTokenStore(
  name: string,
  make: () => StoreUnderTest | Promise<StoreUnderTest>,
  options: TokenStoreSuiteOptions = {},
): void {
  const {
    toleranceMs = 20_000,
    isShared = true,
    notifies = true,
    takesIdle = true,
    claimsOnce = true,
    reseals = true,
    maxHolders,
    ...given
  } = options;
  const { describe, it, beforeEach, afterEach } = { ...globalTestFunctions(), ...given };
  describe(name, () => {
    let bench: Bench | undefined;
    beforeEach(async () => {
      bench = new Bench(await make(), toleranceMs);
    });
    afterEach(async () => {
      const done = bench;
      bench = undefined;
      await done?.close();
    });
    const part: Part = {
      describe,
      it(sentence, run) {
        it(sentence, async () => {
          if (!bench) throw new Error('The store could not be made.');
          await run(bench);
        });
      },
    };
    describeLogins(part);
    describeClaims(part);
    describeClaimReleases(part);
    describeRefusals(part);
    describeCommits(part);
    describeSpares(part);
    describeSessions(part, Math.min(100, (maxHolders ?? 1_000) - 1));
    if (maxHolders !== undefined) describeHolderBound(part, maxHolders);
    describeAdministration(part);
    if (isShared) describeForeignRecords(part);
    if (notifies) describeNotifications(part);
    if (takesIdle) describeIdleGrants(part);
    if (claimsOnce) describeOneTimeClaims(part);
    if (reseals) describeReseals(part);
  });
}
