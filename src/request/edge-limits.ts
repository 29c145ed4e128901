import {
  type DeliveryRequest,
  EDGE_LIMITS,
  type Geo,
  type ResolvedDeliveryRequest,
} from '../delivery-api.js';
import { invalidField } from '../errors.js';

/**
 * Checks that a request has no more mboxes than the edge takes. On-device decisions have no such limit.
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` with the path of the list that is too long.
 */
export function checkMboxCount({ execute, prefetch }: DeliveryRequest): void {
  check(execute?.mboxes, 'execute.mboxes', EDGE_LIMITS.ExecuteRequest.mboxes);
  check(prefetch?.mboxes, 'prefetch.mboxes', EDGE_LIMITS.PrefetchRequest.mboxes);
}

function check(mboxes: readonly unknown[] | undefined, path: string, most: number): void {
  if (mboxes && mboxes.length > most) {
    throw invalidField(path, `an array of at most ${most}`, mboxes);
  }
}

/**
 * This word stands for an unknown address of a visitor. A geo look-up then sends no address, and finds the place of
 * this server.
 */
export const UNKNOWN_IP_ADDRESS = 'unknownIpAddress';

type ResolvedContext = ResolvedDeliveryRequest['context'];

/**
 * Removes geographic data that the edge refuses: names that only on-device rules know, and the word for an unknown
 * address. A context without such data is returned as it is.
 */
export function toSentContext(context: ResolvedContext): ResolvedContext {
  const { geo } = context;
  if (!geo || isSentWhole(geo)) {
    return context;
  }
  const sent: { -readonly [Field in keyof Geo]: Geo[Field] } = { ...geo };
  if (sent.ipAddress === UNKNOWN_IP_ADDRESS) {
    delete sent.ipAddress;
  }
  if (!isCountryCode(sent.countryCode)) {
    delete sent.countryCode;
  }
  if (!fits(sent.stateCode, EDGE_LIMITS.Geo.stateCode)) {
    delete sent.stateCode;
  }
  if (!fits(sent.city, EDGE_LIMITS.Geo.city)) {
    delete sent.city;
  }
  if (!fits(sent.zip, EDGE_LIMITS.Geo.zip)) {
    delete sent.zip;
  }
  const { geo: _, ...others } = context;
  return Object.keys(sent).length === 0 ? others : { ...others, geo: sent };
}

function isSentWhole({ ipAddress, countryCode, stateCode, city, zip }: Geo): boolean {
  return (
    ipAddress !== UNKNOWN_IP_ADDRESS &&
    isCountryCode(countryCode) &&
    fits(stateCode, EDGE_LIMITS.Geo.stateCode) &&
    fits(city, EDGE_LIMITS.Geo.city) &&
    fits(zip, EDGE_LIMITS.Geo.zip)
  );
}

function isCountryCode(code: string | undefined): boolean {
  return code === undefined || code.length === EDGE_LIMITS.Geo.countryCode;
}

function fits(text: string | undefined, maxLength: number): boolean {
  return text === undefined || text.length <= maxLength;
}
