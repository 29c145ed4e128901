import { invalidOption, unreadableError } from '../errors.js';
import { ownFieldOf } from '../inherited-names.js';
import { isRecord, type JsonRecord } from '../json.js';

/** Tells whether a value is right, and what was wanted. */
export interface Check {
  readonly wanted: string;
  accepts(value: unknown): boolean;
}

/** The checks of options by name. An option whose own options are checked has such a table itself. */
export interface Checks {
  readonly [name: string]: Check | Checks;
}

/** Makes the check of one value among a few. */
export function oneOf(...words: readonly unknown[]): Check {
  return { wanted: `one of ${words.join(', ')}`, accepts: (value) => words.includes(value) };
}

export const isFunction = (value: unknown) => typeof value === 'function';
export const BOOLEAN: Check = { wanted: 'true or false', accepts: (value) => typeof value === 'boolean' };
export const FUNCTION: Check = { wanted: 'a function', accepts: isFunction };
export const RECORD: Check = { wanted: 'an object', accepts: isRecord };
export const TEXT: Check = { wanted: 'a text', accepts: (value) => typeof value === 'string' };
/** The check of a number of trusted proxies. */
export const HOPS: Check = {
  wanted: 'true, false or a number of proxies',
  accepts: (value) => typeof value === 'boolean' || (Number.isSafeInteger(value) && Number(value) >= 0),
};

/**
 * Checks the fields of an object by a table.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong value.
 */
export function checkFields(fields: unknown, checks: Checks, path: string): void {
  const record = toRecord(fields, path || 'options');
  for (const name of Object.keys(checks)) {
    const inner = path ? `${path}.${name}` : name;
    const value = readField(record, name, inner);
    const check = checks[name];
    if (value === undefined || value === null || !check) {
      continue;
    }
    if (!isCheck(check)) {
      checkFields(value, check, inner);
    } else if (!accepted(check, value, inner)) {
      throw invalidOption(inner, check.wanted, value);
    }
  }
}

function toRecord(fields: unknown, path: string): JsonRecord {
  try {
    if (isRecord(fields)) {
      return fields;
    }
  } catch (cause) {
    throw unreadableError('ERR_TARGET_INVALID_CONFIG', path, cause);
  }
  throw invalidOption(path, 'an object', fields);
}

/** Applies a check. A proxy of the caller may throw, and the error names its option. */
function accepted(check: Check, value: unknown, path: string): boolean {
  try {
    return check.accepts(value);
  } catch (cause) {
    throw unreadableError('ERR_TARGET_INVALID_CONFIG', path, cause);
  }
}

function isCheck(check: Check | Checks): check is Check {
  return Object.hasOwn(check, 'accepts');
}

/** Reads a field of options. A getter of the caller may throw, and the error names its option. */
export function readField(fields: JsonRecord, name: string, path: string): unknown {
  try {
    return ownFieldOf(fields, name);
  } catch (cause) {
    throw unreadableError('ERR_TARGET_INVALID_CONFIG', path, cause);
  }
}
