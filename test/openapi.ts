import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { JsonSchema } from '../src/testing/delivery-schema.js';

const REQUEST_FILE = resolve(__dirname, '../../shared/spec/openapi/delivery/components/DeliveryRequest.yaml');

/** Tells whether Adobe's OpenAPI files lie beside the project. */
export const hasOpenApi = existsSync(REQUEST_FILE);

type Node = Record<string, unknown>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads every component that a request can reach, by name, as JSON Schema. */
export function readComponents(): Record<string, JsonSchema> {
  const components: Record<string, JsonSchema> = {};
  const read = (file: string, name: string): JsonSchema => {
    const document: unknown = parse(readFileSync(file, 'utf8'));
    const component = isNode(document) ? document[name] : undefined;
    if (!isNode(component)) {
      throw new Error(`${name} is not in ${file}`);
    }
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
    if (!isNode(value)) {
      return value;
    }
    if (keyword !== 'properties') {
      return convert(value, file);
    }
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
