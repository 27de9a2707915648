import { BoundedMap } from './bounded-map';
import { systemClock, type Clock } from './clock';

/** A line for the operator. */
export interface OperatorWarning {
  /** Stable name of the cause: an error code of this package, or a name such as `LOGIN_ORIGIN`. */
  code: string;
  /** What happened, and what to do. It holds no secret. */
  message: string;
  /** How often it was not told since the last time. */
  suppressed: number;
}

/** Takes warnings, in place of the standard error stream. */
export type Report = (warning: OperatorWarning) => void;

/** A cause is told again after this time, in milliseconds. */
const pauseMs = 60_000;

/** Most causes remembered at a time. */
const maxCauses = 1_000;

/**
 * Tells the operator what users and events do not: once a minute for each cause, so that a flood of one error does not hide
 * the others.
 *
 * It writes to the standard error stream by itself, since `process.emitWarning` is silent under `NODE_NO_WARNINGS`.
 */
export class Reporter {
  readonly #report: Report;
  readonly #clock: Clock;
  readonly #told = new BoundedMap<string, { at: number; suppressed: number }>(maxCauses);

  constructor(report: Report | false | undefined, clock: Clock) {
    this.#report = report === false ? () => undefined : (report ?? writeLine);
    this.#clock = clock;
  }

  /** @param code the cause, which also decides what is told once a minute */
  warn(code: string, message: string): void {
    const now = this.#clock.monotonic();
    const last = this.#told.get(code);
    if (last && now - last.at < pauseMs) {
      last.suppressed++;
      return;
    }
    this.#told.set(code, { at: now, suppressed: 0 });
    // A logger that fails must not fail a request, and one that is async must not end the process.
    try {
      const report: (warning: OperatorWarning) => unknown = this.#report;
      Promise.resolve(report({ code, message, suppressed: last?.suppressed ?? 0 })).catch(() => undefined);
    } catch {
      // As above.
    }
  }
}

function writeLine({ code, message, suppressed }: OperatorWarning): void {
  const more = suppressed === 0 ? '' : ` (${suppressed} more since the last time)`;
  process.stderr.write(`express-salesforce-auth: ${code}: ${message}${more}\n`);
}

/** The reporter of strategies that stand alone. */
const ownReporter = new Reporter(undefined, systemClock);

/** Tells the operator, from code that belongs to no middleware. */
export function warn(code: string, message: string): void {
  ownReporter.warn(code, message);
}
