import { isProxy } from '#platform';
import { invalidField, named, TargetError, unreadableError } from '../errors.js';
import { inheritsNames } from '../inherited-names.js';
import { isAbsent, isObject, isRecord, type JsonRecord, joinPaths, MAX_ITEMS } from '../json.js';

/**
 * This file has the functions that copy any object of a request. A copier takes a value that the caller wrote. It
 * returns a checked copy, or `undefined` when there is nothing to send. It throws a {@link TargetError} whose path
 * begins at its own value. Each copier around it puts the name of its field before that path, so a path costs nothing
 * unless there is an error.
 */

/** The type of an unfinished copy: its fields can be written, and any of them may be missing. */
export type Draft<Type> = { -readonly [Field in keyof Type]?: Type[Field] | undefined };

/** Collects the warnings about one request while it is copied. */
export class Copying {
  /** The parts that are left out of the copy. It is `undefined` while there are none. */
  dropped: string[] | undefined;
  /** Warnings about values that may not do what the caller wants. It is `undefined` while there are none. */
  doubts: string[] | undefined;
  /** True when somebody has added names to `Object.prototype`. Every ordinary object then inherits them. */
  readonly inheritsNames: boolean;

  constructor() {
    this.inheritsNames = inheritsNames();
  }

  /** Makes an empty copy. It has no prototype when ordinary objects inherit added names. */
  newCopy<Type>(): Draft<Type> {
    return this.inheritsNames ? Object.create(null) : {};
  }

  /** Notes a part that is left out. Returns `undefined`, the copy of such a part. */
  drop(what: string): undefined {
    this.dropped ??= [];
    this.dropped.push(what);
  }

  /** Notes a field that requests do not have. It is left out. */
  dropUnknown(name: string): undefined {
    return this.drop(`the unknown field ${shownName(name)}`);
  }

  /** Notes a warning that has its own words. Returns `undefined`, for callers that drop the value. */
  doubt(what: string): undefined {
    this.doubts ??= [];
    this.doubts.push(what);
  }
}

/** Writes the name of a field or parameter for a warning: in quotes, and cut after 64 characters. */
export function shownName(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}

/**
 * Returns an object that has only the own fields of a value, so that `for…in` finds no other fields. An object from a
 * literal or from JSON is returned as it is. `undefined`, `null` and `''` give `undefined`.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for any other value.
 */
export function fieldsOf(value: unknown, copying: Copying): JsonRecord | undefined {
  if (isObject(value)) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if ((prototype === Object.prototype && !copying.inheritsNames) || prototype === null) {
      // Lists have another prototype, so they never get here. A check for lists before this one would cost a tenth of
      // all copying (benchmark on-device/execute-url).
      return value as JsonRecord;
    }
  }
  return rareFieldsOf(value);
}

function rareFieldsOf(value: unknown): JsonRecord | undefined {
  if (isAbsent(value)) {
    return undefined;
  }
  if (isRecord(value)) {
    return ownFieldsOf(value);
  }
  throw invalidField('', 'an object', value);
}

/**
 * Makes a view of the own fields. A field is read only when a copier asks for it, because a getter may throw and the
 * error has to name its field.
 */
function ownFieldsOf(value: JsonRecord): JsonRecord {
  const own: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(value)) {
    Object.defineProperty(own, name, { enumerable: true, get: () => value[name] });
  }
  return own;
}

function hasGetter(value: object, name: string): boolean {
  return isProxy(value) || Object.getOwnPropertyDescriptor(value, name)?.get !== undefined;
}

/**
 * A function that copies the field of this name into the copy, and returns the field's copy. It drops unknown fields.
 */
type CopyField<Type> = (copy: Draft<Type>, name: string, written: JsonRecord, copying: Copying) => unknown;

/**
 * Copies an object field by field. Objects that nearly every request has are copied by loops of their own instead,
 * which take a quarter less time (benchmark on-device/execute-url).
 */
export function copyFields<Type extends object>(
  value: unknown,
  copying: Copying,
  copyField: CopyField<Type>,
): Draft<Type> | undefined {
  const written = fieldsOf(value, copying);
  if (!written) {
    return undefined;
  }
  const copy = copying.newCopy<Type>();
  let kept: unknown;
  let hasGaps = false;
  let field = '';
  try {
    for (const name in written) {
      field = name;
      kept = copyField(copy, name, written, copying);
      if (kept === undefined) {
        hasGaps = true;
      }
    }
  } catch (thrown) {
    throw withOuterPath(thrown, field, written);
  }
  return hasGaps || kept === undefined ? withoutGaps(copy, copying) : copy;
}

/** Removes the undefined fields of a copy. Returns `undefined` when no field is left. */
export function withoutGaps<Type extends object>(copy: Type, copying: Copying): Draft<Type> | undefined {
  // The fields are moved to a new object, because deleting one would make every later read of the copy slow.
  const whole = copying.newCopy<Type>();
  let isEmpty = true;
  for (const name in copy) {
    const kept = copy[name];
    if (kept === undefined) {
      continue;
    }
    whole[name] = kept;
    isEmpty = false;
  }
  return isEmpty ? undefined : whole;
}

/** Checks that a value is a list of at most `maxItems`. `undefined`, `null` and `''` give `undefined`. */
export function toWrittenList(value: unknown, maxItems = MAX_ITEMS): readonly unknown[] | undefined {
  if (isAbsent(value)) {
    return undefined;
  }
  if (!Array.isArray(value)) {
    throw invalidField('', 'an array', value);
  }
  if (value.length > maxItems) {
    throw invalidField('', `an array of at most ${maxItems}`, value);
  }
  return value;
}

/** Copies a list. Items whose copier returns `undefined` are left out. Returns `undefined` when no item is left. */
export function copyList<Item>(
  value: unknown,
  copying: Copying,
  copyItem: (value: unknown, copying: Copying, position: number) => Item | undefined,
  maxItems?: number,
): Item[] | undefined {
  const written = toWrittenList(value, maxItems);
  if (!written) {
    return undefined;
  }
  const copies: Item[] = [];
  let position = 0;
  try {
    for (; position < written.length; position += 1) {
      const item = written[position];
      const kept = isAbsent(item) ? undefined : copyItem(item, copying, position);
      if (kept !== undefined) {
        copies.push(kept);
      }
    }
  } catch (thrown) {
    throw withOuterPath(thrown, `[${position}]`, written, String(position));
  }
  return copies.length === 0 ? undefined : copies;
}

/** Makes the error for an object that lacks a required field. */
export function missingError(name: string, value: unknown): TargetError {
  return invalidField(name, 'given', isRecord(value) ? value[name] : undefined);
}

/**
 * Returns an error whose path begins with the name of a field. An empty name means that no field was reached, and the
 * error is returned as it is. An error of another package is returned as it is too, unless the field has a getter: then
 * the getter threw it, and it becomes the cause of an `ERR_TARGET_INVALID_REQUEST`. `key` is the field's real name, for
 * paths that write it in another form.
 */
export function withOuterPath(thrown: unknown, name: string, written?: object, key = name): unknown {
  if (name === '') {
    return thrown;
  }
  if (!(thrown instanceof TargetError)) {
    const known = named(thrown, name);
    if (known !== thrown) {
      return known;
    }
    const isGetters = written !== undefined && hasGetter(written, key);
    return isGetters ? unreadableError('ERR_TARGET_INVALID_REQUEST', name, thrown) : thrown;
  }
  const { path = '', message, cause } = thrown;
  const outer = joinPaths(name, path);
  return new TargetError(thrown.code, outer + message.slice(path.length), { path: outer, cause });
}
