/** The listeners of a store, and the source of their messages, which is open while there is a listener. */
export class Listeners {
  readonly #listeners = new Set<(grantId: string) => void>();
  readonly #open: (tell: (grantId: string) => void) => () => void;
  #close: (() => void) | undefined;

  /** @param open begins to tell of changes, and returns how to end that */
  constructor(open: (tell: (grantId: string) => void) => () => void) {
    this.#open = open;
  }

  /** @returns takes the listener out again */
  add(given: (grantId: string) => void): () => void {
    // A function of its own, in case the same listener is added twice.
    const listener = (grantId: string): void => given(grantId);
    this.#listeners.add(listener);
    this.#close ??= this.#open((grantId) => this.tell(grantId));
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.close();
    };
  }

  tell(grantId: string): void {
    for (const listener of this.#listeners) listener(grantId);
  }

  close(): void {
    this.#listeners.clear();
    this.#close?.();
    this.#close = undefined;
  }
}

/** Gives up a connection that may be gone already. */
export function quietly(run: () => unknown): void {
  try {
    Promise.resolve(run()).catch(() => undefined);
  } catch {
    // Closed by the application before.
  }
}
