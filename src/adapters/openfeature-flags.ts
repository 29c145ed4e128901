import { invalidOption, unreadableError } from '../errors.js';
import type { FlagLocation } from './openfeature-answer.js';
import { askFor, ownFieldsOf } from './openfeature-context.js';

/** The attribute that a flag key stands for. */
export interface TargetFlag {
  /** The name of the mbox. */
  readonly mbox: string;
  /** The name of the attribute in the JSON offers of the mbox. @default none: the flag is the whole offer */
  readonly key?: string | null | undefined;
}

/** The options of the provider by which the attribute of a flag is found. */
interface FlagOptions {
  readonly mbox?: string | null | undefined;
  readonly flag?: ((flagKey: string) => TargetFlag | null | undefined) | null | undefined;
}

/** Stands for the attribute of a flag that does not exist. */
const NONE: TargetFlag = { mbox: '' };

/**
 * Finds the attribute that a flag key stands for. Returns undefined when it stands for none.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when the option `flag` fails, or returns what is no attribute.
 */
export function locateFlag(flagKey: string, { flag, mbox }: FlagOptions): FlagLocation | undefined {
  if (typeof flagKey !== 'string') {
    return undefined;
  }
  if (flag) {
    const asked = askFor('flag', () => flag(flagKey) ?? NONE);
    return asked === NONE ? undefined : toLocation(asked);
  }
  if (mbox) {
    return { mbox, key: flagKey };
  }
  const dot = flagKey.lastIndexOf('.');
  const location =
    dot < 0
      ? { mbox: flagKey, key: undefined }
      : { mbox: flagKey.slice(0, dot), key: flagKey.slice(dot + 1) };
  return location.mbox === '' ? undefined : location;
}

function toLocation(asked: TargetFlag): FlagLocation {
  const { mbox, key } = fieldsOf(asked);
  const isKey = key === undefined || key === null || typeof key === 'string';
  if (typeof mbox !== 'string' || mbox === '' || !isKey) {
    throw invalidOption('flag', 'a function that returns { mbox, key }', asked);
  }
  return { mbox, key: key ?? undefined };
}

function fieldsOf(asked: TargetFlag): { readonly mbox: unknown; readonly key?: unknown } {
  try {
    return ownFieldsOf(asked);
  } catch (cause) {
    throw unreadableError('ERR_TARGET_INVALID_CONFIG', 'flag', cause);
  }
}
