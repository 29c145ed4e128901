import { refuseUnknown } from './known-options.js';
import type { OpenRequest } from './request-log.js';
import type { Answer, Route } from './routes.js';
import { jsonAnswer } from './routes.js';

/** The path of geo look-ups. */
export const GEO_PATH = '/v1/geo';

/** The place of an IP address. Fields that are left out are unknown. */
export interface EdgePlace {
  readonly city?: string;
  /** The subdivision part of an ISO 3166-2 code, such as `ca`. */
  readonly stateCode?: string;
  /** The country as an ISO 3166-1 alpha-2 code, such as `us`. */
  readonly countryCode?: string;
  /** The latitude in degrees. */
  readonly latitude?: number;
  /** The longitude in degrees. */
  readonly longitude?: number;
}

/** Places by IP address. The key `default` stands for all other addresses. */
export type EdgeGeo = Readonly<Record<string, EdgePlace>>;

/** Places by IP address in a map, where keys such as `__proto__` are plain data. */
export type PlacesByAddress = ReadonlyMap<string, EdgePlace>;

const PLACE_FIELDS = [
  'city',
  'stateCode',
  'countryCode',
  'latitude',
  'longitude',
] satisfies (keyof EdgePlace)[];

/**
 * Copies places into a map, with addresses in lower case.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for an unknown field of a place.
 */
export function toPlaces(geo: EdgeGeo = {}): PlacesByAddress {
  for (const [address, place] of Object.entries(geo)) {
    refuseUnknown(place, PLACE_FIELDS, `geo[${JSON.stringify(address)}]`);
  }
  return new Map(Object.entries(geo).map(([address, place]) => [address.toLowerCase(), { ...place }]));
}

/**
 * Makes the route `GET /v1/geo`. It answers with the place of the first address of X-Forwarded-For, or of the sender
 * when there is no such header.
 */
export function geoRoute(ownAddress: string, places: () => PlacesByAddress): Route {
  return {
    method: 'GET',
    matches: (path) => path === GEO_PATH,
    answer: ({ headers }) => geoAnswer(places(), forwardedFor(headers) ?? ownAddress),
  };
}

/** Answers with the place of an address, both in headers and in the body. */
export function geoAnswer(places: PlacesByAddress, address: string): Answer {
  const place = places.get(address.toLowerCase()) ?? places.get('default') ?? {};
  const fields = {
    'x-geo-city': place.city,
    'x-geo-region-code': place.stateCode,
    'x-geo-country-code': place.countryCode,
    'x-geo-latitude': place.latitude,
    'x-geo-longitude': place.longitude,
    'x-forwarded-for': address,
  };
  const known = Object.entries(fields).filter((field): field is [string, string | number] => {
    return field[1] !== undefined;
  });
  const headers = known.map(([name, value]) => [name, toHeader(String(value))]);
  const { body = '', ...answer } = jsonAnswer(200, Object.fromEntries(known), Object.fromEntries(headers));
  // The body is sent as bytes, because Node would encode the headers as UTF-8 together with a text body.
  return { ...answer, body: Buffer.from(body) };
}

function forwardedFor(headers: OpenRequest['headers']): string | undefined {
  const forwarded = headers['x-forwarded-for'];
  const first = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(',')[0]?.trim();
  return first || undefined;
}

/**
 * Turns each UTF-8 byte of a text into one character. Node writes each character of a header as one byte, and refuses
 * characters beyond Latin-1.
 */
function toHeader(text: string): string {
  return Buffer.from(text.replace(/[\p{Cc}]/gu, ' ')).toString('latin1');
}
