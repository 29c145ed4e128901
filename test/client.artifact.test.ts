import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { TargetClientConfig, TargetError } from '../src/index.js';
import { type Fault, startTargetEdge } from '../src/testing/edge.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { answer, hang, type Script, status } from './recording-fetch.js';
import {
  fakeTimers,
  held,
  listening,
  next,
  pass,
  releaseOf,
  served,
  settle,
  withScripts,
} from './scripted-cdn.js';
import { deepFreeze, listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

const bench = withEdge({ artifact: flagsArtifact() });
const startWith = withScripts();
const RULES = /rules\.(json|bin)$/;
const MINUTE = 60_000;

/** A client whose downloads are scripts. */
function start(config: Partial<TargetClientConfig>, ...downloads: Script[]) {
  return startWith(config, downloads.length > 0 ? { downloads } : {});
}

/** A client of the edge that decides on-device. */
function connect(config: Partial<TargetClientConfig> = {}) {
  const { heard, events } = listening();
  const client = bench.connect({
    decisioningMethod: 'on-device',
    targetLocationHint: '35',
    events,
    ...config,
  });
  return { client, heard };
}

afterEach(() => {
  bench.edge.setArtifact(flagsArtifact());
});

describe('the artifact is asked for', () => {
  test.each<[string, Partial<TargetClientConfig>, string]>([
    ['of production by default', {}, 'https://assets.adobetarget.com/demo/production/v1/rules.json'],
    [
      'of another environment',
      { environment: 'Staging' },
      'https://assets.adobetarget.com/demo/staging/v1/rules.json',
    ],
    [
      'of a property',
      { propertyToken: 'prop/1' },
      'https://assets.adobetarget.com/demo/production/v1/prop%2F1/rules.json',
    ],
    [
      'of a property by its other name',
      { defaultPropertyToken: 'p2' },
      'https://assets.adobetarget.com/demo/production/v1/p2/rules.json',
    ],
    [
      'from another CDN',
      { cdnEnvironment: 'cdn.example.com' },
      'https://cdn.example.com/demo/production/v1/rules.json',
    ],
    [
      'from another CDN by its other name',
      { cdnBasePath: 'cdn.example.com:8080' },
      'https://cdn.example.com:8080/demo/production/v1/rules.json',
    ],
    [
      'from another CDN by its third name',
      { onDeviceConfigHostname: 'cdn.example.com' },
      'https://cdn.example.com/demo/production/v1/rules.json',
    ],
    [
      'with delivery calls over plain http',
      { secure: false },
      'https://assets.adobetarget.com/demo/production/v1/rules.json',
    ],
    [
      'of an environment that is called as Target lets one call it',
      { environment: 'QA (EU)' },
      'https://assets.adobetarget.com/demo/qa%20(eu)/v1/rules.json',
    ],
    [
      'of an environment with letters of another language',
      { environment: 'Pré-prod' },
      'https://assets.adobetarget.com/demo/pr%C3%A9-prod/v1/rules.json',
    ],
    [
      'of an environment with signs that mean something in a URL',
      { environment: 'A&B #1? 100%;' },
      'https://assets.adobetarget.com/demo/a%26b%20%231%3F%20100%25%3B/v1/rules.json',
    ],
    [
      'of the environment that is meant by an empty name',
      { environment: '', propertyToken: '', cdnBasePath: '', artifactLocation: '' },
      'https://assets.adobetarget.com/demo/production/v1/rules.json',
    ],
    [
      'over plain http inside this machine, if delivery calls go so',
      { secure: false, cdnBasePath: 'rules.localhost:8080' },
      'http://rules.localhost:8080/demo/production/v1/rules.json',
    ],
    [
      'over https inside this machine, if delivery calls go so',
      { cdnBasePath: '127.0.0.1:8443' },
      'https://127.0.0.1:8443/demo/production/v1/rules.json',
    ],
    [
      'from a CDN that is written as a URL',
      { cdnBasePath: 'http://cdn.example.com:8080/' },
      'https://cdn.example.com:8080/demo/production/v1/rules.json',
    ],
    [
      'from Adobe, by the name that its samples have for that',
      { cdnEnvironment: 'Production' },
      'https://assets.adobetarget.com/demo/production/v1/rules.json',
    ],
    [
      'over plain http where the caller says so',
      { artifactLocation: 'http://example.com/a.json' },
      'http://example.com/a.json',
    ],
    [
      'where the caller says',
      { artifactLocation: 'https://example.com/a.json?x=1', environment: 'staging', propertyToken: 'p' },
      'https://example.com/a.json?x=1',
    ],
  ])('%s', async (_, config, url) => {
    const { client, downloads, heard } = start(config);
    await client.ready();
    expect(downloads.map((call) => call.url.href)).toEqual([url]);
    expect(downloads[0]?.init.method).toBe('GET');
    expect(heard.artifactDownloadSucceeded).toEqual([
      { type: 'artifactDownloadSucceeded', artifactLocation: url, artifactPayload: flagsArtifact() },
    ]);
  });

  test('in the binary format, as rules.bin', async () => {
    const { downloads, client, heard } = start({ artifactFormat: 'bin' });
    await next(client, 'artifactDownloadFailed');
    expect(downloads[0]?.url.pathname).toBe('/demo/production/v1/rules.bin');
    expect(heard.artifactDownloadFailed[0]?.error).toMatchObject({ code: 'ERR_TARGET_ARTIFACT' });
  });

  test.each<[string, () => Partial<TargetClientConfig>, string]>([
    ['JSON', () => ({}), '/demo/production/v1/rules.json'],
    ['of a property', () => ({ propertyToken: 'p1' }), '/demo/production/v1/p1/rules.json'],
    ['binary', () => ({ artifactFormat: 'bin' }), '/demo/production/v1/rules.bin'],
    [
      'binary by its name',
      () => ({ artifactLocation: `${bench.edge.url}/demo/staging/v1/rules.bin?v=1` }),
      '/demo/staging/v1/rules.bin',
    ],
  ])('and read: %s', async (_, toConfig, path) => {
    const { client } = connect(toConfig());
    await client.ready();
    expect(await releaseOf(client)).toBe('first');
    expect(bench.edge.requestsTo(RULES).map((request) => request.path)).toEqual([path]);
  });
});

describe('an artifact in a file', () => {
  let folder: string;
  let file: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'artifact-'));
  });
  beforeEach(() => {
    file = join(folder, `rules ${Math.random()}.json`);
  });
  afterAll(() => rm(folder, { recursive: true }));
  const write = (release: string, generatedAt?: string) =>
    writeFile(file, JSON.stringify(flagsArtifact({ release, ...(generatedAt && { generatedAt }) })));

  test('is read, and read again as often as one on a CDN is', async () => {
    await write('first');
    const { client, downloads } = start({ artifactLocation: pathToFileURL(file).href, pollingInterval: 20 });
    await client.ready();
    expect(await releaseOf(client)).toBe('first');
    await write('second');
    await next(client, 'artifactDownloadSucceeded');
    expect(await releaseOf(client)).toBe('second');
    expect(downloads).toHaveLength(0);
  });

  test('is new only when its content is', async () => {
    await write('first');
    const { client, heard } = start({ artifactLocation: pathToFileURL(file).href });
    await client.ready();
    await client.refresh();
    await write('first');
    await client.refresh();
    expect(heard.artifactDownloadSucceeded).toHaveLength(1);
    await write('second');
    await client.refresh();
    expect(heard.artifactDownloadSucceeded).toHaveLength(2);
  });

  test('may be binary', async () => {
    const response = await fetch(`${bench.edge.url}/demo/production/v1/rules.bin`);
    file = file.replace('.json', '.bin');
    await writeFile(file, Buffer.from(await response.arrayBuffer()));
    const { client } = start({ artifactLocation: pathToFileURL(file).href });
    await client.ready();
    expect(await releaseOf(client)).toBe('first');
  });

  test('may come later, and be broken and repaired', async () => {
    const artifactLocation = pathToFileURL(file).href;
    const { client } = start({ artifactLocation });
    const missing = await next(client, 'artifactDownloadFailed');
    expect(missing).toMatchObject({
      artifactLocation,
      error: { code: 'ERR_TARGET_ARTIFACT', message: 'the artifact file could not be read: ENOENT' },
    });
    await write('first');
    await client.refresh();
    await writeFile(file, '{"version":"1.');
    const broken = await targetErrorOf(() => client.refresh());
    expect(broken).toMatchObject({ code: 'ERR_TARGET_ARTIFACT', message: 'the artifact is not JSON' });
    expect(await releaseOf(client)).toBe('first');
    await write('second');
    await client.refresh();
    expect(await releaseOf(client)).toBe('second');
  });

  test.each<[string, () => Promise<unknown>, string]>([
    ['a folder', () => mkdir(file), 'the artifact file is no regular file'],
    [
      'a pipe, which never ends',
      async () => execFileSync('mkfifo', [file]),
      'the artifact file is no regular file',
    ],
    [
      'larger than any artifact',
      async () => {
        await writeFile(file, '');
        await truncate(file, 33 * 1024 * 1024);
      },
      'the artifact file has more than 33554432 bytes',
    ],
  ])('is not read when it is %s, and is when it is a file again', async (_, make, message) => {
    await make();
    const { client } = start({ artifactLocation: pathToFileURL(file).href });
    expect(await targetErrorOf(() => client.refresh())).toMatchObject({
      code: 'ERR_TARGET_ARTIFACT',
      message,
    });
    await rm(file, { recursive: true });
    await write('first');
    await client.refresh();
    expect(await releaseOf(client)).toBe('first');
  });

  test('may go back to an older one when asked', async () => {
    await write('first', '2024-02-02T00:00:00Z');
    const { client } = start({ artifactLocation: pathToFileURL(file).href });
    await client.ready();
    await write('older', '2024-01-01T00:00:00Z');
    await client.refresh();
    expect(await releaseOf(client)).toBe('older');
  });
});

describe('an artifact that the caller brings along', () => {
  test('serves at once, and until the first poll', async () => {
    fakeTimers();
    const { client, downloads, heard } = start(
      { artifactPayload: flagsArtifact({ release: 'brought' }) },
      served({ release: 'polled' }),
    );
    await client.ready();
    expect(await releaseOf(client)).toBe('brought');
    await pass(4 * MINUTE);
    expect(downloads).toHaveLength(0);
    await pass(2 * MINUTE);
    expect(downloads).toHaveLength(1);
    expect(await releaseOf(client)).toBe('polled');
    expect(heard.clientReady).toHaveLength(1);
  });

  test('serves for good without polling', async () => {
    fakeTimers();
    const { client, downloads, deliveries } = start({ artifactPayload: flagsArtifact(), pollingInterval: 0 });
    await pass(24 * 60 * MINUTE);
    expect(await releaseOf(client)).toBe('first');
    expect(downloads).toHaveLength(0);
    expect(deliveries).toHaveLength(0);
  });

  test('gives way when a refresh is asked for', async () => {
    const { client } = start(
      { artifactPayload: flagsArtifact({ release: 'brought' }), pollingInterval: 0 },
      served({ release: 'asked' }),
    );
    await client.refresh();
    expect(await releaseOf(client)).toBe('asked');
  });

  test('may be frozen, and changed behind our back', async () => {
    const { client } = start({ artifactPayload: deepFreeze(flagsArtifact()), pollingInterval: 0 });
    expect(await releaseOf(client)).toBe('first');
    const payload = flagsArtifact();
    const other = start({ artifactPayload: payload, pollingInterval: 0 });
    for (const rules of Object.values(payload.rules.mboxes ?? {})) {
      (rules as unknown[]).length = 0;
    }
    expect(await releaseOf(other.client)).toBe('first');
  });

  const cycle: Record<string, unknown> = { version: '1.0.0', rules: {} };
  cycle.rules = cycle;
  test.each<[string, object, string]>([
    ['nothing of the kind', { hello: 'world' }, 'artifactPayload: Artifact: version must be a string'],
    ['no rules', { version: '1.0.0' }, 'artifactPayload: Artifact: rules must be an object'],
    [
      'another version',
      { version: '2.0.0', rules: {} },
      'artifactPayload: Artifact version 2.0.0 is not supported',
    ],
    ['a list', [], 'artifactPayload: Artifact: artifact must be an object'],
    [
      'no list of rules',
      { version: '1.0.0', rules: { mboxes: { hero: {} } } },
      'artifactPayload: Artifact: rules.mboxes.hero must be an array',
    ],
    ['a cycle', cycle, 'artifactPayload: cannot be written as JSON (TypeError)'],
  ])('is refused when the client is made: %s', async (_, artifactPayload, message) => {
    const error = await targetErrorOf(() => start({ artifactPayload }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path: 'artifactPayload' });
    expect(error.message).toContain(message);
  });
});

describe('ETags', () => {
  test('go with the next download, which costs nothing when there is nothing new', async () => {
    const { client, heard } = connect();
    await client.ready();
    await client.refresh();
    bench.edge.setArtifact(flagsArtifact({ release: 'second' }), { etag: '"v2"' });
    await client.refresh();
    await client.refresh();
    const [first, second, third, fourth] = bench.edge.requestsTo(RULES);
    expect(first?.headers['if-none-match']).toBeUndefined();
    expect(second).toMatchObject({ status: 304, headers: { 'if-none-match': expect.any(String) } });
    expect(third?.headers['if-none-match']).toBe(second?.headers['if-none-match']);
    expect(fourth).toMatchObject({ status: 304, headers: { 'if-none-match': '"v2"' } });
    expect(await releaseOf(client)).toBe('second');
    expect(heard.artifactDownloadSucceeded).toHaveLength(2);
    expect(heard.artifactDownloadFailed).toHaveLength(0);
  });

  const conditions = (calls: readonly { init: { headers: Record<string, string> } }[]) =>
    calls.map(({ init }) => init.headers['If-None-Match']);

  test('of what could not be used are forgotten: half an artifact, then 304', async () => {
    const half = answer(JSON.stringify(flagsArtifact()).slice(0, 500), { headers: { etag: '"v1"' } });
    const { client, downloads } = start({}, half, status(304), served({ etag: '"v1"' }), status(304));
    const { error } = await next(client, 'artifactDownloadFailed');
    expect(error).toMatchObject({ code: 'ERR_TARGET_ARTIFACT', message: 'the artifact is not JSON' });
    const second = await targetErrorOf(() => client.refresh());
    expect(second).toMatchObject({ code: 'ERR_TARGET_ARTIFACT', status: 304 });
    await client.refresh();
    await client.refresh();
    expect(conditions(downloads)).toEqual([undefined, undefined, undefined, '"v1"']);
    expect(await releaseOf(client)).toBe('first');
  });

  test('change together with what is held', async () => {
    const broken = answer({ hello: 'world' }, { headers: { etag: '"v2"' } });
    const { client, downloads } = start({}, served({ etag: '"v1"' }), broken, status(304));
    await client.ready();
    await targetErrorOf(() => client.refresh());
    await client.refresh();
    expect(conditions(downloads)).toEqual([undefined, '"v1"', '"v1"']);
    expect(await releaseOf(client)).toBe('first');
  });

  test('are not missed where there are none', async () => {
    const { client, downloads } = start({}, served(), served({ release: 'second' }));
    await client.ready();
    await client.refresh();
    expect(conditions(downloads)).toEqual([undefined, undefined]);
    expect(await releaseOf(client)).toBe('second');
  });
});

const FAULTS: [string, Fault, Partial<TargetError>][] = [
  ...[401, 403, 404, 413, 429, 500, 503].map((code): [string, Fault, Partial<TargetError>] => [
    `status ${code}`,
    { kind: 'status', status: code, body: 'why' },
    {
      code: 'ERR_TARGET_RESPONSE',
      status: code,
      body: 'why',
      message: `the artifact download was answered with status ${code}`,
    },
  ]),
  [
    '204',
    { kind: 'status', status: 204 },
    {
      code: 'ERR_TARGET_ARTIFACT',
      status: 204,
      message: 'the artifact download was answered with status 204 and no artifact',
    },
  ],
  [
    'an empty 200',
    { kind: 'body', body: '' },
    {
      code: 'ERR_TARGET_ARTIFACT',
      status: 200,
      message: 'the artifact download was answered with status 200 and no artifact',
    },
  ],
  [
    'HTML',
    { kind: 'body', body: '<html>log in</html>', contentType: 'text/html' },
    { code: 'ERR_TARGET_ARTIFACT', message: 'the artifact is not JSON', body: '<html>log in</html>' },
  ],
  [
    'null',
    { kind: 'body', body: 'null' },
    { code: 'ERR_TARGET_ARTIFACT', message: 'Artifact: artifact must be an object, got null' },
  ],
  [
    'a wrong shape',
    { kind: 'body', body: '{"hello":"world"}' },
    { code: 'ERR_TARGET_ARTIFACT', message: 'Artifact: version must be a string, got undefined' },
  ],
  [
    'an unknown version',
    { kind: 'body', body: '{"version":"2.0.0","rules":{"mboxes":{}}}' },
    { code: 'ERR_TARGET_ARTIFACT', path: 'version' },
  ],
  ['half an artifact', { kind: 'truncate' }, { code: 'ERR_TARGET_NETWORK' }],
  ['a reset', { kind: 'reset' }, { code: 'ERR_TARGET_NETWORK' }],
  ['a reset in the body', { kind: 'resetMidBody' }, { code: 'ERR_TARGET_NETWORK' }],
  ['no gzip', { kind: 'gzip', variant: 'invalid' }, { code: 'ERR_TARGET_INVALID_RESPONSE' }],
  ['half a gzip', { kind: 'gzip', variant: 'truncated' }, { code: 'ERR_TARGET_ARTIFACT' }],
  [
    '64 MiB',
    { kind: 'huge' },
    {
      code: 'ERR_TARGET_INVALID_RESPONSE',
      message: 'the artifact download was answered with more than 33554432 bytes',
    },
  ],
  [
    'a gzip bomb',
    { kind: 'gzip', variant: 'bomb', bytes: 1024 ** 3 },
    { code: 'ERR_TARGET_INVALID_RESPONSE' },
  ],
];

describe('a download that fails', () => {
  test.each(FAULTS)('is told once, and changes nothing: %s', async (_, fault, fields) => {
    const { client, heard } = connect();
    await client.ready();
    bench.edge.clearRequests();
    bench.edge.fault(fault, { where: RULES });
    bench.edge.setArtifact(flagsArtifact({ release: 'second' }));
    const error = await targetErrorOf(() => client.refresh());
    expect(error).toMatchObject(fields);
    expect(heard.artifactDownloadFailed).toEqual([
      { type: 'artifactDownloadFailed', artifactLocation: bench.edge.artifactUrl, error },
    ]);
    expect(bench.edge.requestsTo(RULES)).toHaveLength(1);
    expect(await releaseOf(client)).toBe('first');
    bench.edge.clearFaults();
    await client.refresh();
    expect(await releaseOf(client)).toBe('second');
  });

  test.each(FAULTS)('leaves a new client waiting, until one succeeds: %s', async (_, fault, fields) => {
    bench.edge.fault(fault, { where: RULES });
    const { client, heard } = connect({ artifactLocation: bench.edge.artifactUrl, pollingInterval: 50 });
    const ready = client.ready();
    expect(await next(client, 'artifactDownloadFailed')).toMatchObject({ error: fields });
    expect(await targetErrorOf(() => releaseOf(client))).toMatchObject({
      code: 'ERR_TARGET_NOT_READY',
      message: 'Unable to fulfill request; decisioning engine not ready.',
    });
    expect(heard.clientReady).toHaveLength(0);
    bench.edge.clearFaults();
    await ready;
    expect(await releaseOf(client)).toBe('first');
  });

  test('may find nobody', async () => {
    const gone = await startTargetEdge();
    await gone.close();
    const { client } = connect({ artifactLocation: gone.artifactUrl });
    expect(await next(client, 'artifactDownloadFailed')).toMatchObject({
      artifactLocation: gone.artifactUrl,
      error: {
        code: 'ERR_TARGET_NETWORK',
        message: `the artifact download failed: ECONNREFUSED (${new URL(gone.artifactUrl).host})`,
        attempts: 1,
      },
    });
  });

  test('is given up after 30 s, and begun again', async () => {
    fakeTimers();
    const { client, downloads, heard } = start({}, hang, served());
    const ready = client.ready();
    await pass(29_999);
    expect(heard.artifactDownloadFailed).toHaveLength(0);
    await pass(1);
    expect(heard.artifactDownloadFailed[0]?.error).toMatchObject({ code: 'ERR_TARGET_TIMEOUT' });
    await pass(1000);
    await ready;
    expect(downloads).toHaveLength(2);
  });

  test('harms nobody when a listener throws', async () => {
    const throws = () => {
      throw new Error('mine');
    };
    const events = { artifactDownloadFailed: throws, artifactDownloadSucceeded: throws, clientReady: throws };
    const { client } = start({ events }, status(500), served());
    await targetErrorOf(() => client.refresh());
    await client.refresh();
    expect(await releaseOf(client)).toBe('first');
  });
});

describe('redirects', () => {
  test('are followed to another host', async () => {
    const other = await startTargetEdge({ artifact: flagsArtifact({ release: 'moved' }) });
    for (const code of [301, 302, 303, 307, 308]) {
      bench.edge.fault(
        { kind: 'status', status: code, headers: { Location: other.artifactUrl } },
        { times: 1, where: RULES },
      );
      const { client } = connect();
      await client.ready();
      expect(await releaseOf(client)).toBe('moved');
    }
    await other.close();
  });

  test.each([
    [3, 'first'],
    [4, undefined],
  ])('are followed three times at most: %i', async (redirects, release) => {
    bench.edge.fault(
      { kind: 'status', status: 302, headers: { Location: './rules.json?again' } },
      { where: RULES, times: redirects },
    );
    const { client, heard } = connect();
    if (release === undefined) {
      const { error } = await next(client, 'artifactDownloadFailed');
      expect(error).toMatchObject({
        code: 'ERR_TARGET_RESPONSE',
        status: 302,
        message: 'the artifact download was redirected too often',
      });
    } else {
      await client.ready();
      expect(await releaseOf(client)).toBe(release);
    }
    expect(bench.edge.requestsTo(RULES)).toHaveLength(4);
    expect(heard.artifactDownloadFailed).toHaveLength(release ? 0 : 1);
  });

  test.each([
    ['from https to http', 'http://assets.adobetarget.com/rules.json'],
    ['to a file', 'file:///etc/passwd'],
    ['to nowhere', 'http://['],
    ['without a word where to', ''],
  ])('are not followed %s', async (_, location) => {
    const { client, downloads } = start({}, status(302, location === '' ? {} : { location }));
    const { error } = await next(client, 'artifactDownloadFailed');
    expect(error).toMatchObject({
      code: 'ERR_TARGET_RESPONSE',
      status: 302,
      message: 'the artifact download was redirected to where it must not go',
    });
    expect(downloads).toHaveLength(1);
  });
});

describe('the schedule', () => {
  beforeEach(() => {
    fakeTimers();
  });
  const atMost = () => jest.spyOn(Math, 'random').mockReturnValue(0.999999);
  const atLeast = () => jest.spyOn(Math, 'random').mockReturnValue(0);

  test.each<[string, Script]>([
    ['500', status(500)],
    ['404', status(404)],
    ['HTML', answer('<html>')],
    ['a wrong shape', answer({ hello: 'world' })],
    ['304', status(304)],
  ])('asks at most eight times in a minute of %s, with the shortest of pauses', async (_, script) => {
    atLeast();
    const { downloads, heard } = start({}, script);
    await pass(MINUTE);
    expect(downloads.length).toBeGreaterThan(3);
    expect(downloads.length).toBeLessThanOrEqual(8);
    expect(heard.artifactDownloadFailed).toHaveLength(downloads.length);
  });

  test('asks on until the first artifact comes, however long it takes', async () => {
    atMost();
    const { client, downloads } = start({ pollingInterval: 0 }, status(500));
    await pass(24 * 60 * MINUTE);
    expect(downloads.length).toBeGreaterThan(24 * 60);
    const { length } = downloads;
    await pass(MINUTE);
    expect(downloads.length - length).toBe(2);
    await client.close();
    await pass(60 * MINUTE);
    expect(downloads).toHaveLength(length + 2);
  });

  test.each<[string, () => Script]>([
    ['seconds', () => status(503, { 'Retry-After': '120' })],
    ['429', () => status(429, { 'Retry-After': '120' })],
    ['a date', () => status(503, { 'Retry-After': new Date(Date.now() + 120_000).toUTCString() })],
  ])('obeys Retry-After: %s', async (_, script) => {
    const { client, downloads } = start({}, script(), served());
    await pass(118_000);
    expect(downloads).toHaveLength(1);
    await pass(15_000);
    expect(downloads).toHaveLength(2);
    expect(await releaseOf(client)).toBe('first');
  });

  test('obeys Retry-After between polls, and not for longer than an hour', async () => {
    const { downloads } = start({}, served(), status(503, { 'Retry-After': '99999999999' }), served());
    await pass(6 * MINUTE);
    expect(downloads).toHaveLength(2);
    await pass(50 * MINUTE);
    expect(downloads).toHaveLength(2);
    await pass(20 * MINUTE);
    expect(downloads.length).toBeGreaterThan(2);
  });

  test('a refresh does not wait', async () => {
    const { client } = start({}, status(503, { 'Retry-After': '120' }), served());
    await pass(1);
    await client.refresh();
    expect(await releaseOf(client)).toBe('first');
  });

  test('polls every five minutes, a tenth more or less, so that processes do not ask together', async () => {
    const times: number[] = [];
    for (const random of [atLeast, atMost]) {
      random();
      const { downloads } = start({}, served({ etag: '"v1"' }), status(304));
      await pass(6 * MINUTE);
      times.push((downloads[1]?.time ?? 0) - (downloads[0]?.time ?? 0));
    }
    expect(times[0]).toBeCloseTo(270_000, -2);
    expect(times[1]).toBeCloseTo(330_000, -2);
  });

  test('polls no more often than every five minutes, with a warning', async () => {
    const { logger, lines } = listeningLogger();
    const { downloads } = start({ pollingInterval: 1000, logger }, served());
    await pass(4 * MINUTE);
    expect(downloads).toHaveLength(1);
    expect(lines.warn).toEqual(['AT: pollingInterval is raised from 1000 to 300000 ms']);
  });

  test('polls as often as is asked for where the caller keeps the artifact', async () => {
    atMost();
    const { downloads } = start({ pollingInterval: 1000, artifactLocation: 'https://a.example/r.json' });
    await pass(11_001);
    expect(downloads.length).toBeGreaterThanOrEqual(10);
  });

  test('does not poll without an interval', async () => {
    const { client, downloads } = start({ pollingInterval: 0 }, status(500), served());
    await pass(24 * 60 * MINUTE);
    expect(downloads).toHaveLength(2);
    expect(await releaseOf(client)).toBe('first');
    expect(jest.getTimerCount()).toBe(0);
  });

  test('can wait as long as a timer can', async () => {
    atMost();
    const { downloads } = start({ pollingInterval: 2 ** 31 - 1 });
    await pass(24 * 60 * MINUTE);
    expect(downloads).toHaveLength(1);
  });

  test('asks again soon after a poll that failed, and goes on polling when that is no use', async () => {
    const { client, downloads } = start({}, served(), status(500));
    await pass(6 * MINUTE);
    expect(downloads.length).toBeGreaterThan(3);
    await pass(30 * MINUTE);
    const { length } = downloads;
    expect(length).toBeGreaterThanOrEqual(12);
    await pass(30 * MINUTE);
    expect(downloads.length - length).toBeLessThanOrEqual(7);
    expect(await releaseOf(client)).toBe('first');
  });

  test('has an interval that is short wait longer after failures, for good', async () => {
    const artifactLocation = 'https://a.example/r.json';
    const { downloads } = start({ artifactLocation, pollingInterval: 100 }, served(), status(500));
    await pass(10 * MINUTE);
    const { length } = downloads;
    await pass(10 * MINUTE);
    expect(downloads.length - length).toBeLessThanOrEqual(23);
  });

  test('recovers by itself, and is quick again', async () => {
    const faults = Array.from({ length: 8 }, () => status(500));
    const { client, downloads } = start({}, ...faults, served({ release: 'late' }), status(500));
    await pass(5 * MINUTE);
    expect(await releaseOf(client)).toBe('late');
    const { length } = downloads;
    expect(length).toBe(9);
    await pass(6 * MINUTE);
    expect(downloads.length - length).toBeGreaterThan(2);
  });

  test('never has two downloads at once: a slow poll starts no second, and a refresh joins it', async () => {
    const artifactLocation = 'https://a.example/r.json';
    const slow = held(served({ release: 'slow' }));
    const { client, downloads, heard } = start(
      { artifactLocation, pollingInterval: 1000 },
      served(),
      slow.script,
      hang,
    );
    await pass(20_000);
    expect(downloads).toHaveLength(2);
    const refreshed = Promise.all([client.refresh(), client.refresh()]);
    expect(downloads).toHaveLength(2);
    slow.release();
    await refreshed;
    expect(heard.artifactDownloadSucceeded).toHaveLength(2);
    expect(await releaseOf(client)).toBe('slow');
  });

  test('keeps a refresh in step with polls: the next one comes an interval later', async () => {
    const { client, downloads } = start({});
    await pass(4 * MINUTE);
    await client.refresh();
    await pass(4 * MINUTE);
    expect(downloads).toHaveLength(2);
  });
});

describe('an artifact that is older than the one in use', () => {
  const newer = { release: 'newer', generatedAt: '2024-02-01T00:00:00.000Z', etag: '"v2"' };
  const older = { release: 'older', generatedAt: '2024-01-01T00:00:00.000Z', etag: '"v1"' };

  test('is not taken from a poll', async () => {
    fakeTimers();
    const { logger, lines } = listeningLogger();
    const { client, heard, downloads } = start({ logger }, served(newer), served(older));
    await client.ready();
    await pass(6 * MINUTE);
    expect(downloads[1]?.init.headers['If-None-Match']).toBe('"v2"');
    expect(await releaseOf(client)).toBe('newer');
    expect(heard.artifactDownloadSucceeded).toHaveLength(1);
    expect(heard.artifactDownloadFailed).toHaveLength(0);
    expect(lines.warn).toEqual(['AT: an older artifact than the one in use was not taken']);
    await pass(6 * MINUTE);
    expect(downloads[2]?.init.headers['If-None-Match']).toBe('"v2"');
  });

  test('is taken when a refresh was asked for and the ETag says that it is meant', async () => {
    const { client } = start({}, served(newer), served(older), served({ ...newer, release: 'last' }));
    await client.ready();
    await client.refresh();
    expect(await releaseOf(client)).toBe('older');
    await client.refresh();
    expect(await releaseOf(client)).toBe('last');
  });

  test('is not taken for a refresh when the ETag is the same', async () => {
    const { client } = start({}, served(newer), served({ ...older, etag: newer.etag }));
    await client.ready();
    await client.refresh();
    expect(await releaseOf(client)).toBe('newer');
  });

  test('is taken when a refresh joined the poll', async () => {
    fakeTimers();
    const slow = held(served(older));
    const { client, downloads } = start({}, served(newer), slow.script);
    await client.ready();
    // Not longer: it would time out, and the refresh might come between two attempts.
    while (downloads.length < 2) {
      await pass(10_000);
    }
    const refreshed = client.refresh();
    slow.release();
    await refreshed;
    expect(await releaseOf(client)).toBe('older');
  });

  test.each([
    ['no date', undefined],
    ['a date that is none', 'yesterday'],
  ])('cannot be told by %s', async (_, generatedAt) => {
    const { client } = start(
      {},
      served(newer),
      served({ release: 'undated', ...(generatedAt && { generatedAt }) }),
    );
    await client.ready();
    await client.refresh();
    expect(await releaseOf(client)).toBe('undated');
  });
});

describe('what a listener is given', () => {
  test('is its own: it can change nothing that is decided', async () => {
    const { client } = start({
      events: {
        artifactDownloadSucceeded: (event) => {
          const payload = event.artifactPayload as { rules: { mboxes: Record<string, unknown[]> } };
          for (const rules of Object.values(payload.rules.mboxes)) {
            rules.length = 0;
          }
        },
      },
    });
    await client.ready();
    expect(await releaseOf(client)).toBe('first');
  });
});

describe('ready', () => {
  test('is once, whatever comes behind it', async () => {
    const { client, heard } = start({}, served(), served({ release: 'second' }));
    const late = next(client, 'clientReady');
    await client.ready();
    await late;
    await client.refresh();
    await client.ready();
    expect(heard.clientReady).toEqual([{ type: 'clientReady' }]);
    expect(heard.artifactDownloadSucceeded).toHaveLength(2);
  });

  test('can be listened for behind create, when the artifact was brought along', async () => {
    const { client } = start({ artifactPayload: flagsArtifact(), pollingInterval: 0 });
    await next(client, 'clientReady');
  });

  test('gives up after its timeout, and comes later', async () => {
    fakeTimers();
    const { client } = start({}, status(500), status(500), served());
    const error = targetErrorOf(() => client.ready({ timeout: 100 }));
    await pass(100);
    expect(await error).toMatchObject({
      code: 'ERR_TARGET_NOT_READY',
      message: 'the client is not ready: no artifact came within 100 ms',
    });
    const ready = client.ready();
    await pass(MINUTE);
    await ready;
  });

  test('gives up after maximumWaitReady', async () => {
    fakeTimers();
    const { client } = start({ maximumWaitReady: 250 }, hang);
    const error = targetErrorOf(() => client.ready());
    await pass(250);
    expect(await error).toMatchObject({ code: 'ERR_TARGET_NOT_READY' });
  });

  test('is aborted by its signal, and alone', async () => {
    const { client } = start({}, status(500), served());
    const controller = new AbortController();
    const aborted = targetErrorOf(() => client.ready({ signal: controller.signal }));
    const other = client.ready();
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await aborted).toMatchObject({ code: 'ERR_TARGET_ABORTED', cause: reason });
    const late = await targetErrorOf(() => client.ready({ signal: controller.signal }));
    expect(late.code).toBe('ERR_TARGET_ABORTED');
    await next(client, 'artifactDownloadFailed');
    await client.refresh();
    await other;
  });

  test('ends when the client is closed', async () => {
    const { client } = start({}, hang);
    const waiting = targetErrorOf(() => client.ready());
    await client.close();
    expect(await waiting).toMatchObject({ code: 'ERR_TARGET_CLOSED' });
    expect(await targetErrorOf(() => client.ready())).toMatchObject({ code: 'ERR_TARGET_CLOSED' });
  });
});

describe('close', () => {
  test('cancels polling', async () => {
    fakeTimers();
    const { client, downloads } = start({});
    await pass(1);
    await client.close();
    expect(jest.getTimerCount()).toBe(0);
    await pass(60 * MINUTE);
    expect(downloads).toHaveLength(1);
  });

  test('cancels the pause before the next try', async () => {
    fakeTimers();
    const { client, downloads } = start({}, status(500));
    await pass(1);
    await client.close();
    expect(jest.getTimerCount()).toBe(0);
    await pass(60 * MINUTE);
    expect(downloads).toHaveLength(1);
  });

  test('cancels the download that runs, which is no failure', async () => {
    const { client, downloads, heard } = start({}, hang);
    const refreshed = targetErrorOf(() => client.refresh());
    await client.close();
    expect(await refreshed).toMatchObject({ code: 'ERR_TARGET_CLOSED', message: 'the client is closed' });
    expect(downloads[0]?.init.signal.aborted).toBe(true);
    expect(heard.artifactDownloadFailed).toHaveLength(0);
  });

  test('drops what comes too late', async () => {
    const slow = held(served());
    const { client, heard } = start({}, slow.script);
    await client.close();
    slow.release();
    await settle();
    expect(heard.clientReady).toHaveLength(0);
    expect(heard.artifactDownloadSucceeded).toHaveLength(0);
  });

  test('does not wait for a CDN that never answers', async () => {
    bench.edge.fault({ kind: 'hang' }, { where: RULES });
    const { client } = connect({ pollingInterval: 0 });
    await bench.edge.waitForRequests(1, { where: RULES });
    expect(await client.close()).toEqual({ delivered: 0, failed: 0, dropped: 0, handedOver: 0 });
  });
});

describe('a store of artifacts', () => {
  /** A store as a caller would write it, in memory. */
  function memory(held?: unknown) {
    const written: string[] = [];
    const keys: string[] = [];
    return {
      written,
      keys,
      get: async (key: string) => {
        keys.push(key);
        return held;
      },
      set: async (key: string, value: string) => {
        keys.push(key);
        written.push(value);
      },
    };
  }
  const kept = (release: string) => JSON.stringify(flagsArtifact({ release }));

  test('keeps each good artifact under its location, and nothing else', async () => {
    const artifactStore = memory();
    const { client } = start(
      { artifactStore },
      served(),
      answer('<html>'),
      served({ release: 'second', etag: '"v2"' }),
      status(304),
    );
    await client.ready();
    await targetErrorOf(() => client.refresh());
    await client.refresh();
    await client.refresh();
    expect(artifactStore.written.map((text) => JSON.parse(text))).toEqual([
      flagsArtifact(),
      flagsArtifact({ release: 'second' }),
    ]);
    expect(new Set(artifactStore.keys)).toEqual(
      new Set(['https://assets.adobetarget.com/demo/production/v1/rules.json']),
    );
  });

  test('serves while the CDN is down', async () => {
    const { client, heard } = start({ artifactStore: memory(kept('kept')) }, status(500));
    await client.ready();
    expect(await releaseOf(client)).toBe('kept');
    expect(heard.clientReady).toHaveLength(1);
    expect(heard.artifactDownloadSucceeded).toHaveLength(0);
  });

  test('gives way to the CDN', async () => {
    const { client, heard, downloads } = start({ artifactStore: memory(kept('kept')) }, served());
    await next(client, 'artifactDownloadSucceeded');
    expect(await releaseOf(client)).toBe('first');
    expect(downloads[0]?.init.headers['If-None-Match']).toBeUndefined();
    expect(heard.clientReady).toHaveLength(1);
  });

  test('is not asked for what was brought along', async () => {
    const artifactStore = memory(kept('kept'));
    const { client } = start({ artifactStore, artifactPayload: flagsArtifact() });
    expect(await releaseOf(client)).toBe('first');
    expect(artifactStore.keys).toHaveLength(0);
  });

  test('that answers late changes nothing', async () => {
    let answerNow: (text: string) => void = () => undefined;
    const get = () =>
      new Promise<string>((resolve) => {
        answerNow = resolve;
      });
    const { client } = start({ artifactStore: { get, set: async () => undefined } });
    await client.ready();
    answerNow(kept('kept'));
    await settle();
    expect(await releaseOf(client)).toBe('first');
  });

  test('is written one artifact after the other, the last one last', async () => {
    const written: unknown[] = [];
    const ends: (() => void)[] = [];
    const set = (_: string, text: string) =>
      new Promise<void>((resolve) => {
        ends.push(() => {
          written.push(JSON.parse(text).rules.mboxes.hero[0].consequence.options[0].content);
          resolve();
        });
      });
    const { client } = start(
      { artifactStore: { get: async () => undefined, set } },
      ...['one', 'two', 'three'].map((release) => served({ release })),
    );
    await client.ready();
    await client.refresh();
    await client.refresh();
    for (let end = ends.shift(); end; end = ends.shift()) {
      end();
      await settle();
    }
    expect(written).toEqual(['one', 'three']);
  });

  const fails = () => {
    throw new Error('redis://user:secret@host is down');
  };
  const rejects = async () => fails();
  const never = () => new Promise<never>(() => undefined);

  test.each<[string, { get(): Promise<unknown>; set(): Promise<unknown> }, number]>([
    ['throws', { get: fails, set: fails }, 2],
    ['rejects', { get: rejects, set: rejects }, 2],
    ['never answers', { get: never, set: never }, 0],
    ['holds half an artifact', { get: async () => '{"version":', set: async () => undefined }, 1],
    ['holds another version', { get: async () => '{"version":"2.0.0","rules":{}}', set: never }, 1],
    ['holds no text', { get: async () => ({ version: '1.0.0' }), set: never }, 1],
    ['holds nothing', { get: async () => null, set: never }, 0],
  ])('that %s harms nobody, and is told at most once each time', async (_, artifactStore, warnings) => {
    const { logger, lines } = listeningLogger();
    const { client } = start({ artifactStore, logger });
    await client.ready();
    await settle();
    expect(await releaseOf(client)).toBe('first');
    expect(lines.warn).toHaveLength(warnings);
    expect(lines.warn.join()).not.toContain('secret');
    await client.close();
  });

  test('is tried again after a write that never ended', async () => {
    fakeTimers();
    const writes: string[] = [];
    const set = async (_: string, text: string) => {
      writes.push(text);
      if (writes.length === 1) {
        await never();
      }
    };
    const { client } = start(
      { artifactStore: { get: async () => undefined, set } },
      served(),
      served({ release: 'second' }),
    );
    await pass(1);
    await client.refresh();
    expect(writes).toHaveLength(1);
    await pass(30_000);
    expect(writes).toHaveLength(2);
  });
});

describe('a decision', () => {
  test('without an artifact is refused, on-device', async () => {
    const { client } = start({}, hang);
    expect(await targetErrorOf(() => client.getOffers({ request: HERO }))).toMatchObject({
      code: 'ERR_TARGET_NOT_READY',
      message: 'Unable to fulfill request; decisioning engine not ready.',
    });
  });
});
