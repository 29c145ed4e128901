import { EDGE_LIMITS } from '../delivery-api.js';
import { isRecord } from '../json.js';
import { refuseUnknown, wrongOption } from './known-options.js';

/** The visitors to whom an activity is shown, as a condition in JSON Logic. */
export interface Audience {
  readonly condition: object;
}

/** The deepest nesting of an audience. The client leaves conditions of twice this depth to the edge. */
const MAX_DEPTH = 100;
const BROWSERS = ['chrome', 'edge', 'firefox', 'ie', 'mobile safari', 'safari'] as const;
const PLATFORMS = ['Android', 'iOS', 'linux', 'mac', 'Unix', 'windows'] as const;
/** The countries of ISO 3166-1 have codes of two letters, and their subdivisions in ISO 3166-2 have one to three. */
const COUNTRY = { pattern: /^[a-z]{2}$/i, wanted: 'a code of two letters, such as "CH"' };
const REGION = { pattern: /^[a-z\d]{1,3}$/i, wanted: 'a code of one to three characters, such as "BE"' };
const CITY = { pattern: /\S/, wanted: 'a text that is not empty' };
const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;

/** A text of a request, such as a parameter or a part of the URL. Each method makes an audience of it. */
export class Fact {
  readonly #name: string;
  readonly #isLowered: boolean;

  /** Users get facts from {@link audience}. @internal */
  constructor(name: string, isLowered = false) {
    this.#name = name;
    this.#isLowered = isLowered;
  }

  /** The same fact in lower case. Values are compared in lower case too. */
  get ignoringCase(): Fact {
    return new Fact(this.#name, true);
  }

  /** Any of the values. Numbers and booleans are compared as texts. */
  is(...values: readonly (string | number | boolean)[]): Audience {
    return this.#anyOf('is', values, (value) => ({ '==': [value, this.#value] }));
  }

  /** None of the values, or no value at all. */
  isNot(...values: readonly (string | number | boolean)[]): Audience {
    return not(this.is(...values));
  }

  /** Any of the texts is a part of it. */
  contains(...texts: readonly string[]): Audience {
    return this.#anyOf('contains', texts, (text) => ({ in: [text, this.#value] }));
  }

  startsWith(...texts: readonly string[]): Audience {
    return this.#anyOf('startsWith', texts, (text) => this.#piece(text, [0, text.length]));
  }

  endsWith(...texts: readonly string[]): Audience {
    return this.#anyOf('endsWith', texts, (text) => this.#piece(text, [-text.length]));
  }

  isGreaterThan(limit: number): Audience {
    return this.#compared('isGreaterThan', '>', limit);
  }

  isAtLeast(limit: number): Audience {
    return this.#compared('isAtLeast', '>=', limit);
  }

  isLessThan(limit: number): Audience {
    return this.#compared('isLessThan', '<', limit);
  }

  isAtMost(limit: number): Audience {
    return this.#compared('isAtMost', '<=', limit);
  }

  /** The request has it, and it is not empty. */
  isPresent(): Audience {
    return { condition: { and: [{ '!=': [this.#value, null] }, { '!=': [this.#value, ''] }] } };
  }

  get #value(): object {
    return { var: this.#isLowered ? `${this.#name}_lc` : this.#name };
  }

  #anyOf(method: string, values: readonly unknown[], toCondition: (text: string) => object): Audience {
    const wanted = 'one or more texts, numbers or booleans, none of them empty';
    if (values.length === 0) {
      throw wrongOption(method, wanted, undefined);
    }
    const conditions = values.map((value) => {
      const isText = ['string', 'number', 'boolean'].includes(typeof value);
      if (!isText || value === '' || Number.isNaN(value)) {
        throw wrongOption(method, wanted, value);
      }
      return toCondition(this.#isLowered ? String(value).toLowerCase() : String(value));
    });
    return { condition: oneOrAll('or', conditions) };
  }

  /** A missing value would count as the text `null`. */
  #piece(text: string, range: readonly number[]): object {
    const piece = { substr: [this.#value, ...range] };
    return { and: [{ '!=': [this.#value, null] }, { '==': [text, piece] }] };
  }

  /** A missing or empty value would count as 0. */
  #compared(method: string, operator: string, limit: number): Audience {
    if (!Number.isFinite(limit)) {
      throw wrongOption(method, 'a finite number', limit);
    }
    const compared: object = { [operator]: [this.#value, limit] };
    return { condition: { and: [this.isPresent().condition, compared] } };
  }
}

/** A URL of a request and its parts. */
export class UrlFact extends Fact {
  readonly #name: string;

  /** Users get it from {@link audience}. @internal */
  constructor(name: string) {
    super(`${name}.url`);
    this.#name = name;
  }

  /** The registrable domain, such as `shop.co.uk`. */
  get domain(): Fact {
    return new Fact(`${this.#name}.domain`);
  }

  /** The labels before the domain, without `www`. */
  get subdomain(): Fact {
    return new Fact(`${this.#name}.subdomain`);
  }

  /** The public suffix, such as `co.uk`. */
  get topLevelDomain(): Fact {
    return new Fact(`${this.#name}.topLevelDomain`);
  }

  get path(): Fact {
    return new Fact(`${this.#name}.path`);
  }

  /** The query without its `?`. */
  get query(): Fact {
    return new Fact(`${this.#name}.query`);
  }

  /** The fragment without its `#`. */
  get fragment(): Fact {
    return new Fact(`${this.#name}.fragment`);
  }
}

/**
 * The audiences that on-device decisions know.
 *
 * @example
 * ```ts
 * const gold = audience.all(audience.param('plan').is('gold'), audience.not(audience.browser('ie')));
 * ```
 */
export const audience = Object.freeze({
  /** A parameter of the mbox, view or page load. */
  param,
  /** The URL of the page. */
  url: new UrlFact('page'),
  /** The URL of the page before. */
  referrer: new UrlFact('referring'),
  /** The visitor's browser, of the major versions that are given. */
  browser,
  platform: (name: (typeof PLATFORMS)[number]): Audience => ({
    condition: { '==': [wordOf('platform', PLATFORMS, name), { var: 'user.platform' }] },
  }),
  /** The visitor's country, by its code such as `CH`. */
  country: (code: string): Audience => place('country', code, COUNTRY),
  /** The visitor's region, by the part of its ISO 3166-2 code that follows the hyphen, such as `BE` of `CH-BE`. */
  region: (code: string): Audience => place('region', code, REGION),
  city: (name: string): Audience => place('city', name, CITY),
  between,
  time,
  /** A day of the week in UTC. */
  day: (name: (typeof DAYS)[number]): Audience => ({
    condition: { '==': [DAYS.indexOf(wordOf('day', DAYS, name)) + 1, { var: 'current_day' }] },
  }),
  /** Visitors of all these audiences. */
  all: (...audiences: readonly Audience[]): Audience => joined('all', 'and', audiences),
  /** Visitors of any of these audiences. */
  any: (...audiences: readonly Audience[]): Audience => joined('any', 'or', audiences),
  /** Visitors who are not of this audience. */
  not,
});

/**
 * Returns the condition of an audience.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when it is none, or is nested too deeply.
 */
export function conditionOf(path: string, given: Audience): object {
  if (!isRecord(given) || !isRecord(given.condition)) {
    throw wrongOption(path, 'an audience, such as audience.param("plan").is("gold")', given);
  }
  if (isDeeper(given.condition, MAX_DEPTH)) {
    throw wrongOption(path, `an audience that is nested at most ${MAX_DEPTH} times`, given);
  }
  return given.condition;
}

/** Joins conditions by an operator, which a single condition does not need. */
export function oneOrAll(operator: 'and' | 'or', conditions: readonly object[]): object {
  const [only, other] = conditions;
  return only && !other ? only : { [operator]: conditions };
}

function param(name: string): Fact {
  const { name: maxLength } = EDGE_LIMITS.Parameters;
  // The engine reads a dotted name as a path, which cannot have empty parts.
  if (typeof name !== 'string' || name.length > maxLength || name.split('.').includes('')) {
    throw wrongOption(
      'param',
      `a name of 1 to ${maxLength} characters, without a dot at its start or end and without two in a row`,
      name,
    );
  }
  return new Fact(`mbox.${name}`);
}

function browser(
  name: (typeof BROWSERS)[number],
  versions: { readonly from?: number; readonly to?: number } = {},
): Audience {
  refuseUnknown(versions, ['from', 'to'], 'browser');
  const { from, to } = versions;
  const version = { var: 'user.browserVersion' };
  const limits = [from ?? 0, to ?? Number.MAX_SAFE_INTEGER];
  const wrong = limits.find((limit) => !Number.isInteger(limit) || limit < 0);
  if (wrong !== undefined) {
    throw wrongOption('browser: from and to', 'integers of at least 0', wrong);
  }
  if (from !== undefined && to !== undefined && to < from) {
    throw wrongOption('browser: to', 'a version that is not before from', to);
  }
  return {
    condition: oneOrAll('and', [
      { '==': [wordOf('browser', BROWSERS, name), { var: 'user.browserType' }] },
      ...(from === undefined && to === undefined ? [] : [{ '<=': [limits[0], version, limits[1]] }]),
    ]),
  };
}

/** The form of the code or name of a place, and the description of it. */
interface PlaceForm {
  readonly pattern: RegExp;
  readonly wanted: string;
}

/** A place by its code or name. Its case does not matter. */
function place(fact: string, name: string, { pattern, wanted }: PlaceForm): Audience {
  if (typeof name !== 'string' || !pattern.test(name)) {
    throw wrongOption(fact, wanted, name);
  }
  const spellings = [...new Set([name.toUpperCase(), name, name.toLowerCase()])];
  return {
    condition: oneOrAll(
      'or',
      spellings.map((spelling) => ({ '==': [spelling, { var: `geo.${fact}` }] })),
    ),
  };
}

/** A span of time, with both ends. Texts are dates that `Date` reads, and numbers are ms since 1970. */
function between(from: Date | number | string, to: Date | number | string): Audience {
  const [start, end] = [toMs('from', from), toMs('to', to)];
  if (end < start) {
    throw wrongOption('between: to', 'a time after from', to);
  }
  return { condition: { '<=': [start, { var: 'current_timestamp' }, end] } };
}

function toMs(name: string, given: Date | number | string): number {
  const ms = msOf(given);
  if (Number.isNaN(ms)) {
    throw wrongOption(`between: ${name}`, 'a Date, the text of a date, or ms since 1970', given);
  }
  return ms;
}

/** Returns the ms of a time, and NaN for what is none, such as a symbol or a big integer. */
function msOf(given: Date | number | string): number {
  try {
    return new Date(given).getTime();
  } catch {
    return Number.NaN;
  }
}

/** A time of day in UTC, such as `09:00` to `16:59`, with both ends. It may go over midnight. */
function time(from: string, to: string): Audience {
  const [start, end] = [toMinute('from', from), toMinute('to', to)];
  const now = { var: 'current_time' };
  return {
    condition:
      start <= end ? { '<=': [start, now, end] } : { or: [{ '<=': [start, now] }, { '<=': [now, end] }] },
  };
}

function toMinute(name: string, given: string): string {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(typeof given === 'string' ? given : '') ?? [];
  if (hours === undefined) {
    throw wrongOption(`time: ${name}`, 'a time such as "09:00"', given);
  }
  return `${hours}${minutes}`;
}

function not(given: Audience): Audience {
  return { condition: { '!': conditionOf('not', given) } };
}

function joined(method: string, operator: 'and' | 'or', audiences: readonly Audience[]): Audience {
  if (audiences.length === 0) {
    throw wrongOption(method, 'one or more audiences', undefined);
  }
  return {
    condition: oneOrAll(
      operator,
      audiences.map((one) => conditionOf(method, one)),
    ),
  };
}

/** Finds a word of a list, whatever the case of its letters. */
function wordOf<Word extends string>(what: string, words: readonly Word[], given: Word): Word {
  const text: unknown = given;
  const lowered = typeof text === 'string' ? text.toLowerCase() : undefined;
  const word = words.find((known) => known.toLowerCase() === lowered);
  if (word === undefined) {
    throw wrongOption(what, `one of ${words.join(', ')}`, given);
  }
  return word;
}

function isDeeper(condition: unknown, depth: number): boolean {
  if (typeof condition !== 'object' || condition === null) {
    return false;
  }
  return depth === 0 || Object.values(condition).some((inner) => isDeeper(inner, depth - 1));
}
