/**
 * The API report: what users can import, as the declarations of the last build say it, without comments. Written to
 * `.ci/api.md`; `--check` fails when that file says something else.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, posix, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readEntries } from './entries.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const report = join(root, '.ci/api.md');

const HEAD = `# API report

Written by \`npm run api\`, checked by \`npm run types\`. Its diff shows what a change means for users.
`;

/** A declaration file of the build, without comments and empty lines. */
function declarationsOf(path: string): string {
  const text = readFileSync(join(root, 'dist/cjs', path.replace(/ts$/, 'cts')), 'utf8');
  return text
    .replace(/(['"]\.[^'"]*)\.cjs(?=['"])/g, '$1.js')
    .replace(/\/\*[\s\S]*?\*\/|^\/\/.*$/gm, '')
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{2,}/g, '\n')
    .trim();
}

/** The declaration files that an entry reaches, its own first. */
function filesOf(entry: string): string[] {
  const files = new Set([`${entry}.d.ts`]);
  for (const file of files) {
    for (const [, specifier = ''] of declarationsOf(file).matchAll(
      /(?:\bfrom |\bimport\(|^import )['"](\.[^'"]+)['"]/gm,
    )) {
      files.add(posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.d.ts'));
    }
  }
  return [...files];
}

function section(level: string, title: string, file: string): string {
  return `\n${level} ${title}\n\n\`\`\`ts\n${declarationsOf(file)}\n\`\`\`\n`;
}

function write(): string {
  const entries = readEntries(root);
  const ofEntries = entries.map(({ path }) => `${path}.d.ts`);
  const inner = new Set(
    entries.flatMap(({ path }) => filesOf(path)).filter((file) => !ofEntries.includes(file)),
  );
  return [
    HEAD,
    ...entries.map(({ specifier, path }) => section('##', `\`${specifier}\``, `${path}.d.ts`)),
    '\n## Files that they reach\n',
    ...[...inner].sort().map((file) => section('###', file.replace(/\.d\.ts$/, ''), file)),
  ].join('');
}

const written = write();
if (!process.argv.includes('--check')) {
  writeFileSync(report, written);
} else if (!existsSync(report) || readFileSync(report, 'utf8') !== written) {
  console.error('.ci/api.md is not what users can import now: run `npm run api`, and look at its diff');
  process.exitCode = 1;
}
