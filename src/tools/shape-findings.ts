import { type OutputUnit, type Schema, Validator } from '@cfworker/json-schema';
import { nameOf } from '../errors.js';
import { ARTIFACT_SCHEMA } from './artifact-schema.js';
import { cut } from './clause-words.js';
import { type Finding, pathTo, toFinding } from './finding.js';

/** Keywords whose errors say only that something inside is wrong. The inner error is reported by itself. */
const WRAPPERS: ReadonlySet<string> = new Set(['$ref', 'properties', 'items', 'additionalProperties']);

let validator: Validator | undefined;

/** Lists the places where an artifact has another shape than the schema, and none that holds another one. */
export function shapeFindings(artifact: unknown): Finding[] {
  validator ??= new Validator(ARTIFACT_SCHEMA as Schema, '2020-12', false);
  let errors: OutputUnit[];
  try {
    ({ errors } = validator.validate(artifact));
  } catch (error) {
    // The validator throws a URIError for a name with half a surrogate pair.
    if (nameOf(error) === 'URIError') {
      return [toFinding('shape', '', 'a name is not well-formed Unicode')];
    }
    throw error;
  }
  const own = errors.filter(({ keyword }) => !WRAPPERS.has(keyword));
  const outer = new Set(own.flatMap(({ instanceLocation }) => pointersAround(instanceLocation)));
  return own
    .filter(({ instanceLocation }) => !outer.has(instanceLocation))
    .map((unit) => shapeFinding(unit, artifact));
}

/** Lists the pointers of the values around the one of a pointer. */
function pointersAround(pointer: string): string[] {
  return [...pointer.matchAll(/\//g)].map(({ index }) => pointer.slice(0, index));
}

function shapeFinding({ keyword, instanceLocation, error }: OutputUnit, artifact: unknown): Finding {
  const path = pathOf(instanceLocation, artifact);
  const missing = keyword === 'required' ? /"([^"]+)"/.exec(error)?.[1] : undefined;
  if (missing !== undefined) {
    return toFinding('shape', pathTo(path, missing).replace(/^\./, ''), 'is missing');
  }
  return toFinding('shape', path, shapeWords(keyword, error, valueAt(instanceLocation, artifact)));
}

/** The types of JSON Schema in words. */
const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  integer: 'a whole number',
  null: 'null',
  number: 'a number',
  object: 'an object',
  string: 'a text',
};

/** The library says what it expects in quotes, such as `Expected "array"`. */
function shapeWords(keyword: string, error: string, value: unknown): string {
  const wanted = [...error.slice(error.indexOf('xpected')).matchAll(/"(\w+)"/g)].map(([, type = '']) => type);
  if (keyword === 'type' && wanted.length > 0) {
    return `must be ${wanted.map((type) => TYPES[type] ?? type).join(' or ')}, not ${typeWords(value)}`;
  }
  return keyword === 'enum' || keyword === 'pattern'
    ? `has a value that is not known: ${cut(JSON.stringify(value) ?? '')}`
    : `has another shape than expected: ${error}`;
}

function typeWords(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  return Array.isArray(value) ? 'a list' : (TYPES[typeof value] ?? typeof value);
}

/** Converts a JSON Pointer to a path. @see https://www.rfc-editor.org/rfc/rfc6901 */
function pathOf(pointer: string, artifact: unknown): string {
  let path = '';
  let value = artifact;
  for (const name of namesIn(pointer)) {
    path = Array.isArray(value) ? `${path}[${name}]` : pathTo(path, name).replace(/^\./, '');
    value = partOf(value, name);
  }
  return path;
}

function valueAt(pointer: string, artifact: unknown): unknown {
  return namesIn(pointer).reduce(partOf, artifact);
}

function namesIn(pointer: string): string[] {
  const segments = pointer.split('/').slice(1);
  return segments.map((segment) => decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~'));
}

function partOf(value: unknown, name: string): unknown {
  return (value as Readonly<Record<string, unknown>> | null)?.[name];
}
