import { equal, ok } from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { PEERS, peersOf } from '../../.ci/entries.js';
import { packageOf } from '../../.ci/manifest.js';
import type { Report } from './report.js';
import { root, runTool, type Sandbox } from './sandbox.js';

/** More than this is more than needed: something is in it twice, or with white space that nobody reads. */
const MAX_PACKED_BYTES = 485_000;

const DOCUMENTS = ['README.md', 'SECURITY.md', 'llms.txt'];
const SCHEMAS = ['artifact.schema.json', 'offers.schema.json'];
const WANTED = ['package.json', ...DOCUMENTS, ...SCHEMAS, 'LICENSE', 'dist/THIRD-PARTY-LICENSES.txt'];
const ALLOWED =
  /^(?:package\.json|(?:artifact|offers)\.schema\.json|README\.md|SECURITY\.md|llms\.txt|LICENSE|dist\/.+\.(?:js|cjs|d\.ts|d\.cts|txt))$/;

/** Packs the package, looks at what is in it, and installs it in the sandbox. */
export async function checkTarball(report: Report, sandbox: Sandbox): Promise<void> {
  const { files, bytes } = await sandbox.pack();
  await report.check('the tarball holds what `files` lists and nothing else', () => {
    equal(files.filter((path) => !ALLOWED.test(path)).join(), '');
    equal(WANTED.filter((path) => !files.includes(path)).join(), '');
  });
  await report.check(`the tarball has at most ${MAX_PACKED_BYTES / 1000} kB: ${bytes / 1000} kB`, () =>
    ok(bytes <= MAX_PACKED_BYTES, `${bytes} bytes`),
  );
  await report.check('documents in the tarball link to what is in the repository', () => {
    const documents = files.filter((path) => DOCUMENTS.includes(path));
    equal(documents.flatMap(brokenLinks).join('\n'), '');
  });
  const { tarball, folder: cwd } = sandbox;
  await report.check('publint --strict has nothing to say', () =>
    runTool('publint', ['run', tarball, '--strict'], { cwd }),
  );
  await report.check('the types are right in every mode of resolution (attw)', () =>
    runTool('@arethetypeswrong/cli', [tarball, '--no-color', '--no-emoji'], { cwd }),
  );
  await report.check('npm installs the tarball', () => sandbox.install());
  await report.check('`import` runs every declared dependency, and nothing else of others', () =>
    equal(importedBy(join(sandbox.installed, 'dist/esm')).join(), declared().join()),
  );
}

/** Relative links whose target is not there. Guides are in the repository, where the page of a registry looks for them. */
function brokenLinks(document: string): string[] {
  const text = readFileSync(join(root, document), 'utf8');
  return [...text.matchAll(/\]\((?!\w+:)([^)\s#]+)/g)]
    .map(([, link = '']) => posix.join(posix.dirname(document), link))
    .filter((target) => !existsSync(join(root, target)))
    .map((target) => `${document}: ${target}`);
}

/** The dependencies of the manifest, and the peers that entries import when they run. */
function declared(): string[] {
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return [
    ...Object.keys(dependencies),
    ...Object.keys(PEERS).flatMap((path) => [...peersOf(path, 'code'), ...peersOf(path, 'use')]),
  ].sort();
}

/** The packages that the files of a build import, and those that its specifiers stand for. */
function importedBy(folder: string): string[] {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.js'))
    .flatMap((path) => {
      const text = readFileSync(join(folder, path), 'utf8');
      // The minified command line has several imports in a line.
      const imports = /(?:(?:^|[;}])(?:import|export)\b[^'"`;\n]*|\bimport\()['"`]([\w@#./-]+)['"`]/gm;
      return [...text.matchAll(imports)].map(([, name = '']) => name);
    })
    .map((specifier) => manifest.imports[specifier]?.default ?? specifier)
    // The command line imports the package by its own name.
    .filter(
      (specifier) => typeof specifier === 'string' && !/^(?:\.|node:|target-node-sdk\b)/.test(specifier),
    );
  return [...new Set(found.map(packageOf))].sort();
}
