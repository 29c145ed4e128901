import { describe, invalidField, TargetError } from '../errors.js';
import { type Copying, fieldsOf, isAbsent, outward, shownName } from './copying.js';
import { EDGE_LIMITS } from './edge-limits.js';

const { count: MAX_COUNT, name: MAX_NAME, value: MAX_VALUE, profileValue } = EDGE_LIMITS.Parameters;

/** Copies parameters: names and texts. Numbers, booleans and lists of these become texts. */
export function copyParameters(value: unknown, copying: Copying): Record<string, string> | undefined {
  const written = fieldsOf(value, copying);
  if (!written) return undefined;
  const copy: Record<string, string> = copying.inheritsNames ? Object.create(null) : {};
  let count = 0;
  // The parameter whose value is looked at.
  let field: string | undefined;
  try {
    for (const name in written) {
      field = name;
      const given = written[name];
      const kept = typeof given === 'string' && given.length <= MAX_VALUE ? given : toParameter(given);
      field = undefined;
      if (kept === undefined) continue;
      checkName(name);
      count += 1;
      if (count > MAX_COUNT) throw invalidField('', `at most ${MAX_COUNT} parameters`, value);
      if (name === '__proto__') define(copy, name, kept);
      else copy[name] = kept;
    }
  } catch (thrown) {
    throw field === undefined ? thrown : outward(thrown, `[${JSON.stringify(field.slice(0, MAX_NAME))}]`);
  }
  return count === 0 ? undefined : copy;
}

/** The same for a visitor's profile, with a doubt about what Target does not keep whole. */
export function copyProfileParameters(value: unknown, copying: Copying): Record<string, string> | undefined {
  const copy = copyParameters(value, copying);
  for (const name in copy) {
    const kept = copy[name];
    if (kept === undefined || kept.length <= profileValue) continue;
    copying.doubt(
      `the profile parameter ${shownName(name)} has more than the ${profileValue} characters that Target’s profiles hold`,
    );
  }
  return copy;
}

/** Undefined for null and undefined; an empty text is a value of its own. */
function toParameter(given: unknown): string | undefined {
  if (given === undefined || given === null) return undefined;
  const value = Array.isArray(given) ? joined(given) : scalarToText(given);
  if (value === undefined || value.length <= MAX_VALUE) return value;
  throw invalidField('', `a string of at most ${MAX_VALUE} characters`, given);
}

/** A list as one text with commas, as audiences compare it. */
function joined(items: readonly unknown[]): string | undefined {
  if (items.length > MAX_VALUE) throw invalidField('', `an array of at most ${MAX_VALUE}`, items);
  const texts = items.filter((item) => !isAbsent(item)).map(scalarToText);
  return texts.length === 0 ? undefined : texts.join();
}

function scalarToText(given: unknown): string {
  if (typeof given === 'string') return given;
  if (typeof given === 'boolean' || Number.isFinite(given)) return String(given);
  throw invalidField('', 'a string, a number or a boolean', given, describe);
}

function checkName(name: string): void {
  // Most names begin with something visible, and need no look at the rest.
  if (name.length <= MAX_NAME && (name.charCodeAt(0) > 0x20 || name.trim() !== '')) return;
  throw new TargetError(
    'ERR_TARGET_INVALID_REQUEST',
    ` must have names of 1 to ${MAX_NAME} characters, not one of ${name.length}`,
    { path: '' },
  );
}

/** A parameter may be called `__proto__`: it is defined, never assigned. */
function define(copy: Record<string, string>, name: string, value: string): void {
  Object.defineProperty(copy, name, { value, enumerable: true, configurable: true, writable: true });
}
