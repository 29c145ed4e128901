import { createServer } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { reasonOf, toCause } from '../src/http/error-causes.js';
import { createUndiciFetch } from '../src/http/undici.js';
import { type FetchApi, TargetClient } from '../src/index.js';
import { withServers } from './listening.js';
import { REQUEST } from './recording-fetch.js';
import { targetErrorOf } from './with-edge.js';

const running = withServers();
const CANARY = 'cnryTnt.35_0';

/** Where a text is found: in a value, in its own fields, the hidden ones too, and in theirs. */
function pathsOf(value: unknown, path = 'error', above: readonly unknown[] = []): string[] {
  if (typeof value === 'string') {
    return value.includes('cnry') ? [path] : [];
  }
  if (ArrayBuffer.isView(value)) {
    return pathsOf(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString(), path);
  }
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) {
    return [];
  }
  if (above.includes(value)) {
    return [];
  }
  return Reflect.ownKeys(value).flatMap((name) => [
    ...pathsOf(String(name), `${path} (name)`),
    ...pathsOf(Reflect.get(value, name), `${path}.${String(name)}`, [...above, value]),
  ]);
}

function leaksOf(error: unknown): string[] {
  const printed = inspect(error, { depth: 20, showHidden: true, maxStringLength: null });
  return [...pathsOf(error), ...(printed.includes('cnry') ? ['printed'] : [])];
}

async function failureOf(serverDomain: string, fetchApi: FetchApi | undefined) {
  const client = TargetClient.create({
    client: 'demo',
    organizationId: 'DEMO@AdobeOrg',
    timeout: 10_000,
    telemetryEnabled: false,
    retry: { retries: 0 },
    secure: false,
    serverDomain,
    fetchApi,
  });
  running.add(() => client.close());
  return targetErrorOf(() => client.getOffers({ request: REQUEST }));
}

const HEAD = 'HTTP/1.1 200 OK\r\n';
/** Answers that a parser chokes on, with a visitor in them. */
const ANSWERS: Readonly<Record<string, string>> = {
  'no HTTP': `${CANARY} is no HTTP\r\n\r\n`,
  'a header without a name': `${HEAD}Set-Cookie: mbox=${CANARY}\r\n: ${CANARY}\r\n\r\n`,
  'a header with a space in its name': `${HEAD}Set Cookie: mbox=${CANARY}\r\n\r\n`,
  'a header with a zero in it': `${HEAD}Set-Cookie: ${CANARY}\0\r\n\r\n`,
  'headers without end': `${HEAD}Set-Cookie: ${CANARY}${'x'.repeat(100_000)}`,
  'two lengths': `${HEAD}Content-Length: 5\r\nContent-Length: 7\r\n\r\n${CANARY}`,
  'a length that is none': `${HEAD}Content-Length: ${CANARY}\r\n\r\n${CANARY}`,
  'a chunk of no length': `${HEAD}Transfer-Encoding: chunked\r\n\r\n${CANARY}\r\n`,
  'a second chunk of no length': `${HEAD}Transfer-Encoding: chunked\r\n\r\n2\r\n{"\r\n${CANARY}\r\n`,
  'a body that is no gzip': `${HEAD}Content-Encoding: gzip\r\nContent-Length: 12\r\n\r\n${CANARY}`,
};

describe.each(['node-fetch', 'undici'])('on %s no cause holds bytes of an answer', (kind) => {
  test.each(Object.entries(ANSWERS))('with %s', async (_, bytes) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(bytes));
    });
    const { host } = await running.listen(server);
    const fetchApi = kind === 'undici' ? createUndiciFetch() : undefined;
    if (fetchApi) {
      running.add(() => fetchApi.close());
    }
    const error = await failureOf(host, fetchApi);
    expect(error.code).toMatch(/^ERR_TARGET_(NETWORK|INVALID_RESPONSE)$/);
    expect(error.cause).toMatchObject({ message: expect.stringMatching(/./) });
    expect(leaksOf(error)).toEqual([]);
  });
});

const hidden = (error: Error, name: string) => Object.defineProperty(error, name, { value: CANARY });
const deep = (levels: number): Error =>
  levels === 0
    ? Object.assign(new Error('x'), { data: CANARY })
    : new Error('x', { cause: deep(levels - 1) });

describe('what a fetch throws', () => {
  test.each<[string, () => unknown]>([
    ['a field', () => Object.assign(new Error('x'), { data: CANARY })],
    ['bytes in a field', () => Object.assign(new Error('x'), { rawPacket: Buffer.from(CANARY) })],
    ['a hidden field', () => hidden(new Error('x'), 'answer')],
    ['a field named by a symbol', () => Object.assign(new Error('x'), { [Symbol('answer')]: CANARY })],
    ['its code', () => Object.assign(new Error('x'), { code: `<p>${CANARY}</p>` })],
    ['its name', () => Object.assign(new Error('x'), { name: `<p>${CANARY}</p>` })],
    ['its cause', () => new Error('x', { cause: Object.assign(new Error('y'), { data: CANARY }) })],
    ['its tenth cause', () => deep(10)],
    ['a cause that is no error', () => new Error('x', { cause: { data: CANARY } })],
    ['one of several errors', () => new AggregateError([new Error('x'), deep(0)], 'y')],
    ['one of many errors', () => new AggregateError([...Array(100).fill(new Error('x')), deep(0)], 'y')],
    ['errors that are no list', () => Object.assign(new Error('x'), { errors: CANARY })],
    ['an object that is no error', () => ({ data: CANARY })],
    ['a URL of its message', () => new Error(`request to https://edge.example/a?b=${CANARY} failed`)],
    ['JSON that its message quotes', () => toJsonFailure()],
  ])('keeps nothing of a visitor in %s', async (_, toThrown) => {
    const error = await failureOf('edge.example', () => Promise.reject(toThrown()));
    expect(error.code).toBe('ERR_TARGET_NETWORK');
    expect(leaksOf(error)).toEqual([]);
  });

  test('and a body throws, keeps nothing of a visitor', async () => {
    const body = {
      getReader: () => ({ read: () => Promise.reject(deep(0)), cancel: async () => undefined }),
    };
    const headers = new Headers();
    const error = await failureOf('edge.example', async () => ({
      status: 200,
      headers,
      body,
      text: async () => '',
    }));
    expect(leaksOf(error)).toEqual([]);
  });

  test('is kept as it is where it says no more than what failed', () => {
    const refused = Object.assign(new TypeError('connect ECONNREFUSED 127.0.0.1:80'), {
      ...{ code: 'ECONNREFUSED', errno: -111, syscall: 'connect', address: '127.0.0.1', port: 80 },
    });
    const aggregate = new AggregateError([refused, new RangeError('x')], '');
    const outer = new TypeError('fetch failed', { cause: aggregate });
    for (const error of [refused, aggregate, outer]) {
      expect(toCause(error)).toBe(error);
    }
  });

  test('keeps code, name and place when something else has to go', () => {
    const thrown = Object.assign(new RangeError('getaddrinfo ENOTFOUND edge.example'), {
      ...{ code: 'ENOTFOUND', errno: -3008, syscall: 'getaddrinfo', hostname: 'edge.example', data: CANARY },
    });
    const cause = toCause(thrown) as Error;
    expect(cause).toMatchObject({
      ...{ name: 'RangeError', message: 'getaddrinfo ENOTFOUND edge.example', code: 'ENOTFOUND' },
      ...{ errno: -3008, syscall: 'getaddrinfo', hostname: 'edge.example' },
    });
    expect(thrown).toHaveProperty('data', CANARY);
    expect(reasonOf(cause)).toBe('ENOTFOUND');
  });

  test('may be its own cause, or throw when it is looked at', () => {
    const circle: Error & { cause?: unknown } = Object.assign(new Error('x'), { data: CANARY });
    circle.cause = circle;
    expect(leaksOf(toCause(circle))).toEqual([]);
    const hostile = Object.defineProperty(new Error('x'), 'message', {
      get() {
        throw new Error(CANARY);
      },
    });
    expect(leaksOf(toCause(hostile))).toEqual([]);
  });
});

function toJsonFailure(): unknown {
  try {
    return JSON.parse(`<p>${CANARY}</p>`);
  } catch (error) {
    return error;
  }
}
