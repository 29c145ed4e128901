import { describe, expect, test } from '@jest/globals';
import { Visitor } from '../../src/identity/visitor.js';

describe('Visitor', () => {
  test('has no SDID in its state before one is asked for', () => {
    expect(new Visitor('ORG').getState()).toEqual({
      ORG: { sdid: { supplementalDataIDCurrentConsumed: {}, supplementalDataIDLastConsumed: {} } },
    });
  });

  test.each(['__proto__', 'constructor'])(
    'an organization or consumer called %s is one like any other',
    (name) => {
      const visitor = new Visitor(name);
      const first = visitor.getSupplementalDataID(name);
      expect(visitor.getSupplementalDataID('other')).toBe(first);
      expect(visitor.getSupplementalDataID(name)).not.toBe(first);
      const state = visitor.getState();
      expect(Object.keys(state)).toEqual([name]);
      expect(JSON.stringify(state)).toContain(
        `"supplementalDataIDLastConsumed":{"payload:${name}":true,"payload:other":true}`,
      );
    },
  );

  test('a thousand SDIDs are a thousand', () => {
    const visitor = new Visitor('ORG');
    const ids = Array.from({ length: 1000 }, () => visitor.getSupplementalDataID('same'));
    expect(new Set(ids).size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^[0-9A-F]{16}-[0-9A-F]{16}$/);
  });
});
