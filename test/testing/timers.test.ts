import { setTimeout } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { Timers } from '../../src/testing/timers.js';

test('what was cleared never happens, and what needs no time happens at once', async () => {
  const timers = new Timers();
  const done: string[] = [];
  timers.after(0, () => done.push('at once'));
  timers.after(1, () => done.push('cleared'));
  timers.clear();
  timers.after(2, () => done.push('later'));
  expect(done).toEqual(['at once']);
  // Timers fire in the order of their time.
  await setTimeout(5);
  expect(done).toEqual(['at once', 'later']);
});
