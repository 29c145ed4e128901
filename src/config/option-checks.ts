import { closestMatch } from 'leven';
import { invalidOption, TargetError, unreadableError } from '../errors.js';
import { EVENT_NAMES } from '../events.js';
import { MAX_TIMER_MS } from '../http/deadline.js';
import { hostOfUrl, isHost } from '../http/hosts.js';
import { withoutInherited } from '../inherited-names.js';
import { isObject, type JsonRecord } from '../json.js';
import type { Logger } from '../logger.js';

/** A check of one option: the wanted value in words, and a test for it. */
export interface Check<T> {
  /** The wanted value in words, for the error `timeout must be {wanted}`. */
  readonly wanted: string;
  /** Tells whether a value is a wanted one. */
  accepts(value: unknown): value is T;
  /** Reads the value from a text, because environment variables hold texts. It returns the text when it cannot. */
  readonly fromText: ((text: string) => unknown) | undefined;
}

/** Options that have passed their checks. */
export type Checked<Checks> = { [Name in keyof Checks]?: Checks[Name] extends Check<infer T> ? T : never };

/**
 * A number, or its decimal digits. The type takes any text, because environment variables are texts. `create` checks
 * it.
 */
export type NumberOption = number | string;

/** A boolean, or its word as a text, as an environment variable holds it. */
export type FlagOption = boolean | 'true' | 'false';

/** Makes the check of one option. */
export function check<T>(
  wanted: string,
  accepts: (value: unknown) => value is T,
  fromText?: Check<T>['fromText'],
): Check<T> {
  return { wanted, accepts, fromText };
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

/** Reads a boolean from its word. Any other text is returned as it is. */
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

/** Checks a text. A lone surrogate is refused, because no URL can hold it. */
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
/**
 * Checks a `timeout` of the configuration, of a call, of `flush` or of a shutdown. A timer of JavaScript cannot wait
 * longer.
 * @see https://developer.mozilla.org/en-US/docs/Web/API/Window/setTimeout#maximum_delay_value
 */
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
/** Checks a name that becomes one part of a path. It is percent-encoded, so it may hold almost any character. */
export const pathName = textCheck(
  'a name such as "production"',
  (value) => /^[^\p{Cc}\p{Surrogate}/\\]+$/u.test(value) && value.trim() !== '' && !isDotSegment(value),
);

/**
 * Tells whether a part of a path is `.` or `..`, which URLs resolve to another path. The dots may be percent-encoded.
 * @see https://url.spec.whatwg.org/#double-dot-path-segment
 */
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

/** Makes the check of an object. The options in it have checks of their own. */
export function objectCheck<T extends object>(wanted = 'an object'): Check<T> {
  return check(wanted, (value): value is T => isObject(value));
}

/**
 * Reads the value of one option. Options often come from environment variables, which hold texts. So an empty text
 * counts as absent, and a number or a boolean may be written as a text. Null counts as absent too.
 */
export function readOption({ fromText }: Check<unknown>, written: unknown): unknown {
  if (written === '' || written === null) {
    return undefined;
  }
  return typeof written === 'string' && fromText ? fromText(written) : written;
}

/**
 * Reads and checks all known options of an object. An option is known when it has a check.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG`. Its path is the prefix and the option's name.
 */
export function checkAll<Checks extends Record<string, Check<unknown>>>(
  written: object,
  checks: Checks,
  prefix: string,
): Checked<Checks> {
  const own = withoutInherited(written) as JsonRecord;
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, check] of Object.entries(checks)) {
    const came = optionIn(own, name, prefix);
    const value = readOption(check, came);
    if (value === undefined) {
      continue;
    }
    if (!check.accepts(value)) {
      throw invalidOption(prefix + name, check.wanted, came);
    }
    values[name] = value;
  }
  return values as Checked<Checks>;
}

function optionIn(own: JsonRecord, name: string, prefix: string): unknown {
  try {
    return own[name];
  } catch (thrown) {
    throw thrown instanceof TargetError
      ? thrown
      : unreadableError('ERR_TARGET_INVALID_CONFIG', prefix + name, thrown);
  }
}

/** Checks the options inside an option such as `retry`, and warns of unknown ones. */
export function checkGroup<Checks extends Record<string, Check<unknown>>>(
  group: string,
  written: object,
  checks: Checks,
  logger: Logger,
): Checked<Checks> {
  warnOfUnknown(written, Object.keys(checks), (line) => logger.warn(`${group}: ${line}`));
  return checkAll(written, checks, `${group}.`);
}

/** Warns of each key that is not among the known ones, and suggests the most similar known one. */
export function warnOfUnknown(written: object, known: readonly string[], warn: (line: string) => void): void {
  for (const name of Object.keys(written)) {
    if (known.includes(name)) {
      continue;
    }
    warn(toUnknownLine(name, known));
  }
}

/** Writes the warning of an unknown key. The search for a similar known one takes longer than a small decision. */
export function toUnknownLine(name: string, known: readonly string[]): string {
  const shown = name.slice(0, 64);
  const nearest = nearestOf(shown, known, Math.ceil(name.length * 0.4));
  const hint = nearest === undefined ? '' : `: did you mean "${nearest}"?`;
  return `unknown option ${JSON.stringify(shown)} is ignored${hint}`;
}

/** Finds the most similar name that differs in at most `maxDistance` letters. */
export function nearestOf(name: string, known: readonly string[], maxDistance: number): string | undefined {
  return closestMatch(name.slice(0, 64), known, { maxDistance });
}

/** Warns of an event that does not exist, and suggests the most similar one that does. */
export function warnOfUnknownEvent(name: string, logger: Logger): void {
  warnOfUnknown({ [name]: true }, EVENT_NAMES, (line) => logger.warn(`events: ${line}`));
}

/**
 * Checks an event's listener, and warns when the event does not exist.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG`
 */
export function checkListener(name: string, listener: unknown, logger: Logger): void {
  warnOfUnknownEvent(name, logger);
  if (typeof listener === 'function') {
    return;
  }
  throw invalidOption(`events.${String(name).slice(0, 64)}`, 'a function', listener);
}
