import { equal, match, ok } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Report } from './report.js';
import type { Sandbox } from './sandbox.js';

/** The part of `@edge-runtime/vm` that is used; its own declarations want the DOM's. */
interface EdgeRuntime {
  readonly EdgeVM: new () => { evaluate(script: string): unknown };
}

const { EdgeVM }: EdgeRuntime = createRequire(import.meta.url)('@edge-runtime/vm');

/** Conditions by which bundlers and runtimes without Node resolve the package. */
const CONDITIONS = ['workerd', 'edge-light', 'worker'];
const MODULES = [
  ['import', 'web.mjs'],
  ['require', 'web.cjs'],
] as const;

/** Globals of Node that no other runtime has; a test with `typeof` first is no use. */
const GLOBALS =
  /(?<![\w.$])(?:Buffer|process|global|setImmediate|clearImmediate|__dirname|__filename)\s*[.([]/;

/** The package in one script, as a bundler makes it that knows no platform. */
async function bundle(entry: string, condition: string): Promise<string> {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    metafile: true,
    format: 'iife',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: [condition],
    logLevel: 'silent',
  });
  const external = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  equal(external.join(), '');
  return outputFiles.map(({ text }) => text).join('\n');
}

/** The package where there is no Node: what a bundle of it holds, and what it does. */
export async function checkWeb(report: Report, sandbox: Sandbox): Promise<void> {
  const cwd = sandbox.project('web', { 'web.mjs': 'web.mjs' });
  const module = readFileSync(join(cwd, 'web.mjs'), 'utf8');
  sandbox.write('web/web.cjs', module.replace(/^import (.*) from (.*);$/m, 'const $1 = require($2);'));
  for (const condition of CONDITIONS) {
    for (const [how, entry] of MODULES) {
      await report.check(
        `${how} under the condition ${condition}: a bundle has nothing of Node`,
        async () => {
          const script = await bundle(join(cwd, entry), condition);
          match(script, /allocation/);
          ok(!/["'`]node:/.test(script), 'it imports from Node');
          equal(GLOBALS.exec(script)?.[0], undefined);
        },
      );
    }
  }
  for (const [how, entry] of MODULES) {
    await report.check(
      `${how} in the edge runtime: offers, errors, limits, close, without Node`,
      async () => {
        const vm = new EdgeVM();
        vm.evaluate(await bundle(join(cwd, entry), 'edge-light'));
        equal(await vm.evaluate('outcome'), 'hello');
      },
    );
  }
}
