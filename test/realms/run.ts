/**
 * Runs the packed package in Jest's jsdom environment, in which many globals of Node are missing or are those of jsdom: with
 * the newest Jest, and with `all` in the oldest that is used too. Ends with the line `N passed, N failed`.
 */
import { ok } from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Report } from '../package/report.js';
import { run, runNpm, Sandbox } from '../package/sandbox.js';

const here = dirname(fileURLToPath(import.meta.url));
const projects = process.argv[2] === 'all' ? ['jsdom-29', 'jsdom-30'] : ['jsdom-30'];

const report = new Report();
const sandbox = new Sandbox();
await report.runAll(sandbox, async () => {
  await sandbox.pack();
  await sandbox.install();
  for (const project of projects) {
    await report.check(`${project}: a client works`, async () => {
      const cwd = join(sandbox.projects, project);
      mkdirSync(cwd);
      cpSync(join(here, project), cwd, { recursive: true, filter: (path) => !path.includes('node_modules') });
      cpSync(join(here, 'client.test.js'), join(cwd, 'client.test.js'));
      await runNpm(['ci', '--ignore-scripts'], { cwd, timeoutMs: 600_000 });
      const jest = join(cwd, 'node_modules/jest/bin/jest.js');
      const { stderr } = await run(process.execPath, [jest], { cwd, timeoutMs: 300_000 });
      ok(/Tests: +\d+ passed, \d+ total/.test(stderr), stderr);
    });
  }
});
