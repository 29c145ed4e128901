import { ok } from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root, runNpm, runTool, type Sandbox } from '../package/sandbox.js';
import type { FleetRun } from './run.js';

const GUIDE = 'docs/fleet-impressions.md';
const MAX_LINES = 20;

/** Compiles the examples of the guide with the packed package and the types of the engines. */
export async function checkRecipes({ report, sandbox }: FleetRun): Promise<void> {
  const text = readFileSync(join(root, GUIDE), 'utf8');
  const blocks = [...text.matchAll(/^```ts recipe (\S+)\n(.*?)^```$/gms)];
  const folder = await install(sandbox);
  await report.check('the guide has examples', () => ok(blocks.length >= 5, `${blocks.length} examples`));
  for (const [, name = '', code = ''] of blocks) {
    await report.check(`${GUIDE}: ${name} compiles, and is short`, async () => {
      const lines = code.trimEnd().split('\n').length;
      ok(lines <= MAX_LINES, `${lines} lines`);
      const file = `${name}.mts`;
      writeFileSync(join(folder, file), code);
      const options = [
        '--module',
        'nodenext',
        '--target',
        'es2022',
        '--strict',
        '--skipLibCheck',
        '--noEmit',
      ];
      const types = ['--types', 'node', '--typeRoots', join(root, 'node_modules/@types')];
      await runTool('typescript', [...options, ...types, file], { cwd: folder });
    });
  }
}

async function install(sandbox: Sandbox): Promise<string> {
  const folder = join(sandbox.projects, 'recipes');
  mkdirSync(folder, { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) {
    cpSync(join(root, 'test/fleet/recipes', file), join(folder, file));
  }
  await runNpm(['ci', '--ignore-scripts'], { cwd: folder, timeoutMs: 600_000 });
  return folder;
}
