import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';

/** What a program printed to both outputs. */
export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
}

/** Where and how long a program may run. */
export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** @default 120000 */
  readonly timeoutMs?: number;
}

/** Runs a program to its end; rejects with everything it printed when it fails or does not end in time. */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
  const { cwd, env, timeoutMs = 120_000 } = options;
  return new Promise((done, failed) => {
    const settings = {
      cwd,
      env: { ...process.env, ...env },
      timeout: timeoutMs,
      maxBuffer: 64 * 1024 * 1024,
    };
    execFile(program, args, settings, (error, stdout, stderr) => {
      if (!error) {
        return done({ stdout, stderr });
      }
      const reason = error.killed ? `did not end within ${timeoutMs} ms` : `ended with code ${error.code}`;
      failed(new Error([`${program} ${args.join(' ')} ${reason}`, stdout, stderr].join('\n').trim()));
    });
  });
}

/** Runs npm. */
export function runNpm(args: readonly string[], options: RunOptions): Promise<Outcome> {
  return run(npm, [...args, '--no-audit', '--no-fund'], options);
}

/** Runs a command-line tool that the checkout has installed. */
export function runTool(name: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
  const manifest = join(root, 'node_modules', name, 'package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  const script = typeof bin === 'string' ? bin : (bin[name] ?? Object.values(bin)[0]);
  return run(process.execPath, [join(dirname(manifest), script), ...args], options);
}

/** What a tarball holds. */
export interface Packed {
  readonly files: readonly string[];
  /** Its size, compressed. */
  readonly bytes: number;
}

/** A temporary folder with the packed package installed, in which people's projects are imitated. */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'target-node-sdk-'));
  /** Where projects find the installed package; the rest of the folder does not. */
  readonly projects = join(this.folder, 'projects');
  /** The packed package, once {@link Sandbox.pack} has made it. */
  tarball = '';

  /** Where the packed package is installed, once it is. */
  readonly installed = join(this.projects, 'node_modules/target-node-sdk');

  /**
   * Packs the checkout and resolves with what the tarball holds. With the variable `PACKED_IN`, the tarball is one that
   * `npm pack --json` has made in that folder, with its output in `pack.json`: several runs then pack once.
   */
  async pack(): Promise<Packed> {
    const made = process.env.PACKED_IN;
    const folder = made || this.folder;
    const printed = made
      ? readFileSync(join(made, 'pack.json'), 'utf8')
      : (await runNpm(['pack', '--json', '--pack-destination', folder], { cwd: root })).stdout;
    const [packed] = JSON.parse(printed.slice(printed.indexOf('[\n')));
    this.tarball = join(folder, packed.filename);
    return { files: packed.files.map(({ path }: { path: string }) => path), bytes: packed.size };
  }

  /** Installs the tarball, as somebody's `npm install` would, where every project of the sandbox finds it. */
  async install(): Promise<void> {
    this.write('package.json', '{ "private": true }');
    await runNpm(['install', this.tarball], { cwd: this.projects });
  }

  /** Installs a package that goes with the tarball, in place of another version of it. */
  async installPeer(wanted: string): Promise<void> {
    await runNpm(['install', wanted], { cwd: this.projects });
  }

  /** Installs packages under names of ours (`name@npm:package@range`) in a project of their own. */
  async installBeside(project: string, packages: readonly string[]): Promise<string> {
    const cwd = join(this.folder, project);
    mkdirSync(cwd, { recursive: true });
    writeFileSync(join(cwd, 'package.json'), '{ "private": true }');
    await runNpm(['install', '--no-save', ...packages], { cwd, timeoutMs: 600_000 });
    return join(cwd, 'node_modules');
  }

  /** Makes a project out of the files in `consumers`, named with what they are called there. */
  project(name: string, consumers: Readonly<Record<string, string>>): string {
    const folder = join(this.projects, name);
    mkdirSync(folder, { recursive: true });
    for (const [path, consumer] of Object.entries(consumers)) {
      cpSync(join(root, 'test/package/consumers', consumer), join(folder, path));
    }
    return folder;
  }

  /** Writes a file of a project. */
  write(path: string, text: string): void {
    const file = join(this.projects, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** What `require` in a project of the sandbox gives. */
  require(specifier: string): unknown {
    return createRequire(join(this.projects, 'package.json'))(specifier);
  }

  /** Deletes the folder. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
