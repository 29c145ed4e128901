import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from './report.js';
import { run, type Sandbox } from './sandbox.js';

type Testing = typeof import('target-node-sdk/testing');
type Edge = Awaited<ReturnType<Testing['startTargetEdge']>>;

const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';

/** Runs the command line of the installed package, as its users do. */
export async function checkCommandLine(report: Report, sandbox: Sandbox, edge: Edge): Promise<void> {
  const { activity, buildArtifact, json } = sandbox.require('target-node-sdk/testing') as Testing;
  const hero = activity('Spring').mbox('hero');
  const artifact = buildArtifact({ activities: [hero.only(json({ color: 'red' }))], client: 'acme' });
  const cwd = sandbox.project('command-line', {});
  sandbox.write('command-line/rules.json', JSON.stringify(artifact));
  const target = (...args: string[]) => run(npx, ['--no-install', 'target-node-sdk', ...args], { cwd });

  await report.check('npx target-node-sdk explains a decision', async () => {
    const { stdout, stderr } = await target('explain', 'rules.json', '--mbox', 'hero');
    match(stdout, /^mbox hero {2}the first rule that holds/);
    equal(stderr, '');
  });
  await report.check('npx target-node-sdk runs every command', async () => {
    const { version } = JSON.parse(readFileSync(join(sandbox.installed, 'package.json'), 'utf8'));
    equal((await target('--version')).stdout, `${version}\n`);
    ok((await target('--help')).stdout.includes('doctor'));
    const { stdout } = await target(
      'simulate',
      'rules.json',
      '--mbox',
      'hero',
      '--visitors',
      '100',
      '--json',
    );
    equal(JSON.parse(stdout).visitors, 100);
    deepEqual(JSON.parse((await target('artifact', 'validate', 'rules.json', '--json')).stdout), []);
    ok((await target('artifact', 'inspect', 'rules.json')).stdout.includes('Spring'));
    ok(
      (await target('artifact', 'diff', 'rules.json', 'rules.json')).stdout.includes('1 activity as before'),
    );
    ok((await target('types', 'rules.json')).stdout.includes('color: "red"'));
  });
  await report.check('npx target-node-sdk hints at a typo', async () => {
    await rejects(
      target('inspct', 'rules.json'),
      /unknown command 'inspct' \(Did you mean artifact inspect\?\)/,
    );
    await rejects(target('explain', 'rules.json', '--mbx', 'hero'), /Did you mean --mbox\?/);
  });
  await report.check('npx target-node-sdk gets an artifact, and the doctor finds nothing wrong', async () => {
    edge.setArtifact(artifact);
    await target('artifact', 'get', '--location', edge.artifactUrl, '--out', 'got.json');
    deepEqual(JSON.parse(readFileSync(join(cwd, 'got.json'), 'utf8')), JSON.parse(JSON.stringify(artifact)));
    const hosts = ['--server-domain', edge.host, '--cdn', edge.host, '--insecure'];
    const { stdout } = await target(
      'doctor',
      '--client',
      'demo',
      '--organization',
      'DEMO@AdobeOrg',
      ...hosts,
    );
    ok(stdout.includes('nothing failed'), stdout);
    edge.setArtifact(undefined);
  });
}
