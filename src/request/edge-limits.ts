import type { Context, Geo, ResolvedDeliveryRequest } from '../delivery-api.js';
import { invalidField } from '../errors.js';
import { UNKNOWN_IP_ADDRESS } from './fields.js';

/** For what goes to the edge: on-device, artifacts may hold whole names. */
export function checkGeo({ geo }: Context): void {
  const { countryCode, stateCode } = geo ?? {};
  if (!isCountryCode(countryCode)) {
    throw invalidField('context.geo.countryCode', 'a string of 2 characters', countryCode);
  }
  if (!isStateCode(stateCode)) {
    throw invalidField('context.geo.stateCode', 'a string of at most 3 characters', stateCode);
  }
}

type ResolvedContext = ResolvedDeliveryRequest['context'];

/** What the edge takes of a context whose place is one for on-device rules: a whole name, or an unknown address. */
export function toSentContext(context: ResolvedContext): ResolvedContext {
  const { geo } = context;
  if (!geo) return context;
  const isUnknown = geo.ipAddress === UNKNOWN_IP_ADDRESS;
  if (!isUnknown && isCountryCode(geo.countryCode) && isStateCode(geo.stateCode)) return context;
  const sent: { -readonly [Field in keyof Geo]: Geo[Field] } = { ...geo };
  if (isUnknown) delete sent.ipAddress;
  if (!isCountryCode(sent.countryCode)) delete sent.countryCode;
  if (!isStateCode(sent.stateCode)) delete sent.stateCode;
  const { geo: _, ...others } = context;
  return Object.keys(sent).length === 0 ? others : { ...others, geo: sent };
}

function isCountryCode(code: string | undefined): boolean {
  return code === undefined || code.length === 2;
}

function isStateCode(code: string | undefined): boolean {
  return code === undefined || code.length <= 3;
}
