import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseAmcvCookie } from '../../src/identity/amcv-cookie.js';

describe('parseAmcvCookie', () => {
  test.each([
    ['MCMID|123', { MCMID: '123' }],
    ['MCMID|123|MCAAMLH-1568296160|9|MCAAMB-1568296160|blob', { MCMID: '123', MCAAMLH: '9', MCAAMB: 'blob' }],
    ['-330454231|MCIDTS|1|MCMID|123', { MCMID: '123' }],
    ['MCMID-99|123', { MCMID: '123' }],
    ['MCAAMLH-1|9', { MCAAMLH: '9' }],
    ['MCMIDX|123', {}],
    ['XMCMID|123', {}],
    ['MCMID|NONE|MCAAMLH|NONE|MCAAMB|NONE', {}],
    ['MCMID|', {}],
    ['MCMID', {}],
    ['MCMID|12a3', {}],
    ['MCMID|123 ', {}],
    ['MCAAMLH|09', {}],
    ['MCAAMLH|1e3', {}],
    ['MCAAMLH|1234567890', {}],
    ['MCMID%7C123', { MCMID: '123' }],
    ['MCMID%257C123', { MCMID: '123' }],
    ['MCMID%25257C123', {}],
    ['%', {}],
    ['', {}],
    [`${'x|'.repeat(100)}MCMID|123`, {}],
    [`${'x'.repeat(4096)}|MCMID|123`, {}],
    [undefined, {}],
    [{ MCMID: '123' }, {}],
  ])('%j', (cookie, expected) => {
    expect(parseAmcvCookie(cookie)).toEqual(expected);
  });

  test('never throws', () => {
    const pieces = fc.constantFrom('MCMID', 'MCAAMLH', 'MCAAMB', '|', '-', '%7C', '%', '9', 'NONE');
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string())), (parts) => {
        for (const value of Object.values(parseAmcvCookie(parts.join('')))) {
          expect(value).not.toBe('NONE');
        }
      }),
    );
  });
});
