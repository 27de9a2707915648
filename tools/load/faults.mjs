/** The faults of a run, and how often they occur. */
import { setTimeout as sleep } from 'node:timers/promises';

let state = 1;

export function seedWith(seed) {
  state = seed >>> 0 || 1;
}

/** Random numbers between 0 and 1. The same seed gives the same numbers, but the timing depends on the machine. */
export function random() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return state / 2 ** 32;
}

export const pick = (list) => list[Math.floor(random() * list.length)];

/**
 * How long the workers let Salesforce be asked in vain before a grant in doubt ends: less than the default, so that a short run
 * has outages that last longer.
 */
export const inDoubtMs = 20_000;

/** All faults come before the operation. The kills test answers that are lost after a rotation. */
const replies = [
  { kind: 'status', status: 503 },
  { kind: 'status', status: 503, retryAfterSeconds: 1 },
  { kind: 'status', status: 429, retryAfterSeconds: 1 },
  { kind: 'status', status: 500 },
  { kind: 'status', status: 502 },
  { kind: 'drop' },
  { kind: 'delay', delayMs: 1_500 },
  { kind: 'delay', delayMs: 4_000 },
];

/** What all of Salesforce answers during an outage. */
const outages = [{ kind: 'status', status: 503 }, { kind: 'status', status: 500 }, { kind: 'drop' }, { kind: 'hang' }];

export class Faults {
  constructor(parts) {
    Object.assign(this, parts);
  }

  async run(isOver) {
    await Promise.all([
      this.every(400, isOver, () => this.provider()),
      this.every(25_000, isOver, () => this.restartStore()),
      this.every(11_000, isOver, () => this.endWorker()),
      this.every(30_000, isOver, () => this.freezeWorker()),
      this.every(40_000, isOver, () => this.moveInstance()),
      this.every(75_000, isOver, () => this.outage()),
    ]);
  }

  async every(meanMs, isOver, act) {
    for (;;) {
      const until = Date.now() + meanMs * (0.5 + random());
      while (Date.now() < until) {
        if (isOver()) return;
        await sleep(Math.min(250, Math.max(1, until - Date.now())));
      }
      await act();
    }
  }

  provider() {
    const fault = pick(replies);
    const handle = this.emulator.faults.inject({
      ...fault,
      on: pick(['refresh', 'refresh', 'data', 'introspect']),
      times: 1 + Math.floor(random() * 3),
    });
    // Faults that no request meets must not pile up.
    void sleep(10_000).then(() => handle.remove());
    this.report.count('faults', fault.kind === 'status' ? String(fault.status) : fault.kind);
  }

  async restartStore() {
    this.report.count('faults', 'store restarted');
    await this.store.restart(500 + random() * 2_000);
  }

  async endWorker() {
    await this.workers.end(random() < 0.6 ? 'SIGKILL' : 'SIGTERM');
  }
  /** A process that stands still, often for longer than a claim holds, as in a suspended machine. */
  async freezeWorker() {
    await this.workers.freeze(3_000 + random() * 57_000);
  }

  /** The organization moves to another instance: all access tokens end, and the old host serves no data. */
  moveInstance() {
    this.emulator.moveInstance();
    this.report.count('faults', 'organization moved to another instance');
  }

  /** Nothing at Salesforce works for longer than `inDoubtMs`. */
  async outage() {
    const fault = pick(outages);
    // The application's own calls have no time limit, so they go on when the outage is over.
    const ofData = fault.kind === 'hang' ? { kind: 'hold' } : fault;
    const handles = Object.entries({ token: fault, introspect: fault, data: ofData }).map(([on, each]) =>
      this.emulator.faults.inject({ ...each, on, times: Infinity }),
    );
    this.report.count('faults', 'outage of all of Salesforce, longer than inDoubtMs');
    await sleep(inDoubtMs + 5_000 + random() * 15_000);
    for (const handle of handles) handle.remove();
  }
}
