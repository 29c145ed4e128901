import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { readEntries } from '../.ci/entries.js';
import { readGuides } from '../.ci/guides.js';
import { toFull, toIndex } from '../.ci/llms-texts.js';

const ROOT = join(__dirname, '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const manifest = JSON.parse(read('package.json'));
const guides = readGuides(ROOT);
const entries = readEntries(ROOT);
const linksOf = (text: string) => [...text.matchAll(/\]\(([^)\s#]+)/g)].map(([, link = '']) => link);

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** Makes a copy of what the texts are made of, in which some files are other ones. */
function checkoutWith(changes: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'target-node-sdk-llms-'));
  folders.push(folder);
  for (const path of ['README.md', 'SECURITY.md', 'package.json', 'docs', 'src']) {
    cpSync(join(ROOT, path), join(folder, path), { recursive: true });
  }
  for (const [path, text] of Object.entries(changes)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test('llms.txt and llms-full.txt are up to date; `npm run llms` writes them', () => {
  // A diff of a long text helps nobody.
  expect(read('llms.txt') === toIndex(ROOT)).toBe(true);
  expect(read('llms-full.txt') === toFull(ROOT)).toBe(true);
});

describe('llms.txt', () => {
  const index = toIndex(ROOT);

  test('has the form of llmstxt.org: a title, a summary, and lists of links under headings', () => {
    expect(index.startsWith(`# ${manifest.name}\n\n> ${manifest.description}\n\n`)).toBe(true);
    const [, ...sections] = index.split(/^## .*\n/m);
    expect(sections.length).toBeGreaterThanOrEqual(2);
    for (const line of sections.join('').split('\n').filter(Boolean)) {
      expect(line).toMatch(/^- \[[^\]]+\]\([^)\s]+\): \S.*$/);
    }
  });

  test('names every entry and every guide', () => {
    expect(entries.filter(({ specifier }) => !index.includes(`[${specifier}](`))).toEqual([]);
    expect(guides.length).toBeGreaterThan(20);
    expect(guides.filter(({ path }) => !index.includes(path))).toEqual([]);
  });

  test('is packed, and links to nothing but files of the package', () => {
    expect(manifest.files).toContain('llms.txt');
    expect(manifest.files).not.toContain('llms-full.txt');
    const declarations = Object.values<{ require?: { types: string } }>(manifest.exports).map(({ require }) =>
      require?.types.slice('./'.length),
    );
    const strays = linksOf(index).filter(
      (link) => !manifest.files.includes(link) && !declarations.includes(link),
    );
    expect(strays).toEqual([]);
  });

  test.each([['https://example.com/sdk'], [{ type: 'git', url: 'git+https://example.com/sdk.git' }]])(
    'links to the guides when the manifest names the repository: %j',
    (repository) => {
      const root = checkoutWith({ 'package.json': JSON.stringify({ ...manifest, repository }) });
      const links = linksOf(toIndex(root));
      const inRepository = guides.filter(({ path }) => !manifest.files.includes(path));
      expect(links).toEqual(
        expect.arrayContaining(inRepository.map(({ path }) => `https://example.com/sdk/blob/HEAD/${path}`)),
      );
    },
  );

  test('cannot be written for a guide that the README does not list, or an entry that says nothing of itself', () => {
    const withGuide = checkoutWith({ 'docs/unlisted.md': '# Unlisted\n' });
    expect(() => toIndex(withGuide)).toThrow('The table of guides in README.md lacks docs/unlisted.md');
    const withEntry = checkoutWith({ 'src/adapters/hono.ts': '/** A visit. */\nexport const visit = 1;\n' });
    expect(() => toIndex(withEntry)).toThrow('src/adapters/hono.ts has to begin with a comment on the entry');
  });
});

describe('llms-full.txt', () => {
  const full = toFull(ROOT);

  test('holds the README and every guide', () => {
    const parts = [...full.matchAll(/^<!-- file: (\S+) -->$/gm)].map(([, path]) => path);
    expect(parts).toEqual(['README.md', ...guides.map(({ path }) => path)]);
    for (const { path } of guides) {
      expect(full).toContain(/^# .*$/m.exec(read(path))?.[0]);
    }
  });

  test('has links from the root of the repository, and leaves code as it is', () => {
    const prose = full.replace(/^```.*?^```$/gms, '');
    const broken = linksOf(prose).filter((link) => !/^\w+:/.test(link) && !existsSync(join(ROOT, link)));
    expect(broken).toEqual([]);
    const root = checkoutWith({
      'docs/visits.md': '# Visits\n[a](consent.md#b) [c](../README.md) [d](#visits)\n```ts\nf[0](x);\n```\n',
    });
    expect(toFull(root)).toContain(
      '[a](docs/consent.md#b) [c](README.md) [d](docs/visits.md#visits)\n```ts\nf[0](x);\n```\n',
    );
  });
});
