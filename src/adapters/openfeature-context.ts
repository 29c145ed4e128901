import { invalidOption, nameOf, TargetError, unreadableError } from '../errors.js';
import type { CallOptions, DeliveryRequest, VisitorId } from '../index.js';
import {
  isAbsent,
  isObject,
  isRecord,
  isThenable,
  type JsonRecord,
  joinPaths,
  MAX_ITEMS,
  unreadablePathOf,
} from '../json.js';
import type { Visit } from './http.js';
import type { EvaluationContext } from './openfeature-sdk.js';
import { isVisit } from './request-visit.js';

/** Parameters of an mbox, by name. */
type Params = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** A call of the client, as the option `toCall` of the provider makes it. */
export interface OpenFeatureCall extends CallOptions {
  /** The parameters of the mbox that is asked for. @default none */
  readonly parameters?: Params | null | undefined;
  /** The rest of the request. The mbox is added to it, unless it names the mbox itself. @default the mbox alone */
  readonly request?: DeliveryRequest | null | undefined;
}

/** The kind of id that the targeting key is, or a function that makes the visitor's ids of it. */
export type TargetingKeyOption = 'thirdPartyId' | 'tntId' | ((targetingKey: string) => VisitorId);

/** The options of the provider that make a call of an evaluation context. */
export interface ContextOptions {
  readonly toCall?: ((context: EvaluationContext) => OpenFeatureCall) | null | undefined;
  readonly targetingKey?: TargetingKeyOption | null | undefined;
}

/** A call without the mboxes that it asks for. */
export interface ReadCall {
  /** The visit that answers. Without one, the client answers. */
  readonly visit: Visit | undefined;
  readonly options: CallOptions;
  readonly request: DeliveryRequest;
  readonly parameters: Params;
  /** The names of context attributes that are of no use to the call. */
  readonly unused: readonly string[];
}

/** The attributes that name the visitor or the page. A visit knows both, so it uses none of these. */
const OPTIONS = ['targetCookie', 'targetLocationHint', 'visitorCookie', 'customerIds'] as const;
const REQUEST = ['targetingKey', 'tntId', 'ecid', 'url', 'userAgent', 'ipAddress'] as const;
const OF_THE_VISIT: ReadonlySet<string> = new Set([...OPTIONS, ...REQUEST]);

/**
 * Returns an evaluation context in which a visit answers. The visit knows the visitor and the page, so all flags and offers
 * of the page can share one call.
 *
 * @example
 * ```ts
 * const isNew = await flags.getBooleanValue('checkout.isNew', false, withVisit(visit, { plan: 'gold' }));
 * ```
 */
export function withVisit(visit: Visit, context: EvaluationContext = {}): EvaluationContext {
  // OpenFeature's type has no objects with methods, but the context passes them on.
  const value = visit as unknown as EvaluationContext;
  return { ...context, visit: value };
}

/**
 * Makes a call of an evaluation context. Errors of the user's functions name the option.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` that names the attribute, when it cannot be read.
 */
export function readContext(context: EvaluationContext, options: ContextOptions): ReadCall {
  try {
    return toReadCall(context, options);
  } catch (thrown) {
    if (thrown instanceof TargetError) {
      throw thrown;
    }
    // A getter or a proxy of the program throws.
    const path = options.toCall ? 'toCall' : joinPaths('context', unreadablePathOf(context) ?? '');
    const code = options.toCall ? 'ERR_TARGET_INVALID_CONFIG' : 'ERR_TARGET_INVALID_REQUEST';
    throw unreadableError(code, path, thrown);
  }
}

function toReadCall(context: EvaluationContext, { toCall, targetingKey }: ContextOptions): ReadCall {
  const fields = ownFieldsOf(context);
  const visit = isVisit(fields.visit) ? fields.visit : undefined;
  if (toCall) {
    const { parameters, request, ...options }: OpenFeatureCall = ownFieldsOf(
      askFor('toCall', () => toCall(context)),
    );
    return { visit, options, request: request ?? {}, parameters: parameters ?? {}, unused: [] };
  }
  const own = namesOf(fields);
  const others = own.filter((name) => !OF_THE_VISIT.has(name) && !(name === 'visit' && visit));
  const { parameters, dropped } = toParameters(fields, others);
  if (visit) {
    const unused = [...dropped, ...own.filter((name) => OF_THE_VISIT.has(name))];
    return { visit, options: {}, request: {}, parameters, unused };
  }
  const options = Object.fromEntries(OPTIONS.map((name) => [name, fields[name]])) as CallOptions;
  return { visit, options, request: toRequest(fields, targetingKey), parameters, unused: dropped };
}

/** Copies an object without what it inherits: names that somebody has put on `Object.prototype` identify nobody. */
export function ownFieldsOf<Fields extends object>(fields: Fields): Fields & JsonRecord {
  return Object.assign(Object.create(null), fields);
}

/** Returns the names of the fields that have a value. */
export function namesOf(fields: JsonRecord): string[] {
  return Object.keys(fields).filter((name) => fields[name] !== undefined && fields[name] !== null);
}

/** Picks the fields that can be parameters. Dates become ISO texts. */
export function toParameters(
  fields: JsonRecord,
  names: readonly string[],
): { readonly parameters: Params; readonly dropped: readonly string[] } {
  const entries: [string, string | number | boolean][] = [];
  const dropped: string[] = [];
  for (const name of names) {
    const value = toScalar(fields[name]);
    if (value === undefined) {
      dropped.push(name);
    } else {
      entries.push([name, value]);
    }
  }
  return { parameters: Object.fromEntries(entries), dropped };
}

function toScalar(value: unknown): string | number | boolean | undefined {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return value;
  }
  const ms = timeOf(value);
  return ms === undefined || Number.isNaN(ms) ? undefined : new Date(ms).toISOString();
}

/** Returns the ms of a date of whatever realm. Returns undefined for a value that is no date or only says that it is one. */
function timeOf(value: unknown): number | undefined {
  try {
    return Object.prototype.toString.call(value) === '[object Date]'
      ? Date.prototype.getTime.call(value)
      : undefined;
  } catch {
    return undefined;
  }
}

function toRequest(fields: JsonRecord, targetingKey: ContextOptions['targetingKey']): DeliveryRequest {
  const { tntId, ecid, url, userAgent, ipAddress } = fields;
  const id = withoutAbsent({
    ...toIds(fields.targetingKey, targetingKey),
    ...withoutAbsent({ tntId, marketingCloudVisitorId: ecid }),
  });
  const context = withoutAbsent({
    userAgent,
    address: isAbsent(url) ? undefined : { url },
    geo: isAbsent(ipAddress) ? undefined : { ipAddress },
  });
  // The values come from the program. The client checks each of them.
  return (withoutAbsent({ id, context }) ?? {}) as DeliveryRequest;
}

function toIds(key: unknown, option: ContextOptions['targetingKey']): object | undefined {
  if (isAbsent(key)) {
    return undefined;
  }
  return typeof option === 'function'
    ? askFor('targetingKey', () => option(String(key)))
    : { [option ?? 'thirdPartyId']: key };
}

/** Copies the fields that say something. Returns undefined when there is none. */
function withoutAbsent(fields: object): object | undefined {
  const entries = Object.entries(fields).filter(([, value]) => !isAbsent(value));
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/**
 * Asks a function that the user gave as an option for an object.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` that names the option, when the function throws or returns anything
 * else.
 */
export function askFor<Answer extends object>(name: string, ask: () => Answer): Answer {
  let answer: Answer;
  let isRight: boolean;
  try {
    answer = ask();
    isRight = isRecord(answer) && !isThenable(answer);
  } catch (cause) {
    const message = `the option ${name} of the provider failed: ${nameOf(cause)}`;
    throw new TargetError('ERR_TARGET_INVALID_CONFIG', message, { path: name, cause });
  }
  if (!isRight) {
    throw invalidOption(name, 'a function that returns an object', answer);
  }
  return answer;
}

/** Numbers the objects that are equal to themselves alone. */
const numbers = new WeakMap<object, number>();
let last = 0;

/**
 * Returns a text that is equal for equal contexts. Plain objects are equal when their fields are, and so are dates. Any other
 * object, such as a visit, is equal to itself alone: nobody knows what it holds.
 */
export function textOf(value: unknown, depth = 0): string {
  if (typeof value === 'string') {
    return JSON.stringify(value);
  }
  if (!isObject(value) && typeof value !== 'function') {
    return String(value);
  }
  const ms = timeOf(value);
  return ms === undefined ? (partsOf(value, depth) ?? `object ${numberOf(value)}`) : `date ${ms}`;
}

/** Returns the text of a list or of a plain object. Returns undefined for one that is too large or that cannot be read. */
function partsOf(value: object, depth: number): string | undefined {
  try {
    if (depth >= MAX_DEPTH) {
      return undefined;
    }
    if (Array.isArray(value)) {
      return value.length > MAX_ITEMS
        ? undefined
        : `[${value.map((item) => textOf(item, depth + 1)).join()}]`;
    }
    if (isPlain(value)) {
      const fields = Object.entries(value).map(
        ([name, field]) => `${JSON.stringify(name)}:${textOf(field, depth + 1)}`,
      );
      return `{${fields.sort().join()}}`;
    }
  } catch {
    // A getter or a proxy throws.
  }
  return undefined;
}

function numberOf(value: object): number {
  let number = numbers.get(value);
  if (number === undefined) {
    last += 1;
    number = last;
    numbers.set(value, number);
  }
  return number;
}

const MAX_DEPTH = 8;

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}
