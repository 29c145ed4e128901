import * as testing from 'target-node-sdk/testing';
import { test, vi } from 'vitest';
import { tests } from './scenario.cjs';

const timers = { fake: () => vi.useFakeTimers(), real: () => vi.useRealTimers() };
test.each(tests(testing, timers))('%s', (_, play) => play());
