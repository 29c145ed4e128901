import { LRUCache } from 'lru-cache';

/**
 * Cache with a limited number of entries. Keys are texts, such as URLs. A full cache removes the entry that was used
 * least recently.
 */
export interface BoundedCache<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): unknown;
  delete(key: string): unknown;
}

/** Creates a cache of at most `size` entries. An entry is removed after `lifetimeMs`; 0 sets no time limit. */
export function createBoundedCache<Value extends NonNullable<unknown>>(
  size: number,
  lifetimeMs = 0,
): BoundedCache<Value> {
  return new LRUCache<string, Value>({ max: size, ttl: lifetimeMs, perf: performance });
}
