import { describe, expect, test } from '@jest/globals';
import { allocate, allocationPrefix, toAllocatedVisitor } from '../../../src/on-device/facts/allocation.js';

const noNewId = () => {
  throw new Error('no new id is needed');
};

test.each<
  readonly [client: string, activityId: string | number, key: string, salt: string, allocation: number]
>([
  ['someClientId', 123456, 'ecid123', '.salty', 29.06],
  ['someClientId', 123456, 'tntId123', '.salty', 21.94],
  ['someClientId', 123456, 'thirtPartyId123', '.salty', 73.15],
  ['targettesting', 125880, '4c038b35f1b1453d80a3e7da8208c617', '.campaign', 97.03],
  ['acmeclient', '1111', '702ff4d0-83b1-4e2e-a0a6-22cbe460eb15', '.experience', 71.16],
  ['someClientId', 125873, '07327024324407615852294135870030620007', '.0', 18.53],
])('%s.%s.%s%s falls at %d', (...[client, activityId, key, salt, allocation]) => {
  expect(allocate(allocationPrefix(client, activityId), key, salt)).toBe(allocation);
});

test('spreads visitors evenly over 0 to 99.99', () => {
  const prefix = allocationPrefix('client', 1);
  const visitors = 20_000;
  const allocations = Array.from({ length: visitors }, (_, i) => allocate(prefix, `visitor-${i}`));
  const isValid = (allocation: number) =>
    allocation >= 0 && allocation < 100 && Number(allocation.toFixed(2)) === allocation;
  expect(allocations.filter((allocation) => !isValid(allocation))).toEqual([]);
  const below = allocations.filter((allocation) => allocation <= 50).length;
  // 99.9 % bounds of a binomial distribution: 3.29 standard deviations.
  expect(Math.abs(below - visitors / 2)).toBeLessThan(3.29 * Math.sqrt(visitors / 4) + 2);
});

describe('an allocation belongs to', () => {
  const customers = [
    { id: 'c1', integrationCode: 'crm', authenticatedState: 'unknown' },
    { id: 'c2', integrationCode: 'crm', authenticatedState: 'authenticated' },
  ] as const;
  const all = {
    marketingCloudVisitorId: 'ecid',
    tntId: 'tnt.35_0',
    thirdPartyId: 'third',
    customerIds: customers,
  };
  test.each([
    ['the ECID first', all, 'ecid'],
    ['then the tntId before its first dot', { ...all, marketingCloudVisitorId: undefined }, 'tnt'],
    ['a tntId without a location hint', { tntId: 'tnt' }, 'tnt'],
    ['then the thirdPartyId', { thirdPartyId: 'third', customerIds: customers }, 'third'],
    ['then the first authenticated customer id', { customerIds: customers }, 'c2'],
    ['the thirdPartyId where the tntId is only a hint', { tntId: '.35_0', thirdPartyId: 'third' }, 'third'],
  ])('%s', (_who, id, key) => {
    expect(toAllocatedVisitor(id, noNewId)).toEqual({ key, id });
  });

  test.each([
    ['nobody', undefined],
    ['empty ids', { tntId: '', marketingCloudVisitorId: '' }],
    [
      'a customer who is logged out',
      { customerIds: [{ ...customers[1], authenticatedState: 'logged_out' as const }] },
    ],
  ])('a new tntId for %s', (_who, id) => {
    expect(toAllocatedVisitor(id, () => 'new')).toEqual({ key: 'new', id: { ...id, tntId: 'new' } });
  });
});
