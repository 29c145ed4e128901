import { EDGE_LIMITS } from '../delivery-api.js';
import { describe, invalidField, TargetError } from '../errors.js';
import { isAbsent, itemsOf, scalarToText, Unreadable } from '../json.js';
import { type Copying, fieldsOf, shownName, withOuterPath } from './copying.js';

const ROOT = Object.prototype;
const { count: MAX_COUNT, name: MAX_NAME, value: MAX_VALUE, profileValue } = EDGE_LIMITS.Parameters;

/** Copies parameters. A number or a boolean becomes a text, and a list of them becomes one text, joined by commas. */
export function copyParameters(value: unknown, copying: Copying): Record<string, string> | undefined {
  const written = fieldsOf(value, copying);
  if (!written) {
    return undefined;
  }
  const copy: Record<string, string> = copying.inheritsNames ? Object.create(null) : {};
  let count = 0;
  // An error that is caught while this is set belongs to the value of this parameter.
  let field: string | undefined;
  try {
    for (const name in written) {
      field = name;
      const given = written[name];
      const kept = typeof given === 'string' && given.length <= MAX_VALUE ? given : toParameter(given);
      field = undefined;
      if (kept === undefined) {
        continue;
      }
      checkName(name);
      count += 1;
      if (count > MAX_COUNT) {
        throw invalidField('', `at most ${MAX_COUNT} parameters`, value);
      }
      if (name in ROOT) {
        define(copy, name, kept);
      } else {
        copy[name] = kept;
      }
    }
  } catch (thrown) {
    if (field === undefined) {
      throw thrown;
    }
    if (Unreadable.is(thrown)) {
      throw withOuterPath(thrown, field.slice(0, MAX_NAME));
    }
    throw withOuterPath(thrown, `[${JSON.stringify(field.slice(0, MAX_NAME))}]`, written, field);
  }
  return count === 0 ? undefined : copy;
}

/** Copies profile parameters. A value that is longer than profiles can hold is copied too, with a warning. */
export function copyProfileParameters(value: unknown, copying: Copying): Record<string, string> | undefined {
  const copy = copyParameters(value, copying);
  for (const name in copy) {
    const kept = copy[name];
    if (kept === undefined || kept.length <= profileValue) {
      continue;
    }
    copying.doubt(
      `the profile parameter ${shownName(name)} has more than the ${profileValue} characters that Target’s profiles hold`,
    );
  }
  return copy;
}

/**
 * Converts the value of a parameter, unless it is a text of the allowed length. An empty text is a valid value, so it
 * never gets here.
 */
function toParameter(given: unknown): string | undefined {
  if (given === undefined || given === null) {
    return undefined;
  }
  const value = Array.isArray(given) ? joined(given) : toItem(given);
  if (value === undefined || value.length <= MAX_VALUE) {
    return value;
  }
  throw invalidField('', `a string of at most ${MAX_VALUE} characters`, given);
}

/** Joins a list into one text with commas. Empty items are left out. Returns `undefined` when no item is left. */
function joined(items: readonly unknown[]): string | undefined {
  if (items.length > MAX_VALUE) {
    throw invalidField('', `an array of at most ${MAX_VALUE}`, items);
  }
  const texts = itemsOf(items)
    .filter((item) => !isAbsent(item))
    .map(toItem);
  return texts.length === 0 ? undefined : texts.join();
}

function toItem(given: unknown): string {
  const text = scalarToText(given);
  if (text !== undefined) {
    return text;
  }
  throw invalidField('', 'a string, a number or a boolean', given, describe);
}

function checkName(name: string): void {
  // A name whose first character is visible ASCII is not blank, so it needs no slower check.
  const first = name.charCodeAt(0);
  if (name.length <= MAX_NAME && ((first > 0x20 && first < 0x7f) || name.trim() !== '')) {
    return;
  }
  throw new TargetError(
    'ERR_TARGET_INVALID_REQUEST',
    ` must have names of 1 to ${MAX_NAME} characters, not one of ${name.length}`,
    { path: '' },
  );
}

/**
 * Adds a parameter whose name `Object.prototype` has. An assignment to `__proto__` would set the prototype of the copy,
 * and somebody may have added a getter or a setter of another name.
 */
function define(copy: Record<string, string>, name: string, value: string): void {
  Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
}
