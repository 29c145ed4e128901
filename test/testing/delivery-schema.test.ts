import { describe, expect, test } from '@jest/globals';
import type { JsonSchema } from '../../src/testing/delivery-schema.js';
import { deliveryRequestSchema, REQUEST_COMPONENTS } from '../../src/testing/delivery-schema.js';
import { hasOpenApi, readComponents } from '../openapi.js';

/** Changes a component where its prose, Adobe's page of limits or its meaning goes beyond its schema. */
const PROSE: Readonly<Record<string, (schema: JsonSchema) => JsonSchema>> = {
  MboxRequest: (schema) => ({
    ...schema,
    required: ['index', 'name'],
    properties: {
      ...schema.properties,
      index: { type: 'integer', format: 'int32', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
    },
  }),
  // Adobe's page of limits allows more than the file.
  Parameters: (schema) => ({
    ...schema,
    maxProperties: 100,
    additionalProperties: { type: 'string', maxLength: 5000 },
  }),
  VisitorId: (schema) => ({
    ...schema,
    properties: { ...schema.properties, thirdPartyId: { type: 'string', maxLength: 256 } },
  }),
  Product: (schema) => ({
    ...schema,
    properties: { ...schema.properties, categoryId: { type: 'string', maxLength: 256 } },
  }),
  // Only the page of limits has a limit.
  ExecuteRequest: withFewMboxes,
  PrefetchRequest: withFewMboxes,
  Order: (schema) => ({
    ...schema,
    properties: {
      ...schema.properties,
      purchasedProductIds: { type: 'array', items: { type: 'string', maxLength: 50 } },
    },
  }),
  QAMode: (schema) => ({
    ...schema,
    properties: {
      ...schema.properties,
      previewIndexes: { ...schema.properties?.previewIndexes, minItems: 1 },
    },
  }),
  QAModePreviewIndex: (schema) => ({
    ...schema,
    properties: {
      activityIndex: { type: ['integer', 'null'], minimum: 1 },
      experienceIndex: { type: ['integer', 'null'], minimum: 1 },
    },
  }),
  // The pattern is left to node:net.
  Geo: (schema) => ({ ...schema, properties: { ...schema.properties, ipAddress: { type: 'string' } } }),
};

function withFewMboxes(schema: JsonSchema): JsonSchema {
  return {
    ...schema,
    properties: { ...schema.properties, mboxes: { ...schema.properties?.mboxes, maxItems: 50 } },
  };
}

if (hasOpenApi) {
  const components = readComponents();

  describe('the schema', () => {
    test('has every component that a request can reach, and no other', () => {
      expect(Object.keys(REQUEST_COMPONENTS).sort()).toEqual(Object.keys(components).sort());
    });

    test.each(Object.entries(components))('says of %s what the OpenAPI files say', (name, component) => {
      const expected = PROSE[name]?.(component) ?? component;
      expect(REQUEST_COMPONENTS[name]).toEqual(expected);
      // An exception that changes nothing is one too many.
      if (PROSE[name]) {
        expect(expected).not.toEqual(component);
      }
    });
  });
} else {
  test.skip('the schema says what the OpenAPI files say (skipped: they are not beside the project)', () =>
    undefined);
}

test('only a strict schema is closed', () => {
  const closed = Object.entries(deliveryRequestSchema(true).$defs ?? {}).filter(
    ([, { properties }]) => properties,
  );
  expect(closed.length).toBeGreaterThan(30);
  for (const [, schema] of closed) {
    expect(schema.additionalProperties).toBe(false);
  }
  for (const schema of Object.values(deliveryRequestSchema(false).$defs ?? {})) {
    expect(schema.additionalProperties).not.toBe(false);
  }
});
