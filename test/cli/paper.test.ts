import { describe, expect, test } from '@jest/globals';
import { activity, audience, buildArtifact, json, startTargetEdge } from 'target-node-sdk/testing';
import { columnsOf, cutTo, toPlainText, toSafeJson, wrapTo } from '../../src/cli/plain-text.js';
import { Progress } from '../../src/cli/progress.js';
import { runCli, withFiles } from './run-cli.js';

const file = withFiles();
const spring = activity('Spring')
  .mbox('hero')
  .split({ A: [50, json({ n: 1 })], B: [50, json({ n: 2 })] })
  .when(audience.param('plan').is('gold'));
const artifact = buildArtifact({ activities: [spring], client: 'acme', ids: 'stable' });
const path = file('rules.json', artifact);
const EXPLAIN = ['explain', path, '--mbox', 'hero', '--tnt-id', 'visitor-1', '--param', 'plan=gold'];
const SIMULATE = ['simulate', path, '--mbox', 'hero', '--param', 'plan=gold', '--visitors', '1000'];

describe('what is printed', () => {
  test('on a terminal of 120 columns', async () => {
    expect((await runCli(EXPLAIN, { columns: 120 })).out).toMatchSnapshot();
  });

  test('into a pipe, 100 columns wide', async () => {
    expect((await runCli(SIMULATE)).out).toMatchSnapshot();
  });

  test('in colours', async () => {
    const { out } = await runCli(EXPLAIN, { columns: 80, colorDepth: 8 });
    expect(out.replaceAll('\u001b', 'ESC')).toMatchSnapshot();
  });

  test('in ASCII, where the locale is not UTF-8', async () => {
    const env = { LANG: 'C' };
    const outs = [await runCli(EXPLAIN, { columns: 80, env }), await runCli(SIMULATE, { columns: 80, env })];
    const text = outs.map(({ out }) => out).join('\n');
    expect([...text].filter((character) => character > '~')).toEqual([]);
    expect(text).toMatchSnapshot();
    for (const args of [
      ['--help'],
      ['edge', '-h'],
      ['explain', path, '--mbox', 'hero', '--options', path],
      [],
    ]) {
      const { out, err } = await runCli(args, { columns: 80, env });
      expect([...`${out}${err}`].filter((character) => character > '~')).toEqual([]);
    }
  });

  test.each([
    [20, 60],
    [80, 80],
    [300, 120],
  ])('is at most as wide as a terminal of %i columns allows: %i', async (columns, width) => {
    for (const args of [EXPLAIN, SIMULATE, ['artifact', 'inspect', path], ['artifact', 'validate', path]]) {
      const { out } = await runCli(args, { columns });
      expect(Math.max(...out.split('\n').map(columnsOf))).toBeLessThanOrEqual(width);
    }
  });
});

describe('colours', () => {
  const hasColors = async (surroundings: Parameters<typeof runCli>[1]) =>
    (await runCli(EXPLAIN, surroundings)).out.includes('\u001b[');

  test.each([
    [true, { columns: 80, colorDepth: 8 }],
    [false, { columns: 80, colorDepth: 1 }],
    [false, { colorDepth: 8 }],
    [false, { columns: 80, colorDepth: 8, env: { NO_COLOR: '1' } }],
    [false, { columns: 80, colorDepth: 8, env: { TERM: 'dumb' } }],
    [true, { columns: 80, colorDepth: 8, env: { NO_COLOR: '' } }],
    [true, { env: { FORCE_COLOR: '1' } }],
    [false, { columns: 80, colorDepth: 8, env: { FORCE_COLOR: '0' } }],
  ])('are %s for %o', async (expected, surroundings) => {
    expect(await hasColors(surroundings)).toBe(expected);
  });

  test('say nothing that is not said without them', async () => {
    const [colored, plain] = [
      await runCli(EXPLAIN, { columns: 80, colorDepth: 8 }),
      await runCli(EXPLAIN, { columns: 80 }),
    ];
    const codes = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
    expect(colored.out.replace(codes, '')).toBe(plain.out);
  });
});

describe('an artifact of somebody else', () => {
  const ESCAPE = '\u001b[2J\u001b]0;title\u0007\u009b31m\u202egnirps\u2066\u0000\r\n\u2028\u{e0041}';
  const rule = (name: unknown, id: unknown, more: object = {}) => ({
    ruleKey: '1',
    activityId: 7,
    meta: { 'activity.name': name, 'activity.id': id, 'experience.name': name, 'experience.id': id },
    condition: { '==': [{ var: `mbox.${ESCAPE}` }, ESCAPE] },
    consequence: { options: [{ type: 'html', content: ESCAPE }], name: ESCAPE },
    ...more,
  });
  const hostile = {
    version: '1.0.0',
    meta: { clientCode: 'acme', environment: ESCAPE, generatedAt: ESCAPE },
    localMboxes: ['hero', ESCAPE],
    remoteMboxes: [ESCAPE],
    responseTokens: [ESCAPE],
    rules: {
      mboxes: {
        hero: [rule(ESCAPE, 3), rule('x'.repeat(1_000_000), ESCAPE), rule(7, null), rule({}, [])],
        [ESCAPE]: [rule(ESCAPE, ESCAPE)],
        __proto__x: [],
      },
      views: {},
    },
  };
  const text = JSON.stringify(hostile).replace('__proto__x', '__proto__');
  const given = file('hostile.json', text);
  const hero = ['--mbox', 'hero', '--param', `${ESCAPE}=${ESCAPE}`];

  test.each([
    ['explain', ['explain', given, ...hero]],
    ['explain as JSON', ['explain', given, ...hero, '--json']],
    ['explain an mbox of that name', ['explain', given, '--mbox', ESCAPE]],
    ['explain an mbox that is __proto__', ['explain', given, '--mbox', '__proto__']],
    ['simulate', ['simulate', given, ...hero, '--visitors', '10']],
    ['simulate as JSON', ['simulate', given, ...hero, '--visitors', '10', '--json']],
    ['inspect', ['artifact', 'inspect', given]],
    ['inspect as JSON', ['artifact', 'inspect', given, '--json']],
    ['validate', ['artifact', 'validate', given]],
    ['validate as JSON', ['artifact', 'validate', given, '--json']],
    ['diff', ['artifact', 'diff', path, given]],
    ['diff as JSON', ['artifact', 'diff', given, path, '--json']],
    ['a file of that name', ['artifact', 'inspect', `no${ESCAPE}such`]],
    ['a command of that name', [ESCAPE]],
  ])('cannot act on the terminal: %s', async (_, args) => {
    const { code, out, err } = await runCli(args, { columns: 80 });
    expect([0, 1, 2]).toContain(code);
    expect(err).not.toContain('defect');
    const unseen = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;
    const found = `${out}${err}`.match(unseen) ?? [];
    expect(found.filter((character) => character !== '\n')).toEqual([]);
  });

  test('fits on the paper, but for JSON', async () => {
    for (const args of [
      ['artifact', 'inspect', given],
      ['explain', given, ...hero],
    ]) {
      const { out } = await runCli(args, { columns: 80 });
      expect(Math.max(...out.split('\n').map(columnsOf))).toBeLessThanOrEqual(80);
      expect(out.length).toBeLessThan(100_000);
    }
  });

  test('is the same value as JSON', async () => {
    const { out } = await runCli(['artifact', 'inspect', given, '--json']);
    expect(JSON.parse(out).environment).toBe(ESCAPE);
  });
});

describe('progress', () => {
  test('is shown on a terminal, beside the output, and wiped off', async () => {
    const { err } = await runCli(SIMULATE, { isErrTerminal: true });
    expect(err.endsWith('\r\u001b[K')).toBe(true);
    expect(err).toContain('1000 visitors of 1000');
  });

  test('is not shown elsewhere', async () => {
    expect((await runCli(SIMULATE, { columns: 80 })).err).toBe('');
    expect((await runCli(SIMULATE, { isErrTerminal: true, env: { TERM: 'dumb' } })).err).toBe('');
  });

  /** The texts that were shown, in their order. */
  const shownBy = async (args: readonly string[], surroundings: Parameters<typeof runCli>[1] = {}) => {
    const { err } = await runCli(args, { isErrTerminal: true, ...surroundings });
    const texts = err.split('\r\u001b[K');
    // It begins with a wipe and is wiped off before anything else is printed.
    expect([texts[0], texts.at(-1)?.replace(/^target-node-sdk: .+\n$/, '')]).toEqual(['', '']);
    return texts.slice(1, -1);
  };

  test('tells of a download, also of one that fails', async () => {
    const edge = await startTargetEdge({ artifact });
    for (const args of [
      ['artifact', 'inspect', edge.artifactUrl],
      ['artifact', 'get', '--location', edge.artifactUrl],
      ['types', edge.artifactUrl],
      ['artifact', 'inspect', `${edge.url}/none.json`],
    ]) {
      expect(await shownBy(args)).toEqual(['downloading the artifact']);
    }
    await edge.close();
  });

  test('tells of each check of the doctor', async () => {
    const edge = await startTargetEdge({ artifact });
    const host = ['--server-domain', edge.host, '--cdn', edge.host, '--insecure', '--timeout', '20000'];
    const texts = await shownBy(['doctor', '--client', 'demo', '--organization', 'DEMO@AdobeOrg', ...host]);
    const checks = ['DNS', 'TCP', 'TLS', 'delivery', 'artifact'];
    expect(texts).toEqual(checks.map((name) => `checking ${name}`));
    await edge.close();
  });

  test('tells a person that standard input is read', async () => {
    const surroundings = { stdin: JSON.stringify(artifact), isStdinTerminal: true };
    const texts = await shownBy(['artifact', 'inspect', '-'], surroundings);
    expect(texts).toEqual(['reading standard input; Ctrl+D ends it']);
    expect((await runCli(['artifact', 'inspect', '-'], { ...surroundings, stdin: '' })).err).toMatch(
      /is empty/,
    );
  });

  test('fits on a narrow terminal', () => {
    let written = '';
    const err = { isTTY: true, columns: 12, write: (text: string) => (written += text) };
    new Progress({ err, env: {} }).show(`a long\u001b[2J ${'text'.repeat(50)}`);
    expect(columnsOf(written.replace('\r\u001b[K', ''))).toBeLessThan(12);
    expect(written.replace('\r\u001b[K', '')).not.toContain('\u001b');
  });
});

describe('text', () => {
  test('of other scripts has the width that terminals show', () => {
    expect(['abc', '日本', '👍🏽', 'é', 'नि'].map(columnsOf)).toEqual([3, 4, 2, 1, 1]);
    expect(cutTo('日本語版', 5, '…')).toBe('日本…');
    expect(wrapTo('日本語版 abc', 4)).toEqual(['日本', '語版', 'abc']);
    expect(wrapTo('', 4)).toEqual(['']);
  });

  test('keeps the joiners of words and emojis', () => {
    expect(toPlainText('👩\u200d💻 می\u200cخواهم')).toBe('👩\u200d💻 می\u200cخواهم');
    expect(toPlainText('a\ud800b\u202ec')).toBe('a\ufffdb\ufffdc');
  });

  test('is escaped in JSON without a change of the value', () => {
    const value = { 'a\u009b': ['\u2028\u{e0041}\u202e', '日本'] };
    expect(JSON.parse(toSafeJson(value))).toEqual(value);
    expect(toSafeJson(value)).toContain('\\u009b');
  });
});
