import type { OpenRequest } from './request-log.js';
import type { Answer, Route } from './routes.js';
import { jsonAnswer } from './routes.js';

/** The path of geo look-ups. */
export const GEO_PATH = '/v1/geo';

/** Where an IP address is; what is left out is unknown. */
export interface EdgePlace {
  readonly city?: string;
  readonly stateCode?: string;
  readonly countryCode?: string;
  readonly latitude?: number;
  readonly longitude?: number;
}

/** Places by IP address, as the look-up names it; the address `default` stands for all others. */
export type EdgeGeo = Readonly<Record<string, EdgePlace>>;

/** Places by address, with look-ups that no name can fool. */
export type PlacesByAddress = ReadonlyMap<string, EdgePlace>;

/** Copies places for look-ups. */
export function toPlaces(geo: EdgeGeo = {}): PlacesByAddress {
  return new Map(Object.entries(geo).map(([address, place]) => [address.toLowerCase(), { ...place }]));
}

/** `GET /v1/geo`: the place of the first address of X-Forwarded-For, else of the one that asks. */
export function geoRoute(ownAddress: string, places: () => PlacesByAddress): Route {
  return {
    method: 'GET',
    matches: (path) => path === GEO_PATH,
    answer: ({ headers }) => geoAnswer(places(), forwardedFor(headers) ?? ownAddress),
  };
}

/** The place of an address, in headers and body alike. */
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
  // Headers in front of a text would be encoded with it.
  return { ...answer, body: Buffer.from(body) };
}

function forwardedFor(headers: OpenRequest['headers']): string | undefined {
  const forwarded = headers['x-forwarded-for'];
  const first = (Array.isArray(forwarded) ? forwarded[0] : forwarded)?.split(',')[0]?.trim();
  return first || undefined;
}

/** The UTF-8 bytes of a text, one a character: what is not Latin-1 cannot stand in a header in another way. */
function toHeader(text: string): string {
  return Buffer.from(text.replace(/[\p{Cc}]/gu, ' ')).toString('latin1');
}
