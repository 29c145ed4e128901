/**
 * Plays the test kit of the packed package in Jest, Vitest and node:test, with the fake timers of each. Ends with the line
 * `N passed, N failed`.
 */
import { equal, ok } from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Report } from '../package/report.js';
import { run, runNpm, runTool, Sandbox } from '../package/sandbox.js';

const here = dirname(fileURLToPath(import.meta.url));
/** The number of tests in the scenario. */
const TESTS = 4;

const report = new Report();
const sandbox = new Sandbox();

function project(name: string, ...files: string[]): string {
  const cwd = join(sandbox.projects, name);
  mkdirSync(cwd);
  for (const file of ['scenario.cjs', ...files]) {
    cpSync(join(here, file), join(cwd, file.split('/').at(-1) ?? ''));
  }
  return cwd;
}

await report.runAll(sandbox, async () => {
  await sandbox.pack();
  await sandbox.install();
  await report.check('Jest: the test kit works', async () => {
    const cwd = project('jest', 'kit.test.cjs');
    const config = JSON.stringify({ rootDir: cwd, transform: {} });
    const { stderr } = await runTool('jest', ['--config', config], { cwd });
    ok(stderr.includes(`Tests:       ${TESTS} passed, ${TESTS} total`), stderr);
  });
  await report.check('node:test: the test kit works', async () => {
    const cwd = project('node', 'kit.test.mjs');
    const { stdout } = await run(process.execPath, ['--test', '--test-reporter', 'tap'], { cwd });
    ok(stdout.includes(`# pass ${TESTS}\n`) && stdout.includes('# fail 0\n'), stdout);
  });
  await report.check('Vitest: the test kit works', async () => {
    const cwd = project(
      'vitest',
      ...['package.json', 'package-lock.json', 'kit.test.mjs'].map((f) => `vitest-4/${f}`),
    );
    await runNpm(['ci', '--ignore-scripts'], { cwd, timeoutMs: 600_000 });
    const vitest = join(cwd, 'node_modules/vitest/vitest.mjs');
    const { stdout } = await run(process.execPath, [vitest, 'run', '--no-color'], { cwd });
    ok(stdout.includes(`Tests  ${TESTS} passed (${TESTS})`), stdout);
  });
  await report.check('a process with test clients has nothing left to do', async () => {
    const cwd = project('node-ends', 'ends-by-itself.mjs');
    const { stdout } = await run(process.execPath, ['ends-by-itself.mjs'], { cwd });
    equal(stdout, 'left: \n');
  });
});
