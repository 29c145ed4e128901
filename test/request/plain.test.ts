import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { plainRequest } from '../../src/request/plain.js';
import { requestFields } from '../../src/request/schema.js';
import { deepFreeze } from '../with-edge.js';

/** What the schema makes of a request; undefined when it leaves anything out or finds fault. */
function bySchema(request: unknown): unknown {
  const dropped: string[] = [];
  try {
    const copy = requestFields(request, { index: 0, dropped: (what) => dropped.push(what) });
    return dropped.length === 0 ? copy : undefined;
  } catch {
    return undefined;
  }
}

const FULL = {
  requestId: 'request-1',
  id: { tntId: 'tnt.35_0', thirdPartyId: 'third', marketingCloudVisitorId: '123' },
  context: {
    channel: 'web',
    userAgent: 'Mozilla/5.0',
    address: { url: 'https://example.com/', referringUrl: 'https://example.org/' },
  },
  property: { token: 'property-1' },
  execute: { mboxes: [{ name: 'a', index: 3, parameters: { plan: 'gold', seats: 4, trial: false } }] },
  prefetch: { pageLoad: { profileParameters: { age: 7 } }, mboxes: [{ name: 'b' }, { name: 'c' }] },
};
const MBOX = { name: 'a', index: 1 };

describe('a plain request', () => {
  test.each<[string, unknown]>([
    ['with all that is plain', FULL],
    ['in another order', { execute: { mboxes: [{ index: 1, name: 'a' }] }, id: { tntId: 't' } }],
    ['with an empty context and page load', { context: {}, execute: { pageLoad: {} } }],
    ['that asks for nothing', { id: { tntId: 't' } }],
    ['made by JSON', JSON.parse(JSON.stringify(FULL))],
  ])('%s is copied as the schema copies it', (_, request) => {
    const copy = plainRequest(deepFreeze(request));
    expect(copy).toBeDefined();
    expect(JSON.stringify(copy)).toBe(JSON.stringify(bySchema(request)));
  });

  test('shares no object with its copy', () => {
    const objectsOf = (value: unknown): object[] =>
      typeof value === 'object' && value !== null ? [value, ...Object.values(value).flatMap(objectsOf)] : [];
    const originals = new Set(objectsOf(FULL));
    const copies = objectsOf(plainRequest(FULL));
    expect(copies).toHaveLength(originals.size);
    expect(copies.filter((copy) => originals.has(copy))).toEqual([]);
  });
});

describe('left to the schema', () => {
  class Inherited {
    readonly context = { channel: 'web' };
  }
  const throwing = {
    get tntId(): string {
      throw new Error('no');
    },
  };
  test.each<[string, unknown]>([
    ['no object', 'a'],
    ['a list', []],
    ['nothing', {}],
    ['an unknown field', { ...FULL, colour: 'red' }],
    ['a field that is rare', { ...FULL, trace: {} }],
    ['a field that is undefined', { ...FULL, property: undefined }],
    ['an empty id', { ...FULL, id: {} }],
    ['an id that is too long', { ...FULL, id: { tntId: 'x'.repeat(129) } }],
    ['an id that is none', { ...FULL, id: { tntId: 7 } }],
    ['customer ids', { ...FULL, id: { customerIds: [] } }],
    ['another channel', { ...FULL, context: { channel: 'tv' } }],
    ['an empty address', { ...FULL, context: { address: {} } }],
    ['an empty execute', { ...FULL, execute: {} }],
    ['no mboxes', { ...FULL, execute: { mboxes: [] } }],
    ['mboxes that are no list', { ...FULL, execute: { mboxes: MBOX } }],
    ['an mbox without a name', { ...FULL, execute: { mboxes: [MBOX, { index: 2 }] } }],
    ['an index that is none', { ...FULL, execute: { mboxes: [{ name: 'a', index: 1.5 }] } }],
    ['an index for some mboxes', { ...FULL, execute: { mboxes: [MBOX, { name: 'b' }] } }],
    ['a parameter that is none', { ...FULL, execute: { pageLoad: { parameters: { a: {} } } } }],
    ['empty parameters', { ...FULL, execute: { pageLoad: { parameters: {} } } }],
    ['a property without a token', { ...FULL, property: {} }],
    ['a class', new Inherited()],
    ['what inherits fields', Object.create(FULL)],
    ['a getter that throws', { ...FULL, id: throwing }],
  ])('%s', (_, request) => {
    expect(plainRequest(request)).toBeUndefined();
  });

  test('everything in a process whose objects all have fields', () => {
    Object.defineProperty(Object.prototype, 'tntId', { value: 'x', enumerable: true, configurable: true });
    try {
      expect(plainRequest({ id: { thirdPartyId: 'a' } })?.id?.tntId).toBeUndefined();
    } finally {
      Reflect.deleteProperty(Object.prototype, 'tntId');
    }
  });
});

test("whatever is asked, the copy is the schema's, or there is none", () => {
  const odd = fc.constantFrom<unknown>(undefined, null, '', 0, 1.5, {}, [], 'text', 'x'.repeat(200), true);
  const mostly = (value: fc.Arbitrary<unknown>) => fc.oneof({ weight: 60, arbitrary: value }, odd);
  const record = (fields: Record<string, fc.Arbitrary<unknown>>) =>
    mostly(
      fc
        .record(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, mostly(field)])), {
          requiredKeys: [],
        })
        .chain((made) => fc.shuffledSubarray(Object.entries(made), { minLength: Object.keys(made).length }))
        .map((entries) => Object.fromEntries(entries)),
    );
  const text = fc.string({ minLength: 1, maxLength: 130 });
  const parameters = mostly(fc.dictionary(text, mostly(text), { minKeys: 1, maxKeys: 3 }));
  const details = { parameters, profileParameters: parameters };
  const mbox = record({ ...details, name: text, index: fc.integer() });
  const locations = record({
    mboxes: fc.array(mbox, { minLength: 1, maxLength: 3 }),
    pageLoad: record(details),
  });
  const request = record({
    requestId: text,
    id: record({ tntId: text, thirdPartyId: text, marketingCloudVisitorId: text }),
    context: record({
      channel: fc.constantFrom('web', 'mobile'),
      userAgent: text,
      address: record({ url: text, referringUrl: text }),
    }),
    property: record({ token: text }),
    execute: locations,
    prefetch: locations,
    colour: text,
  });
  let copied = 0;
  fc.assert(
    fc.property(request, (given) => {
      const copy = plainRequest(deepFreeze(given));
      if (copy === undefined) return;
      copied += 1;
      expect(JSON.stringify(copy)).toBe(JSON.stringify(bySchema(given)));
    }),
    { numRuns: 5000 },
  );
  expect(copied).toBeGreaterThan(100);
});
