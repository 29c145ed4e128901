import { describe, expect, jest, test } from '@jest/globals';
import { type LoggerOption, TargetClient, TargetError } from '../src/index.js';
import { createLogger } from '../src/logger.js';
import { answer, configOf, REQUEST, recordingFetch, refuse, type Script, status } from './recording-fetch.js';
import { listeningLogger } from './with-edge.js';

const request = REQUEST;
const withUnknown = { request, unknown: 1 };
const FAR = Math.floor(Date.now() / 1000) + 100_000;

function start(logger: LoggerOption | null | undefined, ...scripts: Script[]) {
  const { fetchApi, calls } = recordingFetch(...scripts);
  const client = TargetClient.create({ ...configOf(fetchApi), logger, retry: { retries: 0 } });
  return { client, calls };
}

describe('a line', () => {
  test('starts with AT:', async () => {
    const { lines, logger } = listeningLogger();
    const { client } = start(logger);
    await client.getOffers(withUnknown);
    const all = Object.values(lines).flat();
    expect(all.length).toBeGreaterThanOrEqual(3);
    expect(all.filter((line) => !line.startsWith('AT: '))).toEqual([]);
    expect(lines.warn).toEqual(['AT: unknown option "unknown" is ignored']);
  });

  test.each(['debug', 'info', 'warn', 'error'] as const)(
    'of %s is built where somebody wants it',
    (level) => {
      const build = jest.fn(() => 'line');
      createLogger({})[level](build);
      createLogger(null)[level](build);
      createLogger(undefined)[level](build);
      createLogger({ [level]: 'no function' } as never)[level](build);
      expect(build).not.toHaveBeenCalled();
      const write = jest.fn();
      createLogger({ [level]: write })[level](build);
      expect(write.mock.calls).toEqual([['AT: line']]);
    },
  );

  test('reaches a method that needs its this', async () => {
    class Kept implements LoggerOption {
      readonly #lines: string[] = [];
      debug(line: string): void {
        this.#lines.push(line);
      }
      get lines(): readonly string[] {
        return this.#lines;
      }
    }
    const logger = new Kept();
    await start(logger).client.getOffers({ request });
    expect(logger.lines.length).toBeGreaterThan(0);
  });
});

describe('a logger', () => {
  const boom = () => {
    throw new Error('the disk is full');
  };
  const all = (method: () => unknown) => ({ debug: method, info: method, warn: method, error: method });
  test.each<[string, unknown]>([
    ['is undefined', undefined],
    ['is null', null],
    ['is empty', {}],
    ['has one method', { error: () => undefined }],
    ['has null for methods', { debug: null, error: null, warn: null, info: null }],
    ['throws', all(boom)],
    ['rejects', all(async () => boom())],
    ['never settles', all(() => new Promise(() => undefined))],
    ['has getters that throw', Object.defineProperty({}, 'debug', { get: boom, enumerable: true })],
    ['is a proxy that throws', new Proxy({}, { get: boom, has: boom })],
    ['is frozen', Object.freeze(all(() => undefined))],
  ])('that %s breaks nothing', async (_, logger) => {
    const { client } = start(logger as LoggerOption, answer(), status(400));
    const { response } = await client.getOffers(withUnknown);
    expect(response.status).toBe(200);
    await expect(client.getOffers({ request })).rejects.toThrow(TargetError);
    await client.close();
    await new Promise(setImmediate);
  });

  test('is the console', async () => {
    const debug = jest.spyOn(console, 'debug').mockImplementation(() => undefined);
    try {
      const { client } = start(console);
      await client.getOffers({ request });
      expect(debug).toHaveBeenCalled();
      await client.close();
    } finally {
      debug.mockRestore();
    }
  });

  test.each([5, 'console', true])('that is %j is an invalid config', (logger) => {
    expect(() => start(logger as never)).toThrow('logger must be an object with log methods');
  });
});

describe('what belongs to a visitor', () => {
  /** One of a kind, so that it can be found wherever it goes. */
  const CANARY = {
    session: 'canary-session',
    tntId: 'canary-tntid.28_0',
    ecid: '31415926535897932384626433832795028841',
    blob: 'canary-blob',
    thirdPartyId: 'canary-third-party',
    customerId: 'canary-customer',
    parameter: 'canary-parameter',
    profile: 'canary-profile',
    order: 'canary-order',
    url: 'https://canary-url.example/',
    referrer: 'https://canary-referrer.example/',
    ip: '203.0.113.77',
    token: 'canary-event-token',
    state: 'canary-state',
    traceToken: 'canary-trace-token',
    profileToken: 'canary-profile-token',
  };

  const options = {
    targetCookie: `session#${CANARY.session}#${FAR}|PC#${CANARY.tntId}#${FAR}`,
    visitorCookie: `MCMID|${CANARY.ecid}|MCAAMLH-1|6|MCAAMB-1|${CANARY.blob}`,
    customerIds: { crm: { id: CANARY.customerId, authState: 1 } },
    request: {
      id: { thirdPartyId: CANARY.thirdPartyId },
      context: {
        channel: 'web',
        address: { url: CANARY.url, referringUrl: CANARY.referrer },
        geo: { ipAddress: CANARY.ip },
      },
      trace: { authorizationToken: CANARY.traceToken },
      execute: {
        pageLoad: { parameters: { p: CANARY.parameter } },
        mboxes: [
          {
            name: 'hero',
            parameters: { p: CANARY.parameter },
            profileParameters: { p: CANARY.profile },
            order: { id: CANARY.order, total: 1 },
            address: { url: CANARY.url },
          },
        ],
      },
      notifications: [
        {
          id: 'n1',
          type: 'click',
          timestamp: 1,
          tokens: [CANARY.token],
          mbox: { name: 'hero', state: CANARY.state },
        },
      ],
    },
  } as const;
  const echo = {
    status: 200,
    id: {
      tntId: CANARY.tntId,
      thirdPartyId: CANARY.thirdPartyId,
      marketingCloudVisitorId: CANARY.ecid,
      customerIds: [{ id: CANARY.customerId, integrationCode: 'crm', authenticatedState: 'authenticated' }],
    },
    execute: {
      mboxes: [
        {
          index: 0,
          name: 'hero',
          state: CANARY.state,
          options: [
            {
              type: 'html',
              content: 'hello',
              eventToken: CANARY.token,
              responseTokens: { 'profile.name': CANARY.profileToken, 'activity.name': 'Summer' },
            },
          ],
          metrics: [{ type: 'click', eventToken: CANARY.token }],
          trace: { profile: { visitorId: { tntId: CANARY.tntId }, attributes: CANARY.profile } },
        },
      ],
    },
  };

  const endings: [string, Script][] = [
    ['an answer', answer(echo)],
    ['a status', status(400, {}, JSON.stringify(echo))],
    ['HTML', answer(`<html>${JSON.stringify(echo)}`)],
    ['a wrong shape', answer({ ...echo, execute: { mboxes: CANARY.token } })],
    ['nobody', refuse],
    [
      'an error that quotes the URL',
      ({ url }) => Promise.reject(new Error(`request to ${url} failed, reason: ${CANARY.session}`)),
    ],
  ];

  /** The canaries that a text holds. */
  const found = (text: string) => Object.entries(CANARY).filter(([, canary]) => text.includes(canary));

  test.each(endings)('is in no line, where debug is redacted, that ends in %s', async (_, script) => {
    const { lines, logger } = listeningLogger();
    const { client } = start(logger, script);
    await client.getOffers(options).catch(() => undefined);
    await client.close();
    expect(lines.debug.length).toBeGreaterThan(0);
    expect(Object.values(lines).flat().flatMap(found)).toEqual([]);
  });

  test.each(endings.slice(1))('is in no message of an error that came of %s', async (_, script) => {
    const error: unknown = await start(null, script)
      .client.getOffers(options)
      .catch((thrown) => thrown);
    expect(error).toBeInstanceOf(TargetError);
    expect(found((error as TargetError).message)).toEqual([]);
    expect(found(String((error as TargetError).stack))).toEqual([]);
  });

  const wrong = (change: object) => ({ ...options, ...change });
  test.each<[string, object]>([
    ['a session id', wrong({ targetCookie: '', sessionId: `${CANARY.session} with spaces` })],
    ['customer ids', wrong({ customerIds: { crm: { id: [CANARY.customerId] } } })],
    ['a state', wrong({ customerIds: { crm: { id: CANARY.customerId, authState: CANARY.customerId } } })],
    ['an ECID', wrong({ request: { ...request, id: { marketingCloudVisitorId: CANARY.ecid.repeat(9) } } })],
    ['a token', wrong({ request: { ...request, property: { token: [CANARY.token] } } })],
    [
      'a parameter',
      wrong({ request: { execute: { pageLoad: { parameters: { p: CANARY.parameter.repeat(999) } } } } }),
    ],
    ['a URL', wrong({ request: { ...request, context: { address: { url: [CANARY.url] } } } })],
    ['a notification', wrong({ request: { notifications: [{ id: [CANARY.token] }] } })],
    [
      'a notification of a wrong type',
      wrong({ request: { notifications: [{ id: 'n', type: CANARY.token }] } }),
    ],
    ['an IP address', wrong({ request: { ...request, context: { geo: { ipAddress: `${CANARY.ip}.1` } } } })],
    ['a timeout', wrong({ timeout: CANARY.session })],
    ['a visitor', wrong({ visitor: CANARY.ecid })],
    ['a signal', wrong({ signal: CANARY.session })],
    ['a method', wrong({ decisioningMethod: CANARY.session })],
  ])('is in no line above debug, and in no message, when it is wrong: %s', async (_, wrongOptions) => {
    const { lines, logger } = listeningLogger();
    const { client } = start(logger);
    const message = await client.getOffers(wrongOptions as never).then(
      () => '',
      (error: Error) => error.message,
    );
    expect([message, ...lines.info, ...lines.warn, ...lines.error].flatMap(found)).toEqual([]);
  });

  test('is in debug lines where unsafe asks for it', async () => {
    const { lines, logger } = listeningLogger();
    const { client } = start({ ...logger, unsafe: true }, answer(echo));
    await client.getOffers(options);
    const text = lines.debug.join();
    const hidden = Object.entries(CANARY).filter(([, canary]) => !text.includes(canary));
    // The session is no part of a request or an answer, and tokens that open something are nobody's to read.
    expect(hidden.map(([name]) => name)).toEqual(['session', 'traceToken']);
  });

  test('leaves the rest of a debug line to be read', async () => {
    const { lines, logger } = listeningLogger();
    await start(logger, answer(echo)).client.getOffers(options);
    const text = lines.debug.join();
    for (const word of ['hero', 'html', 'Summer', '[redacted]']) {
      expect(text).toContain(word);
    }
    expect(text).not.toContain('hello');
  });
});
