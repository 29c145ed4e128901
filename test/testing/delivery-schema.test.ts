import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import type { JsonSchema } from '../../src/testing/delivery-schema.js';
import { deliveryRequestSchema, REQUEST_COMPONENTS } from '../../src/testing/delivery-schema.js';

const OPENAPI = resolve(__dirname, '../../../shared/spec/openapi');
const REQUEST_FILE = join(OPENAPI, 'delivery/components/DeliveryRequest.yaml');
/** What only the prose of a component says, or what it means where its schema says something else. */
const PROSE: Readonly<Record<string, (schema: JsonSchema) => JsonSchema>> = {
  MboxRequest: (schema) => ({
    ...schema,
    required: ['index', 'name'],
    properties: {
      ...schema.properties,
      index: { type: 'integer', format: 'int32', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 },
    },
  }),
  Parameters: (schema) => ({ ...schema, additionalProperties: { type: 'string', maxLength: 5000 } }),
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

type Node = Record<string, unknown>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every component that a request can reach, by name, in the words of JSON Schema. */
function readComponents(): Record<string, JsonSchema> {
  const components: Record<string, JsonSchema> = {};
  const read = (file: string, name: string): JsonSchema => {
    const document: unknown = parse(readFileSync(file, 'utf8'));
    const component = isNode(document) ? document[name] : undefined;
    if (!isNode(component)) throw new Error(`${name} is not in ${file}`);
    return convert(component, file, true);
  };
  const convert = (node: Node, file: string, top = false): JsonSchema => {
    if (Array.isArray(node.allOf)) {
      const parts = node.allOf
        .filter(isNode)
        .map((part) => (typeof part.$ref === 'string' ? follow(part.$ref, file) : convert(part, file)));
      const properties = Object.assign({}, ...parts.map((part) => part.properties));
      return { type: 'object', properties, ...(Array.isArray(node.required) && { required: node.required }) };
    }
    if (typeof node.$ref === 'string' && !top) {
      const name = node.$ref.split('#/')[1] ?? '';
      components[name] ??= follow(node.$ref, file);
      return { $ref: `#/$defs/${name}` };
    }
    const ignored = new Set(['description', 'discriminator', 'default', 'x-enum-as-string']);
    return Object.fromEntries(
      Object.entries(node)
        .filter(([keyword]) => !ignored.has(keyword))
        .map(([keyword, value]) => [keyword, convertKeyword(keyword, value, file)]),
    );
  };
  const convertKeyword = (keyword: string, value: unknown, file: string): unknown => {
    if (!isNode(value)) return value;
    if (keyword !== 'properties') return convert(value, file);
    return Object.fromEntries(
      Object.entries(value).map(([name, schema]) => [name, isNode(schema) ? convert(schema, file) : schema]),
    );
  };
  const follow = (reference: string, file: string): JsonSchema => {
    const [path = '', name = ''] = reference.split('#/');
    return read(join(dirname(file), path), name);
  };
  components.DeliveryRequest = read(REQUEST_FILE, 'DeliveryRequest');
  return components;
}

if (existsSync(REQUEST_FILE)) {
  const components = readComponents();

  describe('the schema', () => {
    test('has every component that a request can reach, and no other', () => {
      expect(Object.keys(REQUEST_COMPONENTS).sort()).toEqual(Object.keys(components).sort());
    });

    test.each(Object.entries(components))('says of %s what the OpenAPI files say', (name, component) => {
      const expected = PROSE[name]?.(component) ?? component;
      expect(REQUEST_COMPONENTS[name]).toEqual(expected);
      // An exception that changes nothing is one too many.
      if (PROSE[name]) expect(expected).not.toEqual(component);
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
  for (const [, schema] of closed) expect(schema.additionalProperties).toBe(false);
  for (const schema of Object.values(deliveryRequestSchema(false).$defs ?? {})) {
    expect(schema.additionalProperties).not.toBe(false);
  }
});
