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
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ERROR_CODES } from '../src/errors.js';
import { EVENT_NAMES } from '../src/events.js';
import { CALL_OPTIONS } from '../src/request/options.js';

/**
 * A block of TypeScript: ```ts is compiled; ```ts run is run too, and prints what the ```text behind it shows. A block of a
 * server of a framework, such as ```ts express.ts, is compiled and run by `npm run test:frameworks`. One of a queue, such as
 * ```ts recipe kafka, is compiled by `npm run test:fleet`.
 */
interface Snippet {
  /** Such as `docs/errors.md:12`. */
  readonly place: string;
  readonly file: string;
  readonly code: string;
  readonly isRun: boolean;
  readonly output: string | undefined;
}

const run = promisify(execFile);
const ROOT = resolve(__dirname, '..');
const DOCUMENTS = ['README.md', ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`)].filter(
  (name) => name.endsWith('.md'),
);

/** Documents whose snippets are commands. */
const MORE_DOCUMENTS = [
  ...['CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'bench/figures.md'],
  ...readdirSync(join(ROOT, 'docs/decisions')).map((name) => `docs/decisions/${name}`),
  ...['express', 'feature-flags', 'fleet', 'nextjs', 'python-parity'].map(
    (name) => `examples/${name}/README.md`,
  ),
];

/** What snippets may speak of without making it. */
const PRELUDE = `
import type { Express, Request } from 'express';
import type { TargetClient as Client, TargetDeliveryResponse } from 'target-node-sdk';
import type { TargetEdge } from 'target-node-sdk/testing';
declare global {
  const client: Client;
  const edge: TargetEdge;
  const app: Express;
  const request: Request;
  const answer: TargetDeliveryResponse;
  const organizationId: string;
  const test: (name: string, run: () => Promise<void>) => void;
}
`;

const snippets = DOCUMENTS.flatMap((document) => readSnippets(document));
// Inside the project, where the packages that snippets import are found, and outside of node_modules, where esbuild
// does not follow the paths of tsconfig.json and `target-node-sdk` would be what was built last.
mkdirSync(join(ROOT, '.cache'), { recursive: true });
const folder = mkdtempSync(join(ROOT, '.cache/snippets-'));
for (const { file, code } of snippets) {
  writeFileSync(join(folder, file), `${code}\nexport {};\n`);
}
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function readSnippets(document: string): Snippet[] {
  const text = read(document);
  const blocks = text.matchAll(/^```(ts|ts run)\n(.*?)^```$(?:\n+```text\n(.*?)^```$)?/gms);
  return [...blocks].map(({ 1: kind, 2: code = '', 3: output, index }) => {
    const line = text.slice(0, index).split('\n').length;
    const file = `${document.replace(/\W/g, '-')}-${line}.mts`;
    return { place: `${document}:${line}`, file, code, isRun: kind === 'ts run', output };
  });
}

test('every snippet compiles', async () => {
  writeFileSync(join(folder, 'prelude.d.mts'), PRELUDE);
  const settings = join(folder, 'tsconfig.json');
  const compilerOptions = {
    noUnusedLocals: false,
    skipLibCheck: true,
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  const files = ['prelude.d.mts', ...snippets.map(({ file }) => file)];
  writeFileSync(
    settings,
    JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions, files, include: [] }),
  );
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  const result = await run(process.execPath, [compiler, '-p', settings]).catch(({ stdout }) => ({ stdout }));
  const places = new Map(snippets.map(({ file, place }) => [file, place]));
  const errors = result.stdout.replace(
    /\S*?([\w-]+\.mts)(?=\()/g,
    (_: string, file: string) => places.get(file) ?? file,
  );
  expect(errors).toBe('');
  expect(snippets.length).toBeGreaterThan(20);
});

describe('a snippet that can be run', () => {
  const runnable = snippets.filter(({ isRun }) => isRun).map((snippet) => [snippet.place, snippet] as const);

  // They are built together, with the sources that they share: to compile those for each would take most of the time.
  beforeAll(async () => {
    const esbuild = join(ROOT, 'node_modules/esbuild/bin/esbuild');
    const files = runnable.map(([, { file }]) => join(folder, file));
    const format = ['--bundle', '--splitting', '--format=esm', '--platform=node', '--packages=external'];
    const output = [`--outdir=${join(folder, 'built')}`, '--out-extension:.js=.mjs', '--keep-names'];
    await run(esbuild, [...files, ...format, ...output, '--log-level=warning'], { cwd: ROOT });
  });

  test.each(runnable)('prints what the document says: %s', async (_, { file, output }) => {
    expect(output).toBeDefined();
    const program = join(folder, 'built', file.replace('.mts', '.mjs'));
    const { stdout } = await run(process.execPath, [program], { cwd: ROOT });
    expect(stdout).toBe(output);
  });
});

describe('the documents', () => {
  test('fit the first screen: what it is, two commands and a first call within 40 lines', () => {
    const screen = read('README.md').split('\n').slice(0, 40).join('\n');
    expect(screen).toContain('npm ci && npm start');
    expect(screen).toContain('npm ci && npm test');
    const call = /```ts run\n(.*?)```/s.exec(screen)?.[1] ?? '';
    expect(call.trim().split('\n').length).toBeLessThanOrEqual(12);
  });

  test('name every option, code and event that there is', () => {
    const config = read('src/config/config-options.ts');
    const options = [...config.matchAll(/^ {2}readonly (\w+)\??: .*$/gm)].map(([, name]) => name ?? '');
    const readme = read('README.md');
    const names = [
      ...options.slice(0, options.indexOf('onDeviceAllMatchingRulesMboxes') + 1),
      ...CALL_OPTIONS,
    ];
    expect(names.length).toBeGreaterThan(40);
    expect(names.filter((name) => !new RegExp(`\`[^\`]*\\b${name}\\b[^\`]*\``).test(readme))).toEqual([]);
    expect(ERROR_CODES.filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
    expect(EVENT_NAMES.filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });

  test('show the servers of the frameworks as CI runs them, and each of them', () => {
    const folder = 'test/frameworks/servers';
    const shown = DOCUMENTS.flatMap((document) => [
      ...read(document).matchAll(/^```ts (\S+\.ts)\n(.*?)^```$/gms),
    ]);
    const texts = Object.fromEntries(shown.map(([, file, text]) => [file, text]));
    const files = readdirSync(join(ROOT, folder));
    expect(texts).toEqual(Object.fromEntries(files.map((file) => [file, read(`${folder}/${file}`)])));
  });

  test('describe every option of a visit in one row of a table', () => {
    const declared = /^export interface VisitOptions extends Pick<CallOptions, (.*?)> \{$(.*?)^\}$/ms.exec(
      read('src/visits/visit-options.ts'),
    );
    const inherited = [...(declared?.[1] ?? '').matchAll(/'(\w+)'/g)];
    const own = [...(declared?.[2] ?? '').matchAll(/^ {2}readonly (\w+)\??:/gm)];
    const table = /^## Options$(.*?)^## /ms.exec(read('docs/visits.md'))?.[1] ?? '';
    const rows = [...table.matchAll(/^\| `(\w+)` \|/gm)];
    const namesOf = (matches: RegExpExecArray[]) => matches.map(([, name]) => name).sort();
    expect(own.length).toBeGreaterThan(10);
    expect(namesOf(rows)).toEqual(namesOf([...inherited, ...own]));
  });

  test('link to files and headings that are there', () => {
    const broken = [...DOCUMENTS, ...MORE_DOCUMENTS].flatMap((document) =>
      linksOf(document)
        .filter(
          ({ path, anchor }) => !existsSync(join(ROOT, path)) || !(anchor === '' || hasHeading(path, anchor)),
        )
        .map(({ path, anchor }) => `${document}: ${path}#${anchor}`),
    );
    expect(broken).toEqual([]);
  });

  test('show the source tree: every room, and nothing that is not there', () => {
    const tree = /^src\/\n(.*?)^```/ms.exec(read('README.md'))?.[1] ?? '';
    const shown = [...tree.matchAll(/^ {2}((?:[\w-]+(?:\/|\.ts) ?)+)/gm)].flatMap(([, names = '']) =>
      names.trim().split(' '),
    );
    const there = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).map((entry) =>
      entry.isDirectory() ? `${entry.name}/` : entry.name,
    );
    expect(shown.sort()).toEqual(there.sort());
  });
});

function linksOf(document: string): { path: string; anchor: string }[] {
  const links = read(document).matchAll(/\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)/g);
  return [...links].map(([, path = '', anchor = '']) => ({
    path: path === '' ? document : join(dirname(document), path),
    anchor,
  }));
}

function hasHeading(document: string, anchor: string): boolean {
  const headings = read(document).matchAll(/^#+ (.*)$/gm);
  return [...headings].some(
    ([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, '')
        .replaceAll(' ', '-') === anchor,
  );
}

function read(document: string): string {
  return readFileSync(join(ROOT, document), 'utf8');
}
