import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  activity,
  audience,
  buildArtifact,
  json,
  startTargetEdge,
  type TargetEdge,
} from 'target-node-sdk/testing';
import { type Command, type Group, isGroup } from '../../src/cli/command.js';
import { PROGRAM } from '../../src/cli/program.js';
import { runCli, withFiles } from './run-cli.js';

const GUIDE = readFileSync(join(__dirname, '../../docs/cli.md'), 'utf8');
/** The commands of the guide with what they print. */
const examples = [...GUIDE.matchAll(/^```console\n\$ npx target-node-sdk (.*)\n([\s\S]*?)^```$/gm)].map(
  ([, command = '', output = '']) => [command, output] as const,
);

const artifactOf = (red: number) =>
  buildArtifact({
    activities: [
      activity('Spring sale')
        .mbox('hero')
        .split({
          'Red button': [red, json({ color: 'red' })],
          'Blue button': [100 - red, json({ color: 'blue' })],
        })
        .when(audience.any(audience.country('US'), audience.country('CA'))),
    ],
    client: 'acme',
    ids: 'stable',
  });

/** Lets the range of the first experience end where it has taken some of the second one. */
function withOverlap(artifact: object): string {
  const text = JSON.stringify(artifact);
  const changed = text.replace(/\{">":\[50(\.01)?,/, '{">":[60,');
  expect(changed).not.toBe(text);
  return changed;
}

const file = withFiles();
const paths = new Map([
  ['rules.json', file('rules.json', artifactOf(50))],
  ['yesterday.rules.json', file('yesterday.rules.json', artifactOf(90))],
  ['overlap.rules.json', file('overlap.rules.json', withOverlap(artifactOf(50)))],
]);
let edge: TargetEdge;
beforeAll(async () => {
  edge = await startTargetEdge({ artifact: artifactOf(50), client: 'acme' });
});
afterAll(() => edge.close());

/** Splits a command as a shell does, as far as the guide needs it. */
function argumentsOf(command: string): string[] {
  return [...command.matchAll(/"([^"]*)"|\S+/g)].map(([whole, quoted]) => quoted ?? whole);
}

test('the guide has examples', () => {
  expect(examples.length).toBeGreaterThan(4);
});

test.each(examples)('%s prints what the guide shows', async (command, output) => {
  const isDownload = command.startsWith('artifact get');
  const folder = mkdtempSync(join(tmpdir(), 'target-guide-'));
  const before = process.cwd();
  process.chdir(folder);
  try {
    for (const [name, path] of paths) {
      cpSync(path, name);
    }
    const args = [...argumentsOf(command), ...(isDownload ? ['--cdn', edge.host, '--insecure'] : [])];
    const { out, err } = await runCli(args);
    expect([out, err]).toEqual([output, '']);
  } finally {
    process.chdir(before);
    rmSync(folder, { recursive: true });
  }
});

describe('the guide', () => {
  const named = ({ commands }: Group): [string, Command | Group][] =>
    Object.entries(commands).flatMap(([name, node]): [string, Command | Group][] => [
      [name, node],
      ...(isGroup(node) ? named(node) : []),
    ]);
  const commands = named(PROGRAM);
  const written = commands.flatMap(([, node]) => (isGroup(node) ? [] : Object.keys(node.options)));
  const flags = new Set(['--help', '--version', ...written.map((option) => option.split(' ')[0])]);

  test('names no flag that does not exist', () => {
    const inGuide = [...GUIDE.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([flag]) => flag);
    expect(inGuide.filter((flag) => !flags.has(flag))).toEqual([]);
  });

  test('calls artifacts and offers by the names that the settings of the editor know', () => {
    const tools = readFileSync(join(__dirname, '../../docs/tools.md'), 'utf8');
    const patterns = [...tools.matchAll(/"fileMatch": (\[.*?\])/g)].flatMap(([, list = '[]']): string[] =>
      JSON.parse(list),
    );
    expect(patterns.length).toBeGreaterThan(1);
    const isKnown = (name: string) =>
      patterns.some((pattern) =>
        pattern.startsWith('*') ? name.endsWith(pattern.slice(1)) : name === pattern,
      );
    const names = [...GUIDE.matchAll(/(?<![/\w.-])[\w.-]+\.json\b/g)].map(([name]) => name);
    expect(new Set(names).size).toBeGreaterThan(3);
    expect(names.filter((name) => !isKnown(name))).toEqual([]);
  });

  test('names every flag of a command', () => {
    const missing = [...flags].filter((flag) => flag !== '--version' && !GUIDE.includes(flag ?? ''));
    expect(missing).toEqual([]);
  });

  test('says which commands have --json', () => {
    const without = commands.filter(([, node]) => !isGroup(node) && !('--json' in node.options));
    expect(without.map(([name]) => name)).toEqual(['types']);
    expect(GUIDE).toContain('All commands but `types` have `--json`');
  });

  test('names every command', () => {
    const missing = commands
      .map(([name]) => name)
      .filter((name) => !GUIDE.includes(`\`${name}`) && !GUIDE.includes(` ${name}`));
    expect(missing).toEqual([]);
  });
});
