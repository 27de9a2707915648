import { afterTwoTurns, longestSince, momentOf, type CancelTimer, type Clock } from '../clock';

/** A timer that fires this much too late, in milliseconds, shows that the process was frozen. */
const lateMs = 1_000;

/** What the end of a request's time does. */
export interface DeadlineActions {
  /** Whether the request may have been written. */
  isWritten: () => boolean;
  abort: () => void;
}

/**
 * Ends a request after `timeoutMs`.
 *
 * In a process that was frozen, the timer fires before the socket is read, and the answer may be there. So a request that was
 * written gets two turns of the event loop to read it. A request that was not written yet is aborted at once: it would go out
 * late.
 *
 * @returns stops the timer
 */
export function startDeadline(clock: Clock, timeoutMs: number, { isWritten, abort }: DeadlineActions): CancelTimer {
  const since = momentOf(clock);
  return clock.setTimer(timeoutMs, () => {
    const isLate = longestSince(since, clock) - timeoutMs > lateMs;
    if (isLate && isWritten()) afterTwoTurns(abort);
    else abort();
  });
}
