import { describe, expect, test } from '@jest/globals';
import { toGeo, toGeoFacts } from '../../../src/on-device/facts/place.js';

test('geo has the names of conditions, and only what is known', () => {
  expect(
    toGeoFacts({
      countryCode: 'US',
      stateCode: 'CA',
      city: 'X',
      latitude: 0,
      longitude: -1,
      zip: '1',
      ipAddress: '::1',
    }),
  ).toEqual({
    country: 'US',
    region: 'CA',
    city: 'X',
    latitude: 0,
    longitude: -1,
  });
  expect(toGeoFacts({ city: 'X' })).toEqual({ city: 'X' });
});

describe('the answer of a geo look-up', () => {
  const placeOf = (text: string, headers: Record<string, string> = {}) =>
    toGeo({ text, headers: new Headers(headers) });

  test.each<[what: string, text: string, headers: Record<string, string>, place: object | undefined]>([
    [
      'names a place in its body',
      '{"x-geo-city":"PARIS","x-geo-latitude":48.85,"x-geo-longitude":"2.35"}',
      {},
      { city: 'PARIS', latitude: 48.85, longitude: 2.35 },
    ],
    [
      'names a place in its headers',
      '',
      { 'x-geo-country-code': 'FR', 'x-geo-region-code': 'IDF' },
      { countryCode: 'FR', stateCode: 'IDF' },
    ],
    [
      'names a place in both, and the body wins',
      '{"x-geo-city":"PARIS"}',
      { 'x-geo-city': 'LYON', 'x-geo-country-code': 'FR' },
      { city: 'PARIS', countryCode: 'FR' },
    ],
    ['has an address', '{"x-forwarded-for":"1.2.3.4"}', {}, { ipAddress: '1.2.3.4' }],
    ['has an address that is none', '{"x-forwarded-for":"here","x-geo-city":"X"}', {}, { city: 'X' }],
    ['has degrees that are none', '{"x-geo-latitude":"north","x-geo-city":"X"}', {}, { city: 'X' }],
    ['knows nothing', '{}', {}, {}],
    ['names fields without values', '{"x-geo-city":""}', {}, {}],
    ['has an empty country', '', { 'x-geo-country-code': '' }, {}],
    ['is another JSON', '{"error":"x"}', {}, undefined],
    ['is a list', '[]', {}, undefined],
    ['is no JSON', '<html>', {}, undefined],
  ])('%s', (_what, text, headers, place) => {
    expect(placeOf(text, headers)).toEqual(place);
  });
});
