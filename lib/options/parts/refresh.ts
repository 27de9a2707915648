import { optionalWholeNumber, wholeNumber } from '../check';
import type { LostAnswerPolicy } from '../../coordinator/settings';
import { flag, whole, word, type Part } from '../spec';

const daySeconds = 24 * 60 * 60;

/** How long an unused refresh token lives in an app that Salesforce makes now, as several sources report. */
export const defaultIdleLimitSeconds: number = 30 * daySeconds;

/** How often each process looks for unused grants, if the limit leaves time. */
export const defaultEverySeconds: number = 60 * 60;

/** No grant lives unused for ten years. */
const mostSeconds = 3_650 * daySeconds;

/** Which unused grants are refreshed, and when. */
export const keepAliveOptions = {
  afterSeconds: {
    values: 'seconds, from 1 to 315360000',
    default: 'five sixths of `idleLimitSeconds`: 25 days',
    text: 'How long a grant may go without new tokens',
    parse: optionalSeconds,
  },
  everySeconds: {
    values: `seconds, from 1 to ${daySeconds}`,
    default: '`3600`, or half of the time between `afterSeconds` and `idleLimitSeconds`, if that is less',
    parse: (option: string, value: unknown) => optionalWholeNumber(option, value, [1, daySeconds]),
    text: 'How often each process looks, give or take a tenth; at most a day',
  },
  usedWithinSeconds: {
    ...whole('seconds', 30 * daySeconds, [1, mostSeconds]),
    text: 'How long after its last use a grant is kept alive while a session holds it',
  },
  jobs: { ...flag(false), text: 'Keep all grants alive, also those that no session holds and no request uses' },
  abandonedAfterSeconds: {
    values: 'seconds, from 1 to 315360000',
    default: 'never',
    text: 'How long after its last session a grant is revoked',
    parse: optionalSeconds,
  },
} as const satisfies Part;

/** How tokens are refreshed. */
export const refreshOptions = {
  waitMs: { ...whole('milliseconds', 10_000, [0, 600_000]), text: 'How long a request waits for a refresh' },
  cacheMs: {
    ...whole('milliseconds', 2_000, [0, 60_000]),
    text: 'How long a grant is served from memory before the store is asked again',
  },
  leaseMs: {
    ...whole('milliseconds', 15_000, [1_000, 3_600_000]),
    text: 'How long a claim on a grant holds without being renewed. A claim always outlives its request: it holds at least for `httpTimeoutMs` and half of this time',
  },
  drainMs: {
    ...whole('milliseconds', 5_000, [0, 600_000]),
    text: 'How long Salesforce may still be working on a request whose answer was lost',
  },
  inDoubtMs: {
    ...whole('milliseconds', 300_000, [0, 86_400_000]),
    text: 'How long Salesforce may not tell what became of a refresh before only a login helps. Time in which it cannot be asked does not count',
  },
  onLostAnswer: {
    ...word<LostAnswerPolicy>(['wait', 'login', 'retry'], 'wait'),
    text: 'What happens to such a grant meanwhile; see [tokens.md](../internals/token-lifecycle.md#when-an-answer-is-lost)',
  },
  storeTimeoutMs: {
    ...whole('milliseconds', 5_000, [1, 600_000]),
    text: 'How long one operation of the token store may take before it counts as failed; twelve times as long for the next match of a walk through all grants, and at least `everySeconds` for that of `keepAlive`',
  },
  closeTimeoutMs: {
    ...whole('milliseconds', 60_000, [0, 3_600_000]),
    text: 'How long `close()` waits for refreshes under way',
  },
  idleLimitSeconds: {
    values: 'seconds, from 60; or `false`',
    default: '`2592000`, 30 days',
    text: 'How long Salesforce lets a refresh token live that is not used; `false` if the app has no such limit',
    parse: parseIdleLimit,
  },
  keepAlive: {
    values: 'boolean, or [an object](#keepalive)',
    default: '`true` with a store that outlives the process',
    text: 'Refresh grants in the background that no request uses, before Salesforce lets them end',
    options: keepAliveOptions,
  },
} as const satisfies Part;

function optionalSeconds(option: string, value: unknown): number | undefined {
  return optionalWholeNumber(option, value, [1, mostSeconds]);
}

function parseIdleLimit(option: string, value: unknown): number | undefined {
  return value === false ? undefined : wholeNumber(option, value, defaultIdleLimitSeconds, [60, mostSeconds]);
}
