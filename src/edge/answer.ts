import type { DeliveryResponse } from '../delivery-api.js';
import { TargetError, toJsonError } from '../errors.js';
import { textOf } from '../http/body.js';
import type { Exchanged } from '../http/exchange.js';
import type { IssuedIds } from '../http/mixed-answers.js';
import { isRecord, type JsonRecord, parseJson } from '../json.js';

/** The ids of the call that is answered. */
interface Asked {
  /** The call's `X-Request-Id`. */
  readonly requestId: string;
  /** The `requestId` of its body, which the answer repeats. */
  readonly bodyId: string | undefined;
}

/** The client that asked. Its answers are checked against these fields. */
interface Asker {
  readonly client: string;
  readonly issued: IssuedIds | undefined;
}

const NO_CONTENT = 204;
/** The maximum number of characters of a body that an error shows. */
const MAX_SHOWN_LENGTH = 1024;

/**
 * Reads the body of an answer, and checks the parts that the SDK itself uses. Unknown fields pass.
 * @throws TargetError `ERR_TARGET_INVALID_RESPONSE`
 */
export function toDeliveryResponse(
  exchanged: Exchanged,
  asked: Asked,
  { client, issued }: Asker,
): DeliveryResponse {
  const { status, body } = exchanged;
  const { bodyId = '' } = asked;
  if (status === NO_CONTENT) {
    return { status, client, ...(bodyId !== '' && { requestId: bodyId }) };
  }
  const text = textOf(body);
  let parsed: unknown;
  try {
    parsed = parseJson(text);
  } catch (cause) {
    if (issued?.isTextOfAnother(text, bodyId)) {
      throw toAnotherCalls(exchanged, asked);
    }
    const result = text === '' ? 'an empty body' : 'a body that is not JSON';
    throw toInvalidAnswer(result, { exchanged, asked, shown: text, cause: toJsonError(cause) });
  }
  const answeredId = isRecord(parsed) ? parsed.requestId : undefined;
  if (issued?.isOfAnother(answeredId, bodyId)) {
    throw toAnotherCalls(exchanged, asked);
  }
  const fault = faultOfAnswer(parsed);
  if (fault !== undefined) {
    throw toInvalidAnswer(`JSON of the wrong shape: ${fault}`, { exchanged, asked, shown: text });
  }
  return parsed as DeliveryResponse;
}

/**
 * Makes the error of an answer that came twice or late, and closes its connection. Later bytes on that connection then
 * reach no call.
 */
function toAnotherCalls(exchanged: Exchanged, asked: Asked): TargetError {
  exchanged.discard();
  return toInvalidAnswer('the answer to another call', { exchanged, asked });
}

interface InvalidAnswer {
  readonly exchanged: Exchanged;
  readonly asked: Asked;
  /** The part of the body that the caller may see. */
  readonly shown?: string;
  readonly cause?: Error;
}

function toInvalidAnswer(
  result: string,
  { exchanged: { status, attempts }, asked: { requestId }, shown, cause }: InvalidAnswer,
): TargetError {
  return new TargetError('ERR_TARGET_INVALID_RESPONSE', `the delivery call was answered with ${result}`, {
    status,
    body: shown?.slice(0, MAX_SHOWN_LENGTH),
    requestId,
    attempts,
    cause,
  });
}

const RESPONSE_FIELDS = [
  'status',
  'requestId',
  'id',
  'client',
  'edgeHost',
  'execute',
  'prefetch',
  'notifications',
];

const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null;

/**
 * Names the fault in the shape of an answer. Checks only the parts that the SDK itself uses, and lets unknown fields
 * pass.
 */
function faultOfAnswer(parsed: unknown): string | undefined {
  if (!isRecord(parsed)) {
    return 'not an object';
  }
  if (!hasAnyField(parsed)) {
    return 'no field of a delivery response';
  }
  const { status, id, edgeHost, execute, prefetch, notifications } = parsed;
  if (!isAbsent(status) && typeof status !== 'number') {
    return 'status is not a number';
  }
  if (!isAbsent(id) && !isRecord(id)) {
    return 'id is not an object';
  }
  if (isRecord(id) && !isAbsent(id.tntId) && typeof id.tntId !== 'string') {
    return 'id.tntId is not a string';
  }
  if (!isAbsent(edgeHost) && typeof edgeHost !== 'string') {
    return 'edgeHost is not a string';
  }
  if (!isAbsent(notifications) && !isListOfObjects(notifications)) {
    return 'notifications is not a list of objects';
  }
  return faultOfLocations('execute', execute) ?? faultOfLocations('prefetch', prefetch);
}

function hasAnyField(parsed: JsonRecord): boolean {
  for (const field of RESPONSE_FIELDS) {
    if (!isAbsent(parsed[field])) {
      return true;
    }
  }
  return false;
}

const LISTS = ['mboxes', 'views'];

function faultOfLocations(name: string, part: unknown): string | undefined {
  if (isAbsent(part)) {
    return undefined;
  }
  if (!isRecord(part)) {
    return `${name} is not an object`;
  }
  for (const list of LISTS) {
    const locations = part[list];
    if (isAbsent(locations)) {
      continue;
    }
    if (!isListOfObjects(locations)) {
      return `${name}.${list} is not a list of objects`;
    }
    if (!locations.every(isNamed)) {
      return `a name in ${name}.${list} is not a string`;
    }
    if (!locations.every(hasOptions)) {
      return `the options in ${name}.${list} are not lists of objects`;
    }
  }
  const { pageLoad } = part;
  if (!isAbsent(pageLoad) && !(isRecord(pageLoad) && hasOptions(pageLoad))) {
    return `${name}.pageLoad is malformed`;
  }
  return undefined;
}

function isNamed({ name }: JsonRecord): boolean {
  return isAbsent(name) || typeof name === 'string';
}

function hasOptions({ options }: JsonRecord): boolean {
  return isAbsent(options) || isListOfObjects(options);
}

function isListOfObjects(value: unknown): value is JsonRecord[] {
  return Array.isArray(value) && value.every(isRecord);
}
