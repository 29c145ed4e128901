/**
 * The texts for language models: `llms.txt`, an index in the form of https://llmstxt.org, and `llms-full.txt`, the README
 * and the guides in one. Both are made of what is written for people.
 */
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { type Entry, readEntries } from './entries.js';
import { readGuides } from './guides.js';

interface Manifest {
  readonly name: string;
  readonly description: string;
  readonly files: readonly string[];
  readonly repository?: string | { readonly url: string };
}

/** The paragraph about a file that its comment with `@packageDocumentation` begins with. */
function aboutEntry(root: string, { path }: Entry): string {
  const text = readFileSync(join(root, 'src', `${path}.ts`), 'utf8');
  const comment = /^\/\*\*((?:(?!\*\/).)*)@packageDocumentation\b/s.exec(text)?.[1];
  const [about = ''] = (comment ?? '')
    .replace(/^ \*(?: |$)/gm, '')
    .trim()
    .split('\n\n');
  if (about === '') {
    throw new Error(
      `src/${path}.ts has to begin with a comment on the entry, with the tag @packageDocumentation`,
    );
  }
  return about.replaceAll('\n', ' ');
}

/** The address under which a repository shows its files; undefined when the manifest names no repository. */
function addressOf({ repository }: Manifest): string | undefined {
  const url = typeof repository === 'string' ? repository : repository?.url;
  return url === undefined
    ? undefined
    : `${url
        .replace(/^git\+/, '')
        .replace(/^github:/, 'https://github.com/')
        .replace(/\.git$/, '')}/blob/HEAD`;
}

/**
 * Makes `llms.txt`. It is packed, so its links lead to files of the package. Guides are not packed: they are links only
 * when the manifest says where the repository is.
 */
export function toIndex(root: string): string {
  const manifest: Manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const isPacked = (path: string) => manifest.files.includes(path);
  const address = addressOf(manifest);
  const guides = readGuides(root);
  const entries = readEntries(root);
  const inRepository = guides.filter(({ path }) => !isPacked(path));
  const lines = inRepository.map(({ title, path, about }) =>
    address === undefined
      ? `- \`${path}\` (${title}): ${about}`
      : `- [${title}](${address}/${path}): ${about}`,
  );
  const list = lines.join('\n');
  return `# ${manifest.name}

> ${manifest.description}

Import from the entries below, and from no other file. Their declarations have a comment on each name, with units, defaults and errors.
${address === undefined ? `\nThese guides are in the repository, and not in the package:\n\n${list}\n` : ''}
## Documents

- [README](README.md): what it does, a first call, all options, errors, events and cookies
${guides
  .filter(({ path }) => isPacked(path))
  .map(({ title, path, about }) => `- [${title}](${path}): ${about}\n`)
  .join('')}
## Entries

${entries
  .map((entry) => `- [${entry.specifier}](dist/cjs/${entry.path}.d.cts): ${aboutEntry(root, entry)}\n`)
  .join('')}${address === undefined ? '' : `\n## Guides\n\n${list}\n`}`;
}

/** Rewrites the links of a document, which are relative to its folder, so that they are relative to the root. */
function withLinksFromRoot(document: string, text: string): string {
  return text
    .split(/(^```.*?^```$)/ms)
    .map((part, index) =>
      // Every other part is a block of code.
      index % 2 === 1
        ? part
        : part.replace(/\]\((?!\w+:)([^)\s#]*)/g, (_, path: string) =>
            path === '' ? `](${document}` : `](${posix.join(posix.dirname(document), path)}`,
          ),
    )
    .join('');
}

/** Makes `llms-full.txt`. It is not packed. Its links are relative to the root of the repository. */
export function toFull(root: string): string {
  const documents = ['README.md', ...readGuides(root).map(({ path }) => path)];
  return documents
    .map((document) => {
      const text = readFileSync(join(root, document), 'utf8');
      return `<!-- file: ${document} -->\n\n${withLinksFromRoot(document, text).trim()}\n`;
    })
    .join('\n');
}
