/** Gives a place back. Only the first call counts. */
export type LeaveGate = () => void;

interface Gate {
  taken: number;
  /** The waiting requests, first come first served. */
  readonly queue: Set<() => void>;
}

/**
 * A bound on the requests that are under way to one host at once, with a queue for the rest.
 *
 * Without the bound, a host that no longer answers would hold a socket for each user who needs a token.
 */
export class HostGates {
  readonly #places: number;
  readonly #gates = new Map<string, Gate>();

  constructor(places: number) {
    this.#places = places;
  }

  /** Hosts with requests under way. */
  get size(): number {
    return this.#gates.size;
  }

  /**
   * Waits for a place.
   *
   * @param signal gives up the wait; a place that was given is not taken back
   * @throws the reason of `signal`
   */
  async enter(host: string, signal?: AbortSignal): Promise<LeaveGate> {
    signal?.throwIfAborted();
    const gate = this.#gateOf(host);
    if (gate.taken < this.#places) gate.taken += 1;
    else await waitIn(gate, signal);
    return this.#leaveOf(host, gate);
  }

  /** Takes a place if one is free at this moment. */
  tryEnter(host: string): LeaveGate | undefined {
    const gate = this.#gateOf(host);
    if (gate.taken >= this.#places) return undefined;
    gate.taken += 1;
    return this.#leaveOf(host, gate);
  }

  #gateOf(host: string): Gate {
    const gate = this.#gates.get(host) ?? { taken: 0, queue: new Set() };
    this.#gates.set(host, gate);
    return gate;
  }

  #leaveOf(host: string, gate: Gate): LeaveGate {
    let hasLeft = false;
    return () => {
      if (hasLeft) return;
      hasLeft = true;
      this.#leave(host, gate);
    };
  }

  #leave(host: string, gate: Gate): void {
    const [next] = gate.queue;
    // The place goes to the next in the queue, so that no later request takes it.
    if (next) next();
    else if (--gate.taken === 0) this.#gates.delete(host);
  }
}

function waitIn(gate: Gate, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      gate.queue.delete(go);
      signal?.removeEventListener('abort', giveUp);
    };
    const go = (): void => {
      stop();
      resolve();
    };
    const giveUp = (): void => {
      stop();
      reject(signal?.reason as Error);
    };
    gate.queue.add(go);
    signal?.addEventListener('abort', giveUp);
  });
}
