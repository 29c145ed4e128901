import { describe, invalidField } from '../errors.js';
import { isAbsent } from './copying.js';

/**
 * Texts, numbers, booleans and words of a request. Each function lets through what is right at once; what says the same in
 * another type is converted, what says nothing is undefined, and the rest is an error without a path of its own.
 */

/** A text of at most so many characters. Numbers and booleans are written out. */
export function toText(given: unknown, maxLength = Number.POSITIVE_INFINITY): string | undefined {
  return typeof given === 'string' && given.length <= maxLength && given !== ''
    ? given
    : convertToText(given, maxLength);
}

function convertToText(given: unknown, maxLength: number): string | undefined {
  if (isAbsent(given)) return undefined;
  const text = typeof given === 'string' ? given : scalarToText(given);
  if (text === undefined) throw invalidField('', 'a string', given);
  if (text.length > maxLength) throw invalidField('', `a string of at most ${maxLength} characters`, given);
  return text;
}

/** An id that is a number of more than 2^53 has lost its last digits already, and would be another visitor's. */
function scalarToText(given: unknown): string | undefined {
  if (typeof given === 'boolean') return String(given);
  if (typeof given !== 'number' || !Number.isFinite(given)) return undefined;
  return Number.isInteger(given) && !Number.isSafeInteger(given) ? undefined : String(given);
}

/** A text that visitors control: what is too long is cut, between two characters. */
export function toCutText(given: unknown, maxLength: number): string | undefined {
  if (typeof given !== 'string' || given === '') return toText(given, maxLength);
  return given.length <= maxLength ? given : cut(given, maxLength);
}

function cut(text: string, maxLength: number): string {
  const last = text.charCodeAt(maxLength - 1);
  const isHalf = last >= 0xd800 && last < 0xdc00;
  return text.slice(0, isHalf ? maxLength - 1 : maxLength);
}

const DECIMAL = /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?\s*$/i;
/** No number that a request can hold is longer, and the pattern reads no more. */
const MAX_DECIMAL_LENGTH = 64;

/** Numeric texts as numbers, all others as they are. */
function readNumber(given: unknown): unknown {
  const isNumeric = typeof given === 'string' && given.length <= MAX_DECIMAL_LENGTH && DECIMAL.test(given);
  return isNumeric ? Number(given) : given;
}

/** A finite number of at least `minimum`. */
export function toNumber(given: unknown, minimum = Number.NEGATIVE_INFINITY): number | undefined {
  if (isAbsent(given)) return undefined;
  const value = readNumber(given);
  if (typeof value === 'number' && Number.isFinite(value) && value >= minimum) return value;
  const from = minimum === Number.NEGATIVE_INFINITY ? '' : ` of at least ${minimum}`;
  throw invalidField('', `a number${from}`, given, describe);
}

/** An integer from `minimum` to `maximum`. */
export function toInteger(
  given: unknown,
  minimum = Number.MIN_SAFE_INTEGER,
  maximum = Number.MAX_SAFE_INTEGER,
): number | undefined {
  if (isInteger(given, minimum, maximum)) return given;
  if (isAbsent(given)) return undefined;
  const value = readNumber(given);
  if (isInteger(value, minimum, maximum)) return value;
  const from = minimum === Number.MIN_SAFE_INTEGER ? '' : ` of at least ${minimum}`;
  const to = maximum === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${maximum}`;
  throw invalidField('', `an integer${from}${to}`, given, describe);
}

function isInteger(value: unknown, minimum: number, maximum: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum;
}

/** `true` or `false`. */
export function toFlag(given: unknown): boolean | undefined {
  if (typeof given === 'boolean') return given;
  if (isAbsent(given)) return undefined;
  if (given === 'true') return true;
  if (given === 'false') return false;
  throw invalidField('', 'a boolean', given);
}

/** One of a few words. */
export function toWord<Word extends string>(given: unknown, words: readonly Word[]): Word | undefined {
  for (const word of words) if (given === word) return word;
  if (isAbsent(given)) return undefined;
  throw invalidField('', `one of ${words.join(', ')}`, given);
}

/** One of a few words, in capitals or not. */
export function toWordInAnyCase<Word extends string>(
  given: unknown,
  words: readonly Word[],
): Word | undefined {
  for (const word of words) if (given === word) return word;
  return toWord(typeof given === 'string' ? given.toLowerCase() : given, words);
}
