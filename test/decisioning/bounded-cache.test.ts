import { expect, test } from '@jest/globals';
import { BoundedCache } from '../../src/decisioning/bounded-cache.js';

test('remembers the entries that were set last', () => {
  const cache = new BoundedCache<number, string>(10);
  for (let i = 0; i < 1000; i++) cache.set(i, `value ${i}`);
  for (let i = 990; i < 1000; i++) expect(cache.get(i)).toBe(`value ${i}`);
  expect(cache.get(900)).toBeUndefined();
});

test('keeps what is asked for again and again, however much else comes by', () => {
  const cache = new BoundedCache<string, string>(10);
  cache.set('hot', 'value');
  for (let i = 0; i < 1000; i++) {
    cache.set(`cold ${i}`, 'other');
    expect(cache.get('hot')).toBe('value');
  }
});

test('never holds more than twice its size', () => {
  const cache = new BoundedCache<number, number>(10);
  for (let i = 0; i < 1000; i++) cache.set(i, i);
  const held = Array.from({ length: 1000 }, (_, i) => i).filter((i) => cache.get(i) !== undefined);
  expect(held.length).toBeLessThanOrEqual(20);
});

test('takes names of inherited properties for names like any other', () => {
  const cache = new BoundedCache<string, string>(2);
  expect(cache.get('__proto__')).toBeUndefined();
  cache.set('__proto__', 'value');
  expect(cache.get('__proto__')).toBe('value');
});
