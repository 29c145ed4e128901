import type { RuleMeta } from '../artifact.js';
import type { ResponseTokens } from '../delivery-api.js';
import type { GeoFacts } from './context.js';

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

/** Of the tokens that an artifact asks for, those that tell where the visitor is. */
export function geoTokensOf(names: readonly string[]): GeoToken[] {
  return names.filter((name): name is GeoToken => Object.hasOwn(GEO_TOKENS, name));
}

/** Of the tokens that an artifact asks for, those that a rule's meta answers; and that we decided. */
export function metaTokens(meta: RuleMeta, names: readonly string[]): ResponseTokens {
  const tokens: ResponseTokens = {};
  for (const name of names) {
    const value = META_TOKENS.has(name) && Object.hasOwn(meta, name) ? meta[name] : undefined;
    if (value !== undefined && value !== null) tokens[name] = value;
  }
  tokens['activity.decisioningMethod'] = 'on-device';
  return tokens;
}

/** Adds the visitor's place, as far as it is known. */
export function addGeoTokens(tokens: ResponseTokens, names: readonly GeoToken[], geo: GeoFacts): void {
  for (const name of names) {
    const value = geo[GEO_TOKENS[name]];
    if (value !== undefined) tokens[name] = value;
  }
}
