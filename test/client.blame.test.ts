import { describe, expect, jest, test } from '@jest/globals';
import { TargetClient, type TargetClientConfig, TargetError, type VisitorLike } from '../src/index.js';
import { flagsArtifact } from './fixtures/flags.js';
import { answer, configOf, REQUEST, recordingFetch } from './recording-fetch.js';
import { targetErrorOf } from './with-edge.js';

const fail = (): never => {
  throw new Error('secret-visitor');
};

function create(config: Partial<TargetClientConfig> = {}): TargetClient {
  return TargetClient.create({ ...configOf(recordingFetch(answer()).fetchApi), ...config });
}

const onDevice = {
  decisioningMethod: 'on-device',
  artifactPayload: flagsArtifact(),
  pollingInterval: 0,
} as const;

describe('what is thrown by a defect is never called the mistake of the caller', () => {
  test.each([
    ['server-side', {}],
    ['on-device', onDevice],
  ] as const)('%s', async (_, config) => {
    const client = create(config);
    if (config === onDevice) {
      await client.ready();
    }
    const thrown = new TypeError('secret-visitor');
    const now = jest.spyOn(Date, 'now').mockImplementation(() => {
      throw thrown;
    });
    const error = await targetErrorOf(() => client.getOffers({ request: REQUEST })).finally(() =>
      now.mockRestore(),
    );
    expect(error).toMatchObject({ code: 'ERR_TARGET_INTERNAL', cause: thrown });
    expect(error.message).toBe('a defect of target-node-sdk: TypeError');
    expect('path' in error).toBe(false);
    expect((await client.getOffers({ request: REQUEST })).response.status).toBe(200);
  });

  test('nor when a client is made', () => {
    const parse = jest.spyOn(JSON, 'parse').mockImplementation(fail);
    let error: unknown;
    try {
      create(onDevice);
    } catch (thrown) {
      error = thrown;
      parse.mockRestore();
    }
    // The decider takes the payload when it is loaded.
    parse.mockRestore();
    expect(error).toMatchObject({ code: 'ERR_TARGET_INTERNAL' });
  });
});

describe('what the objects of the caller throw names them', () => {
  const visitor: VisitorLike = {
    getState: () => ({}),
    getVisitorValues: () => ({}),
    getSupplementalDataID: () => '0123456789ABCDEF-0123456789ABCDEF',
  };
  const rejecting = () => Promise.reject(new Error('secret-visitor')) as never;

  test.each(['getState', 'getVisitorValues', 'getSupplementalDataID'] as const)(
    'visitor.%s',
    async (name) => {
      const client = create();
      for (const [method, message] of [
        [fail, `visitor.${name} threw`],
        [rejecting, `visitor.${name} must return its answer, not a promise of it`],
      ] as const) {
        const error = await targetErrorOf(() =>
          client.getOffers({ request: REQUEST, visitor: { ...visitor, [name]: method } }),
        );
        expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: `visitor.${name}`, message });
      }
    },
  );

  test('visitor.setCustomerIDs may be asynchronous, and reject', async () => {
    const client = create();
    const options = { request: REQUEST, customerIds: { crm: 'a' } };
    await client.getOffers({ ...options, visitor: { ...visitor, setCustomerIDs: rejecting } });
    const error = await targetErrorOf(() =>
      client.getOffers({ ...options, visitor: { ...visitor, setCustomerIDs: fail } }),
    );
    expect(error.path).toBe('visitor.setCustomerIDs');
  });

  test.each<[string, object]>([
    ['sessionId', { sessionId: { toJSON: fail } }],
    ['consumerId', { consumerId: { toJSON: fail } }],
    ['customerIds', { customerIds: { crm: { id: { toJSON: fail } } } }],
    ['execute.mboxes[0].name', { request: { execute: { mboxes: [{ name: { toJSON: fail } }] } } }],
    [
      'execute.mboxes[0].parameters.size',
      { request: { execute: { mboxes: [{ name: 'hero', parameters: { size: { toJSON: fail } } }] } } },
    ],
  ])('the toJSON of %s', async (path, options) => {
    const error = await targetErrorOf(() => create().getOffers({ request: REQUEST, ...options }));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path });
  });

  test.each(['sessionId', 'timeout', 'signal', 'visitor', 'callback', 'customerIds'])(
    'options.%s',
    async (name) => {
      const options = Object.defineProperty({ request: REQUEST }, name, { get: fail, enumerable: true });
      const error = await targetErrorOf(() => create().getOffers(options));
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: name });
    },
  );

  test.each(['targetCookie', 'targetLocationHint', 'targetLocationHintCookie', 'visitorCookie'])(
    'the value of the cookie object in %s',
    async (name) => {
      const cookie = Object.defineProperty({}, 'value', { get: fail, enumerable: true });
      const error = await targetErrorOf(() => create().getOffers({ request: REQUEST, [name]: cookie }));
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: name });
    },
  );

  describe('also when it throws only once', () => {
    /** Fails at the first call alone, so that nobody who looks again finds the fault. */
    const once = (value?: unknown) => {
      let calls = 0;
      return () => {
        calls += 1;
        return calls === 1 ? fail() : value;
      };
    };
    const fields = (name: string, value?: unknown, rest: object = {}): object =>
      Object.defineProperty({ ...rest }, name, { get: once(value), enumerable: true });
    const proxied = (target: object): object => {
      const first = once();
      let isOver = false;
      const get = (of: object, name: PropertyKey) => {
        if (typeof name === 'string' && !isOver) {
          isOver = true;
          first();
        }
        return Reflect.get(of, name);
      };
      return new Proxy(target, { get });
    };
    const inRequest = (execute: unknown) => () => ({ request: { execute } });
    const [mbox] = REQUEST.execute?.mboxes ?? [];
    class Mbox {
      readonly #name = once('hero');
      readonly index = 1;
      get parameters(): unknown {
        return {};
      }
      constructor() {
        Object.defineProperty(this, 'name', { get: this.#name, enumerable: true });
      }
    }

    test.each<[string, () => object]>([
      ...['request', 'targetCookie', 'targetLocationHint', 'targetLocationHintCookie', 'visitorCookie'].map(
        (name): [string, () => object] => [name, () => fields(name)],
      ),
      ...['consumerId', 'customerIds', 'sessionId', 'visitor', 'decisioningMethod', 'timeout', 'signal'].map(
        (name): [string, () => object] => [name, () => fields(name)],
      ),
      ...['callback', 'errCallback'].map((name): [string, () => object] => [name, () => fields(name)]),
      ...['targetCookie', 'targetLocationHint', 'targetLocationHintCookie', 'visitorCookie'].map(
        (name): [string, () => object] => [name, () => ({ [name]: fields('value', '') })],
      ),
      ['sessionId', () => ({ sessionId: { toJSON: once('a') } })],
      ['sessionId', () => ({ sessionId: fields('toJSON') })],
      ['consumerId', () => ({ consumerId: { toJSON: once('a') } })],
      ['timeout', () => ({ timeout: { toJSON: once(5) } })],
      ['customerIds', () => ({ customerIds: { crm: { id: { toJSON: once('a') } } } })],
      ['customerIds', () => ({ customerIds: { crm: fields('id', 'a') } })],
      ['customerIds', () => ({ customerIds: { crm: fields('authState', 1, { id: 'a' }) } })],
      ['customerIds', () => ({ customerIds: [fields('integrationCode', 'crm', { id: 'a' })] })],
      ['customerIds', () => ({ customerIds: fields('crm', 'a') })],
      ['signal', () => ({ signal: fields('addEventListener') })],
      ['execute', () => ({ request: proxied({ ...REQUEST }) })],
      ['execute', () => ({ request: fields('execute', REQUEST.execute) })],
      ['execute.mboxes', inRequest(fields('mboxes', [mbox]))],
      ['execute.mboxes[0]', inRequest({ mboxes: Object.defineProperty([mbox], 0, { get: once(mbox) }) })],
      ['execute.mboxes[0].name', inRequest({ mboxes: [fields('name', 'hero')] })],
      ['execute.mboxes[0].name', inRequest({ mboxes: [new Mbox()] })],
      ['execute.mboxes[0].name', inRequest({ mboxes: [proxied({ name: 'hero' })] })],
      ['execute.mboxes[0].name', inRequest({ mboxes: [{ name: { toJSON: once('hero') } }] })],
      [
        'execute.mboxes[0].parameters["size"]',
        inRequest({ mboxes: [{ name: 'hero', parameters: fields('size', 'xl') }] }),
      ],
      [
        'execute.mboxes[0].parameters.size',
        inRequest({ mboxes: [{ name: 'hero', parameters: { size: { toJSON: once('xl') } } }] }),
      ],
      [
        'context.address.url',
        () => ({
          request: { ...REQUEST, context: { address: { url: { toJSON: once('http://a.example/') } } } },
        }),
      ],
      ['id.customerIds[0].id', () => ({ request: { ...REQUEST, id: { customerIds: [fields('id', '5')] } } })],
    ])('%s', async (path, options) => {
      const client = create();
      const call = { request: REQUEST };
      const given = options();
      const merged = Object.defineProperties(call, Object.getOwnPropertyDescriptors(given));
      const error = await targetErrorOf(() => client.getOffers(merged));
      const wanted = { code: 'ERR_TARGET_INVALID_REQUEST', message: `${path} could not be read` };
      expect(error).toMatchObject({ ...wanted, path });
      expect(JSON.stringify(error)).not.toContain('secret-visitor');
      expect((await client.getOffers({ request: REQUEST })).response.status).toBe(200);
    });

    test.each<[string, () => object]>([
      ['a list with a getter', () => Object.defineProperty(['hero'], 0, { get: once('hero') })],
      ['a name whose toJSON throws', () => [{ toJSON: once('hero') }]],
    ])('mboxNames: %s', async (_, names) => {
      const error = await targetErrorOf(() => create().getAttributes(names() as string[]));
      expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'mboxNames' });
    });

    test.each<[string, () => object]>([
      ['timeout', () => fields('timeout')],
      ['logger', () => fields('logger')],
      ['fetchApi', () => fields('fetchApi')],
      ['retry.retries', () => ({ retry: fields('retries') })],
      ['circuitBreaker.failures', () => ({ circuitBreaker: fields('failures') })],
      ['notifications.maxQueued', () => ({ notifications: fields('maxQueued') })],
    ])('the option %s of a client', (path, options) => {
      const config = configOf(recordingFetch(answer()).fetchApi);
      const made = () =>
        TargetClient.create(Object.defineProperties(config, Object.getOwnPropertyDescriptors(options())));
      const wanted = { code: 'ERR_TARGET_INVALID_CONFIG', path, message: `${path} could not be read` };
      expect(made).toThrow(expect.objectContaining(wanted));
    });
  });

  test.each<[string, unknown]>([
    ['a proxy', new Proxy([], { get: fail })],
    ['a list with a getter', Object.defineProperty(['hero'], 0, { get: fail })],
    ['a name whose toJSON throws', [{ toJSON: fail }]],
  ])('mboxNames: %s', async (_, names) => {
    const error = await targetErrorOf(() => create().getAttributes(names as string[]));
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path: 'mboxNames' });
  });

  test.each<[string, object]>([
    ['agent', Object.defineProperty({}, 'addRequest', { get: fail })],
    ['agent', new Proxy({}, { get: fail })],
    ['artifactStore', Object.defineProperty({ get: fail }, 'set', { get: fail })],
    ['artifactStore', new Proxy({}, { get: fail })],
    ['allMatchingMboxes[0]', Object.defineProperty(['hero'], 0, { get: fail })],
    ['onDeviceAllMatchingRulesMboxes[0]', Object.defineProperty(['hero'], 0, { get: fail })],
  ])('the option %s of a client', (path, value) => {
    const made = () => create({ [path.replace('[0]', '')]: value });
    const wanted = { code: 'ERR_TARGET_INVALID_CONFIG', path, message: `${path} could not be read` };
    expect(made).toThrow(expect.objectContaining(wanted));
  });

  test('a signal whose addEventListener rejects is as good as any', async () => {
    const signal = { aborted: false, addEventListener: jest.fn(rejecting), removeEventListener: rejecting };
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    const client = create();
    const limits = { signal: signal as unknown as AbortSignal };
    await client.getOffers({ request: REQUEST, ...limits });
    await client.ready(limits);
    // A rejection that nobody hears is raised at the end of a turn of the event loop.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(signal.addEventListener).toHaveBeenCalled();
    expect(unhandled).not.toHaveBeenCalled();
  });

  test.each<[string, object, string]>([
    [
      'is added to',
      { aborted: false, addEventListener: fail, removeEventListener: () => undefined },
      'signal',
    ],
    [
      'is looked at',
      {
        get aborted() {
          return fail();
        },
        addEventListener: () => undefined,
        removeEventListener: () => undefined,
      },
      'signal',
    ],
  ])('a signal that throws when it %s', async (_, signal, path) => {
    const client = create();
    const error = await targetErrorOf(() =>
      client.getOffers({ request: REQUEST, signal: signal as AbortSignal }),
    );
    expect(error).toMatchObject({ code: 'ERR_TARGET_INVALID_REQUEST', path });
    expect(await client.flush({ signal: signal as AbortSignal })).toMatchObject({ queued: 0 });
  });

  test('a signal that throws when its listener is removed is as good as any', async () => {
    const signal = { aborted: false, addEventListener: () => undefined, removeEventListener: fail };
    const { response } = await create().getOffers({
      request: REQUEST,
      signal: signal as unknown as AbortSignal,
    });
    expect(response.status).toBe(200);
  });

  test('limits of ready, flush and close', async () => {
    const client = create();
    const options = Object.defineProperty({}, 'timeout', { get: fail });
    expect((await targetErrorOf(() => client.ready(options))).code).toBe('ERR_TARGET_INVALID_REQUEST');
    expect(await client.flush(options)).toMatchObject({ queued: 0 });
    expect(await client.close(options)).toEqual({ delivered: 0, failed: 0, dropped: 0, handedOver: 0 });
  });

  test.each([
    ['promises an agent', async () => ({}), 'ERR_TARGET_INVALID_CONFIG'],
    ['rejects', () => rejecting(), 'ERR_TARGET_INVALID_CONFIG'],
    ['throws', fail, 'ERR_TARGET_NETWORK'],
  ])('a function for an agent that %s', async (_, agent, code) => {
    const config = { client: 'demo', organizationId: 'DEMO@AdobeOrg', telemetryEnabled: false };
    const client = TargetClient.create({ ...config, agent, retry: { retries: 0 } });
    expect((await targetErrorOf(() => client.getOffers({ request: REQUEST }))).code).toBe(code);
  });
});

describe('errors that cannot be read', () => {
  const unreadable = () => new Proxy({}, { get: fail, has: fail, getPrototypeOf: fail });
  test.each<[string, unknown]>([
    ['null', null],
    ['undefined', undefined],
    ['a symbol', Symbol('no')],
    ['a proxy', unreadable()],
    ['an error without a name', Object.assign(new Error('no'), { name: undefined })],
    ['an error with a getter for a name', Object.defineProperty(new Error('no'), 'name', { get: fail })],
    ['an object without a prototype', Object.create(null)],
  ])('%s: thrown by a fetch, a listener, a callback, a logger', async (_, thrown) => {
    const throwing = () => {
      throw thrown;
    };
    const lines: unknown[] = [];
    const events = { clientReady: throwing };
    const client = create({
      events,
      fetchApi: async () => throwing(),
      retry: { retries: 1, minTimeout: 1 },
      logger: { error: (line) => lines.push(line), warn: throwing },
    });
    const errCallback = jest.fn((_error: unknown): void => throwing());
    expect(await client.getOffers({ request: REQUEST, errCallback })).toBeUndefined();
    expect(errCallback).toHaveBeenCalledWith(expect.objectContaining({ code: 'ERR_TARGET_NETWORK' }));
    expect(lines).toContainEqual(expect.stringMatching(/^AT: a callback failed: \w+$/));
    await client.close();
  });
});

describe('TargetError', () => {
  class Own extends TargetError {}

  test('is recognised across copies of the package, and a class that extends it by itself', async () => {
    let Copy = TargetError;
    await jest.isolateModulesAsync(async () => {
      Copy = (await import('../src/index.js')).TargetError;
    });
    const [error, own] = [new Copy('ERR_TARGET_CLOSED', 'no'), new Own('ERR_TARGET_CLOSED', 'no')];
    expect(Copy).not.toBe(TargetError);
    expect(error).toBeInstanceOf(TargetError);
    expect(new TargetError('ERR_TARGET_CLOSED', 'no')).toBeInstanceOf(Copy);
    expect(own).toBeInstanceOf(Own);
    expect(own).toBeInstanceOf(Copy);
    expect(error).not.toBeInstanceOf(Own);
    expect(new TargetError('ERR_TARGET_CLOSED', 'no')).not.toBeInstanceOf(Own);
  });

  test.each([null, undefined, 5, {}, new Error('no'), new Proxy({}, { get: fail })])(
    'is none of %#',
    (value) => {
      expect((value as object) instanceof TargetError).toBe(false);
    },
  );

  test('a visitor of another copy is one of the callers', async () => {
    const { fetchApi, calls } = recordingFetch(answer());
    await jest.isolateModulesAsync(async () => {
      const { Visitor } = await import('../src/index.js');
      const visitor = new Visitor('DEMO@AdobeOrg', 'MCMID|12345');
      const supplementalDataId = '0123456789ABCDEF-0123456789ABCDEF';
      const request = { ...REQUEST, experienceCloud: { analytics: { supplementalDataId } } };
      const { visitorState } = await create({ fetchApi }).getOffers({ request, visitor });
      expect(JSON.stringify(visitorState)).toContain(supplementalDataId);
    });
    expect(calls[0]?.request.id?.marketingCloudVisitorId).toBe('12345');
  });
});
