/** The checkout, its manifest, and those of what is installed. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The part of a package.json that the build reads. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly type?: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
  readonly homepage?: string;
  readonly imports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** The folder of the checkout. */
export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
/** The folder that the build is written to. */
export const dist = join(root, 'dist');

/** Reads the manifest in a folder. */
export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** The package's own manifest. */
export const manifest = readManifest(root);

/** The package that a specifier names: `@scope/name` of `@scope/name/file`. */
export const packageOf = (specifier: string): string =>
  /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;

/** Tells whether a specifier names a package, and no file. */
export const isBare = (specifier: string): boolean => !/^(?:\.|\/|\0)/.test(specifier);

/** Tells whether a path is that of an installed package. */
export const isInstalled = (path: string | undefined): boolean => path?.includes('/node_modules/') ?? false;

/** The folder of the installed package that a module is part of. */
export function packageFolder(module: string): string {
  const start = module.lastIndexOf('/node_modules/') + '/node_modules/'.length;
  return module.slice(0, start) + packageOf(module.slice(start));
}
