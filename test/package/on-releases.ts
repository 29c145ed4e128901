/**
 * Runs the fast tests on the oldest Node.js that `engines` allows, and on the newest of each line since. Ends with the
 * line `N passed, N failed`.
 */
import { join } from 'node:path';
import { installReleases } from './releases.js';
import { Report } from './report.js';
import { root, run, Sandbox } from './sandbox.js';

const RELEASES = ['20.19.0', '22', '24', '26'];
const JEST = join(root, 'node_modules/jest/bin/jest.js');
const MS_TO_END = 20 * 60_000;

const report = new Report();
const sandbox = new Sandbox();
await report.runAll(sandbox, async () => {
  let releases: ReadonlyMap<string, string> = new Map();
  await report.check(`Node ${RELEASES.join(', ')} can be had`, async () => {
    releases = await installReleases(sandbox, RELEASES);
  });
  for (const [release, node] of releases) {
    // Jest keeps what it transformed: each release by itself.
    const args = [
      JEST,
      '--selectProjects',
      'fast',
      '--silent',
      `--cacheDirectory=${sandbox.folder}/jest-${release}`,
    ];
    await report.check(`the fast tests on Node ${release}`, () =>
      run(node, args, { cwd: root, timeoutMs: MS_TO_END }),
    );
  }
});
