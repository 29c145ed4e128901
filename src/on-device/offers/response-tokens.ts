import type { RuleMeta } from '../../artifact.js';
import type { ResponseTokens } from '../../delivery-api.js';
import type { GeoFacts } from '../facts/place.js';

/**
 * Response tokens whose values are in a rule's meta. The list is at
 * https://experienceleague.adobe.com/en/docs/target/using/administer/response-tokens.
 */
const META_TOKENS = new Set([
  'activity.id',
  'activity.name',
  'activity.type',
  'experience.id',
  'experience.name',
  'location.id',
  'location.name',
  'location.type',
  'offer.id',
  'offer.name',
  'option.id',
  'option.name',
]);

/** Response tokens whose values are the visitor's geographic data, with the names of those data. */
const GEO_TOKENS = {
  'geo.city': 'city',
  'geo.country': 'country',
  'geo.state': 'region',
  'geo.latitude': 'latitude',
  'geo.longitude': 'longitude',
} as const satisfies Record<string, keyof GeoFacts>;

/** Name of a response token whose value is a part of the visitor's geographic data. */
export type GeoToken = keyof typeof GEO_TOKENS;

/**
 * Response tokens that an artifact asks for, grouped by the source of their values: the rule's meta or the visitor's
 * geographic data.
 */
export interface TokenNames {
  readonly meta: readonly string[];
  readonly geo: readonly GeoToken[];
}

/** Groups the response tokens that an artifact asks for. Names that have no source are left out. */
export function toTokenNames(names: readonly string[]): TokenNames {
  return {
    meta: names.filter((name) => META_TOKENS.has(name)),
    geo: names.filter((name): name is GeoToken => Object.hasOwn(GEO_TOKENS, name)),
  };
}

/**
 * Returns the response tokens that have a value in the rule's meta, and `activity.decisioningMethod`, which every
 * option gets.
 */
export function metaTokens(meta: RuleMeta, names: TokenNames): ResponseTokens {
  const tokens: ResponseTokens = {};
  for (const name of names.meta) {
    const value = Object.hasOwn(meta, name) ? meta[name] : undefined;
    if (value !== undefined && value !== null) {
      tokens[name] = value;
    }
  }
  tokens['activity.decisioningMethod'] = 'on-device';
  // The object was built name by name, and its memory has room for more names. A copy has no such room (benchmark
  // memory).
  return { ...tokens };
}

/** Adds the geographic tokens whose values are known. */
export function addGeoTokens(tokens: ResponseTokens, names: readonly GeoToken[], geo: GeoFacts): void {
  for (const name of names) {
    const value = geo[GEO_TOKENS[name]];
    if (value !== undefined) {
      tokens[name] = value;
    }
  }
}
