import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { DeliveryRequest } from '../../src/delivery-api.js';
import { TargetError } from '../../src/errors.js';
import { createLogger } from '../../src/logger.js';
import { copyRequest } from '../../src/request/copy-request.js';
import { toSentContext } from '../../src/request/edge-limits.js';
import { deliveryCheck } from '../../src/testing/delivery-check.js';
import { CONVERSIONS, requestWith, valueAt } from '../fixtures/conversions.js';
import { requestWithEveryField } from '../fixtures/every-field.js';
import { deepFreeze, targetErrorOf } from '../with-edge.js';

/** Copies a request that a JavaScript caller may write, and collects the warnings. */
function copied(request: unknown) {
  const warnings: string[] = [];
  const logger = createLogger({ warn: (line) => void warnings.push(String(line)) });
  return { copy: copyRequest(request as DeliveryRequest, logger), warnings };
}

const copyOf = (request: unknown) => copied(request).copy;
const MBOX = { name: 'a', index: 1 };

describe('a copy', () => {
  const everything = deepFreeze(requestWithEveryField());

  test.each<[string, unknown]>([
    ['every field', everything],
    ['a page load that is empty', { context: {}, execute: { pageLoad: {} } }],
    ['fields in another order', { execute: { mboxes: [{ index: 1, name: 'a' }] }, id: { tntId: 't' } }],
    ['parts of JSON', JSON.parse(JSON.stringify(everything))],
  ])('is to the letter what was written: %s', (_, request) => {
    const { copy, warnings } = copied(request);
    expect(JSON.stringify(copy)).toBe(JSON.stringify(request));
    expect(warnings).toEqual([]);
  });

  test('shares no object with what was written', () => {
    const originals = new Set(objectsOf(everything));
    const copies = objectsOf(copyOf(everything));
    expect(copies).toHaveLength(originals.size);
    expect(copies.filter((copy) => originals.has(copy))).toEqual([]);
  });

  test('has no field that is undefined', () => {
    const { copy } = copied({
      id: { tntId: undefined, thirdPartyId: 'a' },
      property: undefined,
      context: { channel: '', address: { url: undefined }, geo: { city: null } },
      execute: { mboxes: [{ name: 'a', parameters: null, address: {} }], pageLoad: undefined },
    });
    expect(copy).toStrictEqual({
      id: { thirdPartyId: 'a' },
      context: {},
      execute: { mboxes: [{ name: 'a', index: 0 }] },
    });
  });
});

function objectsOf(value: unknown): object[] {
  return typeof value === 'object' && value !== null
    ? [value, ...Object.values(value).flatMap(objectsOf)]
    : [];
}

describe('a conversion', () => {
  test.each(CONVERSIONS)('of %s (%#)', (path, written, wanted) => {
    expect(valueAt(copyOf(deepFreeze(requestWith(path, written))), path)).toEqual(wanted);
  });

  test('is none of what would be another id, or is no number', async () => {
    for (const id of [2 ** 53, 1e21, Number.NaN]) {
      const error = await targetErrorOf(() => copyOf({ id: { thirdPartyId: id } }));
      expect(error).toMatchObject({ path: 'id.thirdPartyId' });
      expect(error.message).toBe('id.thirdPartyId must be a string, not a number');
    }
  });

  const crm = { id: 'customer-7', integrationCode: 'crm' };

  test.each<[string, object, string]>([
    ['a number', { authState: 1 }, 'authenticated'],
    ['a digit', { authState: '2' }, 'logged_out'],
    ['a name', { authState: 'LOGGED_OUT' }, 'logged_out'],
    ['an empty one', { authState: '' }, 'unknown'],
    ['null', { authState: null }, 'unknown'],
    ['both names', { authState: 2, authenticatedState: 'authenticated' }, 'authenticated'],
    ['both names, the other way round', { authenticatedState: 1, authState: 2 }, 'authenticated'],
    ['both names, one of them empty', { authenticatedState: '', authState: 2 }, 'logged_out'],
    [
      'both names, one of them empty, the other way round',
      { authState: 2, authenticatedState: null },
      'logged_out',
    ],
  ])('of a login state may be written as authState: %s', (_, state, authenticatedState) => {
    const { copy, warnings } = copied({ id: { customerIds: [{ ...crm, ...state }] } });
    expect(copy.id?.customerIds).toEqual([{ ...crm, authenticatedState }]);
    expect(warnings).toEqual([]);
  });

  test('of a login state fails with the name that was written', async () => {
    for (const authState of ['yes', 3, '3', 0.5, -1, {}]) {
      const error = await targetErrorOf(() => copyOf({ id: { customerIds: [{ ...crm, authState }] } }));
      expect(error).toMatchObject({
        code: 'ERR_TARGET_INVALID_REQUEST',
        path: 'id.customerIds[0].authState',
      });
    }
  });

  test.each(['', null, undefined])('of a customer id is none when the id is %p', (id) => {
    const bare = { ...crm, id };
    const { copy, warnings } = copied({
      context: {},
      id: { thirdPartyId: 'third', customerIds: [bare, { ...crm, authState: 1 }, bare] },
    });
    expect(copy.id).toEqual({
      thirdPartyId: 'third',
      customerIds: [{ ...crm, authenticatedState: 'authenticated' }],
    });
    expect(copied({ context: {}, id: { customerIds: [bare] } }).copy).not.toHaveProperty('id');
    expect(warnings).toEqual([]);
  });

  test('of a customer id keeps the order of its fields', () => {
    const customerIds = [{ authenticatedState: 1, id: 5, integrationCode: 'crm' }];
    expect(JSON.stringify(copyOf({ id: { customerIds } }).id?.customerIds)).toBe(
      '[{"authenticatedState":"authenticated","id":"5","integrationCode":"crm"}]',
    );
  });
});

describe('a warning', () => {
  test('says once that the supplemental data id is of a wrong form', () => {
    const { warnings } = copied({
      experienceCloud: { analytics: { supplementalDataId: 'secret' } },
      context: {},
    });
    expect(warnings).toEqual([
      'AT: the supplementalDataId is not 16 hexadecimal digits, a dash and 16 more: the visitor’s own is sent',
    ]);
  });

  test('names a profile parameter that profiles do not hold whole, and it is sent', () => {
    const at = 'x'.repeat(256);
    const { copy, warnings } = copied({
      execute: { pageLoad: { parameters: { a: `${at}x` }, profileParameters: { b: at, c: `${at}x` } } },
    });
    expect(copy.execute?.pageLoad?.profileParameters).toEqual({ b: at, c: `${at}x` });
    expect(warnings).toEqual([
      'AT: the profile parameter "c" has more than the 256 characters that Target’s profiles hold',
    ]);
  });

  test('drops an unknown field of any object in the context', () => {
    const contextOf = (request: unknown) => objectsOf((request as { context: unknown }).context);
    const whole = copyOf(requestWithEveryField());
    for (const position of contextOf(requestWithEveryField()).keys()) {
      const request = requestWithEveryField();
      const object = contextOf(request)[position] ?? {};
      if (!Array.isArray(object)) {
        Object.assign(object, { nonsense: 7 });
        expect([object, copyOf(request)]).toEqual([object, whole]);
      }
    }
  });

  test('names each unknown field, whatever it holds', () => {
    const { copy, warnings } = copied({
      colour: undefined,
      get shape() {
        throw new Error('is not read');
      },
      context: { screen: { depth: 1 } },
      execute: { mboxes: [{ ...MBOX, views: [] }], views: [] },
    });
    expect(copy).toEqual({ context: {}, execute: { mboxes: [MBOX] } });
    expect(warnings).toEqual(
      ['colour', 'shape', 'depth', 'views'].map(
        (name) => `AT: left out of the request: the unknown field "${name}"`,
      ),
    );
  });
});

describe('fields', () => {
  class Mbox {
    readonly name = 'a';
    get index(): number {
      return 7;
    }
  }

  test('of a class instance count, its accessors and what it inherits do not', () => {
    const mboxes = [new Mbox(), Object.create({ name: 'inherited' })];
    expect(copyOf({ execute: { mboxes } }).execute).toEqual({ mboxes: [{ name: 'a', index: 0 }] });
  });

  test('of an object without a prototype count', () => {
    const mbox = Object.assign(Object.create(null), MBOX);
    expect(copyOf({ execute: { mboxes: [mbox] } }).execute).toEqual({ mboxes: [MBOX] });
  });

  test('that somebody gave to all objects count nowhere', () => {
    const names = ['tntId', 'name', 'index', 'parameters', 'execute', 'polluted'];
    for (const name of names) {
      Object.defineProperty(Object.prototype, name, {
        value: { a: 'x' },
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    try {
      const { copy, warnings } = copied({
        id: { thirdPartyId: 'a', tntId: undefined },
        execute: { mboxes: [{ name: 'a', profileParameters: { b: 'c' } }, { index: 5 }] },
      });
      expect(JSON.stringify(copy)).toBe(
        '{"id":{"thirdPartyId":"a"},"execute":{"mboxes":[{"name":"a","profileParameters":{"b":"c"},"index":0}]}}',
      );
      expect(warnings).toEqual(['AT: left out of the request: the mbox at position 1, which has no name']);
    } finally {
      for (const name of names) {
        Reflect.deleteProperty(Object.prototype, name);
      }
    }
  });

  test.each<[string, unknown, string]>([
    ['the request', [], 'id'],
    ['an object', 'id', 'id.tntId'],
  ])('that cannot be read are named: of %s', async (_, part, path) => {
    const throwing = (name: string) =>
      Object.defineProperty({}, name, {
        enumerable: true,
        get() {
          throw new Error('no');
        },
      });
    const request = part === 'id' ? { id: throwing('tntId') } : throwing('id');
    expect(await targetErrorOf(() => copyOf(request))).toMatchObject({
      path,
      message: `${path} could not be read`,
    });
  });
});

describe('what cannot be sent rightly is refused', () => {
  const mboxWith = (field: object) => ({ execute: { mboxes: [{ ...MBOX, ...field }] } });

  test.each<[string, unknown, string]>([
    ['a blank name', mboxWith({ parameters: { ' ': 'x' } }), 'execute.mboxes[0].parameters'],
    [
      'a name of an ideographic space',
      mboxWith({ parameters: { '\u3000': 'x' } }),
      'execute.mboxes[0].parameters',
    ],
    ['a boolean as a time', mboxWith({ order: { time: true } }), 'execute.mboxes[0].order.time'],
    [
      'a number with more than 64 characters',
      mboxWith({ order: { total: `1.${'0'.repeat(64)}` } }),
      'execute.mboxes[0].order.total',
    ],
    [
      'a parameter with more items than characters are allowed',
      mboxWith({ parameters: { a: Array.from({ length: 5001 }, () => '') } }),
      'execute.mboxes[0].parameters["a"]',
    ],
  ])('%s', async (_, request, path) => {
    expect(await targetErrorOf(() => copyOf(request))).toMatchObject({
      code: 'ERR_TARGET_INVALID_REQUEST',
      path,
    });
  });

  test.each(['execute', 'prefetch'])('%s of a class, which is not copied', async (part) => {
    class Written {
      readonly context = { channel: 'web' };
      get execute() {
        return part === 'execute' ? { mboxes: [MBOX] } : undefined;
      }
      get prefetch() {
        return part === 'prefetch' ? { mboxes: [MBOX] } : undefined;
      }
    }
    expect(await targetErrorOf(() => copyOf(new Written()))).toMatchObject({
      code: 'ERR_TARGET_INVALID_REQUEST',
      path: part,
    });
  });
});

test('a list whose class and methods were replaced is read by its positions', () => {
  const hostile = <Item>(...items: Item[]) =>
    Object.assign(items, { constructor: { [Symbol.species]: 5 }, map: 5, filter: 5 });
  const display = { id: 'n', type: 'display', timestamp: 1 };
  const { copy } = copied({
    notifications: hostile(display),
    execute: { mboxes: hostile({ ...MBOX, parameters: { list: hostile(1, 2) } }) },
    telemetry: { entries: hostile({ list: hostile(1) }) },
  });
  expect(copy).toEqual({
    notifications: [display],
    execute: { mboxes: [{ ...MBOX, parameters: { list: '1,2' } }] },
    telemetry: { entries: [{ list: [1] }] },
  });
});

test('empty entries of every list are left out', () => {
  const gaps = ['', null, undefined];
  const { copy, warnings } = copied({
    id: { tntId: 't', customerIds: gaps },
    execute: { mboxes: [...gaps, MBOX] },
    prefetch: { mboxes: [...gaps, MBOX], views: [...gaps, { name: 'home' }] },
    telemetry: { entries: [...gaps, { a: 1 }] },
    qaMode: { token: 't', previewIndexes: [...gaps, { activityIndex: 1 }] },
  });
  expect(copy).toEqual({
    id: { tntId: 't' },
    execute: { mboxes: [MBOX] },
    prefetch: { mboxes: [MBOX], views: [{ name: 'home' }] },
    telemetry: { entries: [{ a: 1 }] },
    qaMode: { token: 't', previewIndexes: [{ activityIndex: 1 }] },
  });
  expect(warnings).toEqual([]);
});

describe('null says the same as nothing', () => {
  const everything = requestWithEveryField();
  const placesOf = (value: unknown, path: readonly string[] = []): (readonly string[])[] =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, field]) => [
          [...path, name],
          ...placesOf(field, [...path, name]),
        ])
      : [];
  const withAt = (value: unknown, [name = '', ...rest]: readonly string[], put: unknown): unknown => {
    const field = rest.length === 0 ? put : withAt(Reflect.get(value as object, name), rest, put);
    if (Array.isArray(value)) {
      return value.map((item, position) => (String(position) === name ? field : item));
    }
    return { ...(value as object), [name]: field };
  };
  /** The copy, or the path and the message of the error. */
  const outcomeOf = (request: unknown): unknown => {
    try {
      return copyOf(request);
    } catch (error) {
      if (!(error instanceof TargetError)) {
        throw error;
      }
      return [error.path, error.message.replace(/not (null|undefined)$/, '')];
    }
  };

  test.each(placesOf(everything).map((path) => [path.join('.'), path] as const))('%s', (_, path) => {
    const outcome = outcomeOf(withAt(everything, path, null));
    expect(outcome).toEqual(outcomeOf(withAt(everything, path, undefined)));
    // These are the fields without which the object that has them means nothing.
    const isNeeded =
      /customerIds\.0\.integrationCode$|(deviceType|platformType)$|notifications\.0(\.(id|type|timestamp))?$/;
    expect(Array.isArray(outcome)).toBe(isNeeded.test(path.join('.')));
  });
});

test('a list that claims four thousand million items is refused at once', async () => {
  const mboxes: unknown[] = [];
  mboxes.length = 2 ** 32 - 1;
  expect(await targetErrorOf(() => copyOf({ execute: { mboxes } }))).toMatchObject({
    path: 'execute.mboxes',
  });
});

describe('whatever is written', () => {
  const odd = fc.constantFrom<unknown>(
    ...[undefined, null, '', ' ', 0, -1, 1.5, 7, 2 ** 60, Number.NaN, true, false, 5n, Symbol('s')],
    ...['7', '1.5', 'true', 'web', 'Mobile', 'x'.repeat(34), 'x'.repeat(300), 'x'.repeat(6000)],
    ...[{}, [], [null], ['a', 7], [{}], { name: 7 }, () => 1, new Date(0), new Date(Number.NaN)],
  );
  /** These requests are good but for up to four odd values at any depth, some of them under unknown names. */
  const written: fc.Arbitrary<unknown> = fc
    .array(fc.tuple(fc.nat(), odd), { maxLength: 4 })
    .map((changes) =>
      changes.reduce<unknown>((request, [at, value]) => changed(request, at, value), requestWithEveryField()),
    );

  const check = deliveryCheck(true);
  const query = { imsOrgId: 'o', sessionId: 's' };
  /** The copier leaves these faults to the edge: rules of several fields, and rules that the files state in prose. */
  const PROSE =
    /blank|needs the channel|already another|date-time|may hold a dot|is required|must not include/;

  const PASSED_ON = /^(trace\.usage|telemetry\.entries)/;

  test('the copy is what the edge takes, or there is a TargetError; and what was written stays as it was', () => {
    let copies = 0;
    fc.assert(
      fc.property(written, (request) => {
        const before = shown(request);
        try {
          const copy = copyOf(deepFreeze(request));
          copies += 1;
          const context = toSentContext({ ...copy.context, channel: copy.context?.channel ?? 'web' });
          const body: unknown = JSON.parse(JSON.stringify({ ...copy, context }));
          const violations = check({ query, body }).filter(
            ({ path, message }) => !PASSED_ON.test(path) && !PROSE.test(message),
          );
          expect(violations).toEqual([]);
        } catch (error) {
          if (!(error instanceof TargetError)) {
            throw error;
          }
          expect(error.code).toBe('ERR_TARGET_INVALID_REQUEST');
          expect(error.message).not.toMatch(/xxx/);
        }
        expect(shown(request)).toBe(before);
      }),
      { numRuns: 300 },
    );
    expect(copies).toBeGreaterThan(50);
  });
});

function shown(value: unknown): string {
  return JSON.stringify(value, (_, field) => (typeof field === 'bigint' ? `${field}n` : field));
}

/** Changes one field of the value, at any depth. */
function changed(value: unknown, at: number, odd: unknown): unknown {
  if (typeof value !== 'object' || value === null) {
    return odd;
  }
  const names = Object.keys(value);
  const step = names[at % (names.length + 1)];
  // The step after the last field adds an unknown one.
  if (step === undefined) {
    return Array.isArray(value) ? [...value, odd] : { ...value, colour: odd };
  }
  const deeper = Math.floor(at / (names.length + 1));
  const field = deeper % 3 === 0 ? odd : changed(Reflect.get(value, step), deeper, odd);
  if (Array.isArray(value)) {
    return value.map((item, position) => (String(position) === step ? field : item));
  }
  return { ...value, [step]: field };
}
