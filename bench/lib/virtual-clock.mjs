/**
 * A clock that jumps from timer to timer, so that hours pass in seconds. Timers are in a heap, because there may be many
 * thousands.
 */
export class VirtualClock {
  #nowMs = 0;
  #heap = [];

  now() {
    return 1_700_000_000_000 + this.#nowMs;
  }

  monotonic() {
    return this.#nowMs;
  }

  setTimer(delayMs, callback) {
    const timer = { at: this.#nowMs + Math.max(0, delayMs), callback };
    this.#push(timer);
    return () => {
      timer.callback = undefined;
    };
  }

  /** Moves to a point in time. Between two timers, all work that needs no time is done. */
  async advanceTo(targetMs) {
    while (this.#heap.length > 0 && this.#heap[0].at <= targetMs) {
      const { at, callback } = this.#pop();
      if (!callback) continue;
      this.#nowMs = at;
      callback();
      if (this.#heap[0]?.at !== at) await settle();
    }
    this.#nowMs = targetMs;
    await settle();
  }

  #push(timer) {
    const heap = this.#heap;
    heap.push(timer);
    for (let at = heap.length - 1; at > 0;) {
      const parent = (at - 1) >> 1;
      if (heap[parent].at <= heap[at].at) return;
      [heap[parent], heap[at]] = [heap[at], heap[parent]];
      at = parent;
    }
  }

  #pop() {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0) return first;
    heap[0] = last;
    for (let at = 0; ;) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let least = at;
      if (left < heap.length && heap[left].at < heap[least].at) least = left;
      if (right < heap.length && heap[right].at < heap[least].at) least = right;
      if (least === at) return first;
      [heap[least], heap[at]] = [heap[at], heap[least]];
      at = least;
    }
  }
}

/**
 * Waits for all promises that need no time. Reading a reply of the simulated provider takes several turns of the event loop.
 */
async function settle() {
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
}
