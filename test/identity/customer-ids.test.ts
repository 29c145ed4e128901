import { describe, expect, test } from '@jest/globals';
import {
  toAuthenticatedState,
  toCustomerIdState,
  toCustomerIds,
  toCustomerIdsByCode,
} from '../../src/identity/customer-ids.js';

const sent = (id: string, authenticatedState = 'unknown') => [
  { id, integrationCode: 'crm', authenticatedState },
];

describe('toCustomerIds converts what says the same in another type', () => {
  test.each<[string, unknown, unknown]>([
    ['a plain text', { crm: 'a' }, sent('a')],
    ['a plain number', { crm: 5 }, sent('5')],
    ['a plain 0', { crm: 0 }, sent('0')],
    ['a plain boolean', { crm: true }, sent('true')],
    ['a number', { crm: { id: 12_345_678_901 } }, sent('12345678901')],
    ['a boolean', { crm: { id: false } }, sent('false')],
    ['no state', { crm: { id: 'a' } }, sent('a')],
    ['a state that is undefined', { crm: { id: 'a', authState: undefined } }, sent('a')],
    ['a state that is null', { crm: { id: 'a', authState: null } }, sent('a')],
    ['an empty state', { crm: { id: 'a', authState: '' } }, sent('a')],
    ['a number of a state', { crm: { id: 'a', authState: 1 } }, sent('a', 'authenticated')],
    ['the same as text', { crm: { id: 'a', authState: '2' } }, sent('a', 'logged_out')],
    ['a name of a state', { crm: { id: 'a', authState: 'authenticated' } }, sent('a', 'authenticated')],
    [
      'a name of TargetClient.AuthState',
      { crm: { id: 'a', authState: 'LOGGED_OUT' } },
      sent('a', 'logged_out'),
    ],
    [
      'a name of a state in any case',
      { crm: { id: 'a', authState: 'Authenticated' } },
      sent('a', 'authenticated'),
    ],
    [
      'an instance of a class',
      {
        crm: new (class Known {
          id = 7;
        })(),
      },
      sent('7'),
    ],
    ['a list with a number', [{ id: 5, integrationCode: 'crm' }], sent('5')],
    [
      'a list with a state that is null',
      [{ id: 'a', integrationCode: 'crm', authenticatedState: null }],
      sent('a'),
    ],
    [
      'a list with a name in capitals',
      [{ id: 'a', integrationCode: 'crm', authenticatedState: 'AUTHENTICATED' }],
      sent('a', 'authenticated'),
    ],
    [
      'a list with a number of a state',
      [{ id: 'a', integrationCode: 'crm', authenticatedState: 2 }],
      sent('a', 'logged_out'),
    ],
    [
      'a list with a code that is a number',
      [{ id: 'a', integrationCode: 5 }],
      [{ ...sent('a')[0], integrationCode: '5' }],
    ],
    [
      'the name that lists have for the state',
      { crm: { id: 'a', authenticatedState: 'authenticated' } },
      sent('a', 'authenticated'),
    ],
    ['both names', { crm: { id: 'a', authState: 2, authenticatedState: 1 } }, sent('a', 'logged_out')],
    [
      'an empty one of both names',
      { crm: { id: 'a', authState: '', authenticatedState: 1 } },
      sent('a', 'authenticated'),
    ],
    [
      'a list with the other name for the state',
      [{ id: 'a', integrationCode: 'crm', authState: 1 }],
      sent('a', 'authenticated'),
    ],
    ['the id of a database', { crm: { id: { toJSON: () => '507f1f' } } }, sent('507f1f')],
    ['a list with empty entries', [null, '', { id: 'a', integrationCode: 'crm' }, undefined], sent('a')],
    [
      'a list with no id yet',
      [{ id: null, integrationCode: 'crm' }, { integrationCode: 'erp' }, { id: '', integrationCode: 'web' }],
      [],
    ],
    ['an id of a database', { crm: { toJSON: () => 'a' } }, sent('a')],
    ['an id of a database that has a field of this name', { crm: { id: [1], toJSON: () => 'a' } }, sent('a')],
    ['no id yet', { crm: null, erp: { id: '' }, shop: '', web: {} }, []],
    ['nothing', undefined, []],
    ['null', null, []],
  ])('%s', (_, option, expected) => {
    expect(toCustomerIds(option)).toEqual(expected);
  });
});

describe('toCustomerIds refuses what cannot be sent rightly', () => {
  test.each<[string, unknown, string]>([
    ['an id that is not finite', { crm: Number.NaN }, 'customerIds[0]'],
    ['an id that is an object', { a: 'a', crm: { id: {} } }, 'customerIds[1].id'],
    ['a list for an id', { crm: ['a'] }, 'customerIds[0]'],
    ['an empty list for an id', { crm: [] }, 'customerIds[0]'],
    ['a list for an entry of a list', [['a']], 'customerIds[0]'],
    ['a number that is no state', { crm: { id: 'a', authState: 3 } }, 'customerIds[0].authState'],
    ['a part of a number', { crm: { id: 'a', authState: 0.5 } }, 'customerIds[0].authState'],
    [
      'a state that is none, under the other name',
      { crm: { id: 'a', authenticatedState: 'yes' } },
      'customerIds[0].authenticatedState',
    ],
    [
      'a state that is none, under the other name in a list',
      [{ id: 'a', integrationCode: 'crm', authState: 9 }],
      'customerIds[0].authState',
    ],
    ['a boolean for a state', { crm: { id: 'a', authState: true } }, 'customerIds[0].authState'],
    ['a name of no state', { crm: { id: 'a', authState: 'constructor' } }, 'customerIds[0].authState'],
    ['a text of a number that is none', { crm: { id: 'a', authState: '01' } }, 'customerIds[0].authState'],
  ])('%s', (_, option, path) => {
    expect(() => toCustomerIds(option)).toThrow(
      expect.objectContaining({ code: 'ERR_TARGET_INVALID_REQUEST', path }),
    );
  });
});

test('each number of a state has its name', () => {
  expect([0, 1, 2, 3].map(toAuthenticatedState)).toEqual([
    'unknown',
    'authenticated',
    'logged_out',
    undefined,
  ]);
});

describe('toCustomerIdState', () => {
  test.each<[string, unknown, unknown]>([
    ['a plain number', 5, { id: '5', authState: 0 }],
    ['an id of a database', { toJSON: () => 'a' }, { id: 'a', authState: 0 }],
    ['a number', { id: 5, authState: 1 }, { id: '5', authState: 1 }],
    ['a name of a state', { id: 'a', authState: 'AUTHENTICATED' }, { id: 'a', authState: 1 }],
    ['no state', { id: 'a' }, { id: 'a' }],
    ['fields that only a page knows', { id: 'a', more: 1 }, { id: 'a', more: 1 }],
    ['a state that is none', { id: 'a', authState: 9 }, { id: 'a', authState: 9 }],
    [
      'the other name of the state when its own is empty',
      { id: 'a', authState: null, authenticatedState: 'authenticated' },
      { id: 'a', authState: 1, authenticatedState: 'authenticated' },
    ],
  ])('shows %s as the browser’s visitor takes it', (_, value, expected) => {
    const state = toCustomerIdState({ crm: value });
    expect(state).toStrictEqual({ crm: expected });
    expect(toCustomerIdState(state)).toStrictEqual(state);
  });
});

test('a visitor object is given texts and numbers of states', () => {
  const option = { crm: 42, erp: { id: 7, authState: 'authenticated' as const }, plain: 'p', none: null };
  expect(toCustomerIdsByCode({ crm: { toJSON: () => 'a' } } as never)).toEqual({ crm: 'a' });
  expect(toCustomerIdsByCode(option)).toEqual({
    crm: { id: '42', authState: 0 },
    erp: { id: '7', authState: 1 },
    plain: 'p',
    none: null,
  });
  expect(option.erp).toEqual({ id: 7, authState: 'authenticated' });
});
