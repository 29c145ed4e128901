import { isIp } from '#platform';
import type { Geo } from '../../delivery-api.js';
import { isRecord, type JsonRecord, parseJson } from '../../json.js';

/** What conditions see of the visitor's place, as `geo`. */
export interface GeoFacts {
  country?: string;
  region?: string;
  city?: string;
  latitude?: number;
  longitude?: number;
}

/** The request's (or the looked-up) place under the names of conditions. */
export function toGeoFacts(geo: Geo): GeoFacts {
  const facts: GeoFacts = {};
  if (typeof geo.countryCode === 'string') facts.country = geo.countryCode;
  if (typeof geo.stateCode === 'string') facts.region = geo.stateCode;
  if (typeof geo.city === 'string') facts.city = geo.city;
  if (typeof geo.latitude === 'number') facts.latitude = geo.latitude;
  if (typeof geo.longitude === 'number') facts.longitude = geo.longitude;
  return facts;
}

/** The answer of a geo look-up: its body and its headers, which both may name the place. */
export interface GeoAnswer {
  readonly text: string;
  readonly headers: { get(name: string): string | null };
}

/**
 * The place that an answer names; the body, which proxies do not strip, wins. Empty when the edge knows nothing of the
 * address, and undefined when the answer is none of the edge's: it comes from somebody in between.
 */
export function toPlace({ text, headers }: GeoAnswer): Geo | undefined {
  const named = parseObject(text);
  const textOf = (name: string) => [own(named, name), headers.get(name)].map(toText).find(isPresent);
  const degreesOf = (name: string) => {
    const value = Number.parseFloat(textOf(name) ?? '');
    return Number.isFinite(value) ? value : undefined;
  };
  const address = textOf('x-forwarded-for');
  const place: Geo = {
    city: textOf('x-geo-city'),
    stateCode: textOf('x-geo-region-code'),
    countryCode: textOf('x-geo-country-code'),
    latitude: degreesOf('x-geo-latitude'),
    longitude: degreesOf('x-geo-longitude'),
    ipAddress: address !== undefined && isIp(address) ? address : undefined,
  };
  const known = Object.entries(place).filter(([, value]) => isPresent(value));
  if (known.length === 0 && !isUnknownPlace(named, headers)) return undefined;
  return Object.fromEntries(known);
}

/** Whether an answer is the look-up's own way to know nothing: its names without values, or no names at all. */
function isUnknownPlace(named: JsonRecord | undefined, headers: GeoAnswer['headers']): boolean {
  if (headers.get('x-geo-country-code') !== null) return true;
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
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isPresent<Value>(value: Value | undefined): value is Value {
  return value !== undefined;
}
