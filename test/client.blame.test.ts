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
    expect(await client.close(options)).toEqual({ delivered: 0, failed: 0, dropped: 0 });
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
