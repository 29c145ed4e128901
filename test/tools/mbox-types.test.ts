import { describe, expect, test } from '@jest/globals';
import { toTypes } from '../../src/tools/tools.js';
import { deepFreeze, targetErrorOf } from '../with-edge.js';
import { artifactOf, type Content, rule } from './artifacts.js';

/** The lines of the one mbox `m` in the interface. */
function keysOf(contents: readonly (Content | undefined)[], options?: { literals?: boolean }): string {
  const text = toTypes(artifactOf({ m: contents.map((content) => rule(content)) }), options);
  const [, keys = ''] = /^ {2}m: \{\n(.*?)^ {2}\};/ms.exec(text) ?? [];
  return keys.replace(/^ {4}/gm, '').trim();
}

describe('a key has the values of all experiences', () => {
  const cases: readonly (readonly [
    what: string,
    contents: readonly (Content | undefined)[],
    keys: string,
  ])[] = [
    ['texts as literals, sorted', [{ a: 'red' }, { a: 'blue' }, { a: 'red' }], 'a: "blue" | "red";'],
    [
      'numbers and booleans by their types',
      [
        { a: 1, b: true },
        { a: 2, b: false },
      ],
      'a: number;\nb: boolean;',
    ],
    ['several types', [{ a: 1 }, { a: null }, { a: 'x' }, { a: false }], 'a: "x" | number | boolean | null;'],
    ['null alone', [{ a: null }], 'a: null;'],
    ['keys sorted', [{ b: 1, a: 2, B: 3 }], 'B: number;\na: number;\nb: number;'],
    ['a key that one lacks', [{ a: 1, b: 2 }, { a: 1 }], 'a: number;\nb?: number;'],
    ['a key that HTML lacks', [{ a: 1 }, '<p>'], 'a?: number;'],
    ['a key that default content lacks', [{ a: 1 }, undefined], 'a?: number;'],
    ['a key that a list lacks', [{ a: 1 }, [1]], 'a?: number;'],
    ['lists', [{ a: [1, 2] }, { a: ['x'] }], 'a: ("x" | number)[];'],
    ['empty lists', [{ a: [] }], 'a: unknown[];'],
    ['an empty list beside a full one', [{ a: [] }, { a: [1] }], 'a: number[];'],
    ['lists of lists', [{ a: [[1], ['x']] }], 'a: ("x" | number)[][];'],
    ['objects', [{ a: { b: 1 } }, { a: { c: 'x' } }], 'a: {\n  b?: number;\n  c?: "x";\n};'],
    ['lists of objects', [{ a: [{ b: 1 }, { b: 2, c: 1 }] }], 'a: {\n  b: number;\n  c?: number;\n}[];'],
    ['an object beside null', [{ a: { b: 1 } }, { a: null }], 'a: {\n  b: number;\n} | null;'],
    ['an empty object', [{ a: {} }], 'a: Record<string, never>;'],
    ['the empty text', [{ a: '' }], 'a: "";'],
  ];

  test.each(cases)('%s', (_, contents, keys) => {
    expect(keysOf(contents)).toBe(keys);
  });

  test('twelve texts are literals, and thirteen are not', () => {
    const contents = Array.from({ length: 13 }, (_, index) => ({ a: `v${index}` }));
    expect(keysOf(contents.slice(0, 12))).toContain('"v0" | "v1" | "v10"');
    expect(keysOf(contents)).toBe('a: string;');
    expect(keysOf([{ a: 'x'.repeat(101) }])).toBe('a: string;');
  });

  test('texts are no literals when the option says so', () => {
    expect(keysOf([{ a: 'x', b: ['y'] }], { literals: false })).toBe('a: string;\nb: string[];');
    expect(keysOf([{ a: 'x' }], { literals: true })).toBe('a: "x";');
  });

  test('several JSON offers of one experience count together', () => {
    const options = [
      { type: 'json', content: { a: 'first', b: 1 } },
      { type: 'html', content: '<p>' },
      { type: 'json', content: { a: 'second' } },
    ];
    const text = toTypes(artifactOf({ m: [{ ...rule({}), consequence: { options } }] }));
    expect(text).toContain('    a: "second";\n    b: number;\n');
  });

  test('values that lie very deep are unknown', () => {
    let deep: Content = 1;
    for (let level = 0; level < 5000; level += 1) {
      deep = level % 2 ? { a: deep } : [deep];
    }
    expect(keysOf([{ a: deep }])).toContain('unknown');
  });
});

describe('the text', () => {
  const mboxes = {
    flags: [
      rule({ a: 1 }, { activity: 'Zebra' }),
      rule({ a: 2 }, { activity: 'Apple' }),
      rule({ a: 3 }, { activity: 'Zebra' }),
    ],
    hero: [rule('<p>')],
    list: [rule([1])],
    'with-dash': [rule({ 'a-b': 1 }, { activity: '', id: 7 })],
  };

  test('is the same for the same artifact, whatever its order', () => {
    const backwards = Object.fromEntries(
      Object.entries(mboxes)
        .reverse()
        .map(([name, rules]) => [name, [...rules].reverse()]),
    );
    expect(toTypes(artifactOf(backwards))).toBe(toTypes(artifactOf(mboxes)));
  });

  test('is that of a module that a person can read', () => {
    const artifact = deepFreeze(
      artifactOf(mboxes, { remoteMboxes: ['flags', 'far'], localMboxes: ['hero'] }),
    );
    expect(
      toTypes(artifact),
    ).toBe(`// Written by toTypes of target-node-sdk/tools from the rules of Adobe Target. Changes are lost when it is written again.

/** The attributes of each mbox with a JSON offer, for \`client.getAttributes<TargetMboxes>\`. */
export interface TargetMboxes {
  /**
   * Activities:
   * - Apple
   * - Zebra
   *
   * Other activities of this mbox are only known to the edge.
   */
  flags: {
    a: number;
  };
  /**
   * Activities:
   * - Spring
   */
  list: {};
  /**
   * Activities:
   * - activity 7
   */
  "with-dash": {
    "a-b": number;
  };
}

/** The name of every mbox, also of those whose offers are HTML or are only known to the edge. */
export type TargetMboxName =
  | "far"
  | "flags"
  | "hero"
  | "list"
  | "with-dash";
`);
  });

  test('of an artifact without mboxes has both types', () => {
    const text = toTypes({ version: '1.0.0', rules: {} });
    expect(text).toContain('export interface TargetMboxes {}');
    expect(text).toContain('export type TargetMboxName = never;');
  });

  test('has names of activities that end no comment and begin no tag', () => {
    const names = [
      '*/ evil(); /*',
      'two\nlines\u2028three',
      '@deprecated',
      'a @see {@link b}',
      'x\u202ey\u0000z',
      '**/',
    ];
    const text = toTypes(artifactOf({ m: names.map((activity) => rule({ a: 1 }, { activity })) }));
    expect(text.match(/\*\//g)).toHaveLength(3);
    expect(text).not.toMatch(/\s@|\u202e|\u2028|\0/);
    expect(text).toContain('   * - *\\/ evil(); /*\n');
    expect(text).toContain('   * - two lines three\n');
    expect(text).toContain('   * - \\@deprecated\n');
  });

  test('shows characters that nobody sees by their codes', () => {
    const hidden = 'a\u202eb\u200bc\u2028d\u007fe\ud800f\u{e0041}g"\\\n';
    const text = toTypes(artifactOf({ [hidden]: [rule({ [hidden]: hidden })] }));
    expect(text).toContain('"a\\u202eb\\u200bc\\u2028d\\u007fe\\ud800f\\udb40\\udc41g\\"\\\\\\n"');
    expect(text).toMatch(/^[\n -~]*$/);
  });
});

describe('an artifact', () => {
  test.each([
    [undefined, 'artifact'],
    [null, 'artifact'],
    ['{}', 'artifact'],
    [{}, 'version'],
    [{ version: '2.0.0', rules: {} }, 'version'],
    [{ version: '1.0.0' }, 'rules'],
    [{ version: '1.0.0', rules: { mboxes: { m: {} } } }, 'rules.mboxes.m'],
  ])('such as %j is refused', async (artifact, path) => {
    const error = await targetErrorOf(() => toTypes(artifact));
    expect([error.code, error.path]).toEqual(['ERR_TARGET_ARTIFACT', path]);
  });

  test('may have rules that are malformed, which are left out', () => {
    const rules = [
      null,
      5,
      'rule',
      {},
      { consequence: [] },
      { consequence: { options: 5 }, meta: 'x' },
      rule({ a: 1 }),
    ];
    expect(toTypes(artifactOf({ m: rules }))).toContain('a?: number;');
  });

  test('an option of a wrong type is refused', async () => {
    const artifact = artifactOf({});
    for (const [options, path] of [
      [{ literals: 'no' }, 'literals'],
      ['literals', 'options'],
    ] as const) {
      const error = await targetErrorOf(() => toTypes(artifact, options as never));
      expect([error.code, error.path]).toEqual(['ERR_TARGET_INVALID_CONFIG', path]);
    }
    expect(toTypes(artifact, null)).toBe(toTypes(artifact, { literals: undefined }));
  });
});
