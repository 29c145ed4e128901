import { invalidField } from '../errors.js';
import { isRecord } from '../json.js';

/** A cookie of an earlier answer, or of a framework's cookie jar. */
export interface CookieLike {
  readonly name?: string | undefined;
  readonly value: string;
}

/** The value of a cookie, or the cookie itself. */
export type CookieOption = string | CookieLike;

/** A location hint, or the cookie that has it. */
export type LocationHintOption = CookieOption | number;

/**
 * Reads the value of a cookie from an option. Any other type is an error: an identity that got lost in silence would make
 * a new visitor of each call.
 */
export function toCookieText(option: unknown, name: string): string | undefined {
  if (option === undefined || option === null) return undefined;
  const value = isRecord(option) ? option.value : option;
  if (typeof value === 'string') return withoutQuotes(value);
  throw invalidField(name, "a string, or a cookie such as { name: 'mbox', value: '…' }", option);
}

/**
 * Removes the double quotes that may stand round a cookie's value. They are no part of it, but not every parser removes them.
 * @see https://www.rfc-editor.org/rfc/rfc6265#section-4.1.1
 */
export function withoutQuotes(value: string): string {
  return value.startsWith('"') && value.endsWith('"') && value.length > 1 ? value.slice(1, -1) : value;
}

/** Reads a location hint, which programs that parse cookies may hold as a number. */
export function toHintText(option: unknown, name: string): string | undefined {
  return toCookieText(typeof option === 'number' ? String(option) : option, name);
}
