/** The values of JSON Logic's operators, with JavaScript's own coercions, which are its reference semantics. */

/** Whether a condition takes a value for true: as JavaScript does, but an empty array is false. */
export function isTruthy(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value);
}

/** `==` of two values: the abstract equality of JavaScript, for everything that JSON can hold. */
export function looselyEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (a === null || a === undefined) return b === null || b === undefined;
  if (b === null || b === undefined || typeof a === typeof b) return false;
  if (typeof a === 'object') return looselyEqual(String(a), b);
  if (typeof b === 'object') return looselyEqual(a, String(b));
  return Number(a) === Number(b);
}

/** `<` of JavaScript, which TypeScript knows of numbers alone: two strings go by their code units. */
export function isLess(a: unknown, b: unknown): boolean {
  return (a as number) < (b as number);
}

/** `<=`, with the coercions of {@link isLess}. */
export function isAtMost(a: unknown, b: unknown): boolean {
  return (a as number) <= (b as number);
}

/** What an object, array or string holds under a name; inherited names such as `constructor` hold nothing. */
export function ownValue(holder: unknown, name: string): unknown {
  if (typeof holder !== 'object')
    return typeof holder === 'string' ? ownValue(Object(holder), name) : undefined;
  return holder !== null && Object.hasOwn(holder, name)
    ? (holder as Record<string, unknown>)[name]
    : undefined;
}

/** `var`: the value at a dotted path, or the fallback where the path leads nowhere. */
export function readPath(data: unknown, path: unknown, fallback?: unknown): unknown {
  if (path === undefined || path === null || path === '') return data;
  return readSegments(data, String(path).split('.'), fallback);
}

/** {@link readPath} with the path already split. */
export function readSegments(data: unknown, segments: readonly string[], fallback: unknown = null): unknown {
  let value = data;
  for (const segment of segments) {
    value = ownValue(value, segment);
    if (value === undefined) return fallback;
  }
  return value;
}

/** Nothing is in an empty string, not even another one: that is the reference. */
function contains(needle: unknown, haystack: unknown): boolean {
  if (typeof haystack === 'string') return haystack !== '' && haystack.includes(String(needle));
  return Array.isArray(haystack) && haystack.indexOf(needle) !== -1;
}

function sum(values: readonly unknown[]): number {
  let total = 0;
  for (const value of values) total += Number.parseFloat(String(value));
  return total;
}

/** A single operand comes back as it is, not even as a number: that is the reference. */
function product(values: readonly unknown[]): unknown {
  return values.reduce((a, b) => Number.parseFloat(String(a)) * Number.parseFloat(String(b)));
}

function substring(source: unknown, start: unknown, length: unknown): string {
  const rest = String(source).substr(Number(start));
  if (length === undefined) return rest;
  if (!(Number(length) < 0)) return rest.substr(0, Number(length));
  // A text is joined to the length of the rest, not added to it, and a length that is no number counts as 0: that is the reference.
  return typeof length === 'number' ? rest.substr(0, rest.length + length) : '';
}

/** `missing`: which of the paths lead nowhere, to null or to an empty string. */
export function missingPaths(data: unknown, paths: readonly unknown[]): unknown[] {
  return paths.filter((path) => {
    const value = readPath(data, path);
    return value === null || value === '';
  });
}

/** `missing_some`: as {@link missingPaths}, but nothing when enough of them are there. */
export function missingSome(data: unknown, needed: unknown, paths: unknown): unknown[] {
  const list: readonly unknown[] = Array.isArray(paths) ? paths : [paths];
  const missing = missingPaths(data, list);
  return isAtMost(needed, list.length - missing.length) ? [] : missing;
}

/** From the values of an operator's operands to its own. */
export type Operator = (operands: readonly unknown[]) => unknown;

/** Operators whose value depends on the values of their operands alone. */
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

/** From a list, and what is asked of each of its items, to a value. */
export type Iteration = (items: unknown, each: (item: unknown) => unknown) => unknown;

/** Operators that ask the same of each item of a list. */
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
