import type { RuleMeta } from '../../artifact.js';
import type { ResponseTokens } from '../../delivery-api.js';
import type { GeoFacts } from '../facts/place.js';

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

const GEO_TOKENS = {
  'geo.city': 'city',
  'geo.country': 'country',
  'geo.state': 'region',
  'geo.latitude': 'latitude',
  'geo.longitude': 'longitude',
} as const satisfies Record<string, keyof GeoFacts>;

/** A response token that tells where the visitor is. */
export type GeoToken = keyof typeof GEO_TOKENS;

/** The response tokens that an artifact asks for, by what answers them. */
export interface TokenNames {
  readonly meta: readonly string[];
  readonly geo: readonly GeoToken[];
}

/** Sorts the tokens that an artifact asks for; what nothing answers is left out. */
export function toTokenNames(names: readonly string[]): TokenNames {
  return {
    meta: names.filter((name) => META_TOKENS.has(name)),
    geo: names.filter((name): name is GeoToken => Object.hasOwn(GEO_TOKENS, name)),
  };
}

/** What a rule's meta answers of the tokens that its artifact asks for; and that we decided. */
export function metaTokens(meta: RuleMeta, names: TokenNames): ResponseTokens {
  const tokens: ResponseTokens = {};
  for (const name of names.meta) {
    const value = Object.hasOwn(meta, name) ? meta[name] : undefined;
    if (value !== undefined && value !== null) tokens[name] = value;
  }
  tokens['activity.decisioningMethod'] = 'on-device';
  // A copy of what was built name by name has no room for more names: benchmark `memory`.
  return { ...tokens };
}

/** Adds the visitor's place, as far as it is known. */
export function addGeoTokens(tokens: ResponseTokens, names: readonly GeoToken[], geo: GeoFacts): void {
  for (const name of names) {
    const value = geo[GEO_TOKENS[name]];
    if (value !== undefined) tokens[name] = value;
  }
}
