import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { activity, buildArtifact, json } from 'target-node-sdk/testing';
import type { CheckResult } from '../../src/cli/doctor-check.js';
import { selfSigned } from '../self-signed.js';
import { withFiles } from './run-cli.js';

const ROOT = join(__dirname, '../..');
const file = withFiles();
const DAY_MS = 86_400_000;

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const NODE = ['--import', 'tsx', join(ROOT, 'src/cli/bin.ts')];

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return spawn(process.execPath, [...NODE, ...args], { cwd: ROOT, env: { ...process.env, ...env } });
}

/** Runs a command in a process of its own to its end. */
async function run(
  args: readonly string[],
  { env, stdin = '' }: { env?: Readonly<Record<string, string>>; stdin?: string } = {},
): Promise<Ended> {
  const child = start(args, env);
  let [out, err] = ['', ''];
  child.stdout.on('data', (bytes) => {
    out += bytes;
  });
  child.stderr.on('data', (bytes) => {
    err += bytes;
  });
  child.stdin.end(stdin);
  const [code] = await once(child, 'close');
  return { code, out, err };
}

const artifact = buildArtifact({
  activities: Array.from({ length: 300 }, (_, index) =>
    activity(`Activity ${index}`)
      .mbox(`mbox-${index}`)
      .split({ A: [50, json({ n: 1 })], B: [50, json({ n: 2 })] }),
  ),
  client: 'acme',
});

describe('a process', () => {
  test('reads standard input, prints, and ends with the exit code', async () => {
    const { code, out, err } = await run(['explain', '-', '--mbox', 'mbox-7'], {
      stdin: JSON.stringify(artifact),
    });
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('Activity 7');
    const { code: other } = await run(['explain', '-', '--mbox', 'none'], {
      stdin: JSON.stringify(artifact),
    });
    expect(other).toBe(1);
    expect((await run(['explain', 'nope.json', '--mbox', 'x'])).code).toBe(2);
  });

  test('ends quietly when nobody reads on', async () => {
    const child = start(['artifact', 'inspect', file('rules.json', artifact)]);
    let err = '';
    child.stderr.on('data', (bytes) => {
      err += bytes;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const [code] = await once(child, 'close');
    expect([code, err]).toEqual([0, '']);
  });

  test('ends by a signal while it waits for ids', async () => {
    const child = start(['simulate', file('rules.json', artifact), '--mbox', 'mbox-7', '--ids', '-']);
    let err = '';
    child.stderr.on('data', (bytes) => {
      err += bytes;
    });
    // More than a pipe holds: when all of it is read, the simulation runs.
    const ids = Array.from({ length: 40_000 }, (_, index) => `visitor-${index}\n`).join('');
    await new Promise((resolve) => child.stdin.write(ids, resolve));
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    expect([code, err]).toEqual([2, 'target-node-sdk: the simulation was aborted\n']);
  });

  (existsSync('/dev/full') ? test : test.skip)('says that its output cannot be written', async () => {
    const full = openSync('/dev/full', 'w');
    const args = [...NODE, 'artifact', 'inspect', file('rules.json', artifact)];
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', full, 'pipe'] });
    let err = '';
    child.stderr?.on('data', (bytes) => {
      err += bytes;
    });
    const [code] = await once(child, 'close');
    closeSync(full);
    const line = 'target-node-sdk: the output cannot be written (ENOSPC): look at the disk\n';
    expect([code, err]).toEqual([2, line]);
  });

  test('of the local edge runs until a signal ends it', async () => {
    const child = start(['edge', file('rules.json', artifact), '--json']);
    let out = '';
    for await (const bytes of child.stdout) {
      out += bytes;
      if (out.endsWith('}\n')) {
        break;
      }
    }
    const { artifactUrl, workbenchUrl } = JSON.parse(out);
    expect((await fetch(artifactUrl)).status).toBe(200);
    const page = await fetch(workbenchUrl);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('Workbench');
    // A browser that is on the page must not keep the edge from its end.
    const live = await fetch(`${workbenchUrl}events`);
    void live.body?.getReader().read();
    child.kill('SIGINT');
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
  });
});

describe('the doctor, in a process that trusts a certificate', () => {
  const examined = async (
    notAfter: Date,
    env: Readonly<Record<string, string>> = {},
    isTrusted = true,
  ): Promise<(name: string) => CheckResult | undefined> => {
    const pair = selfSigned(notAfter);
    const server = createServer(pair, (request, response) => {
      let body = '';
      request.on('data', (bytes) => {
        body += bytes;
      });
      request.on('end', () => {
        const { requestId, id } = JSON.parse(body || '{}');
        response.end(
          JSON.stringify({ status: 200, requestId, client: 'acme', id: { tntId: 'a.35_0', ...id } }),
        );
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const host = `localhost:${(server.address() as AddressInfo).port}`;
    const flags = ['--client', 'acme', '--organization', 'DEMO@AdobeOrg', '--timeout', '20000', '--json'];
    const trust = isTrusted ? { NODE_EXTRA_CA_CERTS: file('ca.pem', pair.cert) } : {};
    const { out } = await run(['doctor', ...flags, '--server-domain', host, '--cdn', host], {
      env: { ...trust, ...env },
    });
    server.close();
    server.closeAllConnections();
    const checks: readonly CheckResult[] = JSON.parse(out);
    return (name) => checks.find((one) => one.name === name);
  };

  test('finds nothing wrong with one that is valid for long', async () => {
    const check = await examined(new Date('2049-12-31T00:00:00Z'));
    expect(check('TLS')).toMatchObject({
      status: 'ok',
      text: expect.stringMatching(/^TLSv1\.3, .* valid for \d+ days$/),
    });
    expect(check('delivery')).toMatchObject({ status: 'ok' });
    expect(check('clock')).toMatchObject({ status: 'ok' });
  });

  test('warns of one that ends in four days', async () => {
    const check = await examined(new Date(Date.now() + 4.5 * DAY_MS));
    expect(check('TLS')).toMatchObject({ status: 'warn', text: expect.stringContaining('ends in 4 days') });
    expect(check('delivery')).toMatchObject({ status: 'ok' });
  });

  test('finds one that has expired', async () => {
    const check = await examined(new Date(Date.now() - DAY_MS));
    expect(check('TLS')).toMatchObject({ status: 'fail', text: 'CERT_HAS_EXPIRED' });
    expect(check('TLS')?.remedy).toContain('clock');
    expect(check('delivery')).toMatchObject({ status: 'skip' });
  });

  test('warns when certificates are not checked, or their file is not there', async () => {
    const off = await examined(
      new Date('2049-12-31T00:00:00Z'),
      { NODE_TLS_REJECT_UNAUTHORIZED: '0' },
      false,
    );
    expect(off('TLS settings')).toMatchObject({ status: 'warn' });
    expect(off('TLS')).toMatchObject({ status: 'warn', text: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(off('delivery')).toMatchObject({ status: 'ok' });
    const missing = { NODE_EXTRA_CA_CERTS: '/nowhere/ca.pem' };
    const check = await examined(new Date('2049-12-31T00:00:00Z'), missing, false);
    expect(check('TLS settings')).toMatchObject({ status: 'warn' });
    expect(check('TLS')).toMatchObject({ status: 'fail', text: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  });
});
