import { createServer } from 'node:http';
import { format, inspect } from 'node:util';
import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from '@jest/globals';
import express, { type Response } from 'express';
import { ERROR_CODES, toError } from '../src/errors.js';
import { TargetError } from '../src/index.js';
import { withServers } from './listening.js';
import { targetErrorOf, withEdge } from './with-edge.js';

const BODY = '{"status":400,"id":{"tntId":"body-canary.35_0"}}';
const CAUSE = 'cause-canary';
const FIELDS = {
  path: 'execute.mboxes[2]',
  status: 503,
  attempts: 3,
  requestId: 'b3c7f7c0-8b1f-4c39-8a53-1f0ec7f0a0aa',
  retryAfterMs: 2000,
};

const bench = withEdge();
const running = withServers();

/** An error with everything that one can have, its causes too. */
function whole(code: (typeof ERROR_CODES)[number]): TargetError {
  const inner = new TargetError('ERR_TARGET_RESPONSE', 'the last attempt failed', {
    body: BODY,
    status: 503,
  });
  const cause = new AggregateError([inner], 'all attempts failed', { cause: inner });
  return new TargetError(code, 'the call failed', { ...FIELDS, body: BODY, cause });
}

/** The ways in which people and their libraries write an error down. */
const WRITERS: [string, (error: TargetError) => string][] = [
  ['as JSON', (error) => JSON.stringify(error)],
  ['as JSON in an object', (error) => JSON.stringify({ error })],
  ['as JSON in a list', (error) => JSON.stringify([error])],
  ['as JSON of all its names', (error) => JSON.stringify(error, Object.getOwnPropertyNames(error))],
  ['as a text', (error) => `${error} ${error.stack}`],
  ['by console.log', (error) => format(error)],
  ['by console.log in an object', (error) => format({ error })],
  ['by console.log with %o', (error) => format('%o', error)],
  ['by console.log with %j', (error) => format('%j', error)],
  ['with all its depth', (error) => inspect(error, { depth: 10, showHidden: true })],
  ['as a spread', (error) => inspect({ ...error }, { depth: 10 })],
  ['as an assigned copy', (error) => JSON.stringify(Object.assign({}, error))],
  ['as its entries', (error) => JSON.stringify(Object.entries(error))],
  ['as what a loop finds, as pino does', (error) => JSON.stringify(enumerated(error))],
  ['as a structured clone', (error) => inspect(structuredClone(error), { depth: 10, showHidden: true })],
];

function enumerated(error: TargetError): object {
  const found: Record<string, unknown> = {};
  for (const name in error) {
    found[name] = Reflect.get(error, name);
  }
  return found;
}

test.each(WRITERS)('an error is written without the body of an answer %s', (_, write) => {
  expect(write(whole('ERR_TARGET_TIMEOUT'))).not.toContain('body-canary');
});

test.each(ERROR_CODES)('%s is as JSON what may be shown to anybody', (code) => {
  const error = whole(code);
  expect(error.toJSON()).toEqual({ code, message: 'the call failed', ...FIELDS });
  expect(JSON.parse(JSON.stringify([{ error }]))).toEqual([{ error: error.toJSON() }]);
});

test('an error has a body and a cause to be read', () => {
  const error = whole('ERR_TARGET_TIMEOUT');
  expect(error.body).toBe(BODY);
  expect(error.cause).toBeInstanceOf(AggregateError);
  expect(Object.keys(error).sort()).toEqual([
    ...['attempts', 'code', 'path', 'requestId', 'retryAfterMs', 'status'],
  ]);
});

test('an error as JSON has only what is known', () => {
  const error = new TargetError('ERR_TARGET_CLOSED', 'the client is closed', { cause: new Error(CAUSE) });
  expect(JSON.stringify(error)).toBe('{"code":"ERR_TARGET_CLOSED","message":"the client is closed"}');
  expect('body' in error).toBe(false);
});

test('zero attempts and an empty body are known', () => {
  const error = new TargetError('ERR_TARGET_CIRCUIT_OPEN', 'not sent', { attempts: 0, body: '' });
  expect(error.toJSON()).toEqual({ code: 'ERR_TARGET_CIRCUIT_OPEN', message: 'not sent', attempts: 0 });
  expect(error.body).toBe('');
});

describe('an error of a call that Express answers a visitor with', () => {
  const ANSWERS: [string, (response: Response, error: TargetError) => unknown][] = [
    ['send(error)', (response, error) => response.status(500).send(error)],
    ['json(error)', (response, error) => response.status(500).json(error)],
    ['json({ error })', (response, error) => response.status(500).json({ error })],
    ['jsonp({ errors })', (response, error) => response.status(500).jsonp({ errors: [error] })],
    ['send of a spread', (response, error) => response.status(500).send({ ...error })],
  ];
  const FAULTS: [string, () => void][] = [
    ['a status', () => bench.edge.fault({ kind: 'status', status: 400, body: BODY })],
    ['a body that is not JSON', () => bench.edge.fault({ kind: 'body', body: `<html>${BODY}` })],
    [
      'a wrong shape',
      () => bench.edge.fault({ kind: 'body', body: BODY.replace('"body-c', '5,"c":"body-c') }),
    ],
    ['a broken JSON', () => bench.edge.fault({ kind: 'body', body: BODY.slice(0, -2) })],
  ];

  test.each(
    FAULTS.flatMap(([fault, play]) => ANSWERS.map(([name, send]) => [fault, name, play, send] as const)),
  )('tells nothing of an answer with %s: %s', async (_, __, play, send) => {
    play();
    const error = await targetErrorOf(() =>
      bench.connect().getOffers({ request: { execute: { mboxes: [{ name: 'hero' }] } } }),
    );
    expect(error.body).toContain('body-canary');
    const app = express();
    app.get('/', (_request, response) => void send(response, error));
    const { host } = await running.listen(createServer(app));
    const text = await (await fetch(`http://${host}/`)).text();
    expect(text).toContain(error.code);
    expect(text).not.toContain('canary');
  });
});

describe('toError', () => {
  const unreadable = Object.defineProperty(new Error('x'), 'message', {
    get: () => {
      throw new Error('must not matter');
    },
  });

  test.each([
    ['an error', new TypeError('x')],
    ['an error of another realm', runInContext('new RangeError("x")', createContext({}))],
    ['an error whose message cannot be read', unreadable],
    ['an error whose fields are of other types', Object.assign(new Error('x'), { message: 1, stack: 2 })],
    ['an exception of the DOM', new DOMException('x', 'AbortError')],
    ['an object that a library made to look like an error', { message: 'x', stack: '' }],
  ])('returns %s as it is', (_, thrown) => {
    expect(toError(thrown)).toBe(thrown);
  });

  test.each([
    undefined,
    null,
    'Error',
    0,
    {},
    { message: 'x' },
    () => 1,
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('must not matter');
        },
      },
    ),
  ])('makes an error of anything else (%#)', (thrown) => {
    const error = toError(thrown);
    expect(error).not.toBe(thrown);
    expect(Object.prototype.toString.call(error)).toBe('[object Error]');
  });
});
