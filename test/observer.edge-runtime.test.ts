import { expect, jest, test } from '@jest/globals';

test('there are no channels where getBuiltinModule throws, as in the Edge runtime of Next.js 15', () => {
  const refuse = jest.spyOn(process, 'getBuiltinModule').mockImplementation(() => {
    throw new Error('A Node.js API is used (process.getBuiltinModule)');
  });
  try {
    jest.isolateModules(() => {
      const { eventChannelOf } = require('../src/observer.js');
      expect(refuse).toHaveBeenCalledWith('diagnostics_channel');
      expect(eventChannelOf('clientReady')).toBeUndefined();
    });
  } finally {
    refuse.mockRestore();
  }
});
