import { expect, test } from '@jest/globals';
import { validate, version } from 'uuid';
import { newHexId, newSupplementalDataId, newUuid } from '../../src/identity/ids.js';

const MANY = 10_000;

const manyOf = (newId: () => string) => Array.from({ length: MANY }, newId);

test('uuids are of version 4', () => {
  expect(manyOf(newUuid).filter((id) => !validate(id) || version(id) !== 4)).toEqual([]);
});

test('ids without dashes are such uuids', () => {
  const isUuid = (id: string) => {
    const dashed = id.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    return id.length === 32 && validate(dashed) && version(dashed) === 4;
  };
  expect(manyOf(newHexId).filter((id) => !isUuid(id))).toEqual([]);
});

test('supplemental data ids are two halves of upper-case hexadecimal digits', () => {
  const isSupplemental = (id: string) => /^[0-9A-F]{16}-[0-9A-F]{16}$/.test(id);
  expect(manyOf(newSupplementalDataId).filter((id) => !isSupplemental(id))).toEqual([]);
});

test('no two are the same, whatever kind they are of', () => {
  const digits = [newUuid, newHexId, newSupplementalDataId].flatMap((newId) =>
    manyOf(newId).map((id) => id.replaceAll('-', '').toLowerCase()),
  );
  expect(new Set(digits).size).toBe(3 * MANY);
});

test('every digit is random but for the two that say what a uuid is', () => {
  const digits = manyOf(newHexId);
  const seen = Array.from({ length: 32 }, (_, place) => new Set(digits.map((id) => id[place])).size);
  expect(seen).toEqual(seen.map((_, place) => (place === 12 ? 1 : place === 16 ? 4 : 16)));
});
