import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import type { DeliveryRequest, TargetClient, TargetClientConfig, TelemetryEntry } from '../src/index.js';
import type { Fault } from '../src/testing/edge.js';
import { flagsArtifact, HERO } from './fixtures/flags.js';
import { artifactOf, rule } from './fixtures/rules.js';
import { hang, type RecordedCall, type Script, status } from './recording-fetch.js';
import { confirm, fakeTimers, next, pass, releaseOf, served, settle, withScripts } from './scripted-cdn.js';
import { deepFreeze, targetErrorOf, withEdge } from './with-edge.js';

const bench = withEdge({ artifact: flagsArtifact() });
const startWith = withScripts();

/** A client that has its artifact and asks for no other. */
function start(config: Partial<TargetClientConfig> = {}, ...deliveries: Script[]) {
  return startWith(
    { artifactPayload: flagsArtifact(), pollingInterval: 0, ...config },
    deliveries.length > 0 ? { deliveries } : {},
  );
}

afterEach(() => {
  bench.edge.setArtifact(flagsArtifact());
});

describe('a decision on-device', () => {
  test('is answered as the edge answers', async () => {
    const { client } = start({ client: 'acme' });
    const { response, meta, status, targetCookie } = await client.getOffers({
      request: {
        requestId: 'r1',
        id: { tntId: 'visitor.35_0', thirdPartyId: 't1' },
        execute: { mboxes: [{ name: 'hero', index: 4 }] },
      },
    });
    expect(response).toEqual({
      status: 200,
      requestId: 'r1',
      client: 'acme',
      id: { tntId: 'visitor.35_0', thirdPartyId: 't1' },
      execute: {
        mboxes: [
          {
            name: 'hero',
            index: 4,
            options: [
              {
                type: 'html',
                content: 'first',
                responseTokens: { 'activity.decisioningMethod': 'on-device' },
              },
            ],
          },
        ],
      },
    });
    expect(meta).toEqual({ decisioningMethod: 'on-device', remoteMboxes: [], remoteViews: [] });
    expect(status).toMatchObject({ status: 200, remoteMboxes: [], remoteViews: [] });
    expect(targetCookie?.value).toContain('PC#visitor.35_0#');
  });

  test('answers what is local and names what is not', async () => {
    const { client, deliveries } = start();
    const { response, meta, status } = await client.getOffers({
      request: {
        execute: { mboxes: [{ name: 'hero' }, { name: 'far' }, { name: 'constructor' }] },
        prefetch: { views: [{ name: 'home' }, { name: 'far' }], mboxes: [{ name: 'other' }] },
      },
    });
    const names = { remoteMboxes: ['far', 'constructor'], remoteViews: ['far'] };
    expect(response.status).toBe(206);
    expect(meta).toEqual({ decisioningMethod: 'on-device', ...names });
    expect(status).toMatchObject({ status: 206, ...names });
    expect(response.execute?.mboxes).toMatchObject([
      { name: 'hero', options: [{ content: 'first' }] },
      { name: 'far', index: 1 },
      { name: 'constructor', index: 2 },
    ]);
    expect(response.prefetch?.views?.map(({ name }) => name)).toEqual(['home']);
    await client.flush();
    expect(deliveries).toHaveLength(1);
  });

  test('makes a tntId for a visitor without any id, in the form of the edge', async () => {
    const { client } = start({ targetLocationHint: '35' });
    const { response, targetCookie } = await client.getOffers({ request: HERO });
    expect(response.id?.tntId).toMatch(/^[\da-f]{32}\.35_0$/);
    expect(targetCookie?.value).toContain(`PC#${response.id?.tntId}#`);
    const visitor = await client.getOffers({ request: HERO, targetLocationHint: '38' });
    expect(visitor.response.id?.tntId).toMatch(/^[\da-f]{32}\.38_0$/);
    const again = await client.getOffers({ request: HERO, targetCookie: targetCookie?.value });
    expect(again.response.id?.tntId).toBe(response.id?.tntId);
  });

  test.each<[string, DeliveryRequest['id']]>([
    ['an ECID', { marketingCloudVisitorId: '12345' }],
    ['a third-party id', { thirdPartyId: 't1' }],
    [
      'a customer who is logged in',
      { customerIds: [{ id: 'c', integrationCode: 'crm', authenticatedState: 'authenticated' }] },
    ],
  ])('makes no tntId for %s', async (_, id) => {
    const { client } = start();
    const { response } = await client.getOffers({ request: { ...HERO, id } });
    expect(response.id).toEqual(id);
  });

  test('takes every rule of the mboxes that are to have all', async () => {
    const artifactPayload = artifactOf({
      hero: [rule('hero', { activity: 1 }), rule('hero', { activity: 2 })],
      flags: [rule('flags', { activity: 3 }), rule('flags', { activity: 4 })],
    });
    const request = { execute: { mboxes: [{ name: 'hero' }, { name: 'flags' }] } };
    for (const option of ['allMatchingMboxes', 'onDeviceAllMatchingRulesMboxes']) {
      const { client } = start({ artifactPayload, [option]: ['hero'] });
      const { response } = await client.getOffers({ request });
      expect(response.execute?.mboxes?.map(({ name }) => name)).toEqual(['hero', 'hero', 'flags']);
    }
  });

  test.each<[string, object, object]>([
    ['thirdPartyId', { id: { thirdPartyId: 42 } }, { id: { thirdPartyId: '42' } }],
    [
      'customer ids',
      { id: { customerIds: [{ id: 42, integrationCode: 'u', authenticatedState: 'AUTHENTICATED' }] } },
      { id: { customerIds: [{ id: '42', integrationCode: 'u', authenticatedState: 'authenticated' }] } },
    ],
    ['a page load', { execute: { pageLoad: true } }, { execute: { pageLoad: {} } }],
    [
      'a parameter',
      { execute: { mboxes: [{ name: 'members', parameters: { plan: ['gold'] } }] } },
      { execute: { mboxes: [{ name: 'members', parameters: { plan: 'gold' } }] } },
    ],
    [
      'empty entries and null',
      {
        execute: { mboxes: [null, { name: 'flags', index: '0', parameters: null }], pageLoad: null },
        prefetch: null,
      },
      { execute: { mboxes: [{ name: 'flags', index: 0 }] } },
    ],
    [
      'what rules do not look at',
      { context: { channel: 'Web', timeOffsetInMinutes: '60', clientHints: { mobile: 'true' } } },
      { context: { channel: 'web', timeOffsetInMinutes: 60, clientHints: { mobile: true } } },
    ],
  ])('is the same whatever type says the same: %s', async (_, loose, strict) => {
    const { client } = start();
    const base = {
      requestId: 'r',
      impressionId: 'i',
      id: { tntId: 'visitor' },
      execute: { mboxes: [{ name: 'flags' }] },
    };
    const answers = [];
    for (const request of [loose, strict]) {
      answers.push(await client.getOffers({ request: { ...base, ...request } as DeliveryRequest }));
    }
    const [one, other] = answers.map(({ request: { experienceCloud: _cloud, ...asked }, response }) => ({
      asked,
      response,
    }));
    expect(one).toEqual(other);
    expect(JSON.stringify(one?.response.execute)).toContain('options');
  });

  test('gives the attributes of the first rule, where an mbox is to have all', async () => {
    const flags = (activity: number, content: Record<string, number>) =>
      rule('flags', { activity, options: [{ type: 'json', content }] });
    const artifactPayload = artifactOf({
      flags: [flags(1, { a: 1, b: 1 }), flags(2, { b: 2, c: 2 }), flags(3, { c: 3, d: 3 })],
    });
    const { client } = start({ artifactPayload, allMatchingMboxes: ['flags'] });
    for (const request of [undefined, { prefetch: { mboxes: [{ name: 'flags' }] } }]) {
      const attributes = await client.getAttributes(['flags'], { request });
      expect(attributes.toJSON()).toEqual({ flags: { a: 1, b: 1, c: 2, d: 3 } });
      expect(attributes.getValue('flags', 'b')).toBe(1);
    }
  });

  test.each([undefined, 'our-global-mbox'])(
    'gives the attributes of the page load as %s',
    async (globalMbox) => {
      const name = globalMbox ?? 'target-global-mbox';
      const options = [{ type: 'json' as const, content: { beta: true } }];
      const artifactPayload = artifactOf(
        { [name]: [rule(name, { options })] },
        {},
        globalMbox === undefined ? {} : { globalMbox },
      );
      const { client } = start({ artifactPayload });
      const attributes = await client.getAttributes([], { request: { execute: { pageLoad: {} } } });
      expect(attributes.asObject()).toEqual({ [name]: { beta: true } });
    },
  );

  test('has a trace when one is asked for, and only then', async () => {
    const { client, deliveries } = start();
    const plain = await client.getOffers({ request: HERO });
    expect(JSON.stringify(plain.response)).not.toContain('trace');
    expect(plain.trace).toBeUndefined();
    const traced = await client.getOffers({ request: { ...HERO, trace: { authorizationToken: 't' } } });
    expect(traced.response.execute?.mboxes?.[0]?.trace).toMatchObject({
      clientCode: 'demo',
      artifact: { artifactLocation: 'Not Applicable', artifactRetrievalCount: 1, pollingInterval: 0 },
      campaigns: [{ id: 1000 }],
    });
    expect(traced.trace).toHaveLength(1);
    await client.flush();
    expect(deliveries.every(({ request }) => request.trace === undefined)).toBe(true);
  });

  test('tells in traces where the artifact is from, and how often one was taken', async () => {
    const { client } = startWith(
      {},
      { downloads: [served(), served({ release: 'second' }), status(304), status(500)] },
    );
    await client.ready();
    await client.refresh();
    const { response } = await client.getOffers({ request: { ...HERO, trace: { authorizationToken: 't' } } });
    expect(response.execute?.mboxes?.[0]?.trace).toMatchObject({
      artifact: {
        artifactLocation: 'https://assets.adobetarget.com/demo/production/v1/rules.json',
        artifactRetrievalCount: 2,
        artifactLastRetrieved: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
        pollingHalted: false,
      },
    });
  });

  test('rejects when its signal is aborted, and never leaves this process for it', async () => {
    const { client } = start();
    const error = await targetErrorOf(() =>
      client.getOffers({ request: HERO, signal: AbortSignal.abort(new Error('enough')) }),
    );
    expect(error).toMatchObject({ code: 'ERR_TARGET_ABORTED' });
  });

  test('makes no call for ten thousand visitors of whom nothing is owed', async () => {
    const { client, deliveries, downloads, places } = start();
    for (let visitor = 0; visitor < 10_000; visitor += 1) {
      await client.getOffers({
        request: { id: { tntId: `v${visitor}` }, prefetch: { mboxes: [{ name: 'flags' }] } },
      });
    }
    await client.flush();
    expect([deliveries, downloads, places].map(({ length }) => length)).toEqual([0, 0, 0]);
  });
});

const CHANGING = /^(requestId|id|impressionId|supplementalDataId|sessionId|(current_)?(timestamp|time))$/;

/** Changes everything in a value that can be changed. */
function spoil(value: unknown): void {
  if (typeof value !== 'object' || value === null) {
    return;
  }
  for (const [key, inner] of Object.entries(value)) {
    spoil(inner);
    (value as Record<string, unknown>)[key] = 'spoilt';
  }
  Object.assign(value, { more: true });
  if (Array.isArray(value)) {
    value.length = 0;
  }
}

describe('what is returned is the caller’s own', () => {
  const everything: DeliveryRequest = {
    id: { tntId: 'visitor.35_0' },
    execute: { mboxes: [{ name: 'hero' }, { name: 'flags' }], pageLoad: {} },
    prefetch: { mboxes: [{ name: 'hero' }, { name: 'flags' }], pageLoad: {}, views: [{ name: 'home' }] },
  };

  test.each([
    ['with a trace', { trace: { authorizationToken: 't' } }],
    ['without one', {}],
  ])('nothing that is done to it reaches the next answer, nor what is reported: %s', async (_, more) => {
    const { client, deliveries } = start({ artifactPayload: deepFreeze(flagsArtifact()) });
    const request = deepFreeze({ ...everything, ...more });
    const ask = async () => (await client.getOffers({ request })).response;
    const stable = (response: object) =>
      JSON.parse(JSON.stringify(response, (key, value) => (CHANGING.test(key) ? undefined : value)));
    const first = stable(await ask());
    await client.flush();
    const reported = stable(deliveries[0]?.request ?? {});
    for (let call = 0; call < 3; call += 1) {
      const response = await ask();
      expect(stable(response)).toEqual(first);
      spoil(response);
      await client.flush();
    }
    for (const call of deliveries) {
      expect(stable(call.request)).toEqual(reported);
    }
  });

  test('attributes as well', async () => {
    const { client } = start();
    const ask = () => client.getAttributes(['flags'], { request: { id: { tntId: 'a' } } });
    const first = (await ask()).toJSON();
    const provider = await ask();
    spoil(provider.asObject());
    spoil(provider.getValue('flags', 'limits'));
    spoil(provider.getResponse());
    expect((await ask()).toJSON()).toEqual(first);
  });
});

describe('the location hint', () => {
  test('is not asked for by a client that is closed at once', async () => {
    await bench.connect({ decisioningMethod: 'on-device' }).close();
    await settle();
    expect(bench.edge.requests.filter(({ delivery }) => delivery)).toEqual([]);
  });

  test('is learned at the start with one call that asks for nothing', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device' });
    await client.ready();
    const [received] = await bench.edge.waitForRequests(1, { where: '/rest/v1/delivery' });
    expect(received?.body).toEqual({ context: { channel: 'web' } });
    expect(received?.query.sessionId).toMatch(/^[\da-f]{32}$/);
    await settle();
    await settle();
    const { response } = await client.getOffers({ request: { prefetch: { mboxes: [{ name: 'hero' }] } } });
    expect(response.id?.tntId).toMatch(/\.35_0$/);
    expect(bench.edge.requestsTo('/rest/v1/delivery')).toHaveLength(1);
  });

  test('is asked for by telemetry no sooner than anything else', async () => {
    const { deliveries } = start({ targetLocationHint: undefined, telemetryEnabled: true });
    await settle();
    expect(deliveries.map(({ request }) => request)).toEqual([{ context: { channel: 'web' } }]);
  });

  test.each<[string, Partial<TargetClientConfig>]>([
    ['is configured', { targetLocationHint: '35' }],
    ['is of no use, because every call goes to the edge', { decisioningMethod: 'server-side' }],
  ])('is not asked for when it %s', async (_, config) => {
    const { deliveries } = start(config);
    await settle();
    expect(deliveries).toHaveLength(0);
  });

  test.each<[string, Script]>([
    ['fails', status(500)],
    ['never ends', hang],
    ['is refused', status(403)],
  ])('may stay unknown: the call %s, and nothing waits for it', async (_, script) => {
    const { client } = start({ targetLocationHint: undefined, timeout: 200 }, script);
    await client.ready();
    const { response } = await client.getOffers({ request: { prefetch: { mboxes: [{ name: 'hero' }] } } });
    expect(response.id?.tntId).toMatch(/^[\da-f]{32}$/);
  });
});

describe('telemetry', () => {
  const MINUTE = 60_000;
  const PREFETCH: DeliveryRequest = { prefetch: { mboxes: [{ name: 'hero' }] } };
  const entriesOf = (call: RecordedCall | undefined): readonly TelemetryEntry[] =>
    call?.request.telemetry?.entries ?? [];
  const ms = expect.any(Number);

  test('of decisions goes with the notifications that are owed', async () => {
    const { client, deliveries } = start({ telemetryEnabled: true });
    await client.getOffers({ request: { ...PREFETCH, requestId: 'p' } });
    await client.getOffers({ request: { ...HERO, requestId: 'e' } });
    await client.flush();
    expect(deliveries).toHaveLength(1);
    expect(entriesOf(deliveries[0])).toEqual([
      {
        requestId: 'p',
        timestamp: ms,
        mode: 'local',
        execution: ms,
        parsing: ms,
        features: { decisioningMethod: 'on-device', prefetchMboxCount: 1 },
      },
      {
        requestId: 'e',
        timestamp: ms,
        mode: 'local',
        execution: ms,
        parsing: ms,
        features: { decisioningMethod: 'on-device', executeMboxCount: 1 },
      },
    ]);
  });

  test('tells what the download of an artifact cost', async () => {
    const { client, deliveries } = startWith(
      { telemetryEnabled: true },
      { downloads: [served({ etag: '"v1"' }), status(304), status(500), served({ release: 'second' })] },
    );
    await client.ready();
    await client.refresh();
    await targetErrorOf(() => client.refresh());
    await client.refresh();
    await client.getOffers({ request: HERO });
    await client.flush();
    const downloads = entriesOf(deliveries[0]).filter(({ requestId }) => requestId === 'ArtifactDownload');
    const entry = {
      requestId: 'ArtifactDownload',
      timestamp: ms,
      execution: ms,
      parsing: ms,
      request: { timeToFirstByte: ms, download: ms, responseSize: JSON.stringify(flagsArtifact()).length },
    };
    const second = JSON.stringify(flagsArtifact({ release: 'second' })).length;
    expect(downloads).toEqual([entry, { ...entry, request: { ...entry.request, responseSize: second } }]);
  });

  test('makes at most one call a minute of its own, in the name of the last visitor', async () => {
    fakeTimers();
    const { client, deliveries } = start({ telemetryEnabled: true });
    const context = { channel: 'web', userAgent: 'Mozilla' } as const;
    for (let second = 0; second < 300; second += 1) {
      await client.getOffers({
        request: { ...PREFETCH, id: { tntId: `v${second}` }, context },
        sessionId: `s${second}`,
      });
      await pass(1000);
    }
    expect(deliveries.length).toBeGreaterThanOrEqual(4);
    expect(deliveries.length).toBeLessThanOrEqual(5);
    const [first, second] = deliveries;
    expect(first?.request).toEqual({
      requestId: expect.any(String),
      id: { tntId: 'v59' },
      context,
      telemetry: { entries: expect.any(Array) },
    });
    expect(first?.url.searchParams.get('sessionId')).toBe('s59');
    expect((second?.time ?? 0) - (first?.time ?? 0)).toBeGreaterThanOrEqual(MINUTE);
    expect(deliveries.every((call) => entriesOf(call).length <= 100)).toBe(true);
  });

  test('sends at most a hundred entries a call, and keeps at most a thousand', async () => {
    fakeTimers();
    const { client, deliveries } = start({ telemetryEnabled: true });
    for (let call = 0; call < 3000; call += 1) {
      await client.getOffers({ request: { ...PREFETCH, requestId: `r${call}` } });
    }
    await pass(30 * MINUTE);
    const sent = deliveries.flatMap(entriesOf).map(({ requestId }) => requestId);
    expect(deliveries.map((call) => entriesOf(call).length)).toEqual(Array(10).fill(100));
    expect(sent).toEqual(Array.from({ length: 1000 }, (_, index) => `r${2000 + index}`));
  });

  test('that could not be delivered goes with the next call', async () => {
    const { client, deliveries } = start(
      { telemetryEnabled: true, retry: { retries: 0 } },
      status(400),
      confirm,
    );
    await client.getOffers({ request: { ...HERO, requestId: 'first' } });
    await client.flush();
    await client.getOffers({ request: { ...HERO, requestId: 'second' } });
    await client.flush();
    expect(entriesOf(deliveries[1]).map(({ requestId }) => requestId)).toEqual(['first', 'second']);
  });

  test('is sent when the client is closed', async () => {
    const { client, deliveries } = start({ telemetryEnabled: true });
    await client.getOffers({ request: { ...PREFETCH, requestId: 'p' } });
    expect(deliveries).toHaveLength(0);
    await client.close();
    expect(deliveries.flatMap(entriesOf).map(({ requestId }) => requestId)).toEqual(['p']);
  });

  test('is not collected when it is off', async () => {
    fakeTimers();
    const { client, deliveries } = startWith({ telemetryEnabled: false, pollingInterval: 0 });
    await pass(1);
    await client.getOffers({ request: PREFETCH });
    await pass(60 * MINUTE);
    await client.getOffers({ request: HERO });
    await client.flush();
    await client.close();
    expect(deliveries).toHaveLength(1);
    expect(deliveries[0]?.request).not.toHaveProperty('telemetry');
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('with everything gone', () => {
  test('an artifact that is held goes on deciding', async () => {
    const { client, heard } = startWith(
      { timeout: 200, retry: { retries: 0 } },
      { downloads: [served(), status(500)], deliveries: [status(500)] },
    );
    await client.ready();
    await targetErrorOf(() => client.refresh());
    for (let call = 0; call < 100; call += 1) {
      expect(await releaseOf(client)).toBe('first');
    }
    expect(heard.artifactDownloadFailed).toHaveLength(1);
  });
});

describe('a process ends by itself, without close() and without a word', () => {
  const script = join(__dirname, 'fixtures', 'on-device-exits-by-itself.ts');
  const run = promisify(execFile);

  test.each<[string, Fault | undefined]>([
    ['unused', undefined],
    ['used', undefined],
    ['waited for', undefined],
    ['given an artifact', undefined],
    ['not ready', { kind: 'status', status: 500 }],
    ['polling often', undefined],
    ['left with notifications that cannot be sent', { kind: 'status', status: 500 }],
  ])('when its client was %s', async (use, fault) => {
    if (fault) {
      bench.edge.fault(fault);
    }
    const ran = await run(process.execPath, ['--import', 'tsx', script, bench.edge.host, use]);
    expect(ran).toEqual({ stdout: 'used\n', stderr: '' });
  });

  test('but not as long as it waits to be ready', async () => {
    const failing = bench.edge.fault({ kind: 'status', status: 500 }, { where: /rules/ });
    const ran = run(process.execPath, ['--import', 'tsx', script, bench.edge.host, 'waited for']);
    await bench.edge.waitForRequests(2, { where: /rules/, timeoutMs: 50_000 });
    failing.clear();
    expect(await ran).toEqual({ stdout: 'used\n', stderr: '' });
  });
});

test('an artifact that was brought along can be collected when a download has replaced it', async () => {
  const script = join(__dirname, 'fixtures', 'replaces-its-payload.ts');
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, ['--expose-gc', '--import', 'tsx', script]);
  expect(JSON.parse(stdout)).toEqual({
    releases: ['first', 'second'],
    isBroughtCollected: true,
    isDownloadedCollected: false,
    last: 'second',
  });
});

describe('an artifact that is swapped under load', () => {
  const DECISIONS = 20_000;
  /** Mboxes, a view and a page load that all say of which release they are. */
  const request: DeliveryRequest = {
    id: { tntId: 'visitor.35_0' },
    prefetch: { mboxes: [{ name: 'hero' }, { name: 'flags' }], views: [{ name: 'home' }], pageLoad: {} },
  };

  async function releasesIn(client: TargetClient): Promise<string> {
    const { prefetch } = (await client.getOffers({ request })).response;
    const [hero, flags] = prefetch?.mboxes ?? [];
    const contentOf = (location: { options?: { content?: unknown }[] } | undefined) =>
      location?.options?.[0]?.content;
    const found = [
      contentOf(hero),
      (contentOf(flags) as { release: string }).release,
      String(contentOf(prefetch?.views?.[0])).replace('home ', ''),
      String(contentOf(prefetch?.pageLoad)).replace('page ', ''),
    ];
    if (new Set(found).size !== 1) {
      throw new Error(`a decision of two artifacts: ${found}`);
    }
    return String(found[0]);
  }

  test('each decision is wholly of one release, and none fails', async () => {
    const release = (index: number) => (index % 2 === 0 ? 'first' : 'second');
    const versions = Array.from({ length: 200 }, (_, index) => served({ release: release(index) }));
    const { client, heard } = startWith({ pollingInterval: 0 }, { downloads: versions });
    await client.ready();
    const seen = new Map<string, number>();
    let decided = 0;
    const swapping = (async () => {
      for (let swap = 1; swap < versions.length; swap += 1) {
        await client.refresh();
        await settle();
      }
    })();
    const decideAll = async () => {
      while (decided < DECISIONS) {
        decided += 1;
        const one = await releasesIn(client);
        seen.set(one, (seen.get(one) ?? 0) + 1);
        if (decided % 50 === 0) {
          await new Promise(setImmediate);
        }
      }
    };
    await Promise.all([swapping, ...Array.from({ length: 10 }, decideAll)]);
    expect([...seen.values()].reduce((sum, count) => sum + count, 0)).toBe(decided);
    expect(seen.get('first')).toBeGreaterThan(1000);
    expect(seen.get('second')).toBeGreaterThan(1000);
    expect(heard.artifactDownloadSucceeded).toHaveLength(versions.length);
  });

  test('and a corrupt one in between changes nothing', async () => {
    const client = bench.connect({ decisioningMethod: 'on-device', targetLocationHint: '35' });
    await client.ready();
    bench.edge.setArtifact({ hello: 'world' });
    const failed = next(client, 'artifactDownloadFailed');
    await targetErrorOf(() => client.refresh());
    expect((await failed).error).toMatchObject({ code: 'ERR_TARGET_ARTIFACT' });
    expect(await releasesIn(client)).toBe('first');
    bench.edge.setArtifact(flagsArtifact({ release: 'second' }));
    await client.refresh();
    expect(await releasesIn(client)).toBe('second');
  });
});
