import { invalidOption } from '../errors.js';

/** Longest delay of a timer in ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

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
