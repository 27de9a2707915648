import { systemClock, type Clock } from '../../clock';
import { invalid } from '../../options/check';
import { memoryStoreOptions } from '../../options/parts/stores';
import { parseStoreOptions } from '../options';

/** Options of `MemoryTokenStore`. */
export interface MemoryTokenStoreOptions {
  /** How often outdated records are removed, in milliseconds, from 10 to 2073600000. Default 60000. */
  sweepIntervalMs?: number;
  /** How long an unused grant is kept (no session holds it, no refresh), in milliseconds, from a minute to ten years. Default 90 days. */
  retentionMs?: number;
  /**
   * How many holders (sessions) the store knows of one grant, from 1 to 10000. At the bound, the holder that ends soonest is
   * forgotten. Its session goes on, and until its time is over no logout of a single session ends the grant.
   * Default 1000.
   */
  maxHolders?: number;
  /** Default: the system's. */
  clock?: Clock;
}

/** Checks the options of `MemoryTokenStore`. @throws SalesforceOptionError */
export function parseMemoryOptions(given: MemoryTokenStoreOptions): Required<MemoryTokenStoreOptions> {
  const options = parseStoreOptions('MemoryTokenStore', memoryStoreOptions, given);
  const clock = given.clock ?? systemClock;
  if (typeof (clock as Partial<Clock>).monotonic !== 'function') {
    throw invalid('MemoryTokenStore.clock', 'a clock with now(), monotonic() and setTimer()');
  }
  return {
    clock,
    sweepIntervalMs: options.sweepIntervalMs,
    retentionMs: options.retentionMs,
    maxHolders: options.maxHolders,
  };
}
