import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { createVisit, fromFetchRequest } from '../../src/adapters/http.js';
import { ERROR_CODES, TargetError, type TargetErrorCode } from '../../src/errors.js';
import type { TestClient } from '../../src/testing/edge.js';
import { createTestClient, html, json } from '../../src/testing/edge.js';

const REQUEST = { execute: { mboxes: [{ name: 'hero' }] } };
const OFFERS = { mboxes: { hero: html('Free delivery'), flags: json({ newCheckout: true, limit: 3 }) } };
const NOTIFICATION = { id: 'n1', type: 'display', timestamp: 1, mbox: { name: 'hero' } } as const;
const rulesOf = (content: object, mbox = 'flags') => ({
  version: '1.0.0',
  localMboxes: [mbox],
  rules: {
    mboxes: {
      [mbox]: [
        {
          ruleKey: '1',
          activityId: 1,
          meta: {},
          condition: true,
          consequence: { name: mbox, options: [{ type: 'json', content, eventToken: 'seen' }] },
        },
      ],
    },
  },
});
const flagsOf = async ({ client }: TestClient) => (await client.getAttributes(['flags'])).asObject('flags');

/** The codes that some call rejects with. */
const CALL_CODES = ERROR_CODES.filter((code) => code !== 'ERR_TARGET_ATTRIBUTE_NOT_FOUND');
/** The codes of calls that have reached the edge. */
const SENT: Partial<Record<TargetErrorCode, object>> = {
  ERR_TARGET_TIMEOUT: { fault: 'hang' },
  ERR_TARGET_ABORTED: { fault: 'hang' },
  ERR_TARGET_NETWORK: { fault: 'reset' },
  ERR_TARGET_RESPONSE: { fault: 'status', status: 500 },
  ERR_TARGET_INVALID_RESPONSE: { fault: 'body', status: 200 },
};

test('the guide begins with the test of five lines that is run beside this one', () => {
  const [guide, run] = ['../../docs/testing.md', 'five-lines.test.ts'].map((path) =>
    readFileSync(join(__dirname, path), 'utf8'),
  );
  const [, shown] = /```ts\n(.*?)```/s.exec(guide ?? '') ?? [];
  expect(shown).toBe(run);
  expect(/^test\(.*?^\}\);$/ms.exec(shown ?? '')?.[0].split('\n')).toHaveLength(5);
});

describe('the client', () => {
  test('is quiet: no retry, telemetry or circuit breaker, and nothing is sent unasked', async () => {
    const kit = createTestClient({ artifact: rulesOf({ a: 1 }) });
    expect(await flagsOf(kit)).toEqual({ a: 1 });
    expect(kit.requests).toEqual([]);
    expect(kit.client.stats().circuitBreaker.state).toBe('off');
    const edge = createTestClient({ offers: OFFERS });
    await edge.client.getOffers({ request: REQUEST });
    await edge.client.getOffers({ request: REQUEST });
    expect(edge.requests.map(({ delivery }) => delivery?.telemetry)).toEqual([undefined, undefined]);
  });

  test('has the options of config, and those that would leave the process have no effect', async () => {
    const agent = () => {
      throw new Error('not called');
    };
    const fetchApi = () => Promise.reject(new Error('not called'));
    const config = {
      client: 'acme',
      organizationId: 'ACME@AdobeOrg',
      agent,
      fetchApi,
      serverDomain: 'edge.example',
      artifactLocation: 'https://cdn.example/rules.json',
      propertyToken: 'shop',
      timeout: undefined,
      decisioningMethod: undefined,
    };
    const kit = createTestClient({ offers: OFFERS, config });
    const { response } = await kit.client.getOffers({ request: REQUEST });
    expect(response.client).toBe('acme');
    expect(kit.client.organizationId).toBe('ACME@AdobeOrg');
    expect(kit.client.decisioningMethod).toBe('server-side');
    expect(kit.requests).toEqual([expect.objectContaining({ path: '/rest/v1/delivery', violations: [] })]);
    expect(kit.requests[0]?.delivery?.property).toEqual({ token: 'shop' });
    expect(config.agent).toBe(agent);
  });

  test('decides by what it is given: offers, an artifact or both', async () => {
    expect(createTestClient().client.decisioningMethod).toBe('server-side');
    expect(createTestClient({ artifact: rulesOf({}) }).client.decisioningMethod).toBe('on-device');
    const both = createTestClient({ offers: OFFERS, artifact: rulesOf({ local: true }) });
    expect(both.client.decisioningMethod).toBe('hybrid');
    expect(await flagsOf(both)).toEqual({ local: true });
    const { response } = await both.client.getOffers({ request: REQUEST });
    expect(response.execute?.mboxes?.[0]?.options?.[0]?.content).toBe('Free delivery');
    const config = { decisioningMethod: 'server-side' } as const;
    const server = createTestClient({ artifact: rulesOf({ local: true }), config });
    expect(await flagsOf(server)).toEqual({ local: true });
    expect(server.requests).toHaveLength(1);
  });

  test('refuses wrong requests as the real edge does, and wrong options by name', async () => {
    const kit = createTestClient();
    await expect(kit.client.getOffers({ request: {} })).rejects.toMatchObject({
      code: 'ERR_TARGET_INVALID_REQUEST',
    });
    const create = (options: object) => () => createTestClient(options);
    expect(create({ mboxes: {} })).toThrow(
      'createTestClient: unknown option "mboxes": known are offers, artifact, config, ids',
    );
    expect(create({ offer: {} })).toThrow(
      expect.objectContaining({
        code: 'ERR_TARGET_INVALID_CONFIG',
        path: 'createTestClient.offer',
        message: 'createTestClient: unknown option "offer": did you mean "offers"?',
      }),
    );
    expect(create({ offers: { hero: html('x') } })).toThrow('offers: hero must be mboxes, views or pageLoad');
    expect(create(null as unknown as object)).toThrow('createTestClient must be an object, not null');
    expect(create({ ids: 'fixed' })).toThrow('ids must be "random" or "stable", not "fixed"');
    expect(create({ config: 3 })).toThrow('config must be an object, not the number 3');
    expect(create({ config: { timeout: -1 } })).toThrow(TargetError);
    expect(create({ artifact: [] })).toThrow('artifact must be an object, not an array of 0');
    expect(create({ artifact: {} })).toThrow('artifact: Artifact: version must be a string, got undefined');
    expect(create({ offers: { mboxes: { hero: 'Hello' } } })).toThrow(/mboxes\["hero"\]/);
  });

  test('decodes binary artifacts and reads the places of geo look-ups from the edge in its process', async () => {
    const artifact = { ...rulesOf({ v: 1 }), geoTargetingEnabled: true, responseTokens: ['geo.city'] };
    const kit = createTestClient({ artifact, config: { artifactFormat: 'bin' } });
    await kit.client.refresh();
    expect(kit.client.stats()).toMatchObject({ status: 'live', artifact: { source: 'cdn' } });
    const context = { channel: 'web', geo: { ipAddress: '192.0.2.1' } } as const;
    await kit.client.getOffers({ request: { context, execute: { mboxes: [{ name: 'flags' }] } } });
    expect(kit.requests.map(({ path }) => path)).toEqual(['/demo/production/v1/rules.bin', '/v1/geo']);
  });
});

describe('the status of a client with rules', () => {
  test('is live, as after a download', async () => {
    const kit = createTestClient({ artifact: rulesOf({ v: 1 }) });
    const statuses: string[] = [];
    kit.client.on('statusChanged', ({ status }) => statuses.push(status));
    expect(await kit.client.ready()).toMatchObject({ status: 'live', source: 'payload' });
    expect(kit.client.stats().status).toBe('live');
    await kit.setArtifact(rulesOf({ v: 2 }));
    expect(statuses).toEqual(['live']);
    expect(kit.requests).toEqual([]);
  });

  test('is cached with the option `artifactPayload`, as in production, until a download confirms the rules', async () => {
    const kit = createTestClient({
      config: { artifactPayload: rulesOf({ v: 1 }), decisioningMethod: 'on-device' },
    });
    expect((await kit.client.ready()).status).toBe('cached');
    await kit.client.refresh();
    expect((await kit.client.ready()).status).toBe('live');
  });
});

describe('setOffers and setArtifact', () => {
  test('replace offers and rules for the next call', async () => {
    const kit = createTestClient({ offers: OFFERS });
    kit.setOffers({ mboxes: { flags: json({ newCheckout: false }) } });
    expect(await flagsOf(kit)).toEqual({ newCheckout: false });
    const local = createTestClient({ artifact: rulesOf({ v: 1 }) });
    await local.setArtifact(rulesOf({ v: 2 }));
    expect(await flagsOf(local)).toEqual({ v: 2 });
    await Promise.all([local.setArtifact(rulesOf({ v: 3 })), local.setArtifact(rulesOf({ v: 4 }))]);
    expect(await flagsOf(local)).toEqual({ v: 4 });
    expect(local.requests).toEqual([]);
  });

  test.each(['server-side', 'on-device', 'hybrid'] as const)(
    'keep the rules of a %s client when the new ones are bad',
    async (decisioningMethod) => {
      const kit = createTestClient({ artifact: rulesOf({ v: 1 }), config: { decisioningMethod } });
      const cyclic: Record<string, unknown> = {};
      cyclic.self = cyclic;
      for (const bad of [{}, cyclic, { version: '2.0.0', rules: {} }, undefined]) {
        await expect(kit.setArtifact(bad as object)).rejects.toMatchObject({
          code: 'ERR_TARGET_INVALID_CONFIG',
          path: 'artifact',
        });
      }
      expect(await flagsOf(kit)).toEqual({ v: 1 });
      await kit.setArtifact(rulesOf({ v: 2 }));
      expect(await flagsOf(kit)).toEqual({ v: 2 });
    },
  );
});

describe('requests and notifications', () => {
  test('are those that the edge has got, until clear', async () => {
    const kit = createTestClient({ artifact: rulesOf({ v: 1 }) });
    await kit.client.getOffers({ request: { execute: { mboxes: [{ name: 'flags' }] } } });
    await kit.client.sendNotifications({ request: { notifications: [NOTIFICATION] } });
    await kit.client.flush();
    expect(kit.notifications.map(({ type, mbox, tokens }) => [type, mbox?.name, tokens])).toEqual([
      ['display', 'hero', undefined],
      ['display', 'flags', ['seen']],
    ]);
    expect(kit.requests.map(({ violations }) => violations)).toEqual([[], []]);
    expect(kit.client.stats().notifications).toMatchObject({ delivered: 1, failed: 0 });
    kit.clear();
    expect([kit.requests, kit.notifications]).toEqual([[], []]);
  });
});

describe('fail', () => {
  const verbs = (client: TestClient['client']) => ({
    getOffers: () => client.getOffers({ request: REQUEST }),
    getAttributes: () => client.getAttributes(['flags']),
    sendNotifications: () => client.sendNotifications({ request: { notifications: [NOTIFICATION] } }),
    identify: () => client.identify(),
  });

  describe.each(['server-side', 'on-device', 'hybrid'] as const)('of a %s client', (decisioningMethod) => {
    test.each(CALL_CODES)('makes every method reject with %s, and the call after it works', async (code) => {
      const kit = createTestClient({
        offers: OFFERS,
        artifact: rulesOf({ v: 1 }),
        config: { decisioningMethod },
      });
      for (const [name, call] of Object.entries(verbs(kit.client))) {
        kit.fail(code, { times: 1 });
        const error = await call().catch((thrown: unknown) => thrown);
        expect([name, error]).toEqual([name, expect.any(TargetError)]);
        expect([name, (error as TargetError).code]).toEqual([name, code]);
        await call();
      }
    });
  });

  test.each(CALL_CODES)('with %s takes the way that a call has in production', async (code) => {
    const observed: unknown[] = [];
    const observer = {
      around: async (call: { error?: unknown }, run: () => Promise<void>) => {
        await run();
        observed.push(call.error);
      },
    };
    const kit = createTestClient({ offers: OFFERS, config: { observer, timeout: 700 } });
    kit.fail(code, { times: 1 });
    const errCallback = jest.fn();
    expect(await kit.client.getOffers({ request: REQUEST, errCallback })).toBeUndefined();
    const [error] = errCallback.mock.calls[0] as [TargetError];
    expect(observed).toEqual([error]);
    const sent = SENT[code];
    expect(kit.requests).toEqual(sent ? [expect.objectContaining(sent)] : []);
    expect(kit.client.stats().failures).toBe(sent ? 1 : 0);
    expect(error.attempts).toBe(sent ? 1 : code === 'ERR_TARGET_CIRCUIT_OPEN' ? 0 : undefined);
    if (code === 'ERR_TARGET_TIMEOUT') {
      expect(error.message).toBe('the delivery call did not end within 700 ms: no answer came');
    }
    if (code === 'ERR_TARGET_RESPONSE') {
      expect([error.status, error.body]).toEqual([500, '{"status":500,"message":"fault"}']);
    }
  });

  test('lasts until clear, or for a number of calls', async () => {
    const kit = createTestClient({ offers: OFFERS });
    const outcome = () =>
      kit.client.getOffers({ request: REQUEST }).then(
        () => 'ok',
        ({ code }) => code,
      );
    kit.fail('ERR_TARGET_TIMEOUT');
    expect([await outcome(), await outcome()]).toEqual(['ERR_TARGET_TIMEOUT', 'ERR_TARGET_TIMEOUT']);
    kit.fail('ERR_TARGET_NETWORK', { times: 2 });
    kit.fail('ERR_TARGET_CLOSED', { times: 1 });
    expect([await outcome(), await outcome(), await outcome(), await outcome()]).toEqual([
      'ERR_TARGET_NETWORK',
      'ERR_TARGET_NETWORK',
      'ERR_TARGET_CLOSED',
      'ok',
    ]);
    kit.fail('ERR_TARGET_NETWORK');
    kit.clear();
    expect(await outcome()).toBe('ok');
  });

  test('fails a call with all of its retries, and leaves the reports of displays alone', async () => {
    const config = { retry: { retries: 2, minTimeout: 0, maxTimeout: 0 } };
    const kit = createTestClient({ offers: OFFERS, config });
    kit.fail('ERR_TARGET_NETWORK', { times: 1 });
    await expect(kit.client.getOffers({ request: REQUEST })).rejects.toMatchObject({ attempts: 3 });
    expect(kit.requests).toHaveLength(3);
    const local = createTestClient({ artifact: rulesOf({ v: 1 }) });
    await flagsOf(local);
    local.fail('ERR_TARGET_NETWORK');
    await local.client.flush();
    expect(local.notifications).toHaveLength(1);
  });

  test('reaches the calls of visits, which show the default', async () => {
    const kit = createTestClient({ offers: OFFERS });
    kit.fail('ERR_TARGET_TIMEOUT');
    const codes: unknown[] = [];
    const incoming = fromFetchRequest(
      new Request('https://shop.example/', { headers: { 'User-Agent': 'test' } }),
    );
    const visit = createVisit(kit.client, incoming, { onError: ({ code }) => void codes.push(code) });
    expect(await visit.offer('hero', 'Default')).toBe('Default');
    expect(codes).toEqual(['ERR_TARGET_TIMEOUT']);
  });

  test('refuses what cannot be, by name', () => {
    const { fail } = createTestClient();
    const kit = createTestClient();
    const failing = (code: string, times?: unknown) => () =>
      kit.fail(code as TargetErrorCode, { times: times as number });
    expect(failing('ERR_TARGET_ATTRIBUTE_NOT_FOUND')).toThrow(/^code must be the code of a call \(getValue/);
    expect(failing('TIMEOUT')).toThrow(/^code must be one of ERR_TARGET_INVALID_CONFIG, .*, not "TIMEOUT"$/);
    expect(failing('ERR_TARGET_TIMEOUT', 0)).toThrow(
      'times must be an integer of at least 1, not the number 0',
    );
    expect(failing('ERR_TARGET_TIMEOUT', Number.NaN)).toThrow(/times must be/);
    expect(failing('ERR_TARGET_TIMEOUT', '2')).toThrow(/times must be/);
    expect(() => kit.fail('ERR_TARGET_TIMEOUT', { time: 1 } as object)).toThrow(
      'fail: unknown option "time": did you mean "times"?',
    );
    expect(fail).toBeInstanceOf(Function);
  });
});

describe('with fake timers', () => {
  afterEach(() => {
    jest.useRealTimers();
  });

  test('calls, failures, flush, setArtifact and close need no tick, and no timer is left', async () => {
    jest.useFakeTimers();
    const kit = createTestClient({ offers: OFFERS, artifact: rulesOf({ v: 1 }) });
    await kit.client.ready();
    expect(await flagsOf(kit)).toEqual({ v: 1 });
    await kit.client.getOffers({ request: REQUEST });
    for (const code of CALL_CODES) {
      kit.fail(code, { times: 1 });
      await expect(kit.client.getOffers({ request: REQUEST })).rejects.toMatchObject({ code });
    }
    await kit.client.flush();
    expect(kit.notifications).toHaveLength(1);
    await kit.setArtifact(rulesOf({ v: 2 }));
    expect(await flagsOf(kit)).toEqual({ v: 2 });
    expect(jest.getTimerCount()).toBeLessThanOrEqual(2);
    await jest.runAllTimersAsync();
    expect(jest.getTimerCount()).toBe(0);
    await kit.client.close();
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('stable ids', () => {
  const play = async () => {
    const kit = createTestClient({ ids: 'stable', offers: OFFERS, artifact: rulesOf({ v: 1 }) });
    const context = { channel: 'web' } as const;
    const answers = [
      await kit.client.getOffers({ request: { context, ...REQUEST } }),
      await kit.client.getOffers({ request: { context, execute: { mboxes: [{ name: 'flags' }] } } }),
    ];
    await kit.client.flush();
    return JSON.stringify([answers, kit.requests]);
  };

  test('make answers, requests and notifications the same each time', async () => {
    const first = await play();
    expect(await play()).toBe(first);
    expect(first).toContain('"tntId":"00000000000000000000000000000');
  });

  test('differ between the calls of one client', async () => {
    const { client } = createTestClient({ ids: 'stable', offers: OFFERS });
    const [a, b] = [
      await client.getOffers({ request: REQUEST }),
      await client.getOffers({ request: REQUEST }),
    ];
    expect(a.response.id?.tntId).not.toBe(b.response.id?.tntId);
    expect(a.targetCookie?.value).not.toBe(b.targetCookie?.value);
  });
});
