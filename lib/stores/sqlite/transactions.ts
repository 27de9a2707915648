import { pause, systemClock } from '../../clock';
import { busyMs, type Database } from './database';

/** SQLite's code of a file that another process has locked. */
const busyCode = 5;

/**
 * Carries out what is asked of a file: writes one after the other, each as a whole or not at all.
 *
 * SQLite itself would wait for another process by stopping this one. So a locked file is tried again after a pause. Locks are held
 * in the machine's time, whatever the clock of the store shows.
 */
export class Transactions {
  readonly #database: Database;
  readonly #underWay = new Set<Promise<unknown>>();
  #last: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** In WAL mode, no writer holds up a reader, except while a file is opened or closed. */
  read<T>(work: () => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(closed());
    return this.#noted(patiently(work, systemClock.monotonic()));
  }

  /** No other process comes between. `work` may run more than once; what it did before is taken back. */
  write<T>(work: () => T): Promise<T> {
    if (this.#isClosed) return Promise.reject(closed());
    const since = systemClock.monotonic();
    // One at a time, so that many that wait do not ask for the lock in turn.
    const turn = this.#last.then(() => patiently(() => this.#once(work), since));
    this.#last = turn.catch(() => undefined);
    return this.#noted(turn);
  }

  /** Refuses what is asked from now on, and waits for what was asked before: no longer than for a locked file. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
  }

  #noted<T>(work: Promise<T>): Promise<T> {
    const over = (): void => void this.#underWay.delete(work);
    this.#underWay.add(work);
    work.then(over, over);
    return work;
  }

  #once<T>(work: () => T): T {
    this.#database.exec('begin immediate');
    try {
      const result = work();
      this.#database.exec('commit');
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    try {
      this.#database.exec('rollback');
    } catch {
      // SQLite has rolled back by itself.
    }
  }
}

/** Tries again while another process has locked the file, until it has taken too long. */
async function patiently<T>(work: () => T, since: number): Promise<T> {
  for (;;) {
    try {
      return work();
    } catch (error) {
      if (!isBusy(error) || systemClock.monotonic() - since >= busyMs) throw error;
    }
    await pause(2 + Math.random() * 10);
  }
}

function closed(): Error {
  return new Error('The SQLite store is closed, and its file is not open.');
}

function isBusy(error: unknown): boolean {
  // The lowest byte; the others say more about it.
  return (Number((error as { errcode?: unknown }).errcode) & 0xff) === busyCode;
}
