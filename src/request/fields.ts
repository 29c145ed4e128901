import { isIp } from '#platform';
import { describe, invalidField, TargetError } from '../errors.js';
import { isRecord, type JsonRecord } from '../json.js';

/**
 * Checks one field of a request and copies it: the copy, or undefined to leave the field out. Throws a
 * {@link TargetError} whose path starts at the field; whoever holds the field puts its own name in front.
 */
export type Field = (value: unknown, at: Placed) => unknown;

/** Where a list's item stands, and who wants to know what was left out. */
export interface Placed {
  readonly index: number;
  readonly dropped: (what: string) => void;
}

const MAX_DEPTH = 32;

/** The same error, one level further out. */
function outward(thrown: unknown, name: string): TargetError {
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

/** A text of at most so many characters; an empty one is left out. */
export function text(maxLength = Number.POSITIVE_INFINITY, minLength = 0): Field {
  return (value) => {
    if (typeof value !== 'string') throw invalidField('', 'a string', value);
    if (value === '') return undefined;
    if (value.length <= maxLength && value.length >= minLength) return value;
    const wanted =
      minLength === maxLength
        ? `${maxLength}`
        : `${minLength > 0 ? `${minLength} to` : 'at most'} ${maxLength}`;
    throw invalidField('', `a string of ${wanted} characters`, value);
  };
}

/** A finite number of at least `minimum`. */
export function number(minimum = Number.NEGATIVE_INFINITY): Field {
  return (value) => {
    if (typeof value === 'number' && Number.isFinite(value) && value >= minimum) return value;
    throw invalidField(
      '',
      minimum === Number.NEGATIVE_INFINITY ? 'a number' : `a number of at least ${minimum}`,
      value,
      describe,
    );
  };
}

/** An integer from `minimum` to `maximum`. */
export function integer(minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER): Field {
  return (value) => {
    if (Number.isSafeInteger(value) && (value as number) >= minimum && (value as number) <= maximum)
      return value;
    const from = minimum === Number.MIN_SAFE_INTEGER ? '' : ` of at least ${minimum}`;
    const to = maximum === Number.MAX_SAFE_INTEGER ? '' : ` and at most ${maximum}`;
    throw invalidField('', `an integer${from}${to}`, value, describe);
  };
}

/** `true` or `false`. */
export const flag: Field = (value) => {
  if (typeof value === 'boolean') return value;
  throw invalidField('', 'a boolean', value);
};

/** One of a few words; an empty text is left out. */
export function oneOf(...words: readonly string[]): Field {
  return (value) => {
    if (value === '') return undefined;
    if (typeof value === 'string' && words.includes(value)) return value;
    throw invalidField('', `one of ${words.join(', ')}`, value);
  };
}

/** What stands for the address of a visitor who is not to be looked up. */
export const UNKNOWN_IP_ADDRESS = 'unknownIpAddress';

/** An IPv4 address in IPv6's clothes (RFC 4291, 2.5.5.2), as sockets that listen to both tell it. */
const MAPPED = /^::ffff:(?=\d)/i;

/** An IP address, `unknownIpAddress`, or nothing: geography is a guess, and no reason to fail. */
export const ipAddress: Field = (value, { dropped }) => {
  if (typeof value === 'string') {
    const address = value.replace(MAPPED, '');
    if (isIp(address) === 4) return address;
    if (value === UNKNOWN_IP_ADDRESS || isIp(value) !== 0) return value;
  }
  dropped('an ipAddress that is not an IP address');
  return undefined;
};

interface ObjectOptions {
  /** Kept even when nothing is in it: `pageLoad: {}` asks for something. */
  readonly keepEmpty?: boolean;
  /** Fields it cannot be without. */
  readonly required?: readonly string[];
}

/** An object of known fields; others are left out. Iterates what was written, which is less than what may be. */
export function object(fields: Readonly<Record<string, Field>>, options: ObjectOptions = {}): Field {
  const fieldsByName = new Map(Object.entries(fields));
  const { keepEmpty = false, required = [] } = options;
  return (value, at) => {
    const written = toRecord(value);
    const copy: Record<string, unknown> = {};
    let isEmpty = !keepEmpty;
    for (const name of Object.keys(written)) {
      const field = fieldsByName.get(name);
      if (field === undefined) {
        at.dropped(`the unknown field ${JSON.stringify(name.slice(0, 64))}`);
        continue;
      }
      try {
        const given = written[name];
        if (given === undefined || given === null) continue;
        const kept = field(given, at);
        if (kept === undefined) continue;
        copy[name] = kept;
        isEmpty = false;
      } catch (thrown) {
        throw outward(thrown, name);
      }
    }
    for (const name of required) {
      if (copy[name] === undefined && !isEmpty) throw invalidField(name, 'given', written[name]);
    }
    return isEmpty ? undefined : copy;
  };
}

/** A list; items whose field answers undefined are left out, and so is a list without items. */
export function list(field: Field, maxItems = Number.POSITIVE_INFINITY): Field {
  return (value, { dropped }) => {
    if (!Array.isArray(value)) throw invalidField('', 'an array', value);
    if (value.length > maxItems) throw invalidField('', `an array of at most ${maxItems}`, value);
    let copies: unknown[] | undefined;
    for (let index = 0; index < value.length; index += 1) {
      try {
        const kept = field(value[index], { index, dropped });
        if (kept === undefined) continue;
        if (copies) copies.push(kept);
        // Most lists are of one, and pushing to an empty one makes room for many.
        else copies = [kept];
      } catch (thrown) {
        throw outward(thrown, `[${index}]`);
      }
    }
    return copies;
  };
}

const MAX_PARAMETERS = 50;
const MAX_NAME_LENGTH = 128;
const MAX_VALUE_LENGTH = 5000;

/** Parameters: names and texts; numbers and booleans become texts. */
export const parameters: Field = (value) => {
  const written = toRecord(value);
  const copy: Record<string, unknown> = {};
  let count = 0;
  for (const name of Object.keys(written)) {
    const kept = toParameter(name, written);
    if (kept === undefined) continue;
    count += 1;
    if (count > MAX_PARAMETERS) throw invalidField('', `at most ${MAX_PARAMETERS} parameters`, value);
    // A parameter may be called `__proto__`: it is defined, never assigned.
    if (name === '__proto__')
      Object.defineProperty(copy, name, {
        value: kept,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    else copy[name] = kept;
  }
  return count === 0 ? undefined : copy;
};

function toParameter(name: string, written: Readonly<Record<string, unknown>>): string | undefined {
  const shown = JSON.stringify(name.slice(0, MAX_NAME_LENGTH));
  const path = `[${shown}]`;
  let given: unknown;
  try {
    given = written[name];
  } catch (thrown) {
    throw outward(thrown, path);
  }
  if (given === undefined || given === null) return undefined;
  if (name.trim() === '' || name.length > MAX_NAME_LENGTH) {
    throw new TargetError(
      'ERR_TARGET_INVALID_REQUEST',
      ` must have names of 1 to ${MAX_NAME_LENGTH} characters, not one of ${name.length}`,
      { path: '' },
    );
  }
  const isPlain = typeof given === 'string' || typeof given === 'boolean' || Number.isFinite(given);
  if (!isPlain) throw invalidField(path, 'a string, a number or a boolean', given, describe);
  const value = String(given);
  if (value.length > MAX_VALUE_LENGTH) {
    throw invalidField(path, `a string of at most ${MAX_VALUE_LENGTH} characters`, given);
  }
  return value;
}

/** Any JSON, copied: for what the SDK only passes on. */
export const json: Field = (value) => copyJson(value, 0);

function copyJson(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) throw invalidField('', `nested at most ${MAX_DEPTH} deep`, value);
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value))
    return value;
  if (Array.isArray(value))
    return value.map((item, index) => inside(`[${index}]`, () => copyJson(item, depth + 1)));
  if (typeof value !== 'object') throw invalidField('', 'JSON', value);
  const written = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(written)
      .map((name): [string, unknown] => [
        name,
        inside(name, () => copyJson(written[name] ?? null, depth + 1)),
      ])
      .filter(([, item]) => item !== null),
  );
}

function inside<T>(name: string, work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw outward(thrown, name);
  }
}

function toRecord(value: unknown): JsonRecord {
  if (isRecord(value)) return value;
  throw invalidField('', 'an object', value);
}
