import { afterTwoTurns, longestSince, momentOf, type Clock } from '../clock';
import type { SendGuard } from './send-guard';

/** A timer that fires so much later than it was set for belongs to a process that was frozen, in milliseconds. */
const lateMs = 1_000;

/** The time limit of one request. */
export interface Deadline {
  /** Notes when the request is written, which its guard is asked about. */
  watch(guard: SendGuard): SendGuard;
  cancel(): void;
}

/**
 * Calls `abort` after `timeoutMs`.
 *
 * In a process that was frozen, the timer fires before the socket is read, and the answer may be there. So a request that was
 * written gets two turns of the event loop to read it. A request that was not written yet is aborted at once: it would go out
 * late.
 */
export function startDeadline(clock: Clock, timeoutMs: number, abort: () => void): Deadline {
  const since = momentOf(clock);
  let isWritten = false;
  const cancel = clock.setTimer(timeoutMs, () => {
    const isLate = longestSince(since, clock) - timeoutMs > lateMs;
    if (!isLate || !isWritten) abort();
    else afterTwoTurns(abort);
  });
  return {
    watch: (guard) => () => {
      isWritten = guard();
      return isWritten;
    },
    cancel,
  };
}
