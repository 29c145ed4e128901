import { once } from 'node:events';
import http, { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, jest, test } from '@jest/globals';
import type { TargetClientConfig } from '../src/index.js';
import { TargetClient, TargetError } from '../src/index.js';
import { listeningLogger, targetErrorOf, withEdge } from './with-edge.js';

const bench = withEdge();
const { connect, detour, received, sent } = bench;
const REQUEST = { execute: { mboxes: [{ name: 'hero' }] } };

/** What a JavaScript caller may write. */
const create = (config: unknown) => TargetClient.create(config as TargetClientConfig);
const MINIMUM = { client: 'demo', organizationId: 'DEMO@AdobeOrg' };

function errorOf(config: unknown): TargetError {
  try {
    create(config);
  } catch (error) {
    if (error instanceof TargetError) {
      return error;
    }
    throw error;
  }
  throw new Error('the client was created');
}

describe('client and organizationId', () => {
  test('name the host and the query of every call', async () => {
    const { fetchApi, urls } = detour();
    const client = create({ client: 'acme', organizationId: 'A B/C@AdobeOrg', fetchApi });
    await client.getOffers({ request: REQUEST });
    await client.close();
    expect(urls[0]?.origin).toBe('https://acme.tt.omtrdc.net');
    expect(urls[0]?.pathname).toBe('/rest/v1/delivery');
    expect(urls[0]?.search).toContain('imsOrgId=A%20B%2FC%40AdobeOrg');
    expect(received().query.imsOrgId).toBe('A B/C@AdobeOrg');
  });

  test.each([
    ['nothing', undefined, 'config must be an object, not undefined'],
    ['null', null, 'config must be an object, not null'],
    ['a string', 'demo', 'config must be an object, not "demo"'],
    ['no client', { organizationId: 'O' }, 'client must be a client code, not undefined'],
    ['no organizationId', { client: 'demo' }, 'organizationId must be a non-empty string, not undefined'],
  ])('are missed at create: %s', (_, config, message) => {
    expect(errorOf(config)).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', message });
  });
});

describe('a wrong value is ERR_TARGET_INVALID_CONFIG with the option, what was wanted and what came', () => {
  const cases: [option: string, wanted: string, wrong: unknown[]][] = [
    ['client', 'a client code', ['', 5, {}, 'a/b', 'a b', 'evil.example#', 'a@b', 'a?b', 'a:1']],
    ['organizationId', 'a non-empty string', ['', 5, {}, true]],
    [
      'timeout',
      'milliseconds above 0 and below 2^31',
      [0, -5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, true, 10n, '0', '-5', '3e3', '3000 ms', ' '],
    ],
    [
      'serverDomain',
      'a host such as "edge.example.com:8080"',
      [5, 'a.example/path', 'a b', 'user@a.example', 'a#b', 'a?b', 'a\\b', 'http://', 'ftp://a.example'],
    ],
    [
      'serverDomain',
      'a host such as "edge.example.com:8080"',
      ['a:b', 'a:99999', 'a:1:2', '[::1', '%zz', '/', '//', '/host', '///', 'user@host/', 'ftp:/', 'a\\\\b/'],
    ],
    ['cdnBasePath', 'a host such as "edge.example.com:8080"', [5, 'a.example/path', 'a b', 'file:///rules']],
    ['secure', 'a boolean', ['FALSE', 'no', '0', 0, {}]],
    ['environmentId', 'an integer', ['-5', '1.5', 1.5, Number.NaN, Number.POSITIVE_INFINITY]],
    [
      'environment',
      'a name such as "production"',
      [5, {}, '.', '..', '%2e', '%2E.', '../x', 'a/b', 'a\\b', ' ', 'a\nb', '\u0000', '\ud800'],
    ],
    ['targetLocationHint', '1 to 4 digits', [35, '35.evil', '12345', '-1', '35/', '３５']],
    ['propertyToken', 'a non-empty string', [5, {}]],
    ['propertyToken', 'a property token, which becomes part of a path', ['.', '..', '%2e%2E']],
    ['defaultPropertyToken', 'a non-empty string', [5, {}]],
    ['defaultPropertyToken', 'a property token, which becomes part of a path', ['..']],
    [
      'decisioningMethod',
      'one of server-side, on-device, hybrid',
      ['Server-Side', 'local', 0, true, 'constructor'],
    ],
    ['telemetryEnabled', 'a boolean', ['yes', 1]],
    ['fetchApi', 'a fetch function', ['fetch', {}, true]],
    ['waitUntil', 'a function', ['waitUntil', 5, {}, true]],
    [
      'agent',
      'an http.Agent or https.Agent, or a function (an undici dispatcher belongs to target-node-sdk/undici)',
      ['http://proxy', 5, true, {}],
    ],
    ['proxy', '"environment"', [true, 'http://proxy.example', {}]],
    ['retry', 'an object', [3, 'never', true]],
    ['circuitBreaker', 'a boolean or an object', [3, 'never']],
    ['logger', 'an object with log methods', ['console', 5, true]],
    ['version', 'a non-empty string', [2]],
    ['events', 'listeners by event name', ['clientReady', 5]],
    ['maximumWaitReady', 'milliseconds above 0 and below 2^31', [0, -1, Number.NaN, '0', '2147483648']],
    ['pollingInterval', 'milliseconds from 0 to below 2^31', [-1, Number.NaN, 2 ** 31, '5.0', '٣']],
  ];
  const rows = cases.flatMap(([option, wanted, wrong]) =>
    wrong.map((value): [string, string, string, unknown] => [option, shown(value), wanted, value]),
  );
  test.each(rows)('%s: %s', (option, text, wanted, value) => {
    expect(errorOf({ ...MINIMUM, [option]: value })).toMatchObject({
      name: 'TargetError',
      code: 'ERR_TARGET_INVALID_CONFIG',
      path: option,
      message: `${option} must be ${wanted}, not ${text}`,
    });
  });

  test.each([
    ['organizationId', '\ud800'],
    ['version', 'a\udc00'],
    ['client', '..'],
  ])('%s: %j, which no URL can hold', (path, value) => {
    expect(errorOf({ ...MINIMUM, [path]: value })).toMatchObject({ code: 'ERR_TARGET_INVALID_CONFIG', path });
  });

  test('a configuration that throws is one too', () => {
    const throwing = {
      ...MINIMUM,
      get logger() {
        throw new Error('boom');
      },
    };
    expect(errorOf(throwing)).toMatchObject({
      code: 'ERR_TARGET_INVALID_CONFIG',
      path: 'logger',
      message: 'logger could not be read',
      cause: expect.objectContaining({ message: 'boom' }),
    });
  });

  test.each([
    ['retry.retries', { retry: { retries: -1 } }, 'an integer of at least 0, not the number -1'],
    ['retry.retries', { retry: { retries: 1.5 } }, 'an integer of at least 0, not the number 1.5'],
    ['retry.minTimeout', { retry: { minTimeout: '-5' } }, 'milliseconds from 0 to below 2^31, not "-5"'],
    [
      'retry.maxTimeout',
      { retry: { maxTimeout: Number.POSITIVE_INFINITY } },
      'milliseconds from 0 to below 2^31, not the number Infinity',
    ],
    ['retry.factor', { retry: { factor: 0.5 } }, 'a finite number of at least 1, not the number 0.5'],
    ['retry.jitter', { retry: { jitter: 'full' } }, 'a boolean, not "full"'],
    [
      'circuitBreaker.failures',
      { circuitBreaker: { failures: 0 } },
      'an integer of at least 1, not the number 0',
    ],
    [
      'circuitBreaker.minTimeout',
      { circuitBreaker: { minTimeout: 0 } },
      'milliseconds above 0 and below 2^31, not the number 0',
    ],
    [
      'circuitBreaker.maxTimeout',
      { circuitBreaker: { maxTimeout: '0' } },
      'milliseconds above 0 and below 2^31, not "0"',
    ],
    [
      'notifications.maxInFlight',
      { notifications: { maxInFlight: '129' } },
      'an integer from 1 to 128, not "129"',
    ],
    [
      'notifications.outbox',
      { notifications: { outbox: {} } },
      'an object with the method push, not an object',
    ],
    [
      'notifications.mode',
      { notifications: { outbox: { push: async () => undefined }, mode: 'sometimes' } },
      '"overflow" or "always", not "sometimes"',
    ],
    ['notifications.mode', { notifications: { mode: 'always' } }, 'absent: there is no outbox, not "always"'],
    ['events.clientReady', { events: { clientReady: 'log' } }, 'a function, not "log"'],
  ])('%s of %j', (path, config, rest) => {
    expect(errorOf({ ...MINIMUM, ...config })).toMatchObject({
      code: 'ERR_TARGET_INVALID_CONFIG',
      path,
      message: `${path} must be ${rest}`,
    });
  });

  function shown(value: unknown): string {
    if (typeof value === 'string') {
      return JSON.stringify(value);
    }
    if (typeof value === 'number') {
      return `the number ${value}`;
    }
    if (typeof value === 'bigint') {
      return 'a bigint';
    }
    return typeof value === 'object' ? 'an object' : String(value);
  }

  test.each([undefined, null, ''] as const)('%j is no value', (nothing) => {
    const { lines, logger } = listeningLogger();
    const all = Object.fromEntries(
      cases
        .map(([option]) => option)
        .filter((option) => !(option in MINIMUM))
        .map((option) => [option, nothing]),
    );
    expect(() => create({ ...all, ...MINIMUM, logger })).not.toThrow();
    const groups = { retry: { retries: nothing, jitter: nothing }, circuitBreaker: { failures: nothing } };
    expect(() =>
      create({ ...MINIMUM, logger, ...groups, notifications: { maxQueued: nothing } }),
    ).not.toThrow();
    expect(lines.warn).toEqual([]);
  });
});

describe('values of environment variables', () => {
  test('may be digits for every number', async () => {
    jest.useFakeTimers({ doNotFake: ['performance', 'nextTick', 'queueMicrotask', 'setImmediate'] });
    jest.spyOn(Math, 'random').mockReturnValue(1);
    const calls: number[] = [];
    const fetchApi = async () => {
      calls.push(Date.now());
      return new Response('', { status: 503 });
    };
    try {
      const started = Date.now();
      const client = connect({
        fetchApi,
        timeout: '900',
        environmentId: '7',
        pollingInterval: '0',
        maximumWaitReady: '10',
        retry: { retries: '3', minTimeout: '100', maxTimeout: '200', factor: '2' },
        circuitBreaker: { failures: '1', minTimeout: '5000', maxTimeout: '5000' },
        notifications: { maxInFlight: '4', maxQueued: '10', maxBytes: '1000' },
      });
      const first = targetErrorOf(() => client.getOffers({ request: REQUEST }));
      await jest.advanceTimersByTimeAsync(900);
      expect(await first).toMatchObject({ code: 'ERR_TARGET_RESPONSE', attempts: 4 });
      expect(calls.map((at) => at - started)).toEqual([0, 100, 300, 500]);
      const second = await targetErrorOf(() => client.getOffers({ request: REQUEST }));
      expect(second.code).toBe('ERR_TARGET_CIRCUIT_OPEN');
    } finally {
      jest.restoreAllMocks();
      jest.useRealTimers();
    }
  });

  test('may be leading zeros', async () => {
    const client = connect({ environmentId: '007' });
    await client.getOffers({ request: REQUEST });
    expect(sent().environmentId).toBe(7);
  });

  test('may be the word of a boolean', async () => {
    const { fetchApi, urls } = detour();
    const plain = create({ ...MINIMUM, fetchApi, secure: 'false', telemetryEnabled: 'false' });
    const secure = create({
      ...MINIMUM,
      fetchApi,
      secure: 'true',
      telemetryEnabled: 'true',
      circuitBreaker: 'true',
    });
    await plain.getOffers({ request: REQUEST });
    await secure.getOffers({ request: REQUEST });
    expect(urls.map(({ protocol }) => protocol)).toEqual(['http:', 'https:']);
    const off = create({ ...MINIMUM, circuitBreaker: 'false', retry: { jitter: 'false' } });
    expect(off.stats().circuitBreaker.state).toBe('off');
    expect(secure.stats().circuitBreaker.state).toBe('closed');
    await Promise.all([plain.close(), secure.close()]);
  });

  test('that are empty leave the default, or the alias', async () => {
    await connect({ propertyToken: '', defaultPropertyToken: 'b', environmentId: '' as '0' }).getOffers({
      request: REQUEST,
    });
    expect(sent().property).toEqual({ token: 'b' });
    expect(sent()).not.toHaveProperty('environmentId');
    await connect({ propertyToken: '', defaultPropertyToken: '' }).getOffers({ request: REQUEST });
    expect(sent()).not.toHaveProperty('property');
  });
});

describe('unknown options', () => {
  test.each([
    ['timout', 'timeout'],
    ['organisationId', 'organizationId'],
    ['serverdomain', 'serverDomain'],
    ['decisionMethod', 'decisioningMethod'],
    ['fetchAPI', 'fetchApi'],
  ])('are ignored with one warning: %s, did you mean %s', (written, meant) => {
    const { lines, logger } = listeningLogger();
    create({ ...MINIMUM, logger, [written]: 5 });
    expect(lines.warn).toEqual([`AT: unknown option "${written}" is ignored: did you mean "${meant}"?`]);
  });

  test('that are like none suggest none', () => {
    const { lines, logger } = listeningLogger();
    create({ ...MINIMUM, logger, zzzzzzzz: 5 });
    expect(lines.warn).toEqual(['AT: unknown option "zzzzzzzz" is ignored']);
  });

  test.each(['constructor', 'toString', '__proto__'])('may be called %s', (name) => {
    const { lines, logger } = listeningLogger();
    const config = JSON.parse(`{"client":"demo","organizationId":"O","${name}":{"timeout":-1}}`);
    create(Object.assign(Object.defineProperty(config, 'logger', { value: logger, enumerable: true })));
    expect(lines.warn).toHaveLength(1);
    expect(lines.warn[0]).toContain(`"${name}"`);
  });

  test('of retry, circuitBreaker and events are named too', () => {
    const { lines, logger } = listeningLogger();
    const events = { clientReddy: () => undefined };
    create({ ...MINIMUM, logger, retry: { retrys: 1 }, circuitBreaker: { failure: 1 }, events });
    expect(lines.warn).toEqual([
      'AT: retry: unknown option "retrys" is ignored: did you mean "retries"?',
      'AT: circuitBreaker: unknown option "failure" is ignored: did you mean "failures"?',
      'AT: events: unknown option "clientReddy" is ignored: did you mean "clientReady"?',
    ]);
  });

  test('of enormous length are cut, not echoed', () => {
    const { lines, logger } = listeningLogger();
    create({ ...MINIMUM, logger, ['x'.repeat(100_000)]: 1 });
    expect(lines.warn[0]?.length).toBeLessThan(200);
  });
});

describe('the config object', () => {
  test('is not changed, and may be frozen', async () => {
    const config = Object.freeze({
      ...bench.edge.config,
      retry: Object.freeze({ retries: 1 }),
      events: Object.freeze({}),
    });
    const before = structuredClone(config);
    const client = TargetClient.create(config);
    await client.getOffers({ request: REQUEST });
    await client.close();
    expect(config).toEqual(before);
  });

  test('does not matter once the client is created', async () => {
    const config = { ...bench.edge.config, environmentId: 7 };
    const client = connect(config);
    config.environmentId = 8;
    config.serverDomain = 'elsewhere.invalid';
    await client.getOffers({ request: REQUEST });
    expect(sent().environmentId).toBe(7);
  });
});

describe('timeout', () => {
  test('ends a call that gets no answer', async () => {
    bench.edge.fault({ kind: 'hang' });
    const error = await targetErrorOf(() => connect({ timeout: 50 }).getOffers({ request: REQUEST }));
    expect(error).toMatchObject({
      code: 'ERR_TARGET_TIMEOUT',
      message: expect.stringMatching(/^the delivery call did not end within 50 ms/),
      attempts: 1,
    });
  });

  test('is 3000 ms by default', async () => {
    jest.useFakeTimers({ doNotFake: ['performance', 'nextTick', 'queueMicrotask', 'setImmediate'] });
    try {
      const client = connect({ timeout: undefined, fetchApi: () => new Promise(() => undefined) });
      let settled = false;
      const call = targetErrorOf(() => client.getOffers({ request: REQUEST })).finally(() => {
        settled = true;
      });
      await jest.advanceTimersByTimeAsync(2999);
      expect(settled).toBe(false);
      await jest.advanceTimersByTimeAsync(1);
      expect((await call).message).toContain('did not end within 3000 ms');
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('serverDomain', () => {
  test('takes every call, whatever hint a cookie, an option or an answer gives', async () => {
    const { fetchApi, urls } = detour();
    const client = connect({ fetchApi, serverDomain: 'edge.example.com:8080', targetLocationHint: '12' });
    await client.getOffers({ request: REQUEST, targetCookie: `PC#abc.28_0#${2 ** 40}` });
    await client.getOffers({ request: REQUEST, targetLocationHint: '28' });
    await client.getOffers({ request: REQUEST });
    expect(urls.map(({ host }) => host)).toEqual(Array(3).fill('edge.example.com:8080'));
  });

  test.each(['127.0.0.1', 'localhost:1', '[::1]:8080', 'edge.example.com.'])('may be %s', (serverDomain) => {
    expect(() => create({ ...MINIMUM, serverDomain })).not.toThrow();
  });

  const hostsOf = async (config: Partial<TargetClientConfig>) => {
    const { fetchApi, urls } = detour();
    const { lines, logger } = listeningLogger();
    const client = create({
      client: 'Acme',
      organizationId: 'O',
      fetchApi,
      logger,
      telemetryEnabled: false,
      ...config,
    });
    await client.getOffers({ request: REQUEST, targetCookie: `PC#abc.28_0#${2 ** 40}` });
    await client.getOffers({ request: REQUEST });
    await client.close();
    return { hosts: urls.map(({ host }) => host), warnings: lines.warn };
  };

  test.each([
    ['Acme.tt.omtrdc.net', undefined],
    ['acme.TT.omtrdc.net', undefined],
    ['acme.tt.omtrdc.net.', undefined],
    [' acme.tt.omtrdc.net\n', undefined],
    ['acme.tt.omtrdc.net:443', true],
    ['acme.tt.omtrdc.net:80', false],
  ])(
    '%j with secure: %p is the default, with which each visitor keeps the own cluster',
    async (serverDomain, secure) => {
      const { hosts, warnings } = await hostsOf({ serverDomain, secure });
      expect(hosts).toEqual(['mboxedge28.tt.omtrdc.net', 'acme.tt.omtrdc.net']);
      expect(warnings).toEqual([]);
    },
  );

  test.each([
    'acme.tt.omtrdc.net:8443',
    'acme.tt.omtrdc.net:80',
    'other.tt.omtrdc.net',
    'mboxedge28.tt.omtrdc.net',
    'x.acme.tt.omtrdc.net',
  ])('%s is a host of its own', async (serverDomain) => {
    expect((await hostsOf({ serverDomain })).hosts).toEqual([serverDomain, serverDomain]);
  });

  test.each([
    ['https://edge.example.com', 'edge.example.com'],
    ['https://edge.example.com/', 'edge.example.com'],
    ['HTTPS://Edge.example.com:8443/path?query#fragment', 'edge.example.com:8443'],
    ['http://user:secret@edge.example.com:80', 'edge.example.com'],
    [' https://[::1]:8443/ ', '[::1]:8443'],
    ['https:/edge.example.com', 'edge.example.com'],
    ['//edge.example.com', 'edge.example.com'],
    [' //edge.example.com:8443/path?query#fragment', 'edge.example.com:8443'],
    ['//user:secret@edge.example.com/', 'edge.example.com'],
    ['edge.example.com/', 'edge.example.com'],
    ['edge.example.com:8443// ', 'edge.example.com:8443'],
    ['[::1]:8443/', '[::1]:8443'],
  ])('%j is taken as its host, with one warning', async (serverDomain, host) => {
    const { hosts, warnings } = await hostsOf({ serverDomain });
    expect(hosts).toEqual([host, host]);
    expect(warnings).toEqual([
      `AT: serverDomain is a host, not a URL: ${host} is used, and nothing else of the URL`,
    ]);
  });

  test('as the URL of the default host is the default too', async () => {
    for (const serverDomain of [
      'https://acme.tt.omtrdc.net/',
      '//acme.tt.omtrdc.net',
      'acme.tt.omtrdc.net/',
    ]) {
      const { hosts } = await hostsOf({ serverDomain });
      expect(hosts).toEqual(['mboxedge28.tt.omtrdc.net', 'acme.tt.omtrdc.net']);
    }
  });
});

describe('secure', () => {
  test.each([
    [undefined, 'https:'],
    [true, 'https:'],
    [false, 'http:'],
  ])('%p calls %s', async (secure, protocol) => {
    const { fetchApi, urls } = detour();
    const client = create({ ...MINIMUM, fetchApi, ...(secure !== undefined && { secure }) });
    await client.getOffers({ request: REQUEST });
    await client.close();
    expect(urls[0]?.protocol).toBe(protocol);
  });
});

describe('environmentId', () => {
  test('is given to requests that have none', async () => {
    const client = connect({ environmentId: 12345 });
    await client.getOffers({ request: REQUEST });
    expect(sent().environmentId).toBe(12345);
    await client.getOffers({ request: { ...REQUEST, environmentId: 6 } });
    expect(sent().environmentId).toBe(6);
  });

  test('may be 0, and is absent by default', async () => {
    await connect({ environmentId: 0 }).getOffers({ request: REQUEST });
    expect(sent().environmentId).toBe(0);
    await connect().getOffers({ request: REQUEST });
    expect(sent()).not.toHaveProperty('environmentId');
  });
});

describe('propertyToken', () => {
  test.each(['propertyToken', 'defaultPropertyToken'])(
    'as %s is given to requests that have none',
    async (name) => {
      const client = connect({ [name]: 'token-1' });
      await client.getOffers({ request: REQUEST });
      expect(sent().property).toEqual({ token: 'token-1' });
      await client.getOffers({ request: { ...REQUEST, property: {} } });
      expect(sent().property).toEqual({ token: 'token-1' });
      await client.getOffers({ request: { ...REQUEST, property: { token: 'token-2' } } });
      expect(sent().property).toEqual({ token: 'token-2' });
    },
  );

  test('wins over its alias', async () => {
    await connect({ propertyToken: 'a', defaultPropertyToken: 'b' }).getOffers({ request: REQUEST });
    expect(sent().property).toEqual({ token: 'a' });
  });
});

describe('targetLocationHint', () => {
  test('is where calls of visitors without a hint go', async () => {
    const { fetchApi, urls } = detour();
    const client = create({ ...MINIMUM, fetchApi, targetLocationHint: '28' });
    await client.getOffers({ request: REQUEST });
    await client.close();
    expect(urls[0]?.host).toBe('mboxedge28.tt.omtrdc.net');
  });

  test('is learned from the first answer by default', async () => {
    const { fetchApi, urls } = detour();
    const client = create({ ...MINIMUM, fetchApi, telemetryEnabled: false });
    await client.getOffers({ request: REQUEST });
    await client.getOffers({ request: REQUEST });
    await client.close();
    expect(urls.map(({ host }) => host)).toEqual(['demo.tt.omtrdc.net', 'mboxedge35.tt.omtrdc.net']);
  });
});

describe('telemetryEnabled', () => {
  test('by default lets a call carry what the one before it cost', async () => {
    const client = connect({ telemetryEnabled: undefined });
    await client.getOffers({ request: { requestId: 'first', ...REQUEST } });
    expect(sent()).not.toHaveProperty('telemetry');
    await client.getOffers({ request: REQUEST });
    expect(sent().telemetry?.entries).toEqual([
      expect.objectContaining({
        requestId: 'first',
        mode: 'edge',
        features: { decisioningMethod: 'server-side', executeMboxCount: 1 },
      }),
    ]);
  });

  test('false collects nothing', async () => {
    const client = connect({ telemetryEnabled: false });
    await client.getOffers({ request: REQUEST });
    await client.getOffers({ request: REQUEST });
    expect(sent()).not.toHaveProperty('telemetry');
    await client.close();
    expect(bench.edge.requests).toHaveLength(2);
  });
});

describe('fetchApi and agent', () => {
  test('fetchApi makes the call with what a WHATWG fetch takes', async () => {
    const fetchApi = jest.fn((url: string, init: object) => fetch(url, init));
    await connect({ fetchApi }).getOffers({ request: REQUEST });
    expect(fetchApi.mock.calls).toEqual([
      [
        expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/rest\/v1\/delivery\?/),
        {
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            'X-EXC-SDK': 'AdobeTargetNode',
            'X-EXC-SDK-Version': expect.stringMatching(/^\d+\.\d+\.\d+/),
            'X-Request-Id': expect.stringMatching(/^[0-9a-f-]{36}$/),
          },
          body: expect.stringContaining('"hero"'),
          signal: expect.any(AbortSignal),
          redirect: 'manual',
        },
      ],
    ]);
  });

  test.each([
    ['an agent', (agent: http.Agent) => agent],
    ['a function', (agent: http.Agent) => () => agent],
  ])('%s carries the connections', async (_, toOption) => {
    const agent = new http.Agent();
    const connects = jest.spyOn(agent, 'createConnection' as never);
    await connect({ agent: toOption(agent) }).getOffers({ request: REQUEST });
    expect(connects).toHaveBeenCalledTimes(1);
    agent.destroy();
  });

  test('without either, one connection serves call after call', async () => {
    const sockets = new Set<unknown>();
    const server = createServer((message, response) => {
      sockets.add(message.socket);
      message.resume().on('end', () => response.end('{"status":200,"client":"demo"}'));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = create({ ...MINIMUM, serverDomain: `127.0.0.1:${port}`, secure: false });
    for (let call = 0; call < 3; call += 1) {
      await client.getOffers({ request: REQUEST });
    }
    await client.close();
    server.close();
    expect(sockets.size).toBe(1);
  });
});

describe('retry', () => {
  const fast = { minTimeout: 0, maxTimeout: 0 };
  test('is two repetitions by default', async () => {
    bench.edge.fault({ kind: 'status', status: 500 });
    const error = await targetErrorOf(() => connect({ retry: fast }).getOffers({ request: REQUEST }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_RESPONSE', status: 500, attempts: 3 });
    expect(bench.edge.requests).toHaveLength(3);
  });

  test.each([0, 1, 4])('retries: %d', async (retries) => {
    bench.edge.fault({ kind: 'status', status: 503 });
    const client = connect({ retry: { ...fast, retries } });
    await targetErrorOf(() => client.getOffers({ request: REQUEST }));
    expect(bench.edge.requests).toHaveLength(retries + 1);
  });

  test('repeats the same request', async () => {
    bench.edge.fault({ kind: 'status', status: 500 }, { times: 1 });
    await connect({ retry: fast }).getOffers({ request: REQUEST });
    const [first, second] = bench.edge.requests;
    expect(second?.rawBody).toBe(first?.rawBody);
    expect(second?.query).toEqual(first?.query);
  });
});

describe('logger', () => {
  test('gets lines that start with AT: and keeps its this', async () => {
    class Lines {
      readonly #lines: string[] = [];
      debug(line: unknown) {
        this.#lines.push(String(line));
      }
      get lines() {
        return this.#lines;
      }
    }
    const logger = new Lines();
    await connect({ logger }).getOffers({ request: REQUEST });
    expect(logger.lines.length).toBeGreaterThan(0);
    for (const line of logger.lines) {
      expect(line).toMatch(/^AT: /);
    }
  });

  test.each([
    ['null', null],
    ['nothing', undefined],
    ['an empty object', {}],
    ['methods that throw', { debug: fail, warn: fail, error: fail, info: fail }],
    ['methods that reject', { debug: async () => fail(), warn: async () => fail() }],
    ['methods that are none', { debug: 'no', warn: 5 }],
    [
      'getters that throw',
      Object.defineProperty({}, 'debug', { get: fail, enumerable: true, configurable: true }),
    ],
  ])('that is %s breaks nothing', async (_, logger) => {
    const client = create({ ...bench.edge.config, logger, unknownOption: 1 });
    const { response } = await client.getOffers({
      request: { execute: { mboxes: [{ name: '' }, { name: 'a' }] } },
    });
    await client.close();
    expect(response.status).toBe(200);
  });

  function fail(): never {
    throw new Error('the logger failed');
  }
});

describe('version', () => {
  test('is sent in the query', async () => {
    await connect({ version: '2.11.0 b&c' }).getOffers({ request: REQUEST });
    expect(received().query.version).toBe('2.11.0 b&c');
  });

  test('is absent by default', async () => {
    await connect().getOffers({ request: REQUEST });
    expect(Object.keys(received().query)).toEqual(['imsOrgId', 'sessionId']);
  });
});

describe('events', () => {
  test('a listener that is null counts as absent, like any option', () => {
    const events = { clientReady: null, statusChanged: undefined } as never;
    expect(() => connect({ events })).not.toThrow();
  });

  test('clientReady comes once, behind create, to listeners of either kind', async () => {
    const heard: string[] = [];
    const client = connect({ events: { clientReady: ({ type }) => heard.push(`config ${type}`) } });
    client.on('clientReady', ({ type }) => heard.push(`on ${type}`));
    expect(heard).toEqual([]);
    await client.ready();
    await client.getOffers({ request: REQUEST });
    expect(heard).toEqual(['config clientReady', 'on clientReady']);
  });

  test('off takes a listener away', async () => {
    const listener = jest.fn();
    const client = connect();
    client.on('clientReady', listener).off('clientReady', listener);
    await client.getOffers({ request: REQUEST });
    expect(listener).not.toHaveBeenCalled();
  });

  test('a listener that throws or rejects is logged and harms nobody', async () => {
    const { lines, logger } = listeningLogger();
    const last = jest.fn();
    const client = connect({
      logger,
      events: {
        clientReady: () => {
          throw new Error('first');
        },
      },
    });
    client.on('clientReady', async () => {
      throw new TypeError('second');
    });
    client.on('clientReady', last);
    await client.getOffers({ request: REQUEST });
    expect(last).toHaveBeenCalledTimes(1);
    expect(lines.error).toEqual([
      'AT: the clientReady listener failed: Error',
      'AT: the clientReady listener failed: TypeError',
    ]);
  });
});

describe('pollingInterval', () => {
  test('below its minimum is raised with one warning', async () => {
    const { lines, logger } = listeningLogger();
    const client = connect({ logger, pollingInterval: 1000 });
    await client.getOffers({ request: REQUEST });
    expect(lines.warn).toEqual(['AT: pollingInterval is raised from 1000 to 300000 ms']);
  });

  test.each([
    { pollingInterval: 0 },
    { pollingInterval: 300_000 },
    { pollingInterval: 400_000 },
    { pollingInterval: 1000, artifactLocation: 'https://example.com/rules.json' },
  ])('is taken as it is: %j', (config) => {
    const { lines, logger } = listeningLogger();
    create({ ...MINIMUM, logger, ...config });
    expect(lines.warn).toEqual([]);
  });
});

describe('statics', () => {
  test('name the cookies and the states', () => {
    expect(TargetClient.getVisitorCookieName('ABC@AdobeOrg')).toBe('AMCV_ABC@AdobeOrg');
    expect(TargetClient.TargetCookieName).toBe('mbox');
    expect(TargetClient.TargetLocationHintCookieName).toBe('mboxEdgeCluster');
    expect(TargetClient.AuthState).toEqual({ UNKNOWN: 0, AUTHENTICATED: 1, LOGGED_OUT: 2 });
  });
});

describe('the life of a client', () => {
  test('close is idempotent, and calls behind it reject with ERR_TARGET_CLOSED', async () => {
    const client = connect();
    await Promise.all([client.close(), client.close()]);
    await client[Symbol.asyncDispose]();
    for (const call of [
      () => client.getOffers({ request: REQUEST }),
      () => client.getAttributes(['a']),
      () =>
        client.sendNotifications({ request: { notifications: [{ id: 'a', type: 'click', timestamp: 1 }] } }),
    ]) {
      expect(await targetErrorOf(call)).toMatchObject({
        code: 'ERR_TARGET_CLOSED',
        message: 'the client is closed',
      });
    }
    expect(bench.edge.requests).toHaveLength(0);
  });

  test('two clients share nothing', async () => {
    const { fetchApi, urls } = detour();
    const one = create({ ...MINIMUM, fetchApi });
    const two = create({ ...MINIMUM, client: 'other', fetchApi });
    await one.getOffers({ request: REQUEST });
    await two.getOffers({ request: REQUEST });
    await Promise.all([one.close(), two.close()]);
    expect(urls.map(({ host }) => host).slice(0, 2)).toEqual(['demo.tt.omtrdc.net', 'other.tt.omtrdc.net']);
  });
});
