import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';

const SCRIPT = join(__dirname, 'fixtures', 'inherited-names.ts');
const run = promisify(execFile);

/** Node.js itself cannot import a file while every object has such a name. */
const OF_NODE = ['signal'];

test.each(['an enumerable text', 'a hidden text', 'an enumerable function', 'a hidden function'])(
  'no name that the package mentions counts when it is on Object.prototype: %s',
  async (kind) => {
    const { stdout } = await run(process.execPath, ['--import', 'tsx', SCRIPT, kind]);
    const { names, wrong } = JSON.parse(stdout);
    expect(names).toBeGreaterThan(300);
    expect(Object.keys(wrong).filter((name) => !OF_NODE.includes(name))).toEqual([]);
  },
);

test('a hidden name counts as little when it is the only one', async () => {
  for (const name of ['retry', 'path', 'retryAfterMs', 'targetLocationHintCookie']) {
    const { stdout } = await run(process.execPath, ['--import', 'tsx', SCRIPT, 'a hidden text', name]);
    expect(JSON.parse(stdout)).toEqual({ names: 1, wrong: {} });
  }
});

/** Options, and fields of a request, that programs and attackers are most likely to name. */
const OF_CALLERS = (
  'client organizationId timeout serverDomain secure environmentId environment targetLocationHint propertyToken ' +
  'decisioningMethod pollingInterval artifactLocation fetchApi agent proxy retry circuitBreaker logger version events ' +
  'request targetCookie visitorCookie consumerId customerIds sessionId visitor waitUntil errCallback domain path sameSite ' +
  'httpOnly maxAge tntId thirdPartyId property context channel geo parameters execute prefetch pageLoad mboxes views'
).split(' ');

test.each(['an enumerable getter that throws', 'a hidden getter that throws'])(
  'no option is read from Object.prototype, nor is its setter missed: %s',
  async (kind) => {
    const { stdout } = await run(process.execPath, ['--import', 'tsx', SCRIPT, kind, ...OF_CALLERS]);
    const { wrong } = JSON.parse(stdout);
    expect(wrong).toEqual({});
  },
);
