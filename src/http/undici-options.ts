import { describe, invalidOption } from '../errors.js';
import { withoutInherited } from '../inherited-names.js';
import { isAbsent, isObject } from '../json.js';

const MAX_CONNECTIONS = 128;

/** The part of a dispatcher of undici that is used. */
interface Dispatcher {
  request(options: object): Promise<unknown>;
}

/** The options of `createUndiciFetch`, checked and complete. */
interface CompleteOptions {
  readonly connections: number;
  /** The caller's own dispatcher. It is `undefined` when the fetch makes its connections itself. */
  readonly dispatcher: Dispatcher | undefined;
}

/**
 * Checks and completes the options of `createUndiciFetch`. `null` and an empty text count as absent, and a number may be
 * a text of digits, as in the options of a client.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` with the name of the option.
 */
export function toFetchOptions(written: unknown): CompleteOptions {
  const options = written ?? {};
  if (!isObject(options)) {
    throw invalidOption('options', 'an object', options, describe);
  }
  const own = withoutInherited<{ connections?: unknown; dispatcher?: unknown }>(options);
  return { connections: toConnections(own.connections), dispatcher: toDispatcher(own.dispatcher) };
}

function toConnections(given: unknown): number {
  if (isAbsent(given)) {
    return MAX_CONNECTIONS;
  }
  const value = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) {
    return value;
  }
  throw invalidOption('connections', 'an integer of at least 1', given);
}

function toDispatcher(given: unknown): Dispatcher | undefined {
  if (isAbsent(given)) {
    return undefined;
  }
  if (isDispatcher(given)) {
    return given;
  }
  throw invalidOption('dispatcher', 'a dispatcher of undici', given, describe);
}

function isDispatcher(value: unknown): value is Dispatcher {
  return isObject(value) && typeof Reflect.get(value, 'request') === 'function';
}
