import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { defineMboxes } from '../src/adapters/mboxes.js';
import { ERROR_CODES } from '../src/errors.js';
import { EVENT_NAMES } from '../src/events.js';
import type { FetchApi, GetOffersOptions, NotificationOutbox, TargetClientConfig } from '../src/index.js';
import { TargetClient } from '../src/index.js';
import { fileArtifactStore } from '../src/stores/file.js';
import { redisArtifactStore } from '../src/stores/redis.js';
import { type Fault, startTargetEdge, type TargetEdge } from '../src/testing/edge.js';
import { BY_CONTRACT, SECRET, VISITOR, Watch } from './canaries.js';
import { artifactOf, rule } from './fixtures/rules.js';

const FAR = Math.floor(Date.now() / 1000) + 100_000;
const METHODS = ['server-side', 'on-device', 'hybrid'] as const;
const quick = {
  timeout: 250,
  retry: { retries: 1, minTimeout: 1, maxTimeout: 1 },
  propertyToken: SECRET.property,
};

const artifact = artifactOf(
  {
    hero: [
      rule('hero', {
        properties: [SECRET.property],
        options: [{ type: 'html', content: 'hello $' + '{p}', eventToken: VISITOR.eventToken }],
      }),
    ],
    flags: [rule('flags', { activity: 2, options: [{ type: 'json', content: { on: true } }] })],
    odd: [rule('odd', { activity: 3, when: { 'no such operator': [] } })],
  },
  {},
  { geoTargetingEnabled: true, remoteMboxes: ['far'], responseTokens: ['geo.city'] },
);

/** A call with everything in it that a visitor can have. */
const OPTIONS = {
  targetCookie: `session#${VISITOR.session}#${FAR}|PC#${VISITOR.tntId}#${FAR}`,
  visitorCookie: `MCMID|${VISITOR.ecid}|MCAAMLH-1|6|MCAAMB-1|${VISITOR.blob}`,
  customerIds: { crm: { id: VISITOR.customerId, authState: 1 } },
  request: {
    id: { thirdPartyId: VISITOR.thirdPartyId },
    property: { token: SECRET.property },
    preview: { token: SECRET.preview },
    qaMode: { token: SECRET.qaMode },
    trace: { authorizationToken: SECRET.trace },
    context: {
      channel: 'web',
      address: { url: VISITOR.url, referringUrl: VISITOR.url },
      geo: { ipAddress: VISITOR.ip },
    },
    experienceCloud: { analytics: { supplementalDataId: VISITOR.sdid } },
    execute: {
      mboxes: ['hero', 'odd'].map((name) => ({
        name,
        parameters: { p: VISITOR.parameter },
        profileParameters: { p: VISITOR.profile },
        order: { id: VISITOR.order, total: 1 },
        address: { url: VISITOR.url },
      })),
    },
  },
} as const satisfies GetOffersOptions;

const NOTIFICATIONS = [
  {
    id: 'n1',
    type: 'click',
    timestamp: 1,
    tokens: [VISITOR.eventToken],
    mbox: { name: 'hero', state: VISITOR.state },
  },
] as const;

/** What an edge, or whoever is in between, knows and may send back. */
const ECHO = {
  status: 200,
  id: { tntId: VISITOR.tntId, thirdPartyId: VISITOR.thirdPartyId, marketingCloudVisitorId: VISITOR.ecid },
  notifications: [{ id: VISITOR.eventToken }],
  execute: {
    mboxes: [{ index: 0, name: 'hero', state: VISITOR.state, trace: { profile: VISITOR.profile } }],
  },
};

let edge: TargetEdge;
let directory: string;
let watch: Watch;
const used = new Set<RegExp>();
const codes = new Set<unknown>();
const events = new Set<string>();
const clients: TargetClient[] = [];
const printed: unknown[] = [];

beforeAll(async () => {
  edge = await startTargetEdge({
    artifact,
    strict: false,
    acceptToken: () => true,
    geo: { [VISITOR.ip]: { city: VISITOR.city } },
  });
  directory = await mkdtemp(join(tmpdir(), 'privacy-'));
});
beforeEach(() => {
  watch = new Watch();
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    jest.spyOn(console, method).mockImplementation((...line) => void printed.push(line));
  }
});
afterEach(async () => {
  await closeAll();
  edge.clearFaults();
  jest.restoreAllMocks();
  for (const contract of watch.contracts) {
    used.add(contract);
  }
  for (const code of watch.kinds.codes) {
    codes.add(code);
  }
  for (const name of watch.kinds.events) {
    events.add(name);
  }
  expect(watch.leaks).toEqual([]);
  expect(printed).toEqual([]);
});
afterAll(async () => {
  await edge.close();
  await rm(directory, { recursive: true });
});

async function closeAll(): Promise<void> {
  await Promise.all(clients.splice(0).map((client) => client.close({ timeout: 100 })));
}

function start(config: Partial<TargetClientConfig> = {}, unsafe = false): TargetClient {
  const client = TargetClient.create({ ...edge.config, ...quick, ...watch.config(unsafe), ...config });
  clients.push(client);
  return client;
}

/** The artifact's URL with everything that can be secret in one. */
const artifactUrl = () => `${edge.url}/demo/production/v1/${SECRET.property}/rules.json?key=${SECRET.key}`;

/** Everything that can be asked of a client. */
async function askAll(client: TargetClient, options: object = OPTIONS): Promise<void> {
  const given = options as Omit<GetOffersOptions, 'callback' | 'errCallback'>;
  await Promise.all([
    watch.of(() => client.getOffers(given)),
    watch.of(async () => (await client.getAttributes(['hero', 'flags'], given))?.getValue('flags', 'none')),
    watch.of(() =>
      client.sendNotifications({ ...given, request: { ...given.request, notifications: NOTIFICATIONS } }),
    ),
  ]);
}

const text = (body: unknown) => (typeof body === 'string' ? body : JSON.stringify(body));
const FAULTS: [string, Fault][] = [
  ...[400, 401, 403, 404, 413, 429, 500, 503].map((status): [string, Fault] => [
    `${status}`,
    { kind: 'status', status, body: text(ECHO) },
  ]),
  [
    'a redirect',
    { kind: 'status', status: 307, headers: { Location: `http://127.0.0.1:1/?${VISITOR.session}` } },
  ],
  ['a redirect to nowhere', { kind: 'status', status: 302, headers: { Location: `http://${SECRET.key}:x` } }],
  ...[
    ['a word', VISITOR.tntId],
    ['HTML', `<html>${VISITOR.ecid}`],
    ['half of its JSON', text(ECHO).slice(0, -3)],
    ['an id without quotes', `{"status":200,"id":${VISITOR.session}}`],
    [
      'an id without quotes, far behind',
      `${JSON.stringify(ECHO).slice(0, -1)},"x":${VISITOR.session},"y":1}`,
    ],
    ['an id of a wrong type', text({ ...ECHO, id: { tntId: [VISITOR.tntId] } })],
    ['mboxes that are none', text({ ...ECHO, execute: { mboxes: VISITOR.eventToken } })],
    ['a foreign version', text({ ...artifact, version: VISITOR.tntId })],
    ['rules that are none', text({ ...artifact, rules: VISITOR.tntId })],
    ['nothing', ''],
    ['null', 'null'],
  ].map(([name, body]): [string, Fault] => [`${name}`, { kind: 'body', body: `${body}` }]),
  ['a delay', { kind: 'delay', ms: 20 }],
  ['a hang', { kind: 'hang' }],
  ['a stall', { kind: 'stall' }],
  ['a drip', { kind: 'drip', intervalMs: 100 }],
  ['a reset', { kind: 'reset' }],
  ['a reset in the body', { kind: 'resetMidBody' }],
  ['a body cut short', { kind: 'truncate' }],
  ['too much', { kind: 'huge', bytes: 33 * 1024 * 1024 }],
  ['a gzip bomb', { kind: 'gzip', variant: 'bomb', bytes: 33 * 1024 * 1024 }],
  ['no gzip', { kind: 'gzip', variant: 'invalid' }],
  ['half of its gzip', { kind: 'gzip', variant: 'truncated' }],
];

describe('nothing of a visitor and no key is told by errors, log or events', () => {
  test.each(METHODS)('when all goes well, decided %s', async (decisioningMethod) => {
    const client = start({ decisioningMethod, artifactLocation: artifactUrl(), allMatchingMboxes: [] });
    await client.ready();
    await askAll(client);
    await client.refresh();
    await client.flush();
    const { lines, events } = watch.seen;
    expect(lines).toBeGreaterThan(1);
    expect(events).toBeGreaterThan(0);
  });

  test.each(METHODS)('not even a key where the logger is unsafe, decided %s', async (decisioningMethod) => {
    const client = start({ decisioningMethod, artifactLocation: artifactUrl() }, true);
    await client.ready();
    await askAll(client);
    await client.flush();
    expect(watch.seen.lines).toBeGreaterThan(1);
  });

  test.each(FAULTS)('when everything is answered with %s', async (_, fault) => {
    const config = () => ({ artifactLocation: artifactUrl(), maximumWaitReady: 50 });
    const warm = METHODS.map((decisioningMethod) => start({ ...config(), decisioningMethod }));
    await Promise.all(warm.map((client) => client.ready({ timeout: 60_000 })));
    edge.fault(fault);
    const cold = METHODS.map((decisioningMethod) => start({ ...config(), decisioningMethod }));
    const work = [...warm, ...cold].map(async (client) => {
      await watch.of(() => client.ready());
      await askAll(client);
    });
    await Promise.all(work);
    await Promise.all(warm.map((client) => Promise.race([watch.of(() => client.refresh()), pause(250)])));
    await closeAll();
    const { lines, errors, events } = watch.seen;
    expect(lines).toBeGreaterThan(0);
    expect(errors).toBeGreaterThan(0);
    expect(events).toBeGreaterThan(0);
  });

  test.each([
    ['whose port is closed', () => `http://127.0.0.1:1/${SECRET.property}/rules.json?key=${SECRET.key}`],
    ['that asks for a password', () => `http://user:${SECRET.password}@127.0.0.1:1/rules.json`],
    ['whose name is none', () => `http://nowhere.invalid/${SECRET.property}/rules.json`],
  ])('when the artifact is at a place %s', async (_, location) => {
    const client = start({ decisioningMethod: 'on-device', artifactLocation: location() });
    await watch.of(() => client.refresh());
    await watch.of(() => client.getOffers(OPTIONS));
    expect(watch.seen.errors).toBe(2);
  });

  test('when a shared store and an outbox fail with all that they know in their errors', async () => {
    const fail = () =>
      Promise.reject(new Error(`redis://user:${SECRET.password}@127.0.0.1 ${VISITOR.tntId}`));
    const artifactStore = {
      pollingIntervalMs: 10,
      ...{ peek: fail, read: fail, offer: fail, confirm: fail, claim: fail },
    };
    const outbox: NotificationOutbox = {
      push: (batch) => Promise.reject(new Error(batch.map(({ data }) => data).join())),
    };
    const notifications = { outbox, mode: 'always' } as const;
    const client = start({
      decisioningMethod: 'on-device',
      artifactLocation: artifactUrl(),
      artifactStore,
      notifications,
    });
    await client.ready();
    await askAll(client);
    await watch.of(() => client.deliverQueued([`{"v":1,"i":"${VISITOR.session}"`, VISITOR.tntId]));
    await client.flush({ timeout: 1000 });
    expect(watch.kinds.events).toContain('artifactStoreChanged');
  });

  const told = `redis://user:${SECRET.password}@127.0.0.1/${VISITOR.tntId}`;
  test.each<[string, (call: string) => unknown]>([
    ['rejects with a text', () => Promise.reject(told)],
    ['rejects with a cause', () => Promise.reject(new Error('gone', { cause: new Error(told) }))],
    [
      'throws an error whose fields are secret',
      () => {
        throw Object.assign(new Error('gone'), {
          name: told,
          code: told,
          command: ['AUTH', SECRET.password],
        });
      },
    ],
    ['answers with a secret', async () => told],
    ['answers with secret fields', async () => ({ id: told, seen: told, verdict: told, text: told })],
    [
      'holds a text with secrets that is no artifact',
      async (call) => {
        const text = `{"a":"${told}"}`;
        const id = createHash('sha256').update(text).digest('hex').slice(0, 16);
        const read = { text, id, isForced: false, activeInMs: 0, seenMsAgo: 0 };
        return { peek: { id, seen: told }, read, claim: true }[call];
      },
    ],
  ])('when a shared store %s', async (_, answer) => {
    const call = (name: string) => () => Promise.resolve(answer(name) as never);
    const artifactStore = {
      pollingIntervalMs: 10,
      ...{ peek: call('peek'), read: call('read'), offer: call('offer'), confirm: call('confirm') },
      claim: call('claim'),
    };
    const artifactLocation = artifactUrl();
    const client = start({ decisioningMethod: 'on-device', artifactLocation, artifactStore });
    await client.ready();
    await askAll(client);
    await client.refresh();
    const { artifactStore: stats } = client.stats();
    expect(stats?.failures).toBeGreaterThan(0);
    expect(JSON.stringify(client.stats())).not.toMatch(/cnry|scrt/);
  });

  test('when the stores of the package fail, or are set up wrong', async () => {
    const redis = { call: () => Promise.reject(new Error(`NOAUTH ${told}`)) };
    const stores = [
      redisArtifactStore(redis, { secret: SECRET.key, pollingInterval: 100 }),
      fileArtifactStore({ directory: join(directory, SECRET.key, '\u{1F4A5}'.repeat(200)) }),
    ];
    for (const artifactStore of stores) {
      const artifactLocation = artifactUrl();
      const client = start({ decisioningMethod: 'on-device', artifactLocation, artifactStore });
      await client.ready();
      await askAll(client);
      await client.refresh();
      expect(client.stats().artifactStore?.failures).toBeGreaterThan(0);
      expect(JSON.stringify(client.stats())).not.toMatch(/cnry|scrt/);
    }
    for (const secret of [{ [SECRET.key]: 1 }, ['', SECRET.key], '']) {
      await watch.of(async () => redisArtifactStore(redis, { secret: secret as string }));
    }
    expect(watch.seen.errors).toBeGreaterThanOrEqual(3);
  });

  test.each<[string, (url: string) => unknown]>([
    ['with the URL in its message', (url) => new Error(`request to ${url} failed`)],
    ['with the URL in its cause', (url) => new TypeError('failed', { cause: new Error(`no ${url}`) })],
    ['with the URL alone', (url) => url],
    [
      'because of the URL',
      (url) => Object.assign(new TypeError('Invalid URL'), { code: 'ERR_INVALID_URL', input: url }),
    ],
    ['with the query', (url) => new Error(`GET ${new URL(url).pathname.slice(0, 3)}${new URL(url).search}`)],
  ])('when fetch throws %s', async (_, thrown) => {
    const fetchApi: FetchApi = (url) => Promise.reject(thrown(url));
    for (const decisioningMethod of METHODS) {
      const client = start({ decisioningMethod, fetchApi, artifactLocation: artifactUrl() });
      await watch.of(() => client.refresh());
      await askAll(client);
    }
    expect(watch.seen.errors).toBeGreaterThanOrEqual(8);
  });
});

describe('nothing of a visitor and no key is told of an artifact', () => {
  const header = `ATOD:001${SECRET.binaryKey}`;
  test.each([
    ['missing', undefined, {}],
    ['no JSON', `${VISITOR.tntId} {`, {}],
    ['binary, and read as JSON', `${header}xxxx`, {}],
    ['binary, of another organization', `${header}xxxx`, { artifactFormat: 'bin' as const }],
    ['binary, of another version', `ATOD:009${SECRET.binaryKey}`, { artifactFormat: 'bin' as const }],
    ['JSON, and read as binary', text(artifact), { artifactFormat: 'bin' as const }],
  ])('in a file that is %s', async (name, content, config) => {
    const file = join(directory, `${name.replace(/\W/g, '-')}.json`);
    if (content !== undefined) {
      await writeFile(file, content);
    }
    const artifactLocation = pathToFileURL(file).href;
    const client = start({ decisioningMethod: 'on-device', artifactLocation, ...config });
    await watch.of(() => client.refresh());
    await askAll(client);
    expect(watch.seen.errors).toBeGreaterThanOrEqual(3);
  });

  test.each([
    ['throws', () => Promise.reject(new Error(`redis://user:${SECRET.password}@cache is gone`))],
    ['gives no JSON', async () => `${VISITOR.tntId} {`],
    ['gives a binary artifact', async () => `${header}xxxx`],
    ['gives something else', async () => ({ [SECRET.key]: 1 })],
    ['gives one that is whole', async () => text(artifact)],
  ])('in a store that %s', async (_, get) => {
    const set = () => Promise.reject(new Error(`redis://user:${SECRET.password}@cache is gone`));
    const artifactStore = { get, set };
    const client = start({ decisioningMethod: 'hybrid', artifactLocation: artifactUrl(), artifactStore });
    await client.ready({ timeout: 60_000 });
    await askAll(client);
    await client.refresh();
    await client.flush();
  });
});

describe('nothing of a visitor and no key is told of what is wrong', () => {
  const { request } = OPTIONS;
  const inRequest = (change: object) => ({ ...OPTIONS, request: { ...request, ...change } });
  const long = VISITOR.parameter.repeat(999);
  test.each<[string, object]>([
    ['a session id', { ...OPTIONS, targetCookie: '', sessionId: `${VISITOR.session} with spaces` }],
    ['a session id that is a number', { ...OPTIONS, sessionId: VISITOR.number }],
    ['a cookie', { ...OPTIONS, targetCookie: `%E0%A4%A${VISITOR.session}#|PC#${VISITOR.tntId}#x|${long}` }],
    ['a cookie that is a list', { ...OPTIONS, targetCookie: [VISITOR.session] }],
    ['a visitor cookie', { ...OPTIONS, visitorCookie: `MCMID|${VISITOR.tntId}|%E0%A4%A` }],
    ['a hint', { ...OPTIONS, targetLocationHint: VISITOR.session }],
    ['customer ids', { ...OPTIONS, customerIds: { crm: { id: [VISITOR.customerId] } } }],
    ['a customer id that is a number', { ...OPTIONS, customerIds: { crm: VISITOR.number } }],
    [
      'a customer id that is a number in an entry',
      { ...OPTIONS, customerIds: { crm: { id: VISITOR.number } } },
    ],
    [
      'a customer id for a code',
      { ...OPTIONS, customerIds: { [VISITOR.customerId.repeat(9)]: { id: 'x' } } },
    ],
    ['a customer id for all of them', { ...OPTIONS, customerIds: VISITOR.number }],
    ['a state', { ...OPTIONS, customerIds: { crm: { id: 'x', authState: VISITOR.customerId } } }],
    ['an ECID', inRequest({ id: { marketingCloudVisitorId: VISITOR.ecid.repeat(9) } })],
    ['an ECID that is a number', inRequest({ id: { marketingCloudVisitorId: VISITOR.number } })],
    ['a thirdPartyId that is a number', inRequest({ id: { thirdPartyId: VISITOR.number } })],
    ['ids that are one', inRequest({ id: VISITOR.number })],
    ['an id among the ids', inRequest({ id: { customerIds: [VISITOR.number] } })],
    ['a property', inRequest({ property: { token: [SECRET.property] } })],
    ['a property that is its token', inRequest({ property: SECRET.property })],
    ['a parameter', inRequest({ execute: { pageLoad: { parameters: { p: long } } } })],
    [
      'a parameter in a list',
      inRequest({ execute: { pageLoad: { parameters: { p: [VISITOR.parameter] } } } }),
    ],
    ['an order', inRequest({ execute: { pageLoad: { order: { id: VISITOR.number } } } })],
    ['a URL', inRequest({ context: { address: { url: [VISITOR.url] } } })],
    ['a URL that is too long', inRequest({ context: { address: { url: VISITOR.url.repeat(200) } } })],
    ['an IP address', inRequest({ context: { geo: { ipAddress: `${VISITOR.ip}.1` } } })],
    ['a country', inRequest({ context: { geo: { countryCode: VISITOR.city } } })],
    ['an SDID', inRequest({ experienceCloud: { analytics: { supplementalDataId: VISITOR.session } } })],
    ['a notification', inRequest({ notifications: [{ id: [VISITOR.eventToken] }] })],
    ['a notification of a wrong type', inRequest({ notifications: [{ id: 'n', type: VISITOR.eventToken }] })],
    ['a channel', inRequest({ context: { channel: VISITOR.session } })],
    ['a trace', inRequest({ trace: SECRET.trace })],
    ['a timeout', { ...OPTIONS, timeout: VISITOR.session }],
    ['a visitor', { ...OPTIONS, visitor: VISITOR.number }],
    ['a signal', { ...OPTIONS, signal: VISITOR.session }],
    ['a method', { ...OPTIONS, decisioningMethod: VISITOR.session }],
    ['a request', { ...OPTIONS, request: VISITOR.session }],
    ['an unknown option', { ...OPTIONS, cookies: VISITOR.session }],
    ['a callback', { ...OPTIONS, callback: () => Promise.reject(new Error(VISITOR.session)) }],
  ])('when it is %s', async (_, options) => {
    for (const decisioningMethod of METHODS) {
      const client = start({ decisioningMethod, artifactPayload: artifact, pollingInterval: 0 });
      await askAll(client, decisioningMethod === 'hybrid' ? { decisioningMethod, ...options } : options);
      await client.flush();
    }
    const { lines, errors } = watch.seen;
    expect(lines + errors).toBeGreaterThan(0);
  });

  test.each<[string, object]>([
    ['an artifact location', { artifactLocation: `ftp://user:${SECRET.password}@cdn.example/rules.json` }],
    [
      'an artifact location with a key',
      { artifactLocation: `ftp://cdn.example/rules.json?key=${SECRET.key}` },
    ],
    ['a host', { serverDomain: `user:${SECRET.password}@edge.example` }],
    ['a CDN', { cdnBasePath: `cdn.example?key=${SECRET.key}` }],
    ['a property', { propertyToken: [SECRET.property] }],
    ['a payload', { artifactPayload: { version: '1.0.0', rules: SECRET.key } }],
  ])('when it is %s of the configuration', (_, config) => {
    const create = () =>
      start({ decisioningMethod: 'on-device', ...(config as Partial<TargetClientConfig>) });
    expect(create).toThrow(expect.objectContaining({ code: 'ERR_TARGET_INVALID_CONFIG' }));
    try {
      create();
    } catch (error) {
      watch.error(error);
    }
  });

  test('when a call is aborted or comes too late, or a listener throws', async () => {
    const events = {
      clientReady: () => {
        throw new Error(VISITOR.session);
      },
      sendNotificationError: () => Promise.reject(new Error(VISITOR.session)),
    };
    const client = start({ decisioningMethod: 'on-device', artifactPayload: artifact, events });
    edge.fault({ kind: 'status', status: 400 });
    await askAll(client, { ...OPTIONS, signal: AbortSignal.abort() });
    await askAll(client);
    await client.close({ timeout: 100 });
    await askAll(client);
    await watch.of(() => client.ready());
    await watch.of(() => client.refresh());
    expect(watch.seen.errors).toBeGreaterThanOrEqual(8);
  });
});

test.each(METHODS)('a defect of the package tells nothing of who asked, decided %s', async (method) => {
  const client = start({ decisioningMethod: method, artifactPayload: artifact });
  await client.ready();
  jest.spyOn(Date, 'now').mockImplementation(() => {
    throw new TypeError('the clock is broken');
  });
  await watch.of(() => client.getOffers(OPTIONS));
  jest.restoreAllMocks();
  expect(watch.kinds.codes).toContain('ERR_TARGET_INTERNAL');
});

test.each(METHODS)('nothing of those who asked before is told to others, decided %s', async (method) => {
  const circuitBreaker = { failures: 2 };
  const client = start({ decisioningMethod: method, circuitBreaker, timeout: 5000 });
  edge.fault({ kind: 'status', status: 503, body: text(ECHO) });
  for (let call = 0; call < 3; call += 1) {
    await watch.of(() => client.getOffers({ ...OPTIONS, decisioningMethod: 'server-side' }));
  }
  expect(watch.kinds.codes).toContain('ERR_TARGET_CIRCUIT_OPEN');
  expect(watch.kinds.events).toContain('circuitBreakerChanged');
});

test.each(METHODS)(
  'an offer that its schema refuses tells nothing of who asked, decided %s',
  async (method) => {
    const client = start({ decisioningMethod: method, artifactPayload: artifact });
    const validate = (value: unknown) => ({ issues: [{ message: `not ${JSON.stringify(value)}` }] });
    const schema = { '~standard': { version: 1, vendor: 'test', validate } } as const;
    const mboxes = defineMboxes({ flags: schema }, { flags: {} });
    await watch.of(() => mboxes.get(client, OPTIONS));
    expect(watch.kinds.events).toContain('invalidContent');
  },
);

test('every code and every event was looked at', () => {
  expect(ERROR_CODES.filter((code) => !codes.has(code))).toEqual([]);
  expect(EVENT_NAMES.filter((name) => !events.has(name))).toEqual([]);
});

test('what is told by contract is told there', () => {
  expect(BY_CONTRACT.filter(({ where }) => !used.has(where))).toEqual([]);
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
