import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { TargetClient } from '../../src/index.js';
import { html, startTargetEdge } from '../../src/testing/edge.js';
import { runChecks } from './checks.js';
import { verifyAccount } from './verify-account.js';

const ROOT = join(__dirname, '../..');
const SECRETS = ['acmesecret', 'SECRET@AdobeOrg', 'secret-mbox', 'secret-property'];

async function verify(args: readonly string[], environment: Record<string, string> = {}) {
  const lines: string[] = [];
  const code = await verifyAccount(args, environment, (line) => lines.push(line));
  return { code, output: lines.join('\n') };
}

test('a dry run asks the local edge every question, and says that it means nothing', async () => {
  const { code, output } = await verify(['--dry-run']);
  expect(code).toBe(0);
  expect(output).toMatch(/^A dry run against the local edge/);
  const rows = output.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| question'));
  const answers = rows.map((row) => row.split(' | ')[1]);
  expect(answers).toEqual([
    ...['yes', 'yes', 'yes', 'read a report', 'yes', 'read a report', 'yes', 'yes', 'yes'],
    ...['yes', 'yes', 'yes', 'read a report', 'no'],
  ]);
});

test('a dry run works as a script', async () => {
  const script = join(ROOT, 'test/account/verify.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script, '--dry-run'], {
    cwd: ROOT,
  });
  expect(stdout).toContain('| question | answer | what was seen |');
});

describe('nothing that names the account is printed', () => {
  test('not when the checks fail', async () => {
    const [client = '', organizationId = '', name = ''] = SECRETS;
    const target = TargetClient.create({
      client,
      organizationId,
      propertyToken: SECRETS[3],
      retry: { retries: 0 },
      fetchApi: () => Promise.reject(new Error(`no route to ${client}`)),
    });
    const findings = await runChecks({
      client: target,
      mboxes: new Map([['ab', name]]),
      artifactUrl: `http://127.0.0.1:9/${client}`,
    });
    expect(new Set(findings.map(({ answer }) => answer))).toEqual(new Set(['failed']));
    for (const secret of SECRETS) {
      expect(JSON.stringify(findings)).not.toContain(secret);
    }
  });

  test('nor when they run', async () => {
    const [client = '', organizationId = '', name = ''] = SECRETS;
    await using edge = await startTargetEdge({
      client,
      organizationId,
      offers: { mboxes: { [name]: html('x') } },
    });
    await using target = TargetClient.create({
      ...edge.config,
      propertyToken: SECRETS[3],
      telemetryEnabled: false,
    });
    const mboxes = new Map([['ab', name]]);
    const text = JSON.stringify(await runChecks({ client: target, mboxes, artifactUrl: edge.artifactUrl }));
    for (const secret of [...SECRETS, '35_0']) {
      expect(text).not.toContain(secret);
    }
    // A prefetch counts nothing, and each visitor is another one.
    const ids = edge.requests.flatMap(({ delivery }) => delivery?.id?.tntId ?? []);
    expect(new Set(ids).size).toBeGreaterThan(5);
  });

  test('nor when an option is wrong', async () => {
    const { code, output } = await verify([
      '--client',
      'a secret/code',
      '--organization',
      'o',
      '--mbox',
      'ab=hero',
    ]);
    expect(code).toBe(2);
    expect(output).toBe('--client is wrong');
  });
});

test.each<[string, string[], Record<string, string>]>([
  ['nothing is given', [], {}],
  ['there is no mbox', ['--client', 'c', '--organization', 'o'], {}],
  ['an mbox has no kind', ['--client', 'c', '--organization', 'o', '--mbox', 'hero'], {}],
  [
    'an mbox of the environment has no kind',
    ['--client', 'c'],
    { TARGET_ORGANIZATION: 'o', TARGET_MBOXES: 'hero' },
  ],
  ['an option is unknown', ['--clinet', 'c'], {}],
])('it ends with 2 when %s', async (_, args, environment) => {
  const { code, output } = await verify(args, environment);
  expect(code).toBe(2);
  expect(output).toMatch(/--/);
});

test('an mbox that shows nothing is named as such', async () => {
  await using edge = await startTargetEdge();
  await using client = TargetClient.create({ ...edge.config, telemetryEnabled: false });
  const mboxes = new Map([['ab', 'empty']]);
  const findings = await runChecks({ client, mboxes, artifactUrl: edge.artifactUrl });
  const seen = findings.map(({ answer, seen: text }) => `${answer}: ${text}`);
  expect(seen).toContain('no: no offer was shown, so nothing can be counted: choose another mbox');
  expect(seen).toContain('no: ab: options 0, event tokens 0, no state');
  expect(seen).toContain('no: the artifact is answered with the status 404');
});

test('--help tells the options', async () => {
  const { code, output } = await verify(['--help']);
  expect(code).toBe(0);
  expect(output).toContain('--organization ID');
});
