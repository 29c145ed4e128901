const testing = require('target-node-sdk/testing');
const { tests } = require('./scenario.cjs');

const timers = { fake: () => jest.useFakeTimers(), real: () => jest.useRealTimers() };
test.each(tests(testing, timers))('%s', (_, play) => play());
