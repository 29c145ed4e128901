import { describe, expect, test } from '@jest/globals';
import type { Context } from '../../../src/delivery-api.js';
import { allocationPrefix } from '../../../src/on-device/facts/allocation.js';
import { type Activity, CallContext, LocationContext } from '../../../src/on-device/facts/context.js';
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
