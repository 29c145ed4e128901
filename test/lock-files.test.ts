import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import { parse } from 'yaml';

const ROOT = join(__dirname, '..');
const MADE = /^(?:node_modules|\.next|\.git|dist)$/;

function lockFilesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      return MADE.test(entry.name) ? [] : lockFilesIn(path);
    }
    return entry.name === 'package-lock.json' ? [path] : [];
  });
}

const folders = lockFilesIn('').map((path) => dirname(path));
const read = (path: string) => JSON.parse(readFileSync(join(ROOT, path), 'utf8'));

test('Dependabot looks at every lock file but that of the oldest frameworks', () => {
  const { updates } = parse(readFileSync(join(ROOT, '.github/dependabot.yml'), 'utf8'));
  const named: string[] = updates.flatMap(({ directories }: { directories?: string[] }) => directories ?? []);
  expect([...named, '/test/frameworks/oldest'].toSorted()).toEqual(folders.toSorted());
});

test('lock files have what the package needs, wherever it is installed from the checkout', () => {
  const needs = ({ dependencies, peerDependencies, peerDependenciesMeta }: Record<string, unknown>) => ({
    dependencies,
    peerDependencies,
    peerDependenciesMeta,
  });
  const users = folders.filter((folder) => folder !== '/' && usesPackage(folder));
  expect(users.toSorted()).toEqual(['/examples/nextjs', '/test/next/next-15']);
  for (const folder of users) {
    const locked = read(`${folder}/package-lock.json`).packages['node_modules/target-node-sdk'];
    expect([folder, needs(locked)]).toEqual([folder, needs(read('package.json'))]);
    expect(resolve(ROOT, `.${folder}`, locked.resolved.replace('file:', ''))).toBe(ROOT);
  }
});

function usesPackage(folder: string): boolean {
  return read(`${folder}/package.json`).dependencies?.['target-node-sdk'] !== undefined;
}
