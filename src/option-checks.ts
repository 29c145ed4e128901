import { closestMatch } from 'leven';
import { invalidOption } from './errors.js';
import { EVENT_NAMES } from './events.js';
import { MAX_TIMER_MS } from './http/deadline.js';
import { hostOfUrl, isHost } from './http/hosts.js';
import { withoutInherited } from './inherited-names.js';
import { isObject, type JsonRecord } from './json.js';
import type { Logger } from './logger.js';

/** Tells what an option must be, in words and as a test. */
export interface Check<T> {
  /** The words of the error: `timeout must be {wanted}`. */
  readonly wanted: string;
  accepts(value: unknown): value is T;
  /** Reads a text in the place of the value, as environment variables hold it. */
  readonly fromText?: (text: string) => unknown;
}

/** The options that have passed their checks. */
export type Checked<Checks> = { [Name in keyof Checks]?: Checks[Name] extends Check<infer T> ? T : never };

/** A number, or its decimal digits, as an environment variable holds them. */
export type NumberOption = number | `${number}`;

/** A boolean, or its word, as an environment variable holds it. */
export type FlagOption = boolean | 'true' | 'false';

/** Makes the check of one option. */
export function check<T>(
  wanted: string,
  accepts: (value: unknown) => value is T,
  fromText?: Check<T>['fromText'],
): Check<T> {
  return { wanted, accepts, ...(fromText && { fromText }) };
}

/** Makes the check of a text. */
export function textCheck(wanted: string, accepts: (text: string) => boolean): Check<string> {
  return check(wanted, (value): value is string => typeof value === 'string' && accepts(value));
}

/** Makes the check of a number, which may be written as decimal digits. */
export function numberCheck(wanted: string, accepts: (value: number) => boolean): Check<number> {
  return check(
    wanted,
    (value): value is number => typeof value === 'number' && accepts(value),
    (text) => (/^\d+$/.test(text) ? Number(text) : text),
  );
}

/** Reads the word for a boolean. */
export function flagFromText(text: string): unknown {
  return text === 'true' || (text === 'false' ? false : text);
}

/** Makes the check of one word among a few. */
export function wordCheck<const Word extends string>(wanted: string, words: readonly Word[]): Check<Word> {
  return check(wanted, (value): value is Word => words.some((word) => word === value));
}

/** Makes the check of a function. */
export function functionCheck<T>(wanted: string): Check<T> {
  return check(wanted, (value): value is T => typeof value === 'function');
}

/** Makes the check of an object with methods. */
export function methodsCheck<T extends object>(wanted: string, ...names: (keyof T)[]): Check<T> {
  const hasThem = (value: Partial<T>) => names.every((name) => typeof value[name] === 'function');
  return check(wanted, (value): value is T => isObject(value) && hasThem(value));
}

/** A lone surrogate is refused, for no URL can hold it. */
export const text = textCheck('a non-empty string', (value) => /^\P{Surrogate}+$/u.test(value));
export const flag = check('a boolean', (value) => typeof value === 'boolean', flagFromText);
export const integer = numberCheck('an integer', Number.isInteger);
export const count = numberCheck(
  'an integer of at least 0',
  (value) => Number.isInteger(value) && value >= 0,
);
export const positive = numberCheck('an integer of at least 1', isPositive);
export const milliseconds = numberCheck(
  'milliseconds from 0 to below 2^31',
  (value) => value >= 0 && value <= MAX_TIMER_MS,
);
/** A `timeout`: of the configuration, of a call, of `flush` and of a shutdown. A longer one fits into no timer. */
export const timeout = numberCheck(
  'milliseconds above 0 and below 2^31',
  (value) => value > 0 && value <= MAX_TIMER_MS,
);
export const names = check(
  'an array of names',
  (value): value is readonly string[] =>
    Array.isArray(value) && value.every((name) => typeof name === 'string'),
);
export const host = textCheck(
  'a host such as "edge.example.com:8080"',
  (value) => isHost(value.trim()) || hostOfUrl(value) !== undefined,
);
/** A name that becomes one part of a path: percent-encoded it may hold almost anything. */
export const pathName = textCheck(
  'a name such as "production"',
  (value) => /^[^\p{Cc}\p{Surrogate}/\\]+$/u.test(value) && value.trim() !== '' && !isDotSegment(value),
);

/** Tells a text that a URL takes for its own or the parent folder, however it is encoded. */
export function isDotSegment(value: string): boolean {
  return /^(?:\.|%2e){1,2}$/i.test(value);
}

/** Makes the check of an integer from 1 to a maximum. */
export function upTo(maximum: number): Check<number> {
  return numberCheck(`an integer from 1 to ${maximum}`, (value) => isPositive(value) && value <= maximum);
}

function isPositive(value: number): boolean {
  return Number.isInteger(value) && value > 0;
}

/** Makes the check of an object, whose own options have checks of their own. */
export function objectCheck<T extends object>(wanted = 'an object'): Check<T> {
  return check(wanted, (value): value is T => isObject(value));
}

/**
 * Reads one option as it counts. Options often come from environment variables, which hold texts: an empty one is absent,
 * and one in the place of a number or a boolean may be its text. Null is absent too.
 */
export function readOption({ fromText }: Check<unknown>, written: unknown): unknown {
  if (written === '' || written === null) return undefined;
  return typeof written === 'string' && fromText ? fromText(written) : written;
}

/**
 * Takes the known options that were written. The names of the checks are all the names there are.
 * @throws TargetError `ERR_TARGET_INVALID_CONFIG`, with the prefix before the option's name
 */
export function checkAll<Checks extends Record<string, Check<unknown>>>(
  written: object,
  checks: Checks,
  prefix: string,
): Checked<Checks> {
  const own = withoutInherited(written) as JsonRecord;
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, check] of Object.entries(checks)) {
    const came = own[name];
    const value = readOption(check, came);
    if (value === undefined) continue;
    if (!check.accepts(value)) throw invalidOption(prefix + name, check.wanted, came);
    values[name] = value;
  }
  return values as Checked<Checks>;
}

/** Checks the options of an object option such as `retry`, and warns of those that are unknown. */
export function checkGroup<Checks extends Record<string, Check<unknown>>>(
  group: string,
  written: object,
  checks: Checks,
  logger: Logger,
): Checked<Checks> {
  warnOfUnknown(written, Object.keys(checks), (line) => logger.warn(`${group}: ${line}`));
  return checkAll(written, checks, `${group}.`);
}

/** Names each key that is not among the known ones, with the nearest that is. */
export function warnOfUnknown(written: object, known: readonly string[], warn: (line: string) => void): void {
  for (const name of Object.keys(written)) {
    if (known.includes(name)) continue;
    const shown = JSON.stringify(name.slice(0, 64));
    const nearest = closestMatch(name.slice(0, 64), known, { maxDistance: Math.ceil(name.length * 0.4) });
    warn(`unknown option ${shown} is ignored${nearest === undefined ? '' : `: did you mean "${nearest}"?`}`);
  }
}

/** Names an event that there is not, with the nearest that there is. */
export function warnOfUnknownEvent(name: string, logger: Logger): void {
  warnOfUnknown({ [name]: true }, EVENT_NAMES, (line) => logger.warn(`events: ${line}`));
}

/** Checks an event's listener. @throws TargetError `ERR_TARGET_INVALID_CONFIG` */
export function checkListener(name: string, listener: unknown, logger: Logger): void {
  warnOfUnknownEvent(name, logger);
  if (typeof listener === 'function') return;
  throw invalidOption(`events.${String(name).slice(0, 64)}`, 'a function', listener);
}
