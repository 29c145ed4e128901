import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  deliveryHost,
  hintOfEdgeHost,
  hintOfTntId,
  isLocationHint,
} from '../../src/identity/location-hint.js';

describe('isLocationHint', () => {
  test.each(['0', '35', '9999', '0035'])('%j is one', (hint) => {
    expect(isLocationHint(hint)).toBe(true);
  });

  test.each([
    '',
    '12345',
    '3 5',
    '35\n',
    '\n35',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x1',
    '٣٥',
    '３５',
    35,
    null,
    undefined,
    ['35'],
    new String('35'),
  ])('%j is none', (hint) => {
    expect(isLocationHint(hint)).toBe(false);
  });
});

describe('hintOfTntId', () => {
  test.each([
    ['abc.35_0', '35'],
    ['abc.35_41', '35'],
    ['32440324234-2343423.23_41', '23'],
    ['a.b.35_0', '35'],
    ['.1_2', '1'],
    ['abc', undefined],
    ['abc.35', undefined],
    ['abc.35_', undefined],
    ['abc._0', undefined],
    ['abc.12345_0', undefined],
    ['abc.35_0/', undefined],
    ['abc.35_0\n', undefined],
    ['abc.evil.example_0', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('of %j is %j', (tntId, hint) => {
    expect(hintOfTntId(tntId)).toBe(hint);
  });
});

describe('hintOfEdgeHost', () => {
  test.each([
    ['mboxedge35.tt.omtrdc.net', '35'],
    ['mboxedge1234.tt.omtrdc.net', '1234'],
    ['mboxedge12345.tt.omtrdc.net', undefined],
    ['mboxedge.tt.omtrdc.net', undefined],
    ['mboxedge35.tt.omtrdc.net.', undefined],
    ['mboxedge35.tt.omtrdc.net.evil.example', undefined],
    ['x.mboxedge35.tt.omtrdc.net', undefined],
    ['mboxedge35xtt.omtrdc.net', undefined],
    ['demo.tt.omtrdc.net', undefined],
    ['', undefined],
    [35, undefined],
    [undefined, undefined],
    [{}, undefined],
  ])('of %j is %j', (edgeHost, hint) => {
    expect(hintOfEdgeHost(edgeHost)).toBe(hint);
  });
});

test('no text whatever makes a host outside of tt.omtrdc.net', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d./@#?:\\_-]*$/)), (text) => {
      for (const hint of [isLocationHint(text) ? text : undefined, hintOfTntId(text), hintOfEdgeHost(text)]) {
        const { hostname, pathname } = new URL(`https://${deliveryHost('demo', hint)}/rest`);
        expect(hostname).toMatch(/^(demo|mboxedge\d{1,4})\.tt\.omtrdc\.net$/);
        expect(pathname).toBe('/rest');
      }
    }),
  );
});
