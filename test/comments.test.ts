import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { violationsOf } from './comments.js';

const ROOT = resolve(__dirname, '..');

/**
 * The folders and files of `src` whose comments and names keep the rules. A room is added when it is rewritten; in the end
 * this is one entry, `src` itself.
 */
const ROOMS = [
  'platform',
  'edge',
  'http',
  'request',
  'identity',
  'adapters',
  'on-device',
  'reports',
  'testing',
];

function filesOf(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).flatMap((name) => filesOf(join(path, name)));
}

describe('a room whose comments are full sentences, subject first', () => {
  test.each(ROOMS)('%s', (room) => {
    const files = filesOf(join(ROOT, 'src', room)).filter((path) => path.endsWith('.ts'));
    expect(files).not.toEqual([]);
    const violations = files.flatMap((path) => {
      const name = relative(ROOT, path);
      return violationsOf(readFileSync(path, 'utf8'), name).map(
        ({ line, what }) => `${name}:${line}: ${what}`,
      );
    });
    expect(violations).toEqual([]);
  });
});

describe('the rules for comments', () => {
  const whats = (source: string) => violationsOf(source).map(({ what }) => what.split(':')[0]);

  test.each([
    ['/** What a client sends. */', 'the comment begins with "What"'],
    ['/** Whether it is open. */', 'the comment begins with "Whether"'],
    ['/** Of everything together, in ms. */', 'the comment begins with "Of"'],
    ['/** How long it waits. */', 'the comment begins with "How"'],
    ['// So that nothing is lost.', 'the comment begins with "So"'],
    ['/**\n * By name.\n */', 'the comment begins with "By"'],
    ['/** `id` of who asks */', 'the comment does not end with a full stop'],
    ['// a line that begins small.', 'the comment begins with a small letter'],
    ['/** The limit, in ms @default 5 */', 'the comment does not end with a full stop'],
    ['// Two lines\n// without an end', 'the comment does not end with a full stop'],
    ['/** A hint has digits (spec 2.2). */', 'the comment points to a document outside of the repository'],
    ['// This is faster (`on-device/prefetch-url`).', 'the comment names a benchmark in code, not in words'],
    ['// This is a workaround of issue 14.', 'the comment points to an issue'],
    ['const orderLedger = 1;', 'the name orderLedger has the word "ledger"'],
    [
      'class A { #receivers = 1; }',
      'the name receivers has the word "receiver"'.replace('receiver"', 'receivers"'),
    ],
    ['const placeOfCall = 1;', 'the name placeOfCall has the word "place"'],
    ['const PLACES = [1];', 'the name PLACES has the word "places"'],
  ])('refuse %j', (source, what) => {
    expect(whats(source)).toEqual([what]);
  });

  test.each([
    '/** The limit of a call, in ms. @default 3000 */',
    "/** @default 'web' */",
    '/** @internal */',
    '// Two lines make\n// one sentence.',
    '/** Copies a view. See {@link copyList}. */',
    '// This is faster (benchmark on-device/prefetch-url).',
    '/** The client says:\n * @example\n * const of = 1;\n */',
    '/// <reference lib="esnext.disposable" preserve="true" />',
    "const text = '// what is in a text is no comment';",
    'const metrics = 1; const placed = 1; const displayed = replaceAll;',
  ])('take %j', (source) => {
    expect(whats(source)).toEqual([]);
  });

  test('take places where geography is meant', () => {
    expect(violationsOf('const place = 1;', 'src/on-device/geo-lookup.ts')).toEqual([]);
  });

  test('tell the line', () => {
    expect(violationsOf('const a = 1;\n\n// Why not\nconst told = 2;').map(({ line }) => line)).toEqual([
      3, 3, 4,
    ]);
  });
});
