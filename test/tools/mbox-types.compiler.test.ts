import { execFile } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from '@jest/globals';
import { toTypes } from '../../src/tools/tools.js';
import { artifactOf, rule } from './artifacts.js';

const ROOT = resolve(__dirname, '../..');
const ARTIFACTS = join(ROOT, '../shared/conformance/artifacts');
const run = promisify(execFile);

describe('the compiler', () => {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(ROOT, '.cache/mbox-types-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Words that may be something else than a name at their position. */
  const words = [
    ...[
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'new',
      'get',
      'set',
      'readonly',
      'static',
      'async',
    ],
    ...[
      'declare',
      'in',
      'delete',
      'function',
      'class',
      'default',
      'type',
      'void',
      'accessor',
      'abstract',
      'asserts',
    ],
    ...[
      '',
      '1',
      '-1',
      '1e3',
      'a b',
      'ä',
      "it's",
      '"',
      '`x`',
      '\\',
      '*/',
      '//',
      '[x]',
      '?',
      'a?',
      '😀',
      '\ud800',
    ],
  ];
  const everyWord = Object.fromEntries(words.map((word) => [word, word]));
  // A literal would set the prototype.
  Object.defineProperty(everyWord, '__proto__', { value: { __proto__: 1 }, enumerable: true });
  const hostile = artifactOf({
    ...Object.fromEntries(words.map((word) => [word, [rule({ a: 1 }, { activity: `${word} */ export ?` })]])),
    words: [rule(everyWord)],
    nested: [rule({ a: everyWord, b: [everyWord] }), rule({ a: null })],
    flags: [rule({ beta: true, color: 'red' }), rule({ beta: false, color: 'blue', size: 3 })],
  });

  const use = `
import type { TargetClient } from 'target-node-sdk';
import type { TargetMboxes, TargetMboxName } from './hostile.js';
declare const client: TargetClient;
const names: TargetMboxName[] = ['flags', '__proto__', 'a b'];
const attributes = await client.getAttributes<TargetMboxes>(['flags', '__proto__']);
const color: 'red' | 'blue' = attributes.getValue('flags', 'color');
const beta: boolean = attributes.getBoolean('flags', 'beta', false);
const size: number = attributes.getNumber('flags', 'size', 1);
const title: string = attributes.getString('words', 'constructor');
// @ts-expect-error there is no such key
attributes.getValue('flags', 'colour');
// @ts-expect-error there is no such mbox
await client.getAttributes<TargetMboxes>(['flag']);
// @ts-expect-error it is no text
attributes.getString('flags', 'beta');
export { names, color, beta, size, title };
`;

  test('takes the types of every artifact of the conformance suites, and of hostile names', async () => {
    const files = ['hostile.d.ts', 'use.ts'];
    writeFileSync(join(folder, 'hostile.d.ts'), toTypes(hostile));
    writeFileSync(join(folder, 'use.ts'), use);
    const names = existsSync(ARTIFACTS) ? readdirSync(ARTIFACTS) : [];
    for (const name of names.filter((each) => !each.includes('UNSUPPORTED'))) {
      const file = `${name}.d.ts`;
      const artifact = JSON.parse(readFileSync(join(ARTIFACTS, name), 'utf8'));
      writeFileSync(join(folder, file), toTypes(artifact));
      const use = `import type { TargetMboxes } from './${file.replace('.d.ts', '.js')}';
import type { AttributesProvider } from 'target-node-sdk';
export type Provider = AttributesProvider<TargetMboxes>;`;
      writeFileSync(join(folder, `${name}.use.ts`), use);
      files.push(file, `${name}.use.ts`);
    }
    const settings = join(folder, 'tsconfig.json');
    writeFileSync(
      settings,
      JSON.stringify({
        extends: join(ROOT, 'tsconfig.json'),
        compilerOptions: { noUnusedLocals: false, typeRoots: [join(ROOT, 'node_modules/@types')] },
        files,
        include: [],
      }),
    );
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
    const { stdout } = await run(process.execPath, [tsc, '-p', settings]).catch((error) => error);
    expect(stdout).toBe('');
  });
});
