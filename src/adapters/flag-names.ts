import { invalidOption } from '../errors.js';
import type { JsonValue } from '../index.js';
import { ownFieldOf } from '../inherited-names.js';
import { isAbsent, isRecord } from '../json.js';
import { type Checks, checkFields, FUNCTION, HOPS, TEXT } from '../visits/field-checks.js';

/** The offer that a flag is read from. */
export interface FlagOffer {
  /** The name of the mbox. */
  readonly mbox: string;
  /** The key in its JSON offer. @default the flag is the whole offer */
  readonly key?: string | undefined;
}

/** The options that say which offer a flag is read from. */
export interface FlagNames {
  /**
   * The name of the one mbox whose JSON offer has all flags, by their keys.
   * @default each flag names its mbox: `hero.color` is the key `color` of the mbox `hero`, split at the last dot, and
   * `hero` is its whole JSON offer
   */
  readonly mbox?: string | null | undefined;
  /** A function that tells which offer a flag is read from. It wins over `mbox`. @default none */
  readonly flag?: ((flagKey: string) => FlagOffer) | null | undefined;
  /**
   * The page on which the flags are managed.
   * @default `https://experience.adobe.com/#/target/activities`
   */
  readonly origin?: string | null | undefined;
}

/** The list of activities in Target, from which an activity is found by its name. */
const ACTIVITIES = 'https://experience.adobe.com/#/target/activities';
const CHECKS: Checks = { mbox: TEXT, origin: TEXT, flag: FUNCTION, trustProxy: HOPS };

/** Checks the options that name offers, and makes the function that finds the offer of a flag. */
export function readNames(options: FlagNames): {
  readonly toOffer: (flagKey: string) => FlagOffer;
  readonly origin: string;
} {
  checkFields(options, CHECKS, '');
  const { mbox, flag, origin } = options;
  const toOffer = (flagKey: string) => {
    const dot = flagKey.lastIndexOf('.');
    const split = dot < 0 ? { mbox: flagKey } : { mbox: flagKey.slice(0, dot), key: flagKey.slice(dot + 1) };
    const offer = flag ? flag(flagKey) : isAbsent(mbox) ? split : { mbox, key: flagKey };
    if (typeof offer?.mbox !== 'string' || offer.mbox === '') {
      throw invalidOption(`flag('${flagKey}').mbox`, 'the name of an mbox', offer?.mbox);
    }
    return offer;
  };
  return { toOffer, origin: origin || ACTIVITIES };
}

/** Returns the value of a flag in the content of its JSON offer: a key of it, or the whole. */
export function valueIn(content: JsonValue | undefined, key: string | undefined): JsonValue | undefined {
  if (key === undefined) {
    return content;
  }
  return isRecord(content) ? (ownFieldOf(content, key) as JsonValue | undefined) : undefined;
}
