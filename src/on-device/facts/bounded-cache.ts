import { LRUCache } from 'lru-cache';

/** What is remembered by a text, such as a URL; what was not asked for lately is forgotten. */
export interface BoundedCache<Value> {
  get(key: string): Value | undefined;
  set(key: string, value: Value): unknown;
  delete(key: string): unknown;
}

/** A cache of so many entries, each for so long. */
export function createBoundedCache<Value extends NonNullable<unknown>>(
  size: number,
  lifetimeMs = 0,
): BoundedCache<Value> {
  return new LRUCache<string, Value>({ max: size, ttl: lifetimeMs, perf: performance });
}
