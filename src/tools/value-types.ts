import type { JsonValue } from '../delivery-api.js';
import { isRecord } from '../json.js';

/** The texts that the values of one position have, until they are too many to be named one by one. */
const MAX_LITERALS = 12;
/** A longer text is written by people for people, and no word that a program compares. */
const MAX_LITERAL_LENGTH = 100;
/** Values that lie deeper than this have the type `unknown`. */
const MAX_DEPTH = 16;

/** Matches control characters, characters without width, marks of direction, and the ends of lines. */
export const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The settings of the types that are written. */
export interface TypeStyle {
  /** True when texts of few values are written as literals. */
  readonly hasLiterals: boolean;
}

/** The keys of several objects, with all values of each, and the number of objects. */
export interface ObjectShape {
  readonly count: number;
  readonly valuesByKey: ReadonlyMap<string, readonly JsonValue[]>;
}

/** Joins objects to one shape: the values of a key are those that it has in any of them. */
export function shapeOf(records: readonly Readonly<Record<string, JsonValue>>[]): ObjectShape {
  const valuesByKey = new Map<string, JsonValue[]>();
  for (const record of records) {
    for (const [key, value] of Object.entries(record)) {
      const values = valuesByKey.get(key) ?? [];
      valuesByKey.set(key, values);
      values.push(value);
    }
  }
  return { count: records.length, valuesByKey };
}

/** The position of a value: the number of objects around it, and of objects and lists. */
interface Position {
  readonly indent: number;
  readonly depth: number;
}

/** Writes the type of an object that lies in an interface. A key that some of the objects lack is optional. */
export function objectType(shape: ObjectShape, style: TypeStyle): string {
  return shape.valuesByKey.size === 0 ? '{}' : innerType(shape, style, { indent: 1, depth: 1 });
}

function innerType(
  { count, valuesByKey }: ObjectShape,
  style: TypeStyle,
  { indent, depth }: Position,
): string {
  const keys = [...valuesByKey.keys()].sort();
  if (keys.length === 0) {
    return 'Record<string, never>';
  }
  const margin = '  '.repeat(indent);
  const position = { indent: indent + 1, depth: depth + 1 };
  const lines = keys.map((key) => {
    const values = valuesByKey.get(key) ?? [];
    const mark = values.length < count ? '?' : '';
    return `${margin}  ${keyOf(key)}${mark}: ${typesOf(values, style, position).join(' | ')};\n`;
  });
  return `{\n${lines.join('')}${margin}}`;
}

/** Writes the types that the values have, each once. */
function typesOf(values: readonly JsonValue[], style: TypeStyle, position: Position): string[] {
  const lists = values.filter((value) => Array.isArray(value));
  const records = values.filter((value): value is Record<string, JsonValue> => isRecord(value));
  if (position.depth > MAX_DEPTH && (lists.length > 0 || records.length > 0)) {
    return ['unknown'];
  }
  return [
    ...textTypes(values, style),
    ...['number', 'boolean'].filter((type) => values.some((value) => typeof value === type)),
    ...(records.length > 0 ? [innerType(shapeOf(records), style, position)] : []),
    ...(lists.length > 0 ? [listType(lists.flat(), style, position)] : []),
    ...(values.includes(null) ? ['null'] : []),
  ];
}

function listType(items: readonly JsonValue[], style: TypeStyle, { indent, depth }: Position): string {
  const types = typesOf(items, style, { indent, depth: depth + 1 });
  return types.length === 1 ? `${types[0]}[]` : types.length === 0 ? 'unknown[]' : `(${types.join(' | ')})[]`;
}

function textTypes(values: readonly JsonValue[], { hasLiterals }: TypeStyle): string[] {
  const texts = [...new Set(values.filter((value) => typeof value === 'string'))].sort();
  const areFew = texts.length <= MAX_LITERALS && texts.every(({ length }) => length <= MAX_LITERAL_LENGTH);
  return texts.length > 0 && !(hasLiterals && areFew) ? ['string'] : texts.map(literalOf);
}

/** Writes the name of a key, in quotes where it needs them. */
export function keyOf(key: string): string {
  return /^[a-z_$][\w$]*$/i.test(key) ? key : literalOf(key);
}

/**
 * Writes a text as a literal. Characters that nobody sees, or that turn the direction of a line, are written as their
 * codes: a reader must see what the compiler sees.
 * @see https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
 */
export function literalOf(text: string): string {
  return JSON.stringify(text).replace(UNSEEN, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
