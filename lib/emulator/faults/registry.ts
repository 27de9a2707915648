import { parsePart } from '../../options/names';
import { faultOptions } from '../../options/parts/emulator-faults';
import type { RecordedRequest } from '../http/exchange';
import type { FaultHandle, FaultInjection, FaultOperation } from './types';

/** A fault that hits a request. */
export interface ArmedFault {
  readonly injection: FaultInjection;
  /** Resolves on `release()`, `remove()` or `clear()`. */
  readonly released: Promise<void>;
}

/** A fault that waits for requests. */
interface WaitingFault {
  readonly injection: FaultInjection;
  /** How many more requests it hits. */
  readonly left: number;
}

interface Entry extends ArmedFault, WaitingFault {
  left: number;
  hits: number;
  markReached: () => void;
  release: () => void;
}

/**
 * Faults that wait for requests. The first matching fault counts. A request meets at most one fault before its operation and
 * one after.
 */
export class Faults {
  #entries: Entry[] = [];
  readonly #taken = new Set<Entry>();

  get list(): readonly WaitingFault[] {
    return this.#entries;
  }

  /**
   * Adds a fault. It hits one request, unless `times` is set.
   *
   * @throws SalesforceOptionError if a member does not exist or has a wrong value: such a fault would hit nothing
   */
  inject(injection: FaultInjection): FaultHandle {
    parsePart(faultOptions(injection), injection, 'faults.inject()');
    const reached = signal();
    const released = signal();
    const entry: Entry = {
      injection,
      left: injection.times ?? 1,
      hits: 0,
      released: released.promise,
      markReached: reached.resolve,
      release: released.resolve,
    };
    this.#entries.push(entry);
    return {
      reached: reached.promise,
      get hits() {
        return entry.hits;
      },
      release: () => {
        entry.release();
      },
      remove: () => {
        this.#entries = this.#entries.filter((other) => other !== entry);
        entry.release();
      },
    };
  }

  /** Removes all faults and releases the requests that they hold. */
  clear(): void {
    const entries = [...this.#entries, ...this.#taken];
    this.#entries = [];
    this.#taken.clear();
    for (const entry of entries) entry.release();
  }

  /** Finds the fault that hits this request, and counts the hit. */
  take(
    operations: readonly FaultOperation[],
    when: 'before' | 'after',
    request: RecordedRequest,
  ): ArmedFault | undefined {
    const entry = this.#entries.find(
      ({ injection }) =>
        operations.includes(injection.on) && whenOf(injection) === when && (injection.match?.(request) ?? true),
    );
    if (!entry) return undefined;
    entry.hits += 1;
    entry.left -= 1;
    // clear() must release a request that is held by a fault with no hits left. stop() would otherwise wait for that request.
    this.#taken.add(entry);
    if (entry.left <= 0) this.#entries = this.#entries.filter((other) => other !== entry);
    entry.markReached();
    return entry;
  }
}

function whenOf(injection: FaultInjection): 'before' | 'after' {
  return injection.kind === 'reply' ? 'after' : (injection.when ?? 'before');
}

function signal(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => undefined;
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
