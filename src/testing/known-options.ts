import { invalidOption } from '../errors.js';
import { isRecord } from '../json.js';

/** @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for options with an unknown name, which is most likely misspelt. */
export function refuseUnknown(options: unknown, known: readonly string[]): void {
  if (!isRecord(options)) {
    throw invalidOption('options', 'an object', options);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw invalidOption('options', `named ${known.join(', ')}`, unknown);
  }
}
