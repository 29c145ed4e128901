import { expect, test } from '@jest/globals';
import { isSupplementalDataId, newSupplementalDataId } from '../../src/identity/supplemental-data-id.js';

test('supplemental data ids are two halves of upper-case hexadecimal digits, and no two are the same', () => {
  const ids = Array.from({ length: 1000 }, newSupplementalDataId);
  expect(ids.filter((id) => !/^[0-9A-F]{16}-[0-9A-F]{16}$/.test(id) || !isSupplementalDataId(id))).toEqual(
    [],
  );
  expect(new Set(ids.flatMap((id) => id.split('-'))).size).toBe(2000);
});
