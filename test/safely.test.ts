import { runInNewContext } from 'node:vm';
import { expect, test } from '@jest/globals';
import { callSafely, quietly } from '../src/call-safely.js';

const fault = new Error('fault');
/** Calls it, and tells what it failed of once all promises have settled. */
async function failuresOf(act: () => unknown): Promise<unknown[]> {
  const failures: unknown[] = [];
  callSafely(act, (thrown) => failures.push(thrown));
  quietly(act);
  await new Promise(setImmediate);
  return failures;
}

function fail(thrown: unknown): never {
  throw thrown;
}

test.each<[string, () => unknown, unknown]>([
  ['throws', () => fail(fault), fault],
  ['throws nothing', () => fail(undefined), undefined],
  ['rejects', () => Promise.reject(fault), fault],
  ['rejects in another realm', () => runInNewContext('Promise.reject(7)'), 7],
])('a function that %s harms nobody, and its failure is told', async (_, act, thrown) => {
  expect(await failuresOf(act)).toEqual([thrown]);
});

test.each([[undefined], [null], ['text'], [{}], [Promise.resolve(1)]])(
  'a function that answers %p has not failed',
  async (answer) => {
    expect(await failuresOf(() => answer)).toEqual([]);
  },
);
