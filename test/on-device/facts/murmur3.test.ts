import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { hashFrom, hashPrefix } from '../../../src/on-device/facts/murmur3.js';

const murmur3 = (text: string) => hashFrom(hashPrefix(''), text);

const vectors: [text: string, hash: number][] = [
  ['someClientId.123456.ecid123.salty', -1979692906],
  ['someClientId.123456.tntId123.salty', -1846592194],
  ['someClientId.123456.thirtPartyId123.salty', -659197315],
  ['targettesting.125880.4c038b35f1b1453d80a3e7da8208c617.campaign', -683299703],
  ['acmeclient.1111.702ff4d0-83b1-4e2e-a0a6-22cbe460eb15.experience', -919077116],
  ['someClientId.125873.07327024324407615852294135870030620007.0', -616551853],
  ['', 0],
  ['a', 1867108634],
  ['ab', 374890698],
  ['é', 1105794559],
  ['日本', -1532890893],
  ['😀', 1443257913],
];

test.each(vectors)('hashes %j to %i', (text, hash) => {
  expect(murmur3(text)).toBe(hash);
});

test.each(vectors)('hashes %j to the same wherever its beginning ends', (text, hash) => {
  for (let i = 0; i <= text.length; i++) {
    expect(hashFrom(hashPrefix(text.slice(0, i)), text.slice(i))).toBe(hash);
  }
});

test('hashes any string to the same wherever its beginning ends', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (start, rest) => {
      expect(hashFrom(hashPrefix(start), rest)).toBe(murmur3(start + rest));
    }),
  );
});

test('hashes any string to the same when its rest comes in two', () => {
  const text = fc.string({ unit: 'binary', maxLength: 5 });
  fc.assert(
    fc.property(text, text, text, (start, rest, end) => {
      expect(hashFrom(hashPrefix(start), rest, end)).toBe(murmur3(start + rest + end));
    }),
  );
});
