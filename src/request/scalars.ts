import { describe, invalidField } from '../errors.js';
import { idToText, isAbsent, ownJsonOf } from '../json.js';

/**
 * This file checks the texts, numbers, booleans and words of a request. Each function returns a correct value as it is,
 * and converts a value that means the same in another type. It returns `undefined` for an empty value. Any other value
 * is a `TargetError` with an empty path, which callers complete.
 */

/** Takes a text of at most `maxLength` characters. Numbers, booleans and objects such as URLs become texts. */
export function toText(given: unknown, maxLength = Number.POSITIVE_INFINITY): string | undefined {
  return typeof given === 'string' && given.length <= maxLength && given !== ''
    ? given
    : convertToText(given, maxLength);
}

function convertToText(given: unknown, maxLength: number): string | undefined {
  if (isAbsent(given)) {
    return undefined;
  }
  const text = idToText(given);
  if (text === undefined) {
    throw invalidField('', 'a string', given);
  }
  if (text.length > maxLength) {
    throw invalidField('', `a string of at most ${maxLength} characters`, given);
  }
  return text === '' ? undefined : text;
}

/** Takes a text that visitors control. A long text is cut, but never inside a surrogate pair. */
export function toCutText(given: unknown, maxLength: number): string | undefined {
  const text =
    typeof given === 'string' && given !== '' ? given : convertToText(given, Number.POSITIVE_INFINITY);
  return text === undefined || text.length <= maxLength ? text : cut(text, maxLength);
}

function cut(text: string, maxLength: number): string {
  const last = text.charCodeAt(maxLength - 1);
  const isHalf = last >= 0xd800 && last < 0xdc00;
  return text.slice(0, isHalf ? maxLength - 1 : maxLength);
}

const DECIMAL = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;
/** This limit bounds the time that the pattern takes. No number of a request needs more characters. */
const MAX_DECIMAL_LENGTH = 64;

/** Converts a numeric text to a number. Any other value is returned as `JSON.stringify` would write it. */
export function readNumber(given: unknown): unknown {
  const value = ownJsonOf(given);
  const isNumeric = typeof value === 'string' && value.length <= MAX_DECIMAL_LENGTH && DECIMAL.test(value);
  return isNumeric ? Number(value) : value;
}

/** Takes a finite number of at least `minimum`, or its text. */
export function toNumber(given: unknown, minimum = Number.NEGATIVE_INFINITY): number | undefined {
  if (isAbsent(given)) {
    return undefined;
  }
  const value = readNumber(given);
  if (typeof value === 'number' && Number.isFinite(value) && value >= minimum) {
    return value;
  }
  const from = minimum === Number.NEGATIVE_INFINITY ? '' : ` of at least ${minimum}`;
  throw invalidField('', `a number${from}`, given, describe);
}

/** Takes an integer from `minimum` to `maximum`, or its text. */
export function toInteger(
  given: unknown,
  minimum = Number.MIN_SAFE_INTEGER,
  maximum = Number.MAX_SAFE_INTEGER,
): number | undefined {
  if (isInteger(given, minimum, maximum)) {
    return given;
  }
  if (isAbsent(given)) {
    return undefined;
  }
  const value = readNumber(given);
  if (isInteger(value, minimum, maximum)) {
    return value;
  }
  const from = minimum === Number.MIN_SAFE_INTEGER ? '' : ` of at least ${minimum}`;
  const to = maximum === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${maximum}`;
  throw invalidField('', `an integer${from}${to}`, given, describe);
}

function isInteger(value: unknown, minimum: number, maximum: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum;
}

/** Takes a boolean, or the text `true` or `false`. */
export function toFlag(given: unknown): boolean | undefined {
  if (typeof given === 'boolean') {
    return given;
  }
  if (isAbsent(given)) {
    return undefined;
  }
  if (given === 'true') {
    return true;
  }
  if (given === 'false') {
    return false;
  }
  throw invalidField('', 'a boolean', given);
}

/** Takes one of a few words, in lower or upper case. */
export function toWord<Word extends string>(given: unknown, words: readonly Word[]): Word | undefined {
  for (const word of words) {
    if (given === word) {
      return word;
    }
  }
  if (isAbsent(given)) {
    return undefined;
  }
  const name = typeof given === 'string' ? given.toLowerCase() : given;
  for (const word of words) {
    if (name === word) {
      return word;
    }
  }
  throw invalidField('', `one of ${words.join(', ')}`, given);
}
