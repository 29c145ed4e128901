import { describe, expect, test } from '@jest/globals';
import { runCli, withFiles } from './run-cli.js';
import { springArtifact } from './spring-artifact.js';

const file = withFiles();
const artifact = springArtifact();
const [rule] = (artifact.rules.mboxes?.hero ?? []) as object[];
const LONG = `a-name-of-many-words-${'x'.repeat(60)}`;
const mixed = file('mixed.json', {
  ...artifact,
  localMboxes: ['hero', 'hero', LONG],
  rules: {
    ...artifact.rules,
    views: { home: [{ ...rule, condition: { regex: ['a', 'b'] } }] },
  },
});

describe('artifact validate', () => {
  const printed = async (path: string, surroundings = {}) =>
    (await runCli(['artifact', 'validate', path], { columns: 80, ...surroundings })).out;

  test('prints the worst findings first', async () => {
    const severities = [...(await printed(mixed)).matchAll(/(error|warning|note) [a-z-]+$/gm)].map(
      ([, severity]) => severity,
    );
    const order = ['error', 'warning', 'note'];
    expect(new Set(severities)).toEqual(new Set(order));
    const places = severities.map((severity) => order.indexOf(severity ?? ''));
    expect(places).toEqual([...places].sort());
  });

  test('has the code in the first line of a long text', async () => {
    const lines = (await printed(mixed)).split('\n');
    const codes = lines.filter((line) => /(error|warning|note) [a-z-]+$/.test(line));
    expect(codes.length).toBeGreaterThan(2);
    for (const line of codes) {
      expect(line).toMatch(/^[✗!i] /);
    }
  });

  test('has the sign of a good artifact where there is no warning alone', async () => {
    const doubtful = file('doubtful.json', { ...artifact, localMboxes: ['hero', 'hero'] });
    const colours = { colorDepth: 8 };
    const lastOf = async (path: string) => (await printed(path, colours)).trimEnd().split('\n').at(-1);
    const of = (code: number, sign: string) => `\u001b[${code}m${sign} \u001b[0m`;
    expect(await lastOf(file('good.json', artifact))).toBe(`${of(32, '✓')}0 errors, 0 warnings, 0 notes`);
    expect(await lastOf(doubtful)).toBe(`${of(33, '!')}0 errors, 1 warning, 0 notes`);
    expect((await lastOf(mixed))?.startsWith(of(31, '✗'))).toBe(true);
  });
});
