import { describe, expect, test } from '@jest/globals';
import { isPrefetch } from '../../src/adapters/http.js';
import { isUnseen } from '../../src/visits/unseen-request.js';
import { HOSTILE, incomingOf } from './incoming.js';

describe('isPrefetch', () => {
  test.each([
    ['sec-purpose', 'prefetch'],
    ['sec-purpose', 'prefetch;prerender'],
    ['sec-purpose', 'prefetch; anonymous-client-ip'],
    ['sec-purpose', 'PREFETCH'],
    ['sec-purpose', '"prefetch"'],
    ['sec-purpose', 'prerender'],
    ['purpose', 'prefetch'],
    ['purpose', ' prefetch '],
    ['x-moz', 'prefetch'],
    ['x-purpose', 'preview'],
    ['x-purpose', ': preview'],
    ['x-purpose', 'prefetch, preview'],
    ['next-router-prefetch', '1'],
    ['next-router-prefetch', '2'],
  ])('is true with %s: %j', (name, value) => {
    expect(isPrefetch(incomingOf('', { [name]: value }))).toBe(true);
  });

  test.each([
    ['sec-purpose', ''],
    ['sec-purpose', 'navigation'],
    ['sec-purpose', 'no-prefetch'],
    ['purpose', 'prefetching'],
    ['x-moz', 'livebookmarks'],
    ['next-router-prefetch', ''],
    ['next-router-prefetch', '0'],
    ['next-router-state-tree', '1'],
    ['rsc', '1'],
    ['referer', 'https://shop.example/?prefetch'],
  ])('is false with %s: %j', (name, value) => {
    expect(isPrefetch(incomingOf('https://shop.example/prefetch', { [name]: value }))).toBe(false);
  });

  test('is false for a page that is asked for, whatever its method is', () => {
    expect(isPrefetch(incomingOf('https://shop.example/'))).toBe(false);
    expect(isPrefetch(incomingOf('', {}, { method: 'HEAD' }))).toBe(false);
  });
});

describe('isUnseen', () => {
  test.each(['HEAD', 'OPTIONS', 'head', 'options'])('is true for the method %s', (method) => {
    expect(isUnseen(incomingOf('', {}, { method }))).toBe(true);
  });

  test.each(['GET', 'POST', '', undefined])('is that of isPrefetch for the method %j', (method) => {
    expect(isUnseen(incomingOf('', {}, { method }))).toBe(false);
    expect(isUnseen(incomingOf('', { purpose: 'prefetch' }, { method }))).toBe(true);
  });
});

test.each(HOSTILE.map((hostile) => [hostile]))('nothing throws, whatever it gets (%#)', (hostile) => {
  expect([isPrefetch(hostile as never), isUnseen(hostile as never)]).toEqual([false, false]);
});
