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

export class Faults {
  constructor(parts) {
    Object.assign(this, parts);
  }

  async run(isOver) {
    await Promise.all([
      this.every(400, isOver, () => this.provider()),
      this.every(25_000, isOver, () => this.restartStore()),
      this.every(11_000, isOver, () => this.endWorker()),
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
    this.emulator.faults.inject({
      ...fault,
      on: pick(['refresh', 'refresh', 'data', 'introspect']),
      times: 1 + Math.floor(random() * 3),
    });
    this.report.count('faults', fault.kind === 'status' ? String(fault.status) : fault.kind);
  }

  async restartStore() {
    this.report.count('faults', 'store restarted');
    await this.store.restart(500 + random() * 2_000);
  }

  async endWorker() {
    await this.workers.end(random() < 0.6 ? 'SIGKILL' : 'SIGTERM');
  }
}
