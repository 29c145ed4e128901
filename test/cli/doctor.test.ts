import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { activity, buildArtifact, json, startTargetEdge, type TargetEdge } from 'target-node-sdk/testing';
import type { CheckResult } from '../../src/cli/doctor-check.js';
import { checkMachine } from '../../src/cli/doctor-machine.js';
import { connectProxy, setProxies } from '../connect-proxy.js';
import { selfSigned } from '../self-signed.js';
import { runCli } from './run-cli.js';

const DELIVERY = { where: '/rest/v1/delivery' };
const ARTIFACT = { where: /rules\.json/ };
/** Long enough for a busy machine, and the time that a check of a hanging host takes. */
const TIMEOUT = '1500';
const ORGANIZATION = '0123456789ABCDEF01234567@AdobeOrg';
const artifact = buildArtifact({
  activities: [
    activity('Spring')
      .mbox('hero')
      .split({ A: [50, json({ n: 1 })], B: [50, json({ n: 2 })] }),
  ],
  client: 'demo',
  ids: 'stable',
});

let edge: TargetEdge;
beforeAll(async () => {
  edge = await startTargetEdge({ artifact, client: 'demo' });
});
afterEach(() => {
  edge.clearFaults();
  edge.clearRequests();
  edge.setArtifact(artifact);
});
afterAll(() => edge.close());

type Surroundings = Parameters<typeof runCli>[1];

function flagsFor(host: string): string[] {
  return [
    ...['doctor', '--client', 'demo', '--organization', ORGANIZATION, '--insecure'],
    ...['--server-domain', host, '--cdn', host],
  ];
}

/** The checks by their name, and the exit code. */
async function examined(more: readonly string[] = [], surroundings: Surroundings = {}) {
  // A later flag wins over an earlier one.
  const args = [...flagsFor(edge.host), '--timeout', '20000', ...more, '--json'];
  const { code, out, err } = await runCli(args, { now: Date.now(), ...surroundings });
  expect(err).toBe('');
  const checks: readonly CheckResult[] = JSON.parse(out);
  return { code, checks, check: (name: string) => checks.find((one) => one.name === name) };
}

async function listening<Server extends import('node:net').Server>(
  server: Server,
): Promise<[Server, string]> {
  server.listen(0, '127.0.0.1');
  // A test that fails may leave it open.
  server.unref();
  await once(server, 'listening');
  return [server, `127.0.0.1:${(server.address() as AddressInfo).port}`];
}

test('a machine without faults has none', async () => {
  const { code, checks, check } = await examined(['--cookie', cookieOf({ session: 1800, PC: 60_000_000 })]);
  expect(code).toBe(0);
  expect(checks.map(({ name }) => name)).toEqual([
    ...['Node.js', 'package', 'proxy', 'TLS settings', 'organization'],
    ...['DNS', 'TCP', 'TLS', 'delivery', 'clock', 'artifact', 'mbox cookie'],
  ]);
  expect(check('delivery')?.text).toBe('answered with status 200');
  expect(check('clock')?.text).toBe('agrees with that of the edge');
  expect(check('artifact')?.text).toMatch(/^id [0-9a-f]{16}, \d+ days old$/);
});

test('the edge is asked by a call of the client that no edge finds fault with', async () => {
  await examined();
  const [call, ...more] = edge.requestsTo('/rest/v1/delivery');
  expect(more).toEqual([]);
  expect(call?.violations).toEqual([]);
  expect(call?.delivery?.execute).toBeUndefined();
  expect(call?.delivery?.prefetch).toBeUndefined();
});

test('the outcome is printed with a sign, a time and a remedy', async () => {
  edge.fault({ kind: 'status', status: 500 }, DELIVERY);
  const { code, out } = await runCli(flagsFor(edge.host), { now: Date.now(), columns: 80 });
  expect(code).toBe(1);
  const text = out
    .replace(/ +\d+ ms/g, ' … ms')
    .replace(/package: .*\n(?: {2}.*\n)*/, 'package: …\n')
    .replace(/Node\.js: .*/, 'Node.js: …')
    .replace(/ {2}id [0-9a-f]{16}/, '')
    .replace(/TLS settings: .*/, 'TLS settings: …')
    .replace(/artifact: .*/, 'artifact: …')
    .replaceAll(String(edge.port), 'PORT');
  expect(text).toMatchSnapshot();
});

describe('the machine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'target-doctor-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const copyIn = (...path: string[]) => {
    const copy = join(folder, ...path, 'node_modules/target-node-sdk');
    mkdirSync(copy, { recursive: true });
    writeFileSync(join(copy, 'package.json'), '{ "name": "target-node-sdk", "version": "0.2.0" }');
  };
  const found = (
    machine: { node?: string; cwd?: string },
    env = {},
    {
      organization = ORGANIZATION,
      usesProxy = false,
      scheme = 'https',
    }: { organization?: string; usesProxy?: boolean; scheme?: 'http' | 'https' } = {},
  ) => {
    const results = checkMachine({ node: '22.11.0', cwd: folder, ...machine }, env, {
      organization,
      usesProxy,
      scheme,
    });
    return new Map(results.map((result) => [result.name, result]));
  };

  test.each(['18.20.4', '20.18.0', '4.0.0'])('Node.js %s is too old', (node) => {
    const check = found({ node }).get('Node.js');
    expect(check).toMatchObject({
      status: 'fail',
      text: `${node} is too old`,
      remedy: 'install 20.19 or newer',
    });
  });

  test.each(['20.19.0', '22.0.0', '26.1.0'])('Node.js %s is new enough', (node) => {
    expect(found({ node }).get('Node.js')?.status).toBe('ok');
  });

  test('has one copy of the package, or several', () => {
    expect(found({}).get('package')?.status).toBe('skip');
    copyIn('app');
    const cwd = join(folder, 'app');
    expect(found({ cwd }).get('package')).toMatchObject({
      status: 'ok',
      text: expect.stringContaining('0.2.0 in '),
    });
    copyIn('app', 'node_modules/@scope/other');
    const check = found({ cwd }).get('package');
    expect(check).toMatchObject({ status: 'warn', remedy: expect.stringContaining('npm dedupe') });
    expect(check?.text).toMatch(/^2 copies: .*app.node_modules.target-node-sdk; .*@scope.other/);
    copyIn('app', 'node_modules/.pnpm/target-node-sdk@0.1.0');
    copyIn();
    expect(found({ cwd }).get('package')?.text).toMatch(/^4 copies/);
  });

  test.each([
    ['HTTPS_PROXY', 'ok', 'warn'],
    ['https_proxy', 'ok', 'warn'],
    ['HTTP_PROXY', 'warn', 'ok'],
    ['ALL_PROXY', 'warn', 'warn'],
  ])(
    '%s is told of, without its value; with --proxy it is %s over https, %s over http',
    (name, https, http) => {
      const env = { [name]: 'http://user:password@proxy.example:3128' };
      const check = found({}, env).get('proxy');
      expect(check).toMatchObject({
        status: 'warn',
        remedy: expect.stringContaining("proxy: 'environment'"),
      });
      expect(check?.text).toBe(`${name} set; the SDK does not read it by itself`);
      expect(check?.remedy?.startsWith('set HTTPS_PROXY')).toBe(https !== 'ok');
      const overHttps = found({}, env, { usesProxy: true }).get('proxy');
      const overHttp = found({}, env, { usesProxy: true, scheme: 'http' }).get('proxy');
      expect([overHttps?.status, overHttp?.status]).toEqual([https, http]);
      const passed = overHttps?.status === 'ok' ? overHttps : overHttp;
      if (passed?.status === 'ok') {
        expect(passed.text).toBe(`calls go through ${name}`);
      }
    },
  );

  test('has hosts that calls reach without the proxy', () => {
    const env = { HTTPS_PROXY: 'http://proxy.example', NO_PROXY: '.internal' };
    const text = 'calls go through HTTPS_PROXY, but to the hosts of NO_PROXY';
    expect(found({}, env, { usesProxy: true }).get('proxy')?.text).toBe(text);
  });

  test('has no proxy where one is wanted', () => {
    expect(found({}, {}, { usesProxy: true }).get('proxy')?.status).toBe('warn');
  });

  test('does not check certificates, or looks for them where there are none', () => {
    const off = found({}, { NODE_TLS_REJECT_UNAUTHORIZED: '0' }).get('TLS settings');
    expect(off).toMatchObject({ status: 'warn', text: expect.stringContaining('not checked') });
    for (const path of [
      join(folder, 'none.pem'),
      folder,
      join(folder, 'app/node_modules/target-node-sdk/package.json'),
    ]) {
      const check = found({}, { NODE_EXTRA_CA_CERTS: path }).get('TLS settings');
      expect(check).toMatchObject({ status: 'warn', text: expect.stringContaining('cannot be read') });
    }
    const pem = join(folder, 'ca.pem');
    writeFileSync(pem, selfSigned().cert);
    expect(found({}, { NODE_EXTRA_CA_CERTS: pem }).get('TLS settings')?.status).toBe('ok');
  });

  test.each([
    'acme',
    'DEMO@AdobeOrg',
    '0123456789ABCDEF01234567',
    ' ',
    `x${ORGANIZATION}`,
    `0${ORGANIZATION}`,
    ORGANIZATION.slice(1),
  ])('the organization %p has another form', (organization) => {
    const check = found({}, {}, { organization }).get('organization');
    expect(check).toMatchObject({ status: 'warn', text: 'it is not 24 hex digits and @AdobeOrg' });
  });

  test('has an edge whose organization has another form', async () => {
    const organization = async (id: string, host: string) =>
      (await examined(['--organization', id, '--server-domain', host])).check('organization');
    for (const host of [edge.host, `localhost:${edge.port}`]) {
      expect(await organization('DEMO@AdobeOrg', host)).toMatchObject({ status: 'ok' });
      expect(await organization('acme', host)).toMatchObject({ status: 'warn' });
    }
    expect(await organization('DEMO@AdobeOrg', 'acme.invalid')).toMatchObject({ status: 'warn' });
  });
});

describe('the network', () => {
  test('a host without an address', async () => {
    const { code, check, checks } = await examined(['--server-domain', 'acme.invalid']);
    expect(code).toBe(1);
    expect(check('DNS')?.text).toMatch(/^acme\.invalid has no address \((ENOTFOUND|EAI_AGAIN)\)$/);
    expect(check('DNS')?.remedy).toMatch(/^look at --server-domain; then at the name server/);
    const skipped = checks.filter(({ status }) => status === 'skip').map(({ name }) => name);
    expect(skipped).toEqual(['TCP', 'TLS', 'delivery', 'clock']);
    expect(check('artifact')?.status).toBe('ok');
  });

  test('a closed port', async () => {
    const [server, host] = await listening(createServer());
    await new Promise((resolve) => server.close(resolve));
    const { code, check } = await examined(['--server-domain', host]);
    expect(code).toBe(1);
    expect(check('TCP')).toMatchObject({
      status: 'fail',
      text: `${host} takes no connection (ECONNREFUSED)`,
    });
    const remedy = 'nothing listens there: is the edge running, and is the port right?';
    expect(check('TCP')?.remedy).toBe(remedy);
    expect(check('delivery')).toMatchObject({ status: 'skip', text: 'because TCP failed' });
    const other = await examined(['--cdn', host]);
    expect(other.check('artifact')).toMatchObject({ status: 'fail', remedy });
    const there = await examined(['--location', `http://${host}/rules.json`]);
    expect(there.check('artifact')).toMatchObject({ status: 'fail', remedy });
  });

  test('a host without an address for the artifact', async () => {
    const { check } = await examined(['--cdn', 'cdn.invalid']);
    expect(check('artifact')?.remedy).toMatch(/^look at --cdn; then at the name server/);
    const { check: other } = await examined(['--location', 'http://cdn.invalid/rules.json']);
    expect(other('artifact')?.remedy).toMatch(/^look at --location; /);
  });

  const secure = flagsFor('').filter((flag) => flag !== '--insecure' && flag !== '');
  const overTls = async (host: string, timeout = '20000') => {
    const args = secure.slice(0, secure.indexOf('--server-domain'));
    const own = ['--server-domain', host, '--cdn', edge.host, '--timeout', timeout, '--json'];
    const { code, out } = await runCli([...args, ...own], { now: Date.now() });
    const checks: readonly CheckResult[] = JSON.parse(out);
    return { code, check: (name: string) => checks.find((one) => one.name === name) };
  };

  test('a certificate that nobody vouches for', async () => {
    const [server, host] = await listening(createTlsServer(selfSigned()));
    const { code, check } = await overTls(host);
    server.close();
    expect(code).toBe(1);
    expect(check('TLS')).toMatchObject({ status: 'fail', text: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    expect(check('TLS')?.remedy).toContain('NODE_EXTRA_CA_CERTS');
    expect(check('delivery')?.status).toBe('skip');
  });

  test('a port that speaks no TLS', async () => {
    const { code, check } = await overTls(edge.host);
    expect(code).toBe(1);
    expect(check('TLS')?.text).toMatch(/^no TLS with 127\.0\.0\.1:\d+ \(E\w+\)$/);
    const remedy = 'this port speaks plain HTTP: give --insecure, which is for a local edge';
    expect(check('TLS')?.remedy).toBe(remedy);
    expect(check('artifact')).toMatchObject({ status: 'fail', remedy });
  });

  test('a port that speaks TLS, asked over plain HTTP', async () => {
    const [server, host] = await listening(createTlsServer(selfSigned()));
    const { code, check } = await examined(['--server-domain', host, '--cdn', host]);
    server.close();
    expect(code).toBe(1);
    for (const name of ['delivery', 'artifact']) {
      expect(check(name)?.remedy).toMatch(/or this port speaks TLS: leave --insecure out$/);
    }
  });

  test('a port that ends connections, or says nothing', async () => {
    const [ending, endingHost] = await listening(
      createServer((socket) => void socket.once('data', () => socket.resetAndDestroy())),
    );
    expect((await overTls(endingHost)).check('TLS')?.text).toMatch(/\(ECONNRESET\)$/);
    ending.close();
    const [silent, silentHost] = await listening(
      createServer((socket) => void socket.on('error', () => undefined).resume()),
    );
    expect((await overTls(silentHost, TIMEOUT)).check('TLS')?.text).toMatch(/\(ETIMEDOUT\)$/);
    silent.close();
  });
});

describe('through a proxy', () => {
  /** The checks of an edge whose host only the proxy knows. */
  const throughProxy = async (play: Parameters<typeof connectProxy>[0], more: readonly string[] = []) => {
    const proxy = connectProxy(play);
    const [server, host] = await listening(proxy.server);
    const variables = { HTTP_PROXY: `http://user:open-sesame@${host}` };
    const restore = setProxies(variables);
    try {
      const hosts = ['--server-domain', 'edge.invalid:8080', '--cdn', 'localhost:8080', '--proxy'];
      return { ...(await examined([...hosts, ...more], { env: variables })), asked: proxy.asked };
    } finally {
      restore();
      server.close();
    }
  };

  test('that lets all pass', async () => {
    const { code, checks, check, asked } = await throughProxy(() => ({ port: edge.port }));
    expect(code).toBe(0);
    expect(check('proxy')).toMatchObject({ status: 'ok', text: 'calls go through HTTP_PROXY' });
    const skipped = checks.filter(({ status }) => status === 'skip').map(({ name, text }) => [name, text]);
    expect(skipped).toEqual(['DNS', 'TCP', 'TLS'].map((name) => [name, 'the proxy does it']));
    expect(check('delivery')?.text).toBe('answered with status 200');
    expect(check('clock')?.status).toBe('ok');
    expect(check('artifact')?.status).toBe('ok');
    expect(asked.map(({ authority }) => authority)).toEqual(['edge.invalid:8080', 'localhost:8080']);
    expect(asked[0]?.headers['proxy-authorization']).toMatch(/^Basic /);
    expect(JSON.stringify(checks)).not.toContain('sesame');
  });

  test.each([
    [{ status: 407 }, /refused it with status 407/, /a user and a password/],
    [{ status: 403 }, /refused it with status 403/, /ask its owner/],
    ['close', /opened no tunnel/, /look at its variable/],
  ] as const)('that answers %p', async (play, text, remedy) => {
    const { code, check, checks } = await throughProxy(() => play);
    expect(code).toBe(1);
    for (const name of ['delivery', 'artifact']) {
      expect(check(name)).toMatchObject({ status: 'fail', text: expect.stringMatching(text) });
      expect(check(name)?.remedy).toMatch(remedy);
    }
    expect(check('clock')?.status).toBe('skip');
    expect(JSON.stringify(checks)).not.toContain('sesame');
  });

  test('an artifact of the public CDN, when another host is named for delivery alone', async () => {
    const examinedAt = async (host: string, play: Parameters<typeof connectProxy>[0]) => {
      const proxy = connectProxy(play);
      const [server, proxyHost] = await listening(proxy.server);
      const url = `http://${proxyHost}`;
      const restore = setProxies({ HTTP_PROXY: url, HTTPS_PROXY: url });
      const args = flagsFor(host).filter((_, index, all) => ![all[index - 1], all[index]].includes('--cdn'));
      const { out } = await runCli([...args, '--proxy', '--json', '--timeout', '20000']);
      restore();
      server.close();
      const checks: readonly CheckResult[] = JSON.parse(out);
      return checks.find(({ name }) => name === 'artifact');
    };
    const hint = /--server-domain is for delivery calls alone: give --cdn too$/;
    const local = await examinedAt('localhost:8080', () => ({ status: 403 }));
    expect(local?.remedy).toMatch(/^it was asked at the public CDN/);
    expect(local?.remedy).toMatch(hint);
    const other = await examinedAt('edge.invalid:8080', () => ({ status: 403 }));
    expect(other?.remedy).toMatch(/^the proxy does not let it pass/);
    expect(other?.remedy).toMatch(hint);
  });

  test('that hangs', async () => {
    const { code, check } = await throughProxy(() => 'hang', ['--timeout', TIMEOUT]);
    expect(code).toBe(1);
    expect(check('delivery')?.text).toBe(`no answer within ${TIMEOUT} ms`);
    expect(check('artifact')?.text).toBe(`no artifact within ${TIMEOUT} ms`);
  });

  test('that does not run', async () => {
    const [server, host] = await listening(createServer());
    await new Promise((resolve) => server.close(resolve));
    const restore = setProxies({ HTTP_PROXY: `http://${host}` });
    const { code, check } = await examined(['--proxy'], { env: { HTTP_PROXY: host } });
    restore();
    expect(code).toBe(1);
    expect(check('delivery')?.text).toMatch(/opened no tunnel: .*ECONNREFUSED/);
    expect(check('delivery')?.remedy).toMatch(/whether it runs/);
  });

  test('whose variable holds no URL', async () => {
    const restore = setProxies({ HTTP_PROXY: 'ftp://user:password@proxy' });
    const { code, err } = await runCli([...flagsFor(edge.host), '--proxy']);
    restore();
    expect([code, err]).toEqual([
      2,
      'target-node-sdk: proxy: the variable HTTP_PROXY must hold an http or https URL\n',
    ]);
  });
});

describe('delivery', () => {
  test.each([
    [500, /edge has trouble/],
    [503, /edge has trouble/],
    [403, /forbidden/],
    [400, /client code/],
  ])('status %i', async (status, remedy) => {
    edge.fault({ kind: 'status', status }, DELIVERY);
    const { code, check } = await examined();
    expect(code).toBe(1);
    expect(check('delivery')).toMatchObject({ status: 'fail', text: `answered with status ${status}` });
    expect(check('delivery')?.remedy).toMatch(remedy);
    expect(edge.requestsTo('/rest/v1/delivery')).toHaveLength(1);
  });

  test('no answer', async () => {
    edge.fault({ kind: 'hang' }, DELIVERY);
    const { code, check } = await examined(['--timeout', TIMEOUT]);
    expect(code).toBe(1);
    expect(check('delivery')).toMatchObject({ status: 'fail', text: `no answer within ${TIMEOUT} ms` });
    expect(check('delivery')?.remedy).toContain('HTTP');
    expect(check('clock')?.status).toBe('skip');
  });

  test.each([
    [{ kind: 'reset' } as const, /ECONNRESET/, /cuts connections off/],
    [{ kind: 'truncate' } as const, /broke off/, /cuts connections off/],
    [{ kind: 'body', body: '<html>log in</html>' } as const, /JSON/, /something else answers/],
    [{ kind: 'body', body: 'null' } as const, /answered/, /something else answers/],
  ])('%o', async (fault, text, remedy) => {
    edge.fault(fault, DELIVERY);
    const { code, check } = await examined();
    expect(code).toBe(1);
    expect(check('delivery')?.text).toMatch(text);
    expect(check('delivery')?.remedy).toMatch(remedy);
  });
});

describe('the clock', () => {
  test.each([
    [600_000, '600 s ahead of the edge'],
    [-3_600_000, '3600 s behind the edge'],
  ])('is %i ms off', async (ms, text) => {
    const { code, check } = await examined([], { now: Date.now() + ms });
    expect(code).toBe(0);
    const clock = check('clock');
    expect(clock).toMatchObject({ status: 'warn', remedy: expect.stringContaining('NTP') });
    // The date of the header has whole seconds, and a busy machine is late.
    const seconds = Number.parseInt(clock?.text ?? '', 10);
    expect(Math.abs(seconds - Number.parseInt(text, 10))).toBeLessThan(25);
    expect(clock?.text.replace(/^\d+/, '')).toBe(text.replace(/^\d+/, ''));
  });

  test('is not judged by an answer without a date', async () => {
    edge.fault({ kind: 'status', status: 200, headers: { Date: 'today' }, body: {} }, DELIVERY);
    expect((await examined()).check('clock')?.status).toBe('skip');
  });
});

describe('the artifact', () => {
  test('is not there', async () => {
    edge.setArtifact(undefined);
    const { code, check } = await examined();
    expect(code).toBe(0);
    expect(check('artifact')).toMatchObject({
      status: 'warn',
      text: expect.stringMatching(/^404: there is none/),
    });
    expect(check('artifact')?.remedy).toContain('switch on-device decisioning on');
  });

  test.each([
    [{ kind: 'status', status: 503 } as const, /^answered with status 503$/],
    [{ kind: 'status', status: 403 } as const, /^answered with status 403$/],
    [{ kind: 'reset' } as const, /ECONNRESET/],
    [{ kind: 'body', body: Buffer.from([0xff, 0xfe, 0, 1, 2]) } as const, /artifact/],
    [{ kind: 'body', body: `ATOD:001${'k'.repeat(32)}abcd` } as const, /binary/i],
    [{ kind: 'body', body: '' } as const, /no artifact/],
  ])('%o', async (fault, text) => {
    edge.fault(fault, ARTIFACT);
    const { code, check } = await examined();
    expect(code).toBe(1);
    expect(check('artifact')).toMatchObject({ status: 'fail', text: expect.stringMatching(text) });
    expect(check('artifact')?.remedy).toBeDefined();
    expect(check('delivery')?.status).toBe('ok');
  });

  test('hangs', async () => {
    edge.fault({ kind: 'hang' }, ARTIFACT);
    const { code, check } = await examined(['--timeout', TIMEOUT]);
    expect(code).toBe(1);
    expect(check('artifact')?.text).toBe(`no artifact within ${TIMEOUT} ms`);
  });

  test('has another version', async () => {
    edge.setArtifact({ version: '99.0.0', rules: {} });
    const { code, check } = await examined();
    expect(code).toBe(1);
    expect(check('artifact')?.text).toContain('Artifact version 99.0.0 is not supported');
    expect(check('artifact')?.remedy).toContain('update the SDK');
  });

  test.each([
    [30, '30 minutes old'],
    [600, '10 hours old'],
    [5 * 1440, '5 days old'],
  ])('was made %i minutes ago', async (minutes, text) => {
    const now = Date.now();
    const generatedAt = new Date(now - minutes * 60_000).toISOString();
    edge.setArtifact({ ...artifact, meta: { ...artifact.meta, generatedAt } });
    expect((await examined([], { now })).check('artifact')?.text).toContain(text);
  });
});

/** The text of an mbox cookie of which the parts end so many seconds from now. */
function cookieOf({ session, PC }: { readonly session?: number; readonly PC?: number }): string {
  const now = Math.floor(Date.now() / 1000);
  return [
    ...(session === undefined ? [] : [`session#abcdefghijkl#${now + session}`]),
    ...(PC === undefined ? [] : [`PC#mnopqrstuvwx.35_0#${now + PC}`]),
  ].join('|');
}

describe('the mbox cookie', () => {
  test.each([
    [
      'good',
      cookieOf({ session: 1850, PC: 60_000_000 }),
      'ok',
      /^session abcd… for 30 min, PC mnop… for 694 days, cluster 35$/,
    ],
    [
      'good, encoded',
      encodeURIComponent(cookieOf({ session: 1850, PC: 60_000_000 })),
      'ok',
      /^session abcd… for 30 min, PC mnop/,
    ],
    ['without a visitor', cookieOf({ session: 1830 }), 'ok', /^session abcd… for 30 min$/],
    [
      'with a session that is over',
      cookieOf({ session: -7300, PC: 60_000_000 }),
      'warn',
      /^session abcd… over for 2 h, PC mnop… for 694 days/,
    ],
    [
      'over',
      cookieOf({ session: -400, PC: -200_000 }),
      'warn',
      /^session abcd… over for \d+ min, PC mnop… over for 2 days/,
    ],
    ['malformed', 'session#abcdefghijkl#soon|PC##', 'warn', /^session abcd… malformed$/],
    [
      'of another name',
      's_vi=[CS]v1|2F3A4B5C6D7E8F90-1234567890ABCDEF[CE]',
      'fail',
      /^it has neither a session nor a PC$/,
    ],
    ['wrongly encoded', '%E0%A4%A', 'fail', /^it has neither/],
    ['empty', '', 'fail', /^it has neither/],
  ])('%s', async (_, cookie, status, text) => {
    const { code, check } = await examined(['--cookie', cookie]);
    expect(check('mbox cookie')).toMatchObject({ status, text: expect.stringMatching(text) });
    expect(code).toBe(status === 'fail' ? 1 : 0);
  });

  test('is shown by four characters of an id', async () => {
    const args = [...flagsFor(edge.host), '--cookie', cookieOf({ session: 1800, PC: 60_000_000 })];
    const { out } = await runCli(args, { now: Date.now() });
    expect(out).not.toMatch(/abcde|mnopq|0123456789ABCDEF/);
  });
});
