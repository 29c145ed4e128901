import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { inheritsNames, lookForHiddenNames } from '../src/inherited-names.js';

const SCRIPT = join(__dirname, 'fixtures', 'inherited-names.ts');
const run = promisify(execFile);

test.each([
  'an enumerable text',
  'a hidden text',
  'an enumerable function',
  'a hidden function',
  'an enumerable getter that throws',
  'a hidden getter that throws',
])('no name that the package mentions counts when it is on Object.prototype: %s', async (kind) => {
  const { stdout } = await run(process.execPath, ['--import', 'tsx', SCRIPT, kind]);
  const { names, wrong } = JSON.parse(stdout);
  expect(names).toBeGreaterThan(900);
  expect(wrong).toEqual({});
});

test('a hidden name counts as little when it is the only one', async () => {
  for (const name of ['retry', 'path', 'retryAfterMs', 'targetLocationHintCookie']) {
    const { stdout } = await run(process.execPath, ['--import', 'tsx', SCRIPT, 'a hidden text', name]);
    expect(JSON.parse(stdout)).toEqual({ names: 1, wrong: {} });
  }
});

test('every field of the Delivery API is looked for on Object.prototype when a client is made', () => {
  const api = readFileSync(join(__dirname, '..', 'src', 'delivery-api.ts'), 'utf8');
  const code = api.replace(/\/\*[\s\S]*?\*\//g, '');
  const fields = new Set(
    Array.from(code.matchAll(/^\s+(?:readonly )?([a-z]\w*)\??:/gm), ([, name = '']) => name),
  );
  const missed = [...fields].filter((name) => {
    Object.defineProperty(Object.prototype, name, { value: '5', configurable: true });
    lookForHiddenNames();
    Reflect.deleteProperty(Object.prototype, name);
    return !inheritsNames();
  });
  lookForHiddenNames();
  expect(fields.size).toBeGreaterThan(100);
  expect(missed).toEqual([]);
});
