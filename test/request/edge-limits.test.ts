import { describe, expect, test } from '@jest/globals';
import { EDGE_LIMITS } from '../../src/delivery-api.js';
import { toSentContext } from '../../src/request/edge-limits.js';
import type { JsonSchema } from '../../src/testing/delivery-schema.js';
import { hasOpenApi, readComponents } from '../openapi.js';

/** Adobe's page of limits allows more of these than the OpenAPI files, whose numbers stand here. */
const RAISED: Readonly<Record<string, number>> = {
  'VisitorId.thirdPartyId': 128,
  'Product.categoryId': 128,
  'Parameters.count': 50,
};

/** These limits come from the prose of the files, the page of limits or the width of an integer. */
const PROSE: ReadonlySet<string> = new Set([
  'ExecuteRequest.mboxes',
  'PrefetchRequest.mboxes',
  'MboxRequest.index',
  'Parameters.name',
  'Parameters.value',
  'Parameters.profileValue',
  'Order.purchasedProductId',
  'Order.purchasedProductIds',
]);

/** Collects the limits of the OpenAPI files by component and field. */
function limitsOf(components: Readonly<Record<string, JsonSchema>>): Record<string, number> {
  const limits: Record<string, number> = {};
  for (const [component, { properties = {}, maxProperties }] of Object.entries(components)) {
    if (maxProperties !== undefined) {
      limits[`${component}.count`] = maxProperties;
    }
    for (const [field, { maxLength, maxItems, maximum }] of Object.entries(properties)) {
      const limit = maxLength ?? maxItems ?? maximum;
      if (limit !== undefined) {
        limits[`${component}.${field}`] = limit;
      }
    }
  }
  return limits;
}

const TABLE = Object.fromEntries(
  Object.entries(EDGE_LIMITS).flatMap(([component, fields]) =>
    Object.entries(fields).map(([field, limit]): [string, number] => [`${component}.${field}`, limit]),
  ),
);

if (hasOpenApi) {
  describe('the table of limits', () => {
    const files = limitsOf(readComponents());

    test('has every limit of the OpenAPI files, and says what they say, but for what was raised', () => {
      const said = Object.entries(TABLE).filter(([name]) => !PROSE.has(name));
      expect({ ...Object.fromEntries(said), ...RAISED }).toEqual(files);
    });

    test.each(Object.entries(RAISED))('has more of %s than the OpenAPI files', (name, limit) => {
      expect(TABLE[name]).toBeGreaterThan(limit);
    });

    test.each([...PROSE])('has %s, which the files give no number for', (name) => {
      expect(TABLE[name]).toBeGreaterThan(0);
      expect(files).not.toHaveProperty([name]);
    });
  });
} else {
  test.skip('the table says what the OpenAPI files say (skipped: they are not beside the project)', () =>
    undefined);
}

describe('the context that is sent', () => {
  const text = (length: number) => 'x'.repeat(length);

  test.each<[string, object]>([
    ['no place', {}],
    ['a place', { geo: { ipAddress: '192.0.2.1', countryCode: 'CH', stateCode: 'ZH', latitude: 1 } }],
    ['a place at its limits', { geo: { stateCode: 'ABC', city: text(50), zip: text(12) } }],
  ])('is the same with %s', (_, more) => {
    const context = { channel: 'web', ...more } as const;
    expect(toSentContext(context)).toBe(context);
  });

  test.each<[string, object]>([
    ['a name for a country', { countryCode: 'SWITZERLAND' }],
    ['a country of one letter', { countryCode: 'C' }],
    ['a name for a state', { stateCode: 'ZURICH' }],
    ['a city that is too long', { city: text(51) }],
    ['a code that is too long', { zip: text(13) }],
    ['an address that is not to be looked up', { ipAddress: 'unknownIpAddress' }],
  ])('has no %s', (_, geo) => {
    expect(toSentContext({ channel: 'web', geo: { latitude: 1, ...geo } })).toEqual({
      channel: 'web',
      geo: { latitude: 1 },
    });
    expect(toSentContext({ channel: 'web', geo })).toEqual({ channel: 'web' });
  });
});
