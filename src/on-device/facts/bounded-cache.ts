import { LRUCache } from 'lru-cache';

/**
 * Cache with a limited number of entries. Keys are texts, such as URLs. The entry that was not used for the longest
 * time makes way for a new one.
 */
export interface BoundedCache<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): unknown;
  delete(key: string): unknown;
}

/**
 * Creates a cache of at most `size` entries. An entry is forgotten after `lifetimeMs`; 0 keeps it until it has to
 * make way.
 */
export function createBoundedCache<Value extends NonNullable<unknown>>(
  size: number,
  lifetimeMs = 0,
): BoundedCache<Value> {
  return new LRUCache<string, Value>({ max: size, ttl: lifetimeMs, perf: performance });
}
