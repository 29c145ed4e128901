import { isIp } from '#platform';
import type { Geo } from '../delivery-api.js';
import type { JsonRecord } from '../json.js';
import { type Copying, copyFields, type Draft } from './copying.js';
import { UNKNOWN_IP_ADDRESS } from './edge-limits.js';
import { toNumber, toText } from './scalars.js';

/** This file copies the geographic data of a visitor. */

export function copyGeo(value: unknown, copying: Copying): Geo | undefined {
  return copyFields<Geo>(value, copying, copyGeoField);
}

/**
 * Copies one field of the geographic data. Names may be too long for the edge, because on-device rules know long names
 * such as `UNITED STATES`. `toSentContext` removes them before a call to the edge.
 */
function copyGeoField(copy: Draft<Geo>, name: string, written: JsonRecord, copying: Copying): unknown {
  let kept: unknown;
  if (name === 'ipAddress') {
    kept = copy.ipAddress = toIpAddress(written.ipAddress, copying);
  } else if (name === 'latitude') {
    kept = copy.latitude = toNumber(written.latitude);
  } else if (name === 'longitude') {
    kept = copy.longitude = toNumber(written.longitude);
  } else if (name === 'countryCode') {
    kept = copy.countryCode = toText(written.countryCode);
  } else if (name === 'stateCode') {
    kept = copy.stateCode = toText(written.stateCode);
  } else if (name === 'city') {
    kept = copy.city = toText(written.city);
  } else if (name === 'zip') {
    kept = copy.zip = toText(written.zip);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

/**
 * This prefix marks an IPv4 address that is written as an IPv6 address. Sockets that listen for both kinds report IPv4
 * addresses in this form.
 * @see https://www.rfc-editor.org/rfc/rfc4291#section-2.5.5.2
 */
const MAPPED = /^::ffff:(?=\d)/i;

/** Drops a value that is no IP address. Geography is only a guess, so a call must not fail because of it. */
function toIpAddress(value: unknown, copying: Copying): string | undefined {
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value === 'string') {
    const address = value.replace(MAPPED, '');
    if (isIp(address) === 4) {
      return address;
    }
    if (value === UNKNOWN_IP_ADDRESS || isIp(value) !== 0) {
      return value;
    }
  }
  return copying.drop('an ipAddress that is not an IP address');
}
