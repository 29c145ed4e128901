import type { Bound, Clause, Compared, Scalar } from './clauses.js';

const MAX_VALUE = 60;
/** The characters that are left of the end of a long text. */
const END = 20;
const ANY_CASE = '_lc';
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

const NAMES = new Map([
  ['allocation', 'allocation'],
  ['current_timestamp', 'time'],
  ['current_time', 'time of day (UTC)'],
  ['current_day', 'day'],
  ['user.browserType', 'browser'],
  ['page.url', 'URL'],
  ['page.topLevelDomain', 'top-level domain'],
  ['referring.url', 'referring URL'],
  ['referring.topLevelDomain', 'referring top-level domain'],
]);
const NAME_STARTS: readonly (readonly [start: string, words: string])[] = [
  ['mbox.', 'parameter '],
  ['page.', ''],
  ['referring.', 'referring '],
  ['geo.', ''],
  ['user.', 'user '],
];

/** Returns the words for a variable, such as `parameter plan` for `mbox.plan`. */
export function nameOfVariable(path: string): string {
  const plain = withoutCase(path);
  const known = NAMES.get(plain);
  if (known !== undefined) {
    return known;
  }
  const [start, words] = NAME_STARTS.find(([start]) => plain.startsWith(start)) ?? ['', ''];
  return `${words}${plain.slice(start.length)}`;
}

function withoutCase(path: string): string {
  return path.endsWith(ANY_CASE) ? path.slice(0, -ANY_CASE.length) : path;
}

/** Writes a value as a sentence about its variable shows it. */
export function wordsOfValue(path: string, value: unknown): string {
  if (value === null || value === undefined) {
    return 'missing';
  }
  if (typeof value === 'object') {
    return cut(JSON.stringify(value));
  }
  const known = knownWordsOf(path, value);
  if (known !== undefined) {
    return known;
  }
  if (typeof value !== 'string') {
    return path === 'allocation' && typeof value === 'number' ? value.toFixed(2) : String(value);
  }
  if (value === '') {
    return 'empty';
  }
  return /^(page|referring|mbox)\./.test(path) ? `“${cut(value)}”` : cut(value);
}

function knownWordsOf(path: string, value: unknown): string | undefined {
  if (path === 'current_timestamp') {
    return momentOf(value);
  }
  if (path === 'current_time' && typeof value === 'string' && /^\d{4}$/.test(value)) {
    return `${value.slice(0, 2)}:${value.slice(2)}`;
  }
  if (path === 'current_day') {
    return DAYS[Number(value) - 1];
  }
  const isGeo = path.startsWith('geo.') && typeof value === 'string' && value.length > 3;
  return isGeo && value === value.toUpperCase() ? cut(toTitle(value)) : undefined;
}

/** Writes a time in ms since 1970 as exactly as it is given: seconds are left out when they are none. */
export function momentOf(value: unknown): string | undefined {
  const moment = new Date(Number(value));
  if (!Number.isInteger(value) || !Number.isFinite(moment.getTime())) {
    return undefined;
  }
  // Seconds and milliseconds are left out when they are 0, as people write times.
  const written = moment
    .toISOString()
    .replace('T', ' ')
    .replace(/(:00)?(\.000)?Z$/, '');
  return `${written} UTC`;
}

function toTitle(value: string): string {
  return value.toLowerCase().replace(/(^|[^\p{L}])(\p{L})/gu, (_, before: string, letter: string) => {
    return before + letter.toUpperCase();
  });
}

/** Cuts the middle out of a long text, so that a sentence stays readable, and texts that differ at an end look so. */
export function cut(text: string, length = MAX_VALUE): string {
  return text.length > length ? `${text.slice(0, length - END - 1)}…${text.slice(-END)}` : text;
}

const LEAD = 20;

/** Cuts two texts so that they stay readable, and differ where the whole texts do. */
export function cutBoth(one: string, other: string, length = MAX_VALUE): [string, string] {
  const [a, b] = [cut(one, length), cut(other, length)];
  if (a !== b || one === other) {
    return [a, b];
  }
  let at = 0;
  while (one[at] === other[at]) {
    at += 1;
  }
  const excerpt = (text: string) => `…${cut(text.slice(Math.max(0, at - LEAD)), length - 1)}`;
  return [excerpt(one), excerpt(other)];
}

/** Writes a clause as words, such as `country is US or Canada`. */
export function wordsOf(clause: Clause): string {
  switch (clause.kind) {
    case 'constant':
      return clause.isTrue ? 'always' : 'never';
    case 'filled':
      return `${nameOfVariable(clause.path)} ${isWord(clause)} filled${tailOf(clause.path)}`;
    case 'is':
      return `${nameOfVariable(clause.path)} ${isWord(clause)} ${alternatives(clause.path, clause.objects)}${tailOf(
        clause.path,
        clause.objects.map(({ value }) => value),
      )}`;
    case 'contains': {
      const verb = clause.isNegated ? 'does not contain' : 'contains';
      const objects = joined(clause.objects.map((value) => `“${cut(String(value))}”`));
      return `${nameOfVariable(clause.path)} ${verb} ${objects}${tailOf(clause.path, clause.objects)}`;
    }
    case 'bounds':
      return wordsOfShare(clause) ?? wordsOfBounds(clause);
  }
}

type BoundsClause = Extract<Clause, { readonly kind: 'bounds' }>;

function isWord({ isNegated }: { readonly isNegated: boolean }): string {
  return isNegated ? 'is not' : 'is';
}

/** A variable in lower case never has the capitals of a value, so the case matters then. */
function tailOf(path: string, objects: readonly unknown[] = []): string {
  if (!path.endsWith(ANY_CASE)) {
    return '';
  }
  return objects.some(hasCapitals) ? ' (in lower case)' : ' (any case)';
}

/** Tells whether a variable in lower case can never have a value. */
export function hasCapitals(value: unknown): value is string {
  return typeof value === 'string' && value !== value.toLowerCase();
}

/** Lists values once that are listed twice, with and without spaces, as artifacts do with the names of places. */
function alternatives(path: string, objects: readonly Compared[]): string {
  const byText = new Map<string, string>();
  for (const { value } of objects) {
    const words = wordsOfValue(path, value);
    const key = path.startsWith('geo.') ? words.replaceAll(' ', '').toLowerCase() : words;
    byText.set(key, byText.get(key) ?? words);
  }
  return joined([...byText.values()]);
}

function joined(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} or ${last}` : last;
}

function wordsOfBounds(clause: BoundsClause): string {
  const { path, low, high } = clause;
  const name = nameOfVariable(path);
  const tail = tailOf(path);
  if (low && high && !low.isStrict && !high.isStrict) {
    return `${name} ${isWord(clause)} from ${boundWords(path, low)} to ${boundWords(path, high)}${tail}`;
  }
  const parts = [
    ...(low ? [`${low.isStrict ? 'above' : 'at least'} ${boundWords(path, low)}`] : []),
    ...(high ? [`${high.isStrict ? 'below' : 'at most'} ${boundWords(path, high)}`] : []),
  ];
  const both = clause.isNegated && parts.length > 1 ? 'both ' : '';
  return `${name} ${isWord(clause)} ${both}${parts.join(' and ')}${tail}`;
}

function boundWords(path: string, { value }: Bound): string {
  return path === 'allocation' ? numberWords(value) : wordsOfValue(path, value);
}

function numberWords(value: Scalar): string {
  return typeof value === 'number' ? value.toFixed(2) : String(value);
}

/**
 * Returns the words for the share of visitors that a pair of comparisons makes; undefined for other comparisons. Target
 * writes shares so that 0 and each upper end are in the range, and other lower ends are not. The test kit writes them so
 * that each lower end is in the range. Both are said in the same words.
 */
function wordsOfShare({ path, low, high, isNegated }: BoundsClause): string | undefined {
  if (path !== 'allocation' || typeof low?.value !== 'number' || typeof high?.value !== 'number') {
    return undefined;
  }
  const [from, to] = [low.value, high.value];
  const isUsual = high.isStrict ? !low.isStrict : low.isStrict === from > 0;
  if (!isUsual || from < 0 || to > 100 || from >= to) {
    return undefined;
  }
  if (from === 0 && to === 100) {
    return isNegated ? 'nobody' : 'everybody';
  }
  const size = Number((to - from).toFixed(4));
  const which =
    from === 0
      ? `the first ${size} % (0–${to})`
      : to === 100
        ? `the last ${size} % (${from}–100)`
        : `the ${size} % of allocation ${from}–${to}`;
  return `visitor ${isNegated ? 'is not' : 'is'} in ${which}`;
}
