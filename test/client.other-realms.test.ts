import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';

const SCRIPT = join(__dirname, 'fixtures', 'other-realm.ts');
const run = promisify(execFile);

/** What a process prints at its end. It is ended when it does not come to it. */
async function resultsIn(kind: string): Promise<Record<string, unknown>> {
  const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', SCRIPT, kind], {
    timeout: 100_000,
    killSignal: 'SIGKILL',
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const SERVER_SIDE = {
  ready: 'live',
  offers: 200,
  attributes: 200,
  reports: true,
  'without an edge': 'ERR_TARGET_NETWORK',
  close: 0,
  closed: 'ERR_TARGET_CLOSED',
};
const HERE = { ...SERVER_SIDE, 'without an edge': 200 };

function named(method: string, outcomes: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(outcomes).map(([name, outcome]) => [`${method} ${name}`, outcome]),
  );
}

describe('where the global Promise is another', () => {
  test.each(['nothing', 'zone.js', 'Bluebird', 'a subclass of Promise'])(
    'everything works as ever: %s',
    async (kind) => {
      expect(await resultsIn(kind)).toEqual({
        ...named('server-side', SERVER_SIDE),
        ...named('on-device', HERE),
        ...named('hybrid', HERE),
      });
    },
  );
});
