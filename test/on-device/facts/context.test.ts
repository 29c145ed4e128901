import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Context } from '../../../src/delivery-api.js';
import { allocationPrefix } from '../../../src/on-device/facts/allocation.js';
import {
  type Activity,
  CallContext,
  LocationContext,
  toGeoFacts,
  toParameterTree,
} from '../../../src/on-device/facts/context.js';
import { ALL_CONTEXT_PARTS, contextPart } from '../../../src/on-device/facts/context-parts.js';

const activity = activityOf(1);

function activityOf(id: number): Activity {
  const prefix = allocationPrefix('acme', id);
  return { id, prefix, lastCall: 0, lastAllocation: Number.NaN };
}

function contextAt(nowMs: number, request: Context = {}): CallContext {
  return new CallContext(request, { nowMs, visitor: { key: 'visitor', id: {} }, geo: request.geo });
}

describe('time', () => {
  test.each([
    ['2024-05-13T00:00:00.000Z', '0000', 1],
    ['2024-05-15T14:30:59.999Z', '1430', 3],
    ['2024-05-18T09:05:00.000Z', '0905', 6],
    ['2024-05-19T23:59:59.999Z', '2359', 7],
  ])('at %s it is %s on day %i', (iso, current_time, current_day) => {
    const location = new LocationContext(contextAt(Date.parse(iso)), undefined, undefined);
    expect(location.snapshot(activity)).toMatchObject({
      current_time,
      current_day,
      current_timestamp: Date.parse(iso),
    });
  });
});

describe('a location', () => {
  const request: Context = {
    address: { url: 'http://page.example.com/', referringUrl: 'http://ref.example.com/' },
    geo: { city: 'BERLIN' },
  };

  test('has the parts that were filled in and no others', () => {
    const location = new LocationContext(contextAt(0, request), undefined, { a: '1' });
    location.fill(contextPart('page') | contextPart('mbox'), activity);
    expect(location.page?.subdomain).toBe('page');
    expect(location.mbox).toMatchObject({ a: '1' });
    expect([location.user, location.referring, location.geo]).toEqual([undefined, undefined, undefined]);
  });

  test('has everything that conditions can name as its own properties', () => {
    const location = new LocationContext(contextAt(0, request), undefined, undefined);
    expect(Object.keys(location.snapshot(activity)).sort()).toEqual(
      [
        'allocation',
        'current_day',
        'current_time',
        'current_timestamp',
        'geo',
        'mbox',
        'page',
        'referring',
        'user',
      ].sort(),
    );
    expect(ALL_CONTEXT_PARTS).toBe(0b111111111);
  });

  test.each([
    ['both URLs', { url: 'http://own.org/', referringUrl: 'http://from.org/' }, 'own.org', 'from.org'],
    ['the page, and there is no referring URL then', { url: 'http://own.org/' }, 'own.org', ''],
    ['the referring URL, and there is no page then', { referringUrl: 'http://from.org/' }, '', 'from.org'],
    ['nothing when there is none', undefined, 'example.com', 'example.com'],
    ['nothing when it is null', null, 'example.com', 'example.com'],
  ])('with an address of its own replaces %s', (_what, address, page, referring) => {
    const snapshot = new LocationContext(contextAt(0, request), address, undefined).snapshot(activity);
    expect(snapshot).toMatchObject({ page: { domain: page }, referring: { domain: referring } });
  });
});

describe('parameters', () => {
  test.each([
    ['texts, also in lower case', { a: 'Bc', e: '' }, { a: 'Bc', a_lc: 'bc', e: '', e_lc: '' }],
    ['numbers and booleans, which have no case', { n: 5, b: true }, { n: 5, b: true }],
    [
      'dotted names, which nest',
      { 'a.b': 'X', 'a.c.d': 'Y' },
      { a: { b: 'X', b_lc: 'x', c: { d: 'Y', d_lc: 'y' } } },
    ],
    [
      'names with a dot at an end or two in a row, which do not',
      { '.a': '1', 'b.': '1', 'c..d': '1', '.': '1', 'e.f..g': '1' },
      { '.a': '1', 'b.': '1', 'c..d': '1', '.': '1', 'e.f..g': '1' },
    ],
    [
      'a name that ends in _lc, behind the one made for its neighbour',
      { a_lc: 'X', a: 'Y' },
      { a: 'Y', a_lc: 'y', a_lc_lc: 'x' },
    ],
    [
      'a value, then names that begin with it',
      { q: '1', 'q.r': '2' },
      { q: { r: '2', r_lc: '2' }, q_lc: '1' },
    ],
    ['names, then a value they begin with', { 'q.r': '2', q: '1' }, { q: '1', q_lc: '1' }],
    ['what is none', { a: undefined, b: 'x' }, { b: 'x', b_lc: 'x' }],
  ])('are %s', (_what, parameters, tree) => {
    expect(JSON.parse(JSON.stringify(toParameterTree(parameters)))).toMatchObject(tree);
  });

  test.each([undefined, null, {}])('that are none (%j) are an empty tree', (parameters) => {
    expect(Object.keys(toParameterTree(parameters))).toEqual([]);
  });

  test('reach no prototype, whatever their names', () => {
    const names = [
      '__proto__',
      '__proto__.polluted',
      'constructor.prototype.polluted',
      'a.__proto__.polluted',
      'toString',
    ];
    const parameters = Object.fromEntries(names.map((name) => [name, 'x']));
    const tree = toParameterTree(JSON.parse(JSON.stringify(parameters)));
    expect(JSON.parse(JSON.stringify(tree))).toMatchObject({
      constructor: { prototype: { polluted: 'x' } },
      toString: 'x',
    });
    expect(Object.getOwnPropertyDescriptor(tree, '__proto__')?.value).toMatchObject({ polluted: 'x' });
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(`${toParameterTree({ 'a.toString': 'x', 'a.valueOf': 'y' }).a}`).toBe('[object Object]');
  });

  test('never throw, whatever their names and values', () => {
    const name = fc.oneof(
      fc.string(),
      fc.stringMatching(/^[a.]{0,6}$/),
      fc.constantFrom('__proto__', 'a.__proto__.b'),
    );
    fc.assert(
      fc.property(fc.dictionary(name, fc.anything()), (parameters) => {
        toParameterTree(parameters as Record<string, string>);
      }),
    );
  });
});

test('geo has the names of conditions, and only what is known', () => {
  expect(
    toGeoFacts({
      countryCode: 'US',
      stateCode: 'CA',
      city: 'X',
      latitude: 0,
      longitude: -1,
      zip: '1',
      ipAddress: '::1',
    }),
  ).toEqual({
    country: 'US',
    region: 'CA',
    city: 'X',
    latitude: 0,
    longitude: -1,
  });
  expect(toGeoFacts({ city: 'X' })).toEqual({ city: 'X' });
});

test('a visitor is allocated once per activity and call, and independently in each', () => {
  const call = contextAt(0);
  const other = activityOf(2);
  const first = call.allocation(activity);
  expect(call.allocation(other)).not.toBe(first);
  expect(call.allocation(activity)).toBe(first);
  expect(contextAt(99).allocation(activity)).toBe(first);
  const visitor = { key: 'somebody else', id: {} };
  const somebodyElse = new CallContext({}, { nowMs: 0, visitor, geo: undefined });
  expect(somebodyElse.allocation(activity)).not.toBe(first);
  expect(call.allocation(activity)).toBe(first);
});
