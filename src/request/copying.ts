import { invalidField, TargetError, unreadableError } from '../errors.js';
import { inheritsNames } from '../inherited-names.js';
import { isObject, isRecord, type JsonRecord } from '../json.js';

/**
 * This file has the ways of copying that all objects of a request share. A copier takes the value that the caller wrote and
 * returns a checked copy, or undefined where there is nothing to send. It throws a {@link TargetError} whose path starts at
 * its value. Each holder of the value puts its own name in front of the path, so a path costs nothing until there is an error.
 */

/** The type of a copy that is not complete yet: writable, and any field may be missing. */
export type Draft<Type> = { -readonly [Field in keyof Type]?: Type[Field] | undefined };

/** Collects the warnings about one request while it is copied. */
export class Copying {
  /** Names the parts that were left out of the copy. */
  dropped: string[] | undefined;
  /** Names the parts that are sent, but may not have the effect that the caller wants. */
  doubts: string[] | undefined;
  /** Tells that `Object.prototype` has names of its own in this process, which every object would inherit. */
  readonly inheritsNames: boolean;

  constructor() {
    this.inheritsNames = inheritsNames();
  }

  /** Makes an empty copy that inherits no such field. */
  newCopy<Type>(): Draft<Type> {
    return this.inheritsNames ? Object.create(null) : {};
  }

  drop(what: string): undefined {
    this.dropped ??= [];
    this.dropped.push(what);
  }

  dropUnknown(name: string): undefined {
    return this.drop(`the unknown field ${shownName(name)}`);
  }

  doubt(what: string): undefined {
    this.doubts ??= [];
    this.doubts.push(what);
  }
}

/** Writes the name of a field or parameter for a warning. */
export function shownName(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}

/** Tells values that say nothing: undefined, null and the empty text. */
export function isAbsent(given: unknown): given is undefined | null | '' {
  return given === undefined || given === null || given === '';
}

/**
 * Returns an object that has the own fields of the value and inherits none, so that `for…in` finds the own fields alone.
 * An object of a literal or of JSON is returned as it is; undefined and null give undefined.
 */
export function fieldsOf(value: unknown, copying: Copying): JsonRecord | undefined {
  if (isObject(value)) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if ((prototype === Object.prototype && !copying.inheritsNames) || prototype === null) {
      // Lists have another prototype. Checking for them first costs a tenth of all copying (benchmark on-device/execute-url).
      return value as JsonRecord;
    }
  }
  return rareFieldsOf(value);
}

function rareFieldsOf(value: unknown): JsonRecord | undefined {
  if (value === undefined || value === null) return undefined;
  if (isRecord(value)) return ownFieldsOf(value);
  throw invalidField('', 'an object', value);
}

/** Makes a view of the own fields. It reads a field only when a copier asks for it, because a getter may throw. */
function ownFieldsOf(value: JsonRecord): JsonRecord {
  const own: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(value)) {
    Object.defineProperty(own, name, { enumerable: true, get: () => value[name] });
  }
  return own;
}

function hasGetter(value: object, name: string): boolean {
  try {
    return Object.getOwnPropertyDescriptor(value, name)?.get !== undefined;
  } catch {
    // Only a proxy can throw here.
    return true;
  }
}

/** Copies the field of this name into the copy, or drops it as unknown, and returns the field's copy. */
type CopyField<Type> = (copy: Draft<Type>, name: string, written: JsonRecord, copying: Copying) => unknown;

/**
 * Copies an object field by field. The objects that nearly every request has are copied by loops of their own instead, which
 * take a quarter less time (benchmark on-device/execute-url).
 */
export function copyFields<Type extends object>(
  value: unknown,
  copying: Copying,
  copyField: CopyField<Type>,
): Draft<Type> | undefined {
  const written = fieldsOf(value, copying);
  if (!written) return undefined;
  const copy = copying.newCopy<Type>();
  let kept: unknown;
  let hasGaps = false;
  let field = '';
  try {
    for (const name in written) {
      field = name;
      kept = copyField(copy, name, written, copying);
      if (kept === undefined) hasGaps = true;
    }
  } catch (thrown) {
    throw outward(thrown, field, written);
  }
  return hasGaps || kept === undefined ? withoutGaps(copy, copying) : copy;
}

/** Removes the undefined fields of a copy. Returns undefined when no field is left. */
export function withoutGaps<Type extends object>(copy: Type, copying: Copying): Draft<Type> | undefined {
  // Deleting a field of the copy would make every later read of it slow.
  const whole = copying.newCopy<Type>();
  let isEmpty = true;
  for (const name in copy) {
    const kept = copy[name];
    if (kept === undefined) continue;
    whole[name] = kept;
    isEmpty = false;
  }
  return isEmpty ? undefined : whole;
}

/** This limit stops sparse arrays, which may claim four thousand million items. */
const MAX_ITEMS = 100_000;

/** Checks that a value is a list of at most `maxItems`. Undefined and null give undefined. */
export function toWrittenList(value: unknown, maxItems = MAX_ITEMS): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalidField('', 'an array', value);
  if (value.length > maxItems) throw invalidField('', `an array of at most ${maxItems}`, value);
  return value;
}

/** Copies a list. Items whose copier returns undefined are left out. Returns undefined when no item is left. */
export function copyList<Item>(
  value: unknown,
  copying: Copying,
  copyItem: (value: unknown, copying: Copying, position: number) => Item | undefined,
  maxItems?: number,
): Item[] | undefined {
  const written = toWrittenList(value, maxItems);
  if (!written) return undefined;
  const copies: Item[] = [];
  let position = 0;
  try {
    for (; position < written.length; position += 1) {
      const item = written[position];
      const kept = isAbsent(item) ? undefined : copyItem(item, copying, position);
      if (kept !== undefined) copies.push(kept);
    }
  } catch (thrown) {
    throw outward(thrown, `[${position}]`);
  }
  return copies.length === 0 ? undefined : copies;
}

/** Makes the error of an object that lacks a required field. */
export function missingError(name: string, value: unknown): TargetError {
  return invalidField(name, 'given', isRecord(value) ? value[name] : undefined);
}

/**
 * Puts a name in front of an error's path. With an empty name, no field was reached and the error stays as it is. So does
 * an error that is not of this package, unless it can only have come from the getter of the field of this name. The key is
 * the field's own name, where the path writes it in another way.
 */
export function outward(thrown: unknown, name: string, written?: object, key = name): unknown {
  if (name === '') return thrown;
  if (!(thrown instanceof TargetError)) {
    const isGetters = written !== undefined && hasGetter(written, key);
    return isGetters ? unreadableError('ERR_TARGET_INVALID_REQUEST', name, thrown) : thrown;
  }
  const { path = '', message, cause } = thrown;
  const separator = path === '' || path.startsWith('[') ? '' : '.';
  const outer = name + separator + path;
  return new TargetError(thrown.code, outer + message.slice(path.length), { path: outer, cause });
}
