import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What runs in processes of its own. */
const SCRIPTS = ['row', 'check', 'outage', 'sigterm', 'heavy-queue', 'backend'] as const;
export type Script = (typeof SCRIPTS)[number];

const FOLDER = 'FAULT_LAB_SCRIPTS';

/**
 * Bundles what runs in processes of its own, for they are many, and compiling takes longer than most of them do. In a
 * folder inside the project, where packages are found.
 */
export async function buildScripts(): Promise<string> {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const cache = join(here, '../../node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'fault-lab-'));
  await build({
    entryPoints: SCRIPTS.map((name) => join(here, `${name}.ts`)),
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    logLevel: 'error',
  });
  process.env[FOLDER] = folder;
  return folder;
}

/** Where a script is, in the process that built them and in those that it starts. */
export function pathOf(script: Script): string {
  return join(process.env[FOLDER] ?? '', `${script}.mjs`);
}
