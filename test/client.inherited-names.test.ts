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
