import { invalidOption, TargetError, unreadableError } from '../errors.js';
import { ownFieldOf } from '../inherited-names.js';
import { isRecord, itemsOf, MAX_ITEMS } from '../json.js';

/**
 * Runs a step that reads a value of the caller. A getter, a proxy or an iterator of the caller may throw, and the error
 * then names the value.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG`, or the error of the step itself.
 */
export function reading<Value>(path: string, read: () => Value): Value {
  try {
    return read();
  } catch (thrown) {
    throw unreadable(path, thrown);
  }
}

/** Makes the error for a value that could not be read. An error of this package stays as it is. */
export function unreadable(path: string, thrown: unknown): TargetError {
  return thrown instanceof TargetError ? thrown : unreadableError('ERR_TARGET_INVALID_CONFIG', path, thrown);
}

/**
 * Copies the options of a tool, each read once.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for no object, and for an option that cannot be read.
 */
export function copyOptions<Options extends object>(
  options: Options,
  names: Readonly<Record<keyof Options, true>>,
): Options {
  if (!reading('options', () => isRecord(options))) {
    throw invalidOption('options', 'an object', options);
  }
  const entries = Object.keys(names).map((name) => [name, reading(name, () => ownFieldOf(options, name))]);
  // The names are those of the type, so the copy has all of its fields.
  return Object.fromEntries(entries) as Options;
}

/** Copies a list of the caller; undefined for what is no list, or one of more items than anybody writes. */
export function copyList(list: unknown, path: string): readonly unknown[] | undefined {
  return reading(path, () => (Array.isArray(list) && list.length <= MAX_ITEMS ? itemsOf(list) : undefined));
}
