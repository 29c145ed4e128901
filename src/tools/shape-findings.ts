import { type OutputUnit, type Schema, Validator } from '@cfworker/json-schema';
import { nameOf } from '../errors.js';
import { isObject } from '../json.js';
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

function shapeFinding({ keyword, instanceLocation, error }: OutputUnit, artifact: unknown): Finding {
  const path = pathOf(instanceLocation, artifact);
  const missing = keyword === 'required' ? /"([^"]+)"/.exec(error)?.[1] : undefined;
  if (missing !== undefined) {
    return toFinding('shape', pathTo(path, missing).replace(/^\./, ''), 'is missing');
  }
  return toFinding(
    'shape',
    path,
    `must be ${wantedWords(error)}, not ${wordOf(valueAt(instanceLocation, artifact))}`,
  );
}

const TYPES: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'an object',
  string: 'a text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
};

/** The validator quotes what it wants: the types, or a list of values. */
function wantedWords(error: string): string {
  const values = /\[(.*)\]/.exec(error)?.[1];
  if (values !== undefined) {
    return `one of ${values.replaceAll('"', '').replaceAll(',', ', ')}`;
  }
  const types = [...error.matchAll(/"([^"]+)"/g)].slice(1).map(([, type = '']) => TYPES[type] ?? type);
  const last = types.at(-1) ?? 'of another form';
  return types.length > 1 ? `${types.slice(0, -1).join(', ')} or ${last}` : last;
}

function wordOf(value: unknown): string {
  if (typeof value === 'string') {
    return `“${cut(value)}”`;
  }
  return Array.isArray(value) ? 'a list' : value === null ? 'null' : (TYPES[typeof value] ?? 'nothing');
}

function pointersAround(pointer: string): string[] {
  const segments = pointer.split('/');
  return segments.slice(1).map((_, at) => segments.slice(0, at + 1).join('/'));
}

/** Reads the place of a JSON Pointer. */
function valueAt(pointer: string, artifact: unknown): unknown {
  return segmentsOf(pointer).reduce<unknown>(
    (value, name) => (isObject(value) && Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined),
    artifact,
  );
}

function segmentsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** Converts a JSON Pointer to a path. @see https://www.rfc-editor.org/rfc/rfc6901 */
function pathOf(pointer: string, artifact: unknown): string {
  let path = '';
  let value = artifact;
  for (const name of segmentsOf(pointer)) {
    path = Array.isArray(value) ? `${path}[${name}]` : pathTo(path, name).replace(/^\./, '');
    value = (value as Readonly<Record<string, unknown>> | null)?.[name];
  }
  return path;
}
