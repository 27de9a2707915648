import type { Emulator, Violation } from '../../lib/emulator';

/** Emulators whose refresh tokens are watched, of the test file that is running. */
const watched = new Set<Emulator>();

/** Has every test fail that presents a refresh token of this emulator twice at once, or after it was spent. */
export function watch(emulator: Emulator): void {
  watched.add(emulator);
}

/** Ends the watch, after a last look. */
export function unwatch(emulator: Emulator): void {
  watched.delete(emulator);
}

/** For a test that provokes violations on purpose: returns them and takes them off the record. */
export function takeViolations(emulator: Emulator): Violation[] {
  return emulator.violations.splice(0);
}

/** What the rule allows, counted. */
export interface Exceptions {
  /** An administrator switched rotation on while an answer was lost, or within a day of the last refresh. */
  rotationSwitchedOn: number;
  /** `onLostAnswer: 'retry'`. */
  retry: number;
}

/**
 * Takes the two exceptions to the rule off a list, and counts them: a token that was spent is presented once more, since rotation
 * was switched on behind the client's back, or since the application asked for it with `onLostAnswer: 'retry'`. A third
 * presentation is none, nor is one that overlaps; they stay on the list.
 */
export function takeExceptions(
  violations: Violation[],
  { onLostAnswer = 'wait' }: { onLostAnswer?: string | undefined } = {},
): Exceptions {
  const counted: Exceptions = { rotationSwitchedOn: 0, retry: 0 };
  const known = new Set<string>();
  const left = violations.splice(0).filter(({ kind, refreshToken, isOlderThanRotation, presentation }) => {
    const isOnce = kind === 'spent' && !known.has(refreshToken);
    if (isOnce && isOlderThanRotation) counted.rotationSwitchedOn += 1;
    else if (isOnce && onLostAnswer === 'retry' && presentation === 2) counted.retry += 1;
    else return true;
    known.add(refreshToken);
    return false;
  });
  violations.push(...left);
  return counted;
}

/** Throws, in words a person can act on, where a watched emulator has violations; they count for one test only. */
export function assertNoViolations(): void {
  const violations = [...watched].flatMap((emulator) => takeViolations(emulator));
  if (violations.length === 0) return;
  const lines = violations.map(
    ({ kind, refreshToken, username, presentation, at }) =>
      `  ${kind}: …${refreshToken.slice(-8)} of ${username ?? 'nobody known'}, presentation ${presentation}, ` +
      `at ${new Date(at).toISOString()}`,
  );
  throw new Error(
    'Refresh tokens were presented after they were spent, or twice at once:\n' +
      `${lines.join('\n')}\nA test that does so on purpose calls takeViolations(emulator).`,
  );
}

// Jest runs this file in setupFilesAfterEnv. Other programs import it for `watch` alone and have no afterEach.
if (typeof afterEach === 'function') afterEach(assertNoViolations);
