import { deepEqual } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { readEntries } from '../../.ci/entries.js';
import type { Report } from './report.js';
import { root, type Sandbox } from './sandbox.js';

/** Entries of people with questions and of tests. Each other one is loaded by servers. */
const NOT_OF_SERVERS = ['tools/tools', 'testing/edge'];
/** Files that no server needs. */
const OF_TOOLS = /^dist\/(?:esm|cjs)\/(?:tools|testing|cli)\/|chunks\/(?:tools|json-schema)\./;
/** Files that only on-device decisions need. They are loaded when the configuration asks for such. */
const OF_ENGINE = /chunks\/(?:engine|decider|sharing)\./;

/** The build writes each of these in one way. */
const LOADED = /(?:\bfrom |\bimport |\bimport\(|\brequire\()["'](\.[^"']+)["']/g;
const LOADED_AT_ONCE = /(?:\bfrom |\bimport |(?<!=>)\brequire\()["'](\.[^"']+)["']/g;

/** Says of each entry that it has the way to no file of the tools, of the tests and of the command line. */
export async function checkLoaded(report: Report, { installed }: Sandbox): Promise<void> {
  const paths = readEntries(root).map(({ path }) => path);
  for (const format of ['esm', 'cjs']) {
    const extension = format === 'esm' ? 'js' : 'cjs';
    await report.check(`${format}: entries of servers lead to no file of tools and of tests`, () => {
      const found = paths
        .filter((path) => !NOT_OF_SERVERS.includes(path))
        .flatMap((path) =>
          reached(installed, `dist/${format}/${path}.${extension}`, 'all').map((file) => `${path}: ${file}`),
        );
      deepEqual(
        found.filter((line) => OF_TOOLS.test(line.slice(line.indexOf(' ') + 1))),
        [],
      );
    });
    await report.check(`${format}: the client loads the engine when it is asked for`, () => {
      const entry = `dist/${format}/index.${extension}`;
      const isOfEngine = (file: string) => OF_ENGINE.test(file);
      deepEqual(reached(installed, entry, 'at once').filter(isOfEngine), []);
      deepEqual(reached(installed, entry, 'all').some(isOfEngine), true);
    });
  }
}

/** The files of the package that a file loads: at once, or with all that it loads later. */
function reached(folder: string, from: string, when: 'at once' | 'all'): string[] {
  const found = new Set([from]);
  for (const file of found) {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [, specifier = ''] of text.matchAll(when === 'all' ? LOADED : LOADED_AT_ONCE)) {
      found.add(relative(folder, join(folder, dirname(file), specifier)));
    }
  }
  return [...found];
}
