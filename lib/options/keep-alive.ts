import { invalid, isPlainObject } from './check';
import { defaultEverySeconds, defaultIdleLimitSeconds, keepAliveOptions } from './parts/refresh';
import { parseValues } from './spec';

/** Which unused grants are refreshed, and when. */
export interface KeepAliveOptions {
  /**
   * How long a grant may go without new tokens before it is refreshed in the background, in seconds. Default: five sixths of
   * `refresh.idleLimitSeconds`, which is 25 of 30 days.
   */
  afterSeconds?: number | undefined;
  /**
   * How often each process looks for such grants, in seconds, give or take a tenth; at most a day. Default 3600, or half of the time
   * between `afterSeconds` and `refresh.idleLimitSeconds`, if that is less.
   */
  everySeconds?: number | undefined;
  /** How long after its last use a grant is kept alive, in seconds, while a session holds it. Default 2592000, 30 days. */
  usedWithinSeconds?: number | undefined;
  /**
   * Keep the grants of jobs alive too: those that no session holds, or that were not used within `usedWithinSeconds`. Then no
   * grant ends by itself. Default false.
   */
  jobs?: boolean | undefined;
  /**
   * How long after its last session a grant is revoked, in seconds. Default: never; a grant that is not kept alive ends by
   * itself.
   */
  abandonedAfterSeconds?: number | undefined;
}

/** {@link KeepAliveOptions}, checked and complete. */
export interface KeepAliveSettings {
  readonly afterSeconds: number;
  readonly everySeconds: number;
  readonly usedWithinSeconds: number;
  readonly jobs: boolean;
  readonly abandonedAfterSeconds: number | undefined;
}

/** How long a refresh token may be idle before its end is near: five sixths of the time it has. */
export function nearEndOf(idleLimitSeconds: number): number {
  return Math.floor((idleLimitSeconds * 5) / 6);
}

/** What an option that is left out depends on. */
export interface KeepAliveCircumstances {
  /** Whether idle grants are kept alive if the application says nothing. */
  isOnByDefault: boolean;
  idleLimitSeconds: number | undefined;
}

/** Checks the option `refresh.keepAlive`; undefined if idle grants are left alone. @throws SalesforceOptionError */
export function parseKeepAlive(
  value: unknown,
  { isOnByDefault, idleLimitSeconds }: KeepAliveCircumstances,
): KeepAliveSettings | undefined {
  const given = value === undefined ? isOnByDefault : value;
  if (given === false) return undefined;
  const options = given === true ? {} : given;
  if (!isPlainObject(options)) {
    throw invalid('refresh.keepAlive', 'true, false or an object of options such as { jobs: true }');
  }
  const {
    afterSeconds = nearEndOf(idleLimitSeconds ?? defaultIdleLimitSeconds),
    everySeconds: everyGiven,
    ...rest
  } = parseValues(keepAliveOptions, options, 'refresh.keepAlive.');
  const limit = idleLimitSeconds ?? Infinity;
  if (afterSeconds >= limit) {
    throw invalid('refresh.keepAlive.afterSeconds', `less than refresh.idleLimitSeconds, which is ${limit}`);
  }
  // A round can come a tenth later than it should.
  const mostSeconds = Math.max(1, Math.floor((limit - afterSeconds) / 1.1));
  const everySeconds = everyGiven ?? Math.max(1, Math.min(defaultEverySeconds, Math.floor((limit - afterSeconds) / 2)));
  if (everySeconds > mostSeconds) {
    throw invalid(
      'refresh.keepAlive.everySeconds',
      `at most ${mostSeconds}, so that each grant is seen after afterSeconds and before refresh.idleLimitSeconds is over`,
    );
  }
  return { afterSeconds, everySeconds, ...rest };
}
