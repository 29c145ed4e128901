import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { activity, buildArtifact, json } from 'target-node-sdk/testing';
import { runCli, withFiles } from './run-cli.js';
import { springArtifact } from './spring-artifact.js';

const file = withFiles();
const folder = mkdtempSync(join(tmpdir(), 'target-cli-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const artifact = springArtifact();
const good = file('good.json', artifact);
const empty = file('empty.json', '');
const binary = file('binary.json', Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 1]));
const encoded = file('rules.bin', `ATOD:001${'k'.repeat(32)}xxxx`);
const broken = file('broken.json', '{"version": "1.0.0", \u001b[2J');
const list = file('list.json', '"a text"');

/** Commands that cannot be run, and the line that says why and what to do. */
const REFUSED: readonly (readonly [command: string, line: string | RegExp])[] = [
  ['inspct', "unknown command 'inspct' (Did you mean artifact inspect?)"],
  ['inspect x', "unknown command 'inspect' (Did you mean artifact inspect?)"],
  ['Validate x', "unknown command 'Validate' (Did you mean artifact validate?)"],
  ['docter', "unknown command 'docter' (Did you mean doctor?)"],
  ['artefact diff x y', "unknown command 'artefact' (Did you mean artifact?)"],
  ['help simulte', "unknown command 'simulte' (Did you mean simulate?)"],
  ['artifact help dif', "unknown command 'dif' (Did you mean diff?)"],
  ['artifact explan x', "unknown command 'explan' (Did you mean explain?)"],
  ['frobnicate', "unknown command 'frobnicate': see target-node-sdk --help"],
  ['artifact frobnicate', "unknown command 'frobnicate': see target-node-sdk artifact --help"],
  ['__proto__', "unknown command '__proto__': see target-node-sdk --help"],
  ['constructor', "unknown command 'constructor': see target-node-sdk --help"],
  ['--versoin', "unknown option '--versoin' before a command (Did you mean --version?)"],
  ['--json explain x', "unknown option '--json' before a command: see target-node-sdk --help"],
  ['artifact -x', "unknown option '-x' before a command: see target-node-sdk artifact --help"],
  ['explan x', "unknown command 'explan' (Did you mean explain?)"],
  ['artifact inspct x', "unknown command 'inspct' (Did you mean inspect?)"],
  [`explain ${good}`, 'nothing is asked: give --mbox name, --view name or --page-load'],
  [`explain ${good} --mbx hero`, "unknown option '--mbx' (Did you mean --mbox?)"],
  [`explain ${good} --mbx=hero`, "unknown option '--mbx' (Did you mean --mbox?)"],
  [`explain ${good} -mbox hero`, "unknown option '-mbox' (Did you mean --mbox?)"],
  [`explain ${good} --tntId 1`, "unknown option '--tntId' (Did you mean --tnt-id?)"],
  [`explain ${good} --refferer x`, "unknown option '--refferer' (Did you mean --referrer?)"],
  [`explain ${good} --frobnicate`, "unknown option '--frobnicate': see explain --help"],
  [`explain ${good} --__proto__ x`, "unknown option '--__proto__': see explain --help"],
  [`explain ${good} -m hero`, "unknown option '-m': see explain --help"],
  [`artifact diff ${good} ${good} --token`, "unknown option '--token' (Did you mean --tokens?)"],
  ['artifact --clint acme', "unknown option '--clint' (Did you mean --client?)"],
  [`edge --no-workbnch`, "unknown option '--no-workbnch' (Did you mean --no-workbench?)"],
  ['explain --mbox hero', 'explain needs <artifact>: explain --help explains it'],
  ['artifact diff x', 'artifact diff needs <after>: artifact diff --help explains it'],
  [`explain ${good} extra --mbox hero`, "too many arguments: explain takes <artifact>, and not 'extra'"],
  ['doctor extra --client a --organization b', /^too many arguments: doctor takes options alone, and not/],
  [`explain ${good} --mbox`, '--mbox <name> has no value: write it behind --mbox'],
  [`explain ${good} --mbox --json`, '--mbox <name> has no value: write it behind --mbox'],
  [`explain ${good} --mbox hero --json=yes`, '--json takes no value: write it alone'],
  [`explain ${good} --mbox hero --param plan`, '--param needs a name and a value: write --param name=value'],
  [`explain ${good} --mbox hero --param a=1 --param a=2`, '--param names a twice: give each name once'],
  [
    `explain ${good} --options ${file('one.json', { request: { execute: { mboxes: [{ name: 'hero' }] } } })} --param a=1`,
    '--param is for no place: give --mbox name, --view name or --page-load too',
  ],
  [`explain ${good} --mbox hero --geo planet=Mars`, /^--geo knows country, region/],
  [
    `explain ${good} --mbox hero --geo country=US --geo countryCode=DE`,
    '--geo names countryCode twice: give each name once',
  ],
  [
    `explain ${good} --mbox hero --browser netscape`,
    '--browser knows chrome, edge, firefox, safari, iphone: give any other one as --user-agent',
  ],
  [`explain ${good} --mbox hero --browser __proto__`, /^--browser knows/],
  [
    `explain ${good} --mbox hero --browser chrome --user-agent x`,
    '--browser stands for a user agent: give --browser or --user-agent, and not both',
  ],
  [`explain ${good} --mbox hero --geo latitude=north`, /is no number/],
  [`explain ${good} --mbox hero --now yesterday`, /^--now is no time: write it like/],
  [`explain ${good} --mbox hero --options ${list}`, /holds no options: write a JSON object/],
  [`explain ${good} --mbox hero --client a/b`, /^client must be a client code, .*: give --client$/],
  [
    'explain nope.json --mbox hero',
    'nope.json cannot be read (ENOENT): give a file, a URL, or - for standard input',
  ],
  [
    `explain ${folder} --mbox hero`,
    `${folder} cannot be read (EISDIR): give a file, a URL, or - for standard input`,
  ],
  [`explain ${empty} --mbox hero`, `${empty} is empty: give the JSON of an artifact`],
  [`explain ${binary} --mbox hero`, `${binary} is not UTF-8 text: give the JSON of an artifact`],
  [`explain ${broken} --mbox hero`, `${broken} is not JSON: give the artifact as it was downloaded`],
  [`explain ${list} --mbox hero`, `${list} is no artifact: give the JSON of the rules, an object`],
  [`explain ${encoded} --mbox hero`, /is a binary artifact: give --organization/],
  ['explain file:nowhere%zz --mbox hero', /file/],
  ['types --artifact=', /^the name of the artifact is empty/],
  ['artifact inspect --', /needs <artifact>/],
  ['explain - --mbox hero', 'standard input is empty: give the JSON of an artifact'],
  [
    'explain http://127.0.0.1:1/rules.json --mbox hero',
    /^the artifact download failed: ECONNREFUSED.*: look at the/,
  ],
  [
    `explain ${file('new.json', { version: '99.0.0', rules: {} })} --mbox hero`,
    /^Artifact version 99.*validate/,
  ],
  ['explain https://nowhere.invalid/rules.json --mbox hero', /^the artifact download failed: E/],
  ...['--mbox hero --mbox other', '--mbox hero --view home', '--view home --page-load'].map(
    (places) =>
      [
        `simulate ${good} ${places}`,
        'simulate decides one place: give one --mbox, --view or --page-load',
      ] as const,
  ),
  [
    `simulate ${good} --options ${file('two.json', { request: { execute: { mboxes: [{ name: 'a' }, { name: 'b' }] } } })}`,
    'simulate decides one place: give one --mbox, --view or --page-load',
  ],
  [`simulate ${good}`, 'nothing is asked: give --mbox name, --view name or --page-load'],
  [`simulate ${good} --mbox hero --visitors many`, /^--visitors is no number/],
  [`simulate ${good} --mbox hero --visitors -5`, /visitors must be a whole number above 0/],
  [`simulate ${good} --mbox hero --id-kind email`, /^idKind must be one of tntId, .*: give --id-kind$/],
  [`simulate ${good} --mbox hero --observed C=5`, /^observed must be by experience/],
  [
    `simulate ${good} --mbox hero --observed A=5 --observed A=6`,
    '--observed names A twice: give each name once',
  ],
  [`simulate ${good} --mbox hero --observed A=many`, /^--observed is no number/],
  [`simulate ${good} --mbox hero --ids ${folder}/none`, /none cannot be read \(ENOENT\): give --ids a file/],
  [`simulate ${good} --mbox hero --ids ${folder}`, /cannot be read \(EISDIR\): give --ids a file/],
  ['simulate - --mbox hero --ids -', /^standard input cannot be the artifact and --ids/],
  ['artifact diff - -', /^standard input cannot be both artifacts/],
  [`artifact diff ${good} nope.json`, /^nope.json cannot be read \(ENOENT\)/],
  ['artifact get', /^nothing is named: give --client/],
  ['artifact get --client acme --format xml', '--format is json or bin'],
  ['artifact get --client acme --format bin', /needs --organization/],
  ['artifact --client a/b --out x', /^client must be a client code/],
  ['artifact get --location ftp://x/y', /^artifactLocation must be .*: give --location$/],
  ['types', /^no artifact is named/],
  [
    `types ${good} --out ${folder}/no/folder.d.ts`,
    /cannot be written \(ENOENT\): give a path in a folder that exists/,
  ],
  [`types ${good} --check --out ${folder}`, /cannot be read \(EISDIR\)/],
  [`edge ${good} --port 70000`, /^--port is a whole number from 0 to 65535/],
  [`edge ${good} --offers ${list}`, /offers/],
  [`edge ${good} --offers ${file('offers.json', { mboxes: { hero: { type: 'odd' } } })}`, /hero/],
  ['doctor', 'doctor needs --client <code> and --organization <id>: doctor --help explains it'],
  ['doctor --client acme', 'doctor needs --organization <id>: doctor --help explains it'],
  ['doctor --client acme --organization x --timeout 0', /^--timeout is a number of ms above 0/],
  ['doctor --client acme --organization x --server-domain a/b/c', /^serverDomain must be /],
];

describe('a command that cannot be run', () => {
  test.each(REFUSED)('%s', async (command, line) => {
    const { code, out, err } = await runCli(command.split(' '));
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^target-node-sdk: [^\n]+\n$/);
    const message = err.slice('target-node-sdk: '.length, -1);
    if (typeof line === 'string') {
      expect(message).toBe(line);
    } else {
      expect(message).toMatch(line);
    }
    expect([...message].filter((character) => character < ' ')).toEqual([]);
  });

  test('prints the help when there is no command', async () => {
    const { code, out, err } = await runCli([]);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('Usage: target-node-sdk');
    const { code: other, err: group } = await runCli(['artifact']);
    expect(other).toBe(2);
    expect(group).toContain('Usage: target-node-sdk artifact <command>');
  });

  test('prints a stack with DEBUG alone', async () => {
    const { err } = await runCli(['explain', 'nope.json', '--mbox', 'x'], { env: { DEBUG: '1' } });
    expect(err.split('\n').length).toBeGreaterThan(3);
    expect(err).toContain(' at ');
  });
});

describe('the help', () => {
  test.each([
    ['--help', 'Usage: target-node-sdk <command>'],
    ['help', 'Usage: target-node-sdk <command>'],
    ['artifact --help', 'Usage: target-node-sdk artifact <command>'],
    ['help artifact', 'Usage: target-node-sdk artifact <command>'],
    ['artifact help diff', 'Usage: target-node-sdk artifact diff [options] <before> <after>'],
    ['doctor extra --unknown -h', 'Usage: target-node-sdk doctor [options]'],
    ['artifact --help', 'target-node-sdk artifact --client acme --out rules.json'],
  ])('of %s', async (command, usage) => {
    const { out } = await runCli(command.split(' '), { columns: 60 });
    expect(out.replaceAll('\n', ' ')).toContain(usage);
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(60);
  });
});

describe('a place that is given', () => {
  const explain = (...geo: string[]) =>
    runCli(['explain', good, '--mbox', 'hero', ...geo.flatMap((one) => ['--geo', one])]);

  test.each([
    ['country=Germany', /country=Germany is used as it is, .*: two capitals, such as DE\n$/],
    ['countryCode=de', /two capitals, such as DE\n$/],
    ['region=California', /one to three capitals or digits, such as CA\n$/],
    ['state=be', /one to three capitals or digits/],
  ])('as %s is used, and a note names the code', async (geo, note) => {
    const { code, err } = await explain(geo);
    expect(code).toBe(0);
    expect(err).toMatch(/^target-node-sdk: [^\n]+\n$/);
    expect(err).toMatch(note);
  });

  test.each(['country=DE', 'region=BE', 'region=10', 'city=Berlin', 'zip=3000', 'ip=127.0.0.1'])(
    'as %s needs no note',
    async (geo) => {
      expect((await explain(geo)).err).toBe('');
    },
  );
});

describe('the exit code', () => {
  const other = buildArtifact({
    activities: [
      activity('Spring')
        .mbox('hero')
        .split({ A: [90, json({ n: 1 })], B: [10, json({ n: 2 })] }),
    ],
    client: 'acme',
    ids: 'stable',
  });
  const changed = file('changed.json', other);
  const bad = file('bad.json', { version: '99.0.0', rules: {} });
  const doubtful = file('doubtful.json', { ...artifact, localMboxes: ['hero', 'hero'] });

  test.each([
    [0, `explain ${good} --mbox hero`],
    [1, `explain ${good} --mbox heroo`],
    [0, `simulate ${good} --mbox hero --visitors 500`],
    [1, `simulate ${good} --mbox heroo --visitors 500`],
    [1, `simulate ${good} --mbox toString --visitors 500`],
    [0, `simulate ${good} --mbox hero --observed A=5060 --observed B=4940`],
    [1, `simulate ${good} --mbox hero --observed A=5210 --observed B=4790`],
    [0, `artifact inspect ${good}`],
    [0, `artifact validate ${good}`],
    [0, `artifact validate ${good} --strict`],
    [0, `artifact validate ${doubtful}`],
    [1, `artifact validate ${doubtful} --strict`],
    [1, `artifact validate ${bad}`],
    [0, `artifact diff ${good} ${good}`],
    [1, `artifact diff ${good} ${changed}`],
    [0, `types ${good}`],
    [1, `types ${good} --check --out ${folder}/none.d.ts`],
    [0, '--help'],
    [0, '-h'],
    [0, 'help'],
    [0, '-v'],
    [0, 'artifact -h'],
    [0, 'artifact help'],
    [0, 'help artifact diff'],
    [0, 'artifact help diff'],
    [0, 'doctor --help'],
    [0, 'explain -h --unknown'],
    [0, '--version'],
    [0, 'artifact --help'],
    [0, 'help artifact'],
    [0, 'explain --help'],
  ])('is %i of %s', async (expected, command) => {
    const { code, err } = await runCli(command.split(' '));
    expect([code, err]).toEqual([expected, '']);
  });
});
