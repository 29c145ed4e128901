import type {
  Address,
  Context,
  DeliveryRequest,
  ExecuteRequest,
  MboxRequest,
  Parameters,
  Property,
  RequestDetails,
  VisitorId,
} from '../delivery-api.js';
import { type Placed, parameters } from './fields.js';
import { MAX_ADDRESS_LENGTH, MAX_ID_LENGTH, MAX_INDEX, MIN_INDEX } from './schema.js';

/*
 * The request as most calls have it: a visitor, a page and a browser, and mboxes or a page load. The schema would copy
 * it to the same, but looks every field up and stores it by its name, a tenth of a small decision
 * (`on-device/prefetch-url`). What has a field that is not named here is not plain, and neither is what it is part of.
 */

type Draft<Type> = { -readonly [Field in keyof Type]?: Type[Field] | undefined };
type NamedMbox = Draft<MboxRequest> & { name: string };

/**
 * Checks and copies a request in which nothing is wrong, empty, unknown or rare. Undefined for any other, which is
 * the schema's to copy, and to find fault with.
 */
export function plainRequest(request: unknown): DeliveryRequest | undefined {
  try {
    return toRequest(request);
  } catch {
    // A parameter that is none, or a getter that throws: the schema names it.
    return undefined;
  }
}

function toRequest(value: unknown): DeliveryRequest | undefined {
  if (!isPlain(value)) return undefined;
  const copy: Draft<DeliveryRequest> = {};
  let kept: unknown;
  for (const name in value) {
    const given = value[name];
    kept = undefined;
    if (name === 'id') kept = copy.id = toId(given);
    else if (name === 'context') kept = copy.context = toContext(given);
    else if (name === 'execute') kept = copy.execute = toLocations(given);
    else if (name === 'prefetch') kept = copy.prefetch = toLocations(given);
    else if (name === 'property') kept = copy.property = toProperty(given);
    else if (name === 'requestId') kept = copy.requestId = toText(given, MAX_ID_LENGTH);
    if (kept === undefined) return undefined;
  }
  return kept === undefined ? undefined : copy;
}

function toId(value: unknown): VisitorId | undefined {
  if (!isPlain(value)) return undefined;
  const copy: Draft<VisitorId> = {};
  let kept: unknown;
  for (const name in value) {
    const given = toText(value[name], MAX_ID_LENGTH);
    kept = undefined;
    if (name === 'tntId') kept = copy.tntId = given;
    else if (name === 'thirdPartyId') kept = copy.thirdPartyId = given;
    else if (name === 'marketingCloudVisitorId') kept = copy.marketingCloudVisitorId = given;
    if (kept === undefined) return undefined;
  }
  return kept === undefined ? undefined : copy;
}

function toContext(value: unknown): Context | undefined {
  if (!isPlain(value)) return undefined;
  const copy: Draft<Context> = {};
  for (const name in value) {
    const given = value[name];
    let kept: unknown;
    if (name === 'channel') kept = copy.channel = given === 'web' || given === 'mobile' ? given : undefined;
    else if (name === 'userAgent') kept = copy.userAgent = toText(given, Number.POSITIVE_INFINITY);
    else if (name === 'address') kept = copy.address = toAddress(given);
    if (kept === undefined) return undefined;
  }
  return copy;
}

function toAddress(value: unknown): Address | undefined {
  if (!isPlain(value)) return undefined;
  const copy: Draft<Address> = {};
  let kept: unknown;
  for (const name in value) {
    const given = toText(value[name], MAX_ADDRESS_LENGTH);
    kept = undefined;
    if (name === 'url') kept = copy.url = given;
    else if (name === 'referringUrl') kept = copy.referringUrl = given;
    if (kept === undefined) return undefined;
  }
  return kept === undefined ? undefined : copy;
}

function toProperty(value: unknown): Property | undefined {
  if (!isPlain(value)) return undefined;
  let token: string | undefined;
  for (const name in value) {
    if (name !== 'token') return undefined;
    token = toText(value.token, Number.POSITIVE_INFINITY);
  }
  return token === undefined ? undefined : { token };
}

function toLocations(value: unknown): ExecuteRequest | undefined {
  if (!isPlain(value)) return undefined;
  const copy: Draft<ExecuteRequest> = {};
  let kept: unknown;
  for (const name in value) {
    kept = undefined;
    if (name === 'mboxes') kept = copy.mboxes = toMboxes(value[name]);
    else if (name === 'pageLoad') kept = copy.pageLoad = toPageLoad(value[name]);
    if (kept === undefined) return undefined;
  }
  return kept === undefined ? undefined : copy;
}

/** All of them have an index, or none has: then it is their position. */
function toMboxes(value: unknown): MboxRequest[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const first = toMbox(value[0]);
  if (!first) return undefined;
  const isIndexed = first.index !== undefined;
  if (!isIndexed) first.index = 0;
  // Most lists are of one, and pushing to an empty one makes room for many.
  const copies = [first];
  for (let position = 1; position < value.length; position += 1) {
    const copy = toMbox(value[position]);
    if (!copy || (copy.index !== undefined) !== isIndexed) return undefined;
    if (!isIndexed) copy.index = position;
    copies.push(copy);
  }
  return copies;
}

/** Without an index where none is written. */
function toMbox(value: unknown): NamedMbox | undefined {
  if (!isPlain(value)) return undefined;
  const copy: Draft<MboxRequest> = {};
  for (const name in value) {
    const given = value[name];
    let kept: unknown;
    if (name === 'name') kept = copy.name = toText(given, Number.POSITIVE_INFINITY);
    else if (name === 'index') kept = copy.index = toIndex(given);
    else if (name === 'parameters') kept = copy.parameters = toParameters(given);
    else if (name === 'profileParameters') kept = copy.profileParameters = toParameters(given);
    if (kept === undefined) return undefined;
  }
  return copy.name === undefined ? undefined : (copy as NamedMbox);
}

function toPageLoad(value: unknown): RequestDetails | undefined {
  if (!isPlain(value)) return undefined;
  const copy: Draft<RequestDetails> = {};
  for (const name in value) {
    let kept: unknown;
    if (name === 'parameters') kept = copy.parameters = toParameters(value[name]);
    else if (name === 'profileParameters') kept = copy.profileParameters = toParameters(value[name]);
    if (kept === undefined) return undefined;
  }
  return copy;
}

/** Where nothing is left out: parameters are right or wrong. */
const NOWHERE: Placed = { index: 0, dropped: () => undefined };

function toParameters(value: unknown): Parameters | undefined {
  return parameters(value, NOWHERE) as Parameters | undefined;
}

/** What an object literal or JSON makes. Others may have fields that are not their own. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function toText(value: unknown, maxLength: number): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= maxLength ? value : undefined;
}

function toIndex(value: unknown): number | undefined {
  const isIndex =
    Number.isSafeInteger(value) && (value as number) >= MIN_INDEX && (value as number) <= MAX_INDEX;
  return isIndex ? (value as number) : undefined;
}
