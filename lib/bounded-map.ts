/**
 * A map of at most `limit` entries, so that what a process remembers does not fill its memory. A new entry forgets the one that
 * was set longest ago. Setting an entry again makes it the newest.
 */
export class BoundedMap<K, V> extends Map<K, V> {
  readonly #limit: number;

  constructor(limit: number) {
    super();
    this.#limit = limit;
  }

  override set(key: K, value: V): this {
    this.delete(key);
    for (const oldest of this.keys()) {
      if (this.size < this.#limit) break;
      this.delete(oldest);
    }
    return super.set(key, value);
  }
}
