import { describe, expect, test } from '@jest/globals';
import { toInlineJson } from '../../src/visits/inline-json.js';

describe('toInlineJson', () => {
  test.each([
    ['</script><script>alert(1)</script>'],
    ['<!--<script>'],
    [']]>'],
    ['\u2028\u2029'],
    ['&lt;'],
    [{ '</script>': ['</script>', null, 1, true, { a: '\\u003c' }] }],
    [[]],
    [null],
  ])('of %j is the same value, safe in a script', (value) => {
    const text = toInlineJson(value);
    expect(text).not.toMatch(/[<>&\u2028\u2029]/);
    expect(JSON.parse(text)).toEqual(value);
    expect(new Function(`return (${text})`)()).toEqual(value);
  });

  test('of nothing is null', () => {
    expect(toInlineJson(undefined)).toBe('null');
    expect(toInlineJson(() => 1)).toBe('null');
  });
});
