/**
 * This file holds the operators of JSON Logic (https://jsonlogic.com/operations.html). They convert values as
 * JavaScript does, because the reference implementation is written in JavaScript.
 */

/**
 * Returns true when a value counts as true in JSON Logic. The only difference from JavaScript is the empty list, which
 * counts as false (https://jsonlogic.com/truthy.html).
 */
export function isTruthy(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** Compares two JSON values like `==` in JavaScript (https://tc39.es/ecma262/#sec-islooselyequal). */
export function looselyEqual(a: unknown, b: unknown): boolean {
  if (a === b) {
    return true;
  }
  if (a === null || a === undefined) {
    return b === null || b === undefined;
  }
  if (b === null || b === undefined || typeof a === typeof b) {
    return false;
  }
  if (typeof a === 'object') {
    return looselyEqual(String(a), b);
  }
  if (typeof b === 'object') {
    return looselyEqual(a, String(b));
  }
  return Number(a) === Number(b);
}

/**
 * Compares two values like `<` in JavaScript: two texts by their code units, everything else as numbers. The casts
 * satisfy TypeScript, which allows numbers only.
 */
export function isLess(a: unknown, b: unknown): boolean {
  return (a as number) < (b as number);
}

/** Compares two values like `<=` in JavaScript, as {@link isLess} does for `<`. */
export function isAtMost(a: unknown, b: unknown): boolean {
  return (a as number) <= (b as number);
}

/**
 * Returns the value under a name of an object, a list or a text; undefined when there is none. Inherited names, such
 * as `constructor`, have no value.
 */
export function ownValue(holder: unknown, name: string): unknown {
  if (typeof holder !== 'object') {
    return typeof holder === 'string' ? ownValue(Object(holder), name) : undefined;
  }
  return holder !== null && Object.hasOwn(holder, name)
    ? (holder as Record<string, unknown>)[name]
    : undefined;
}

/**
 * Evaluates `var`: returns the value at a dotted path, else the fallback. An empty path stands for the data as a
 * whole.
 */
export function readPath(data: unknown, path: unknown, fallback?: unknown): unknown {
  if (path === undefined || path === null || path === '') {
    return data;
  }
  return readSegments(data, String(path).split('.'), fallback);
}

/** Does the same as {@link readPath} for a path that is split already. */
export function readSegments(data: unknown, segments: readonly string[], fallback: unknown = null): unknown {
  let value = data;
  for (const segment of segments) {
    value = ownValue(value, segment);
    if (value === undefined) {
      return fallback;
    }
  }
  return value;
}

/** Evaluates `in`. An empty text contains nothing, not even an empty text, as in the reference implementation. */
function contains(needle: unknown, haystack: unknown): boolean {
  if (typeof haystack === 'string') {
    return haystack !== '' && haystack.includes(String(needle));
  }
  return Array.isArray(haystack) && haystack.indexOf(needle) !== -1;
}

function sum(values: readonly unknown[]): number {
  let total = 0;
  for (const value of values) {
    total += Number.parseFloat(String(value));
  }
  return total;
}

/** Evaluates `*`. A single operand is returned without conversion to a number, as in the reference implementation. */
function product(values: readonly unknown[]): unknown {
  return values.reduce((a, b) => Number.parseFloat(String(a)) * Number.parseFloat(String(b)));
}

/** Evaluates `substr`. A negative length leaves out that many characters at the end. */
function substring(source: unknown, start: unknown, length: unknown): string {
  const rest = String(source).substr(Number(start));
  if (length === undefined) {
    return rest;
  }
  if (!(Number(length) < 0)) {
    return rest.substr(0, Number(length));
  }
  // The reference implementation joins a length that is a text, such as "-1", to the length of the rest. The result
  // is no number, and counts as 0.
  return typeof length === 'number' ? rest.substr(0, rest.length + length) : '';
}

/** Evaluates `missing`: returns those of the paths that lead to nothing, to null or to an empty text. */
export function missingPaths(data: unknown, paths: readonly unknown[]): unknown[] {
  return paths.filter((path) => {
    const value = readPath(data, path);
    return value === null || value === '';
  });
}

/**
 * Evaluates `missing_some`: returns an empty list when at least `needed` of the paths lead to a value, else the
 * missing paths.
 */
export function missingSome(data: unknown, needed: unknown, paths: unknown): unknown[] {
  const list: readonly unknown[] = Array.isArray(paths) ? paths : [paths];
  const missing = missingPaths(data, list);
  return isAtMost(needed, list.length - missing.length) ? [] : missing;
}

/** Computes the value of an operator from the values of its operands. */
export type Operator = (operands: readonly unknown[]) => unknown;

/** Operators whose value depends on nothing but the values of their operands. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map<string, Operator>([
  ['==', ([a, b]) => looselyEqual(a, b)],
  ['===', ([a, b]) => a === b],
  ['!=', ([a, b]) => !looselyEqual(a, b)],
  ['!==', ([a, b]) => a !== b],
  ['>', ([a, b]) => isLess(b, a)],
  ['>=', ([a, b]) => isAtMost(b, a)],
  ['<', ([a, b, c]) => isLess(a, b) && (c === undefined || isLess(b, c))],
  ['<=', ([a, b, c]) => isAtMost(a, b) && (c === undefined || isAtMost(b, c))],
  ['!!', ([a]) => isTruthy(a)],
  ['!', ([a]) => !isTruthy(a)],
  ['%', ([a, b]) => Number(a) % Number(b)],
  ['in', ([a, b]) => contains(a, b)],
  ['cat', (operands) => operands.join('')],
  ['substr', ([source, start, length]) => substring(source, start, length)],
  ['+', sum],
  ['*', product],
  ['-', ([a, b]) => (b === undefined ? -Number(a) : Number(a) - Number(b))],
  ['/', ([a, b]) => Number(a) / Number(b)],
  ['min', (operands) => Math.min(...operands.map(Number))],
  ['max', (operands) => Math.max(...operands.map(Number))],
  ['merge', (operands) => operands.flat()],
]);

/** Computes a value from a list and a function that is called with items of the list. */
export type Iteration = (items: unknown, each: (item: unknown) => unknown) => unknown;

/** Operators that call a function for items of a list. */
export const ITERATIONS: ReadonlyMap<string, Iteration> = new Map<string, Iteration>([
  ['map', (items, each) => (Array.isArray(items) ? items.map((item) => each(item)) : [])],
  ['filter', (items, each) => (Array.isArray(items) ? items.filter((item) => isTruthy(each(item))) : [])],
  ['all', (items, each) => isFilled(items) && items.every((item) => isTruthy(each(item)))],
  ['some', (items, each) => isFilled(items) && items.some((item) => isTruthy(each(item)))],
  ['none', (items, each) => !isFilled(items) || !items.some((item) => isTruthy(each(item)))],
]);

function isFilled(items: unknown): items is unknown[] {
  return Array.isArray(items) && items.length > 0;
}
