import { nearestOf } from '../config/option-checks.js';
import { describe, invalidOption, TargetError, unreadableError } from '../errors.js';
import { isRecord } from '../json.js';

/** Longest delay of a timer in ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const CODE = 'ERR_TARGET_INVALID_CONFIG';

/**
 * Copies the options of a store, each of which is read once. A store has no logger to warn by, so an unknown name is
 * refused: a misspelt secret would leave the store unsigned.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG`
 */
export function toOptions<Name extends string>(
  written: unknown,
  known: readonly Name[],
  wanted = 'an object',
): { readonly [Each in Name]?: unknown } {
  if (!isRecord(written)) {
    throw invalidOption('options', wanted, written, describe);
  }
  const unknown = Object.keys(written).find((name) => !known.some((one) => one === name));
  if (unknown !== undefined) {
    throw unknownOption(unknown, known);
  }
  const copied: { [Each in Name]?: unknown } = {};
  for (const name of known) {
    try {
      copied[name] = written[name];
    } catch (cause) {
      throw unreadableError(CODE, name, cause);
    }
  }
  return copied;
}

/**
 * Reads an option in ms. An absent one is the default.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG`
 */
export function toMs(
  name: string,
  written: unknown,
  { standard, least }: { readonly standard: number; readonly least: number },
): number {
  const ms = written ?? standard;
  if (typeof ms === 'number' && ms >= least && ms <= MAX_TIMER_MS) {
    return ms;
  }
  throw invalidOption(name, `milliseconds from ${least} to below 2^31`, written);
}

function unknownOption(name: string, known: readonly string[]): TargetError {
  const nearest = nearestOf(name, known, Math.ceil(name.length * 0.4));
  const hint = nearest === undefined ? `known are ${known.join(', ')}` : `did you mean "${nearest}"?`;
  const path = name.slice(0, 64);
  return new TargetError(CODE, `unknown option ${JSON.stringify(path)}: ${hint}`, { path });
}
