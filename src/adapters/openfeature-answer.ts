import { describe, type TargetErrorCode, toTargetError } from '../errors.js';
import type {
  AttributesProvider,
  JsonValue,
  Option,
  ResponseTokens,
  TargetDeliveryResponse,
} from '../index.js';
import { isObject, isRecord, parseJson } from '../json.js';
import type { VisitAnswer } from './http.js';
import { ErrorCode, type ResolutionDetails, StandardResolutionReasons } from './openfeature-sdk.js';

/** The attribute of a JSON offer that a flag is. Without a key, the flag is the whole offer. */
export interface FlagLocation {
  readonly mbox: string;
  readonly key: string | undefined;
}

/** The type that a flag is read as. */
export type FlagType = 'boolean' | 'string' | 'number' | 'object';

/** A flag that is read. */
export interface ReadFlag<Value> extends FlagLocation {
  readonly type: FlagType;
  readonly defaultValue: Value;
}

/** An error in the words of OpenFeature. */
interface Failure {
  readonly errorCode: ErrorCode;
  readonly errorMessage: string;
}

const { DEFAULT, ERROR, SPLIT, TARGETING_MATCH, UNKNOWN } = StandardResolutionReasons;

/** The codes of OpenFeature for errors of the client. Others are `GENERAL`. */
const CODES: { readonly [Code in TargetErrorCode]?: ErrorCode } = {
  ERR_TARGET_NOT_READY: ErrorCode.PROVIDER_NOT_READY,
  ERR_TARGET_CLOSED: ErrorCode.PROVIDER_NOT_READY,
  ERR_TARGET_INVALID_REQUEST: ErrorCode.INVALID_CONTEXT,
  ERR_TARGET_INVALID_RESPONSE: ErrorCode.PARSE_ERROR,
  ERR_TARGET_ARTIFACT: ErrorCode.PARSE_ERROR,
};

/** Makes the result of a flag that could not be read. */
export function toFailed<Value>(value: Value, thrown: unknown): ResolutionDetails<Value> {
  const { code, message } = toTargetError(thrown);
  return failed(value, { errorCode: CODES[code] ?? ErrorCode.GENERAL, errorMessage: message });
}

/** Makes the result of a flag that does not exist. */
export function toNotFound<Value>(value: Value, errorMessage: string): ResolutionDetails<Value> {
  return failed(value, { errorCode: ErrorCode.FLAG_NOT_FOUND, errorMessage });
}

function failed<Value>(value: Value, failure: Failure): ResolutionDetails<Value> {
  return { value, reason: ERROR, ...failure };
}

/**
 * Reads a flag from an answer. A visitor without an offer gets the default, and that is no error: most activities are for a
 * part of the visitors.
 *
 * @param hasRules tells whether the client's rules have rules of an mbox.
 */
export function toResolution<Value>(
  flag: ReadFlag<Value>,
  attributes: AttributesProvider,
  hasRules: (mbox: string) => boolean,
): ResolutionDetails<Value> {
  const { mbox, key, type, defaultValue } = flag;
  const answer: TargetDeliveryResponse & Partial<Pick<VisitAnswer, 'failure'>> = attributes.getResponse();
  if (answer.failure) {
    return toFailed(defaultValue, answer.failure);
  }
  const offers = offersOf(answer, mbox);
  const { value, tokens } =
    key === undefined ? wholeOf(offers, attributes, mbox) : partOf(offers, attributes, { mbox, key });
  if (value === undefined && offers.length === 0) {
    return isUnknown(answer, mbox) && !hasRules(mbox)
      ? toNotFound(defaultValue, `the rules of this client have no mbox '${mbox}'`)
      : { value: defaultValue, reason: DEFAULT };
  }
  if (value === undefined && key !== undefined) {
    return toNotFound(defaultValue, `the offer of mbox '${mbox}' has no attribute '${key}'`);
  }
  if (!isOf(type, value)) {
    const what = key === undefined ? `the offer of mbox '${mbox}'` : `attribute '${key}' of mbox '${mbox}'`;
    const came = value === undefined ? 'no JSON' : describe(value);
    const errorMessage = `${what} is ${came}, not ${type === 'object' ? 'an object' : `a ${type}`}`;
    return failed(defaultValue, { errorCode: ErrorCode.TYPE_MISMATCH, errorMessage });
  }
  return { value: copyOf(value) as Value, ...detailsOf(tokens) };
}

/** The value of a flag, and the response tokens of the offer that it comes from. */
interface Found {
  readonly value: JsonValue | undefined;
  readonly tokens?: ResponseTokens | undefined;
}

/** Lists the offers of an mbox. An option without content is default content, which is no offer. */
function offersOf({ response }: TargetDeliveryResponse, mbox: string): Option[] {
  const mboxes = [...(response.execute?.mboxes ?? []), ...(response.prefetch?.mboxes ?? [])];
  return mboxes
    .filter(({ name }) => name === mbox)
    .flatMap(({ options }) => (options ?? []).toReversed())
    .filter(({ type, content }) => content !== undefined && (type === 'json' || content !== ''));
}

/** Finds an attribute. The first of the offers that have it is the one that counts. */
function partOf(
  offers: readonly Option[],
  attributes: AttributesProvider,
  { mbox, key }: { readonly mbox: string; readonly key: string },
): Found {
  const value = attributes.getValue(mbox, key, undefined);
  const offer = offers.find(
    ({ content }) => isRecord(content) && Object.hasOwn(content, key) && content[key] === value,
  );
  return { value, tokens: offer?.responseTokens };
}

/** Finds the whole JSON offer. Offers that are objects are merged, as the client does. */
function wholeOf(offers: readonly Option[], attributes: AttributesProvider, mbox: string): Found {
  const offer = offers.find(({ type }) => type === 'json');
  const tokens = offer?.responseTokens;
  if (!offer) {
    const merged = attributes.asObject(mbox);
    return { value: Object.keys(merged).length > 0 ? (merged as JsonValue) : undefined };
  }
  return {
    value: isRecord(offer.content) ? (attributes.asObject(mbox) as JsonValue) : (offer.content as JsonValue),
    tokens,
  };
}

/** Tells whether the answer was made by rules that do not decide an mbox completely. */
function isUnknown({ decisioningMethod, meta }: TargetDeliveryResponse, mbox: string): boolean {
  return decisioningMethod === 'on-device' && meta.remoteMboxes.includes(mbox);
}

function isOf(type: FlagType, value: unknown): boolean {
  return type === 'object' ? isObject(value) : typeof value === type;
}

/** Copies an object. Several reads can share an answer, and each caller may change its own value. */
function copyOf(value: JsonValue | undefined): unknown {
  return isObject(value) ? parseJson(JSON.stringify(value)) : value;
}

/** Tells by the response tokens which experience the visitor got, and why. */
function detailsOf(tokens: ResponseTokens = {}): Omit<ResolutionDetails<unknown>, 'value'> {
  const entries = Object.entries(tokens).filter(
    (entry): entry is [string, string | number | boolean] => entry[1] !== null && !isObject(entry[1]),
  );
  const flagMetadata = Object.fromEntries(entries);
  const variant = flagMetadata['experience.name'] ?? flagMetadata['experience.id'];
  const type = flagMetadata['activity.type'];
  return {
    reason: type === undefined ? UNKNOWN : type === 'ab' ? SPLIT : TARGETING_MATCH,
    flagMetadata,
    ...(variant !== undefined && { variant: String(variant) }),
  };
}
