import type { OutputUnit } from '@cfworker/json-schema';
import { Validator } from '@cfworker/json-schema';
import type { DeliveryRequest } from '../delivery-api.js';
import { nameOf } from '../errors.js';
import { checkQuery, checkRules } from './delivery-rules.js';
import { deliveryRequestSchema } from './delivery-schema.js';
import type { ReceivedRequest, Violation } from './request-log.js';

/** Returns the rules of the Delivery API that a delivery call breaks. The list is empty for a good call. */
export type DeliveryCheck = (received: Pick<ReceivedRequest, 'query' | 'body'>) => readonly Violation[];

/** JSON Schema keywords whose errors say only that something inside is wrong. The inner error is reported by itself. */
const WRAPPERS: ReadonlySet<string> = new Set(['$ref', 'properties', 'items', 'additionalProperties']);

/** The validators by `strict`. They are kept, because a unit test may make many edges. */
const validators = new Map<boolean, Validator>();

/**
 * Makes the check of delivery calls. It checks the query, then the body by its schema, then the rules that a schema
 * cannot express. With `strict`, unknown fields are violations.
 */
export function deliveryCheck(strict: boolean): DeliveryCheck {
  const validator = validators.get(strict) ?? new Validator(deliveryRequestSchema(strict), '2019-09', false);
  validators.set(strict, validator);
  return ({ query, body }) => {
    const violations = [...checkQuery(query, strict), ...checkSchema(validator, body)];
    return violations.length > 0 ? violations : checkRules(body as DeliveryRequest);
  };
}

/** Formats the first five violations as one line. */
export function toMessage(violations: readonly Violation[]): string {
  const shown = violations.slice(0, 5).map(({ path, message }) => `${path || 'the body'} ${message}`);
  const more = violations.length > 5 ? `; and ${violations.length - 5} more` : '';
  return `Invalid request: ${shown.join('; ')}${more}`;
}

function checkSchema(validator: Validator, body: unknown): Violation[] {
  try {
    const { errors } = validator.validate(body);
    return errors.filter(({ keyword }) => !WRAPPERS.has(keyword)).map((unit) => toViolation(unit, body));
  } catch (error) {
    // The validator throws a URIError for a property name with half a surrogate pair.
    if (nameOf(error) === 'URIError') {
      return [{ path: '', message: 'holds a name that is not well-formed Unicode' }];
    }
    throw error;
  }
}

function toViolation({ keyword, instanceLocation, error }: OutputUnit, body: unknown): Violation {
  const path = toPath(instanceLocation, body);
  if (keyword === 'false') {
    return { path, message: 'is not a field of the Delivery API' };
  }
  const missing = keyword === 'required' ? /"(.+)"/.exec(error)?.[1] : undefined;
  if (missing) {
    return { path: path ? `${path}.${missing}` : missing, message: 'is required' };
  }
  return { path, message: `is wrong: ${error}` };
}

/**
 * Converts a JSON Pointer such as `#/execute/mboxes/2/name` to a path such as `execute.mboxes[2].name`.
 * @see https://www.rfc-editor.org/rfc/rfc6901
 */
function toPath(pointer: string, body: unknown): string {
  let path = '';
  let value = body;
  for (const segment of pointer.split('/').slice(1)) {
    const key = decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~');
    path += Array.isArray(value) ? `[${key}]` : `${path && '.'}${key}`;
    value = ownValue(value, key);
  }
  return path;
}

function ownValue(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  return Object.getOwnPropertyDescriptor(value, key)?.value;
}
