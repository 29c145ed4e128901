import { nearestOf } from '../config/option-checks.js';
import { invalidOption, TargetError } from '../errors.js';
import { isRecord } from '../json.js';

const CODE = 'ERR_TARGET_INVALID_CONFIG';

/**
 * Refuses options with an unknown name, which is most likely misspelt. A test with such an option would test something
 * else than it says.
 *
 * @param where the function or option that has the options, for the error.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` with the most similar known name, or with all of them.
 */
export function refuseUnknown(options: unknown, known: readonly string[], where: string): void {
  if (!isRecord(options)) {
    throw wrongOption(where, 'an object', options);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown === undefined) {
    return;
  }
  const nearest = nearestOf(unknown, known, Math.ceil(unknown.length * 0.4));
  const hint = nearest === undefined ? `known are ${known.join(', ')}` : `did you mean "${nearest}"?`;
  const shown = unknown.slice(0, 64);
  throw new TargetError(CODE, `${where}: unknown option ${JSON.stringify(shown)}: ${hint}`, {
    path: `${where}.${shown}`,
  });
}

/** Makes the error of an option that is wrong or missing. */
export function wrongOption(path: string, wanted: string, came: unknown): TargetError {
  return came === undefined
    ? new TargetError(CODE, `${path} needs ${wanted}`, { path })
    : invalidOption(path, wanted, came);
}
