import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, run, runNpm, type Sandbox } from '../package/sandbox.js';
import type { Row } from './rows.js';

const here = dirname(fileURLToPath(import.meta.url));
const INSTALL_MS = 600_000;
/** Far longer than a build takes, on a busy machine too. */
const BUILD_MS = 600_000;
/** Folders of the example that are made by running it. */
const MADE = /node_modules|\.next|next-env|tsbuildinfo/;

/** A copy of the example, with the packed package installed, and with pages that only the tests have. */
export class Project {
  readonly cwd: string;
  readonly #row: Row;

  private constructor(cwd: string, row: Row) {
    this.cwd = cwd;
    this.#row = row;
  }

  /** Installs the Next.js of a row. The project finds the package in a folder above, as it does in the repository. */
  static async install(sandbox: Sandbox, row: Row): Promise<Project> {
    const folder = join(sandbox.folder, row.name.replace(/\W+/g, '-'));
    const cwd = join(folder, row.folder === undefined ? 'examples/nextjs' : `test/next/${row.folder}`);
    mkdirSync(cwd, { recursive: true });
    await run('tar', ['-xzf', sandbox.tarball, '--strip-components=1', '-C', folder], { cwd: folder });
    const example = join(root, 'examples/nextjs');
    cpSync(example, cwd, { recursive: true, filter: (path) => !MADE.test(path.slice(example.length)) });
    cpSync(join(here, 'pages'), cwd, { recursive: true });
    addSnippets(cwd);
    if (row.folder !== undefined) {
      cpSync(join(here, row.folder), cwd, { recursive: true });
    }
    if (row.isBefore16) {
      renameProxy(cwd);
    }
    if (row.config !== undefined) {
      writeFileSync(join(cwd, 'next.config.ts'), `export default ${JSON.stringify(row.config)};\n`);
    }
    await runNpm(['ci', '--ignore-scripts'], { cwd, timeoutMs: INSTALL_MS });
    return new Project(cwd, row);
  }

  /** The version of Next.js that is installed. */
  get version(): string {
    return JSON.parse(readFileSync(join(this.cwd, 'node_modules/next/package.json'), 'utf8')).version;
  }

  /** Builds the project. Rejects with everything that the build printed when it fails. */
  async build(environment: Readonly<Record<string, string>> = {}): Promise<string> {
    const next = join(this.cwd, 'node_modules/next/dist/bin/next');
    const env = { NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production', ...environment };
    const args = [next, 'build', ...(this.#row.buildFlags ?? [])];
    const { stdout, stderr } = await run(process.execPath, args, { cwd: this.cwd, env, timeoutMs: BUILD_MS });
    if (this.#row.isStandalone) {
      const standalone = join(this.cwd, '.next/standalone');
      const app = existsSync(join(standalone, 'server.js'))
        ? standalone
        : join(standalone, 'examples/nextjs');
      cpSync(join(this.cwd, '.next/static'), join(app, '.next/static'), { recursive: true });
    }
    return stdout + stderr;
  }

  /** Writes a file of the project. */
  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.cwd, path)), { recursive: true });
    writeFileSync(join(this.cwd, path), text);
  }

  /** Replaces a text in a file of the project. */
  edit(path: string, text: string, by: string): void {
    this.write(path, readFileSync(join(this.cwd, path), 'utf8').replace(text, by));
  }

  /** Deletes a file or folder of the project. */
  remove(path: string): void {
    rmSync(join(this.cwd, path), { recursive: true, force: true });
  }
}

/** Before Next.js 16, the proxy is called middleware. */
function renameProxy(cwd: string): void {
  const text = readFileSync(join(cwd, 'proxy.ts'), 'utf8');
  writeFileSync(join(cwd, 'middleware.ts'), text.replace('function proxy', 'function middleware'));
  renameSync(join(cwd, 'proxy.ts'), join(cwd, 'proxy.txt'));
}

/**
 * Puts the snippets of the guide into the project, where the build checks their types. The comment in the first line of a
 * snippet names its file.
 */
function addSnippets(cwd: string): void {
  const guide = readFileSync(join(root, 'docs/next.md'), 'utf8');
  const snippets = [...guide.matchAll(/^```tsx\n\/\/ (\S+)\n(.*?)^```$/gms)];
  for (const [position, [, path = '', code = '']] of snippets.entries()) {
    const folder = join(cwd, `guide/${position}`);
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, 'target.ts'), "export { target } from '../../target';\n");
    writeFileSync(join(folder, path), code);
  }
}
