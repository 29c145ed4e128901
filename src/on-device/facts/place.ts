import { isIp } from '#platform';
import type { Geo } from '../../delivery-api.js';
import { isRecord, type JsonRecord, parseJson } from '../../json.js';

/** Holds the visitor's geographic data that conditions read, as `geo`. */
export interface GeoFacts {
  country?: string;
  region?: string;
  city?: string;
  latitude?: number;
  longitude?: number;
}

/** Converts geographic data, from the request or from a look-up, to the names that conditions use. */
export function toGeoFacts(geo: Geo): GeoFacts {
  const facts: GeoFacts = {};
  if (typeof geo.countryCode === 'string') {
    facts.country = geo.countryCode;
  }
  if (typeof geo.stateCode === 'string') {
    facts.region = geo.stateCode;
  }
  if (typeof geo.city === 'string') {
    facts.city = geo.city;
  }
  if (typeof geo.latitude === 'number') {
    facts.latitude = geo.latitude;
  }
  if (typeof geo.longitude === 'number') {
    facts.longitude = geo.longitude;
  }
  return facts;
}

/** Response of a geo look-up. Both the body and the headers can hold the geographic data. */
export interface GeoAnswer {
  readonly text: string;
  readonly headers: { get(name: string): string | null };
}

/**
 * Reads the geographic data from the response of a look-up. Values of the body win over those of the headers, because a
 * proxy may remove headers. The result is empty when the edge knows nothing of the address. It is undefined when the
 * response comes from a server in between and not from the edge.
 */
export function toGeo({ text, headers }: GeoAnswer): Geo | undefined {
  const named = parseObject(text);
  const textOf = (name: string) => [own(named, name), headers.get(name)].map(toText).find(isPresent);
  const degreesOf = (name: string) => {
    const value = Number.parseFloat(textOf(name) ?? '');
    return Number.isFinite(value) ? value : undefined;
  };
  const address = textOf('x-forwarded-for');
  const geo: Geo = {
    city: textOf('x-geo-city'),
    stateCode: textOf('x-geo-region-code'),
    countryCode: textOf('x-geo-country-code'),
    latitude: degreesOf('x-geo-latitude'),
    longitude: degreesOf('x-geo-longitude'),
    ipAddress: address !== undefined && isIp(address) ? address : undefined,
  };
  const known = Object.entries(geo).filter(([, value]) => isPresent(value));
  if (known.length === 0 && !isUnknownGeo(named, headers)) {
    return undefined;
  }
  return Object.fromEntries(known);
}

/**
 * Returns true when the edge itself says that it knows nothing: the response has the names of the look-up without
 * values, or its body is an empty object.
 */
function isUnknownGeo(named: JsonRecord | undefined, headers: GeoAnswer['headers']): boolean {
  if (headers.get('x-geo-country-code') !== null) {
    return true;
  }
  const names = named && Object.keys(named);
  return names !== undefined && (names.length === 0 || names.some((name) => name.startsWith('x-geo-')));
}

function parseObject(text: string): JsonRecord | undefined {
  try {
    const parsed: unknown = parseJson(text);
    return isRecord(parsed) ? parsed : undefined;
  } catch {
    // Some edges answer with headers alone.
    return undefined;
  }
}

function own(named: JsonRecord | undefined, name: string): unknown {
  return named && Object.hasOwn(named, name) ? named[name] : undefined;
}

function toText(value: unknown): string | undefined {
  if (typeof value === 'number') {
    return String(value);
  }
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isPresent<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}
