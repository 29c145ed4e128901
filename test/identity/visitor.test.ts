import { describe, expect, test } from '@jest/globals';
import { newSupplementalDataId } from '../../src/identity/supplemental-data-id.js';
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
    for (const id of ids) {
      expect(id).toMatch(/^[0-9A-F]{16}-[0-9A-F]{16}$/);
    }
  });

  /** The orders that `@adobe-mcid/visitor-js-server` 2.x gives, each id by the number of its first use. */
  test.each([
    ['a,a,b', '0,1,0'],
    ['a,b,a,b', '0,0,1,1'],
    ['a,a,a,b', '0,1,2,1'],
    ['a,a,b,b', '0,1,0,1'],
    ['a,b,a,c', '0,0,1,0'],
    ['a,a,b,c,b', '0,1,0,0,1'],
    ['a,a,a,b,b,b', '0,1,2,1,2,3'],
    ['a,b,b,a,a', '0,0,1,1,2'],
    ['b,a,a,c,b,c', '0,0,1,0,1,1'],
  ])('consumers %s get the SDIDs %s', (consumers, order) => {
    const visitor = new Visitor('ORG');
    const used: string[] = [];
    const numbers = consumers.split(',').map((consumer) => {
      const id = visitor.getSupplementalDataID(consumer);
      if (!used.includes(id)) {
        used.push(id);
      }
      return used.indexOf(id);
    });
    expect(numbers.join(',')).toBe(order);
  });

  test('the calls of a page share one SDID, and other consumers get theirs as always', () => {
    const visitor = Visitor.ofPage('ORG', undefined, 'page', newSupplementalDataId);
    const shared = visitor.getSupplementalDataID('page');
    expect(visitor.getSupplementalDataID('page')).toBe(shared);
    expect(visitor.getSupplementalDataID('a')).toBe(shared);
    const next = visitor.getSupplementalDataID('a');
    expect(next).not.toBe(shared);
    expect(visitor.getSupplementalDataID('page')).toBe(shared);
    expect(visitor.getState()).toEqual({
      ORG: {
        sdid: {
          supplementalDataIDCurrent: next,
          supplementalDataIDCurrentConsumed: { 'payload:a': true },
          supplementalDataIDLast: shared,
          supplementalDataIDLastConsumed: { 'payload:page': true, 'payload:a': true },
        },
      },
    });
  });

  test('its state names who used the last SDID late', () => {
    const visitor = new Visitor('ORG');
    const [first, second] = [visitor.getSupplementalDataID('a'), visitor.getSupplementalDataID('a')];
    visitor.getSupplementalDataID('b');
    expect(visitor.getState()).toEqual({
      ORG: {
        sdid: {
          supplementalDataIDCurrent: second,
          supplementalDataIDCurrentConsumed: { 'payload:a': true },
          supplementalDataIDLast: first,
          supplementalDataIDLastConsumed: { 'payload:a': true, 'payload:b': true },
        },
      },
    });
  });

  describe('an SDID of the caller’s own', () => {
    const OWN = '0123456789ABCDEF-0123456789ABCDEF';

    test('is the first one, for consumers who come later too', () => {
      const visitor = new Visitor('ORG');
      visitor.adopt(OWN, 'a');
      expect(visitor.getSupplementalDataID('b')).toBe(OWN);
      expect(visitor.getSupplementalDataID('a')).not.toBe(OWN);
    });

    test('comes after one that is in use, for consumers who used that', () => {
      const visitor = new Visitor('ORG');
      const first = visitor.getSupplementalDataID('a');
      visitor.adopt(OWN, 'a');
      expect(['b', 'b', 'a'].map((consumer) => visitor.getSupplementalDataID(consumer))).toEqual([
        first,
        OWN,
        expect.not.stringMatching(`${first}|${OWN}`),
      ]);
    });

    test('that is in use already notes its consumer alone', () => {
      const visitor = new Visitor('ORG');
      visitor.adopt(OWN, 'a');
      visitor.adopt(OWN, 'b');
      visitor.adopt(OWN, 'b');
      expect(visitor.getState()).toEqual({
        ORG: {
          sdid: {
            supplementalDataIDCurrent: OWN,
            supplementalDataIDCurrentConsumed: { 'payload:a': true, 'payload:b': true },
            supplementalDataIDLastConsumed: {},
          },
        },
      });
    });
  });

  test('its customer ids may be a list in the form of the Delivery API', () => {
    const visitor = new Visitor('ORG');
    const list = [{ id: 7, integrationCode: 'crm', authenticatedState: 'authenticated' }, null];
    visitor.setCustomerIDs(list as never);
    expect(visitor.getCustomerIDs()).toEqual({ crm: { id: '7', authState: 1 } });
  });

  test.each([null, undefined])('%s for customer ids removes them', (none) => {
    const visitor = new Visitor('ORG');
    visitor.setCustomerIDs({ crm: 'a' });
    visitor.setCustomerIDs(none as never);
    expect(visitor.getCustomerIDs()).toEqual({});
  });

  test.each([['customer-7'], [5]])('%s for customer ids is an error', async (wrong) => {
    const visitor = new Visitor('ORG');
    expect(() => visitor.setCustomerIDs(wrong as never)).toThrow(
      expect.objectContaining({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'customerIds' }),
    );
  });

  test('its customer ids are a copy, the reader’s to change', () => {
    const visitor = new Visitor('ORG');
    expect(visitor.getCustomerIDs()).toBeUndefined();
    visitor.setCustomerIDs({ crm: { id: 'a', authState: 1 }, gone: null });
    const read = visitor.getCustomerIDs() as { crm: { id: string } };
    read.crm.id = 'b';
    expect(visitor.getCustomerIDs()).toEqual({ crm: { id: 'a', authState: 1 } });
  });
});
