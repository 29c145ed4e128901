import { invalidField, TargetError } from '../errors.js';
import { isObject, isRecord, type JsonRecord } from '../json.js';

/**
 * The ways of copying that all objects of a request share. A copier takes the value that was written and answers its
 * checked copy, or undefined where there is nothing to send. It throws a {@link TargetError} whose path starts at the value;
 * each holder on the way out puts its own name in front, so that paths cost nothing as long as all is well.
 */

/** A copy under way: writable, and any field may still be missing. */
export type Draft<Type> = { -readonly [Field in keyof Type]?: Type[Field] | undefined };

/** One request's copying: collects what its caller should hear of. */
export class Copying {
  /** What was left out of the copy. */
  dropped: string[] | undefined;
  /** What is sent, and may not do what was meant. */
  doubts: string[] | undefined;
  /** True in a process whose objects all inherit names that `for…in` finds. */
  readonly inheritsNames: boolean;

  constructor() {
    let inheritsNames = false;
    for (const _ in Object.prototype) inheritsNames = true;
    this.inheritsNames = inheritsNames;
  }

  /** A copy to fill, which inherits nothing that somebody gave to all objects. */
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

/** A field's or a parameter's name in a warning. */
export function shownName(name: string): string {
  return JSON.stringify(name.slice(0, 64));
}

/** Undefined, null and empty texts say nothing. */
export function isAbsent(given: unknown): given is undefined | null | '' {
  return given === undefined || given === null || given === '';
}

/**
 * The fields of an object for `for…in`: its own alone, whatever its prototype has. Undefined where no object was given.
 * Objects of literals and of JSON are taken as they are.
 */
export function fieldsOf(value: unknown, copying: Copying): JsonRecord | undefined {
  if (isObject(value)) {
    const prototype: unknown = Object.getPrototypeOf(value);
    if ((prototype === Object.prototype && !copying.inheritsNames) || prototype === null) {
      // Asking first whether it is a list costs a tenth of all copying, and lists have another prototype.
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

/** A view of the own fields. A field is read through it when its copier asks, for a getter may throw or be costly. */
function ownFieldsOf(value: JsonRecord): JsonRecord {
  const own: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(value)) {
    Object.defineProperty(own, name, { enumerable: true, get: () => value[name] });
  }
  return own;
}

/** Copies one field, by its name, into the copy, or drops it as unknown: the field's copy. */
type CopyField<Type> = (copy: Draft<Type>, name: string, written: JsonRecord, copying: Copying) => unknown;

/**
 * Copies the fields of a rare object, one by one. What nearly every request has is copied by loops of its own instead,
 * which take a quarter less time (benchmark on-device/execute-url).
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
    throw outward(thrown, field);
  }
  return hasGaps || kept === undefined ? withoutGaps(copy, copying) : copy;
}

/** The copy without fields that turned out to be nothing; undefined when no other is left. */
export function withoutGaps<Type extends object>(copy: Type, copying: Copying): Draft<Type> | undefined {
  // A deleted field would make the copy slow for all who read it later.
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

/** A sparse array may claim four thousand million items. */
const MAX_ITEMS = 100_000;

/** A list, checked as far as its items do not matter; undefined where none was given. */
export function toWrittenList(value: unknown, maxItems = MAX_ITEMS): readonly unknown[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw invalidField('', 'an array', value);
  if (value.length > maxItems) throw invalidField('', `an array of at most ${maxItems}`, value);
  return value;
}

/** Copies a list. Items that are nothing are left out, and so is a list without items. */
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
      const kept = copyItem(written[position], copying, position);
      if (kept !== undefined) copies.push(kept);
    }
  } catch (thrown) {
    throw outward(thrown, `[${position}]`);
  }
  return copies.length === 0 ? undefined : copies;
}

/** The error of an object without a field that it cannot be without. */
export function missingError(name: string, value: unknown): TargetError {
  return invalidField(name, 'given', isRecord(value) ? value[name] : undefined);
}

/** The same error, one level further out. Nothing is put in front where no field was reached. */
export function outward(thrown: unknown, name: string): unknown {
  if (name === '') return thrown;
  if (!(thrown instanceof TargetError)) {
    return new TargetError('ERR_TARGET_INVALID_REQUEST', `${name} could not be read`, {
      path: name,
      cause: thrown,
    });
  }
  const { path = '', message, cause } = thrown;
  const separator = path === '' || path.startsWith('[') ? '' : '.';
  const outer = name + separator + path;
  return new TargetError(thrown.code, outer + message.slice(path.length), { path: outer, cause });
}
