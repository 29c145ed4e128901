import { mock, test } from 'node:test';
import * as testing from 'target-node-sdk/testing';
import { tests } from './scenario.cjs';

const apis = ['setTimeout', 'setInterval', 'setImmediate', 'Date'];
const timers = { fake: () => mock.timers.enable({ apis }), real: () => mock.timers.reset() };
for (const [name, play] of tests(testing, timers)) {
  test(name, play);
}
