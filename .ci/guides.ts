/** The guides, as the table in the README lists them: the one list, which `llms.txt` and the reference read. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One document for users. */
export interface Guide {
  readonly title: string;
  /** The file from the root of the repository, such as `docs/visits.md`. */
  readonly path: string;
  /** A few words on its content. */
  readonly about: string;
}

/** Reads the list. A guide that the README does not list would be found by nobody, so it is an error. */
export function readGuides(root: string): Guide[] {
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const table = /^\| guide \|.*\n\|.*\n((?:\|.*\n)+)/m.exec(readme)?.[1] ?? '';
  const guides = [...table.matchAll(/^\| \[([^\]]+)\]\(([^)#]+)\) \| (.*) \|$/gm)].map(
    ([, title = '', path = '', about = '']) => ({ title, path, about }),
  );
  const missing = readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .filter((name) => !guides.some(({ path }) => path === `docs/${name}`));
  if (missing.length > 0) {
    throw new Error(
      `The table of guides in README.md lacks ${missing.map((name) => `docs/${name}`).join(', ')}`,
    );
  }
  return guides;
}
