/**
 * Builds the reference, one static site: a page for each name that users can import, and the guides. A type that is named
 * by a public one and cannot be imported, or a link that leads nowhere, makes it fail. TypeDoc needs an older compiler
 * than the project has, so both are installed in this folder. Ends with the line `N passed, N failed`.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { Report } from '../../test/package/report.js';
import { run, runNpm } from '../../test/package/sandbox.js';
import { readEntries } from '../entries.js';
import { readGuides } from '../guides.js';
import { manifest, root } from '../manifest.js';

const here = join(root, '.ci/reference');
const cache = join(root, '.cache');
const site = join(cache, 'reference');

const entries = readEntries(root);
const decisions = readdirSync(join(root, 'docs/decisions')).map((name) => `docs/decisions/${name}`);
const documents = [...readGuides(root).map(({ path }) => path), ...decisions, 'CHANGELOG.md'];

/** The options of TypeDoc, see https://typedoc.org/documents/Options.html. */
const OPTIONS = {
  name: manifest.name,
  includeVersion: true,
  basePath: root,
  displayBasePath: join(root, 'src'),
  tsconfig: join(here, 'tsconfig.json'),
  entryPoints: entries.map(({ path }) => join(root, 'src', `${path}.ts`)),
  specifiers: Object.fromEntries(entries.map(({ specifier, path }) => [path, specifier])),
  readme: join(root, 'README.md'),
  projectDocuments: documents.map((path) => join(root, path)),
  plugin: [join(here, 'plugin.mjs')],
  excludeInternal: true,
  // The sources have no address yet that pages could link to.
  disableSources: true,
  validation: { notExported: true, invalidLink: true, invalidPath: true, rewrittenLink: true },
  treatWarningsAsErrors: true,
  treatValidationWarningsAsErrors: true,
  out: site,
};

/** Tells whether the installed packages are older than the lock file. */
function isStale(): boolean {
  const installed = join(here, 'node_modules/.package-lock.json');
  return (
    !existsSync(installed) || statSync(installed).mtimeMs < statSync(join(here, 'package-lock.json')).mtimeMs
  );
}

const report = new Report();
const isInstalled = await report.check('TypeDoc is installed', async () => {
  if (isStale()) {
    await runNpm(['ci', '--ignore-scripts'], { cwd: here, timeoutMs: 600_000 });
  }
});
if (isInstalled) {
  await report.check('the reference is built without a warning', async () => {
    rmSync(site, { recursive: true, force: true });
    mkdirSync(cache, { recursive: true });
    const options = join(cache, 'reference.json');
    writeFileSync(options, JSON.stringify(OPTIONS));
    const typedoc = join(here, 'node_modules/typedoc/bin/typedoc');
    await run(process.execPath, [typedoc, '--options', options], { cwd: root, timeoutMs: 480_000 });
  });
}
console.log(`\n${join(relative(process.cwd(), site), 'index.html')}`);
report.end();
