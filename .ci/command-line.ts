/** The build of the command line, apart from that of the library. */
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { type OutputChunk, rolldown } from 'rolldown';
import { dist, isBare, isInstalled, manifest, packageOf, root } from './manifest.js';

/** Packages of the command line alone. They are bundled, so that nobody installs them for the library. */
const ofTheCommandLine = new Set(['fast-string-truncated-width', 'leven']);

type OnLog = (level: string, log: { readonly code?: string; readonly message: string }) => void;

/** Builds the command line. It imports the entries of the package as any program does, so it has no file in common with them. */
export async function bundleCommandLine(onLog: OnLog): Promise<OutputChunk[]> {
  const build = await rolldown({
    cwd: root,
    input: { bin: 'src/cli/bin.ts' },
    platform: 'node',
    external: (specifier, importer) => {
      const isBundled = !isBare(specifier) || ofTheCommandLine.has(packageOf(specifier));
      if (!isBundled && !isBuiltin(specifier) && packageOf(specifier) !== manifest.name) {
        throw new Error(`${importer} imports ${specifier}, which the command line does not bundle`);
      }
      return !isBundled;
    },
    optimization: { inlineConst: false },
    transform: { target: 'es2022' },
    experimental: { attachDebugInfo: 'none' },
    onLog,
  });
  const { output } = await build.write({
    dir: join(dist, 'esm/cli'),
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: '[name].js',
    codeSplitting: { groups: [{ name: 'packages', test: isInstalled }] },
    comments: { jsdoc: false },
    // Nobody debugs it but by the names in a stack, which stay.
    minify: { compress: { keepNames: { function: true, class: true } }, mangle: { keepNames: true } },
  });
  await build.close();
  return output.filter((chunk) => chunk.type === 'chunk');
}
