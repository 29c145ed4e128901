import { invalidOption, type TargetError } from '../errors.js';
import { isObject } from '../json.js';

/**
 * Copies the default of an mbox, and returns a function that makes copies of it: the program may change the value that
 * it gets, as it may change the content of an offer.
 *
 * A default is JSON. It may also hold dates, big integers and `undefined`, because schemas can make those of an offer.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for anything else. `path` of the error names it.
 */
export function keepDefault(path: string, given: unknown): () => unknown {
  const kept = copyOf(path, given, []);
  return () => copyOf(path, kept, []);
}

/** Copies a value. `around` has the objects that it lies in. A key such as `__proto__` is plain data. */
function copyOf(path: string, value: unknown, around: readonly object[]): unknown {
  if (isDate(value)) {
    return new Date(value.getTime());
  }
  const isList = Array.isArray(value);
  if (!isObject(value)) {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw notJson(path, value);
    }
    return value;
  }
  if (!(isList || isPlain(value)) || around.includes(value)) {
    throw notJson(path, value);
  }
  const copied: object = isList ? [] : {};
  for (const [name, inner] of Object.entries(value)) {
    const copy = copyOf(isList ? `${path}[${name}]` : `${path}.${name}`, inner, [...around, value]);
    Object.defineProperty(copied, name, {
      value: copy,
      ...{ enumerable: true, writable: true, configurable: true },
    });
  }
  return copied;
}

/** Recognises a date of another realm too. */
function isDate(value: unknown): value is Date {
  return kindOf(value) === 'Date';
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Returns the name of a built-in class, and `Object` for all others. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

function notJson(path: string, value: unknown): TargetError {
  const kind = kindOf(value);
  const shown = kind === 'Object' ? 'an object of a class or one that holds itself' : `a ${kind}`;
  return invalidOption(path, 'JSON, or a date', value, () => shown);
}
