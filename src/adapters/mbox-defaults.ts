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
  const kept = copyChecked(path, given, []);
  return () => copyOf(kept);
}

/** Copies a value. `around` has the objects that it lies in. */
function copyChecked(path: string, value: unknown, around: readonly object[]): unknown {
  if (!isObject(value)) {
    if (typeof value === 'function' || typeof value === 'symbol') {
      throw notJson(path, value);
    }
    return value;
  }
  if (isDate(value)) {
    return copyOf(value);
  }
  if (!isPlain(value) || around.includes(value)) {
    throw notJson(path, value);
  }
  const inside = [...around, value];
  const isList = Array.isArray(value);
  return copyEach(value, (inner, name) =>
    copyChecked(isList ? `${path}[${name}]` : `${path}.${name}`, inner, inside),
  );
}

function copyOf(value: unknown): unknown {
  if (!isObject(value)) {
    return value;
  }
  return isDate(value) ? new Date(value.getTime()) : copyEach(value, copyOf);
}

/** Copies a list or an object whose values a function copies. A key such as `__proto__` is plain data. */
function copyEach(value: object, copy: (inner: unknown, name: string) => unknown): object {
  const copied: object = Array.isArray(value) ? [] : {};
  for (const [name, inner] of Object.entries(value)) {
    Object.defineProperty(copied, name, {
      value: copy(inner, name),
      ...{ enumerable: true, writable: true, configurable: true },
    });
  }
  return copied;
}

/** Recognises a date of another realm too. */
function isDate(value: object): value is Date {
  return Object.prototype.toString.call(value) === '[object Date]';
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
}

function notJson(path: string, value: unknown): TargetError {
  return invalidOption(path, 'JSON, or a date', value, showKind);
}

function showKind(value: unknown): string {
  if (!isObject(value)) {
    return `a ${typeof value}`;
  }
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
  if (tag !== 'Object' && tag !== 'Array') {
    return `an object of the class ${tag}`;
  }
  return isPlain(value) ? 'an object that holds itself' : 'an object of a class';
}
