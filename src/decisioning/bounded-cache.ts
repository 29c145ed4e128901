/**
 * Remembers what was asked for lately: at least `size` entries and at most twice as many. Two generations
 * instead of a linked list: what is asked for again moves to the young one, the old one is dropped whole,
 * which makes a hit cost one look-up in a Map.
 */
export class BoundedCache<Key, Value extends NonNullable<unknown>> {
  readonly #size: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  constructor(size: number) {
    this.#size = size;
  }

  /** What was set for the key, while it is remembered. */
  get(key: Key): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: Key, value: Value): void {
    if (this.#young.size >= this.#size) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
