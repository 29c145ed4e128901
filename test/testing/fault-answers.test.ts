import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Fault, TargetEdge } from '../../src/testing/edge.js';
import { html, startTargetEdge } from '../../src/testing/edge.js';
import { CONTEXT, DELIVERY, deliver, QUERY } from './deliver.js';

const REQUEST = { requestId: 'r', context: CONTEXT, execute: { mboxes: [{ index: 1, name: 'hero' }] } };

let edge: TargetEdge;
let socket: Socket | undefined;
beforeEach(async () => {
  edge = await startTargetEdge({ offers: { mboxes: { hero: html('<h1>Hello</h1>') } } });
});
afterEach(async () => {
  socket?.destroy();
  await edge.close();
});

/** What a client sees on the wire: the bytes so far, and how the connection ended. */
interface Wire {
  text: string;
  /** The sizes of what came in one piece. */
  pieces: number[];
  ended: Promise<'end' | 'reset'>;
  until(pattern: RegExp): Promise<void>;
}

/** Sends a delivery call on a socket of its own. */
async function send(): Promise<Wire> {
  const body = JSON.stringify(REQUEST);
  const client = connect(edge.port, '127.0.0.1');
  socket = client;
  const wire: Wire = {
    text: '',
    pieces: [],
    ended: new Promise((resolve) => {
      client.on('end', () => resolve('end'));
      client.on('error', () => resolve('reset'));
    }),
    until: async (pattern) => {
      while (!pattern.test(wire.text)) {
        await once(client, 'data');
      }
    },
  };
  client.on('data', (chunk) => {
    wire.text += chunk;
    wire.pieces.push(chunk.length);
  });
  await once(client, 'connect');
  client.write(`POST ${DELIVERY}${QUERY} HTTP/1.1\r\nHost: edge\r\nContent-Type: application/json\r\n`);
  client.write(`Content-Length: ${body.length}\r\n\r\n${body}`);
  return wire;
}

function bodyOf({ text }: Wire): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4);
}

function lengthOf({ text }: Wire): number {
  return Number(/content-length: (\d+)/i.exec(text)?.[1]);
}

/** Turns of the event loop with the network in it: another connection's whole exchange. */
async function someTime(): Promise<void> {
  for (let turn = 0; turn < 5; turn += 1) {
    await fetch(`${edge.url}/elsewhere`).then((answer) => answer.text());
  }
}

describe('status', () => {
  test.each<[Extract<Fault, { kind: 'status' }>, string]>([
    [{ kind: 'status', status: 503, headers: { 'Retry-After': 7 } }, '{"status":503,"message":"fault"}'],
    [{ kind: 'status', status: 302, headers: { Location: 'http://other.example/' } }, ''],
    [{ kind: 'status', status: 429, body: 'slow down' }, 'slow down'],
    [{ kind: 'status', status: 200, body: { hello: 'world' } }, '{"hello":"world"}'],
    [{ kind: 'status', status: 204 }, ''],
    [{ kind: 'status', status: 304 }, ''],
  ])('%j', async (fault, body) => {
    edge.fault(fault);
    const answer = await fetch(`${edge.url}${DELIVERY}${QUERY}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(REQUEST),
      redirect: 'manual',
    });
    expect([answer.status, await answer.text()]).toEqual([fault.status, body]);
    for (const [name, value] of Object.entries(fault.headers ?? {})) {
      expect(answer.headers.get(name)).toBe(`${value}`);
    }
    expect(edge.lastRequest).toMatchObject({ status: fault.status, fault: 'status', delivery: REQUEST });
  });

  test.each([100, 99, 1000, 200.5, Number.NaN])('%d is refused when it is switched on', (status) => {
    expect(() => edge.fault({ kind: 'status', status })).toThrow('status must be an integer from 200 to 999');
  });

  test.each([{ kind: 'stat' }, {}, undefined])('a kind that there is not is refused too: %j', (fault) => {
    expect(() => edge.fault(fault as never)).toThrow('kind must be one of status, delay, hang');
  });

  test('begins after delayMs', async () => {
    edge.fault({ kind: 'status', status: 500 }, { delayMs: 50 });
    const begun = performance.now();
    expect((await deliver(edge, REQUEST)).status).toBe(500);
    expect(performance.now() - begun).toBeGreaterThan(45);
  });
});

test('delay gives the real answer, later', async () => {
  edge.fault({ kind: 'delay', ms: 50 });
  const begun = performance.now();
  const { status, response } = await deliver(edge, REQUEST);
  expect([status, response.requestId]).toEqual([200, 'r']);
  expect(performance.now() - begun).toBeGreaterThan(45);
});

test('hang takes the request and never answers a byte', async () => {
  edge.fault({ kind: 'hang' }, { times: 1 });
  const wire = await send();
  await edge.waitForRequests(1);
  await someTime();
  expect(wire.text).toBe('');
  expect(socket?.readyState).toBe('open');
  expect(edge.requests[0]).toMatchObject({ fault: 'hang' });
  expect(edge.requests[0]).not.toHaveProperty('status');
});

test('stall sends the headers and then nothing', async () => {
  edge.fault({ kind: 'stall' }, { times: 1 });
  const wire = await send();
  await wire.until(/\r\n\r\n/);
  await someTime();
  expect(wire.text).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(lengthOf(wire)).toBeGreaterThan(0);
  expect(bodyOf(wire)).toBe('');
  expect(socket?.readyState).toBe('open');
});

test('drip sends the real answer in single bytes', async () => {
  edge.fault({ kind: 'drip', intervalMs: 1 });
  const wire = await send();
  await wire.until(/"telemetryServerToken":"[^"]+"}$/);
  expect(JSON.parse(bodyOf(wire))).toMatchObject({ requestId: 'r', execute: { mboxes: [{ name: 'hero' }] } });
  const single = wire.pieces.filter((size) => size === 1).length;
  expect(single).toBeGreaterThan(lengthOf(wire) / 2);
});

test('reset destroys the connection before a byte', async () => {
  edge.fault({ kind: 'reset' });
  const wire = await send();
  expect(await wire.ended).toBe('reset');
  expect(wire.text).toBe('');
});

test('resetMidBody sends half of the answer and resets', async () => {
  edge.fault({ kind: 'resetMidBody' });
  const wire = await send();
  expect(await wire.ended).toBe('reset');
  expect(bodyOf(wire)).toHaveLength(Math.floor(lengthOf(wire) / 2));
});

test('truncate sends half of the answer and ends in good order', async () => {
  edge.fault({ kind: 'truncate' });
  const wire = await send();
  expect(await wire.ended).toBe('end');
  expect(bodyOf(wire)).toHaveLength(Math.floor(lengthOf(wire) / 2));
  await expect(deliver(edge, REQUEST)).rejects.toThrow();
});

test.each([
  ['<html></html>', 'text/html'],
  ['', undefined],
  ['null', undefined],
  ['{"hello":"world"}', undefined],
])('body sends %j with 200', async (body, contentType) => {
  edge.fault({ kind: 'body', body, ...(contentType && { contentType }) });
  const answer = await fetch(`${edge.url}${DELIVERY}`, { method: 'POST' });
  expect([answer.status, await answer.text()]).toEqual([200, body]);
  expect(answer.headers.get('content-type')).toBe(contentType ?? 'application/json;charset=UTF-8');
});

test('huge sends JSON that is right but for its size', async () => {
  edge.fault({ kind: 'huge', bytes: 300_000 });
  const { text, response, headers } = await deliver(edge, REQUEST);
  expect(text).toHaveLength(300_000);
  expect(response).toMatchObject({ requestId: 'r', status: 200 });
  expect(headers.get('content-length')).toBeNull();
});

test('huge ends quietly when the client has had enough', async () => {
  edge.fault({ kind: 'huge' }, { times: 1 });
  const wire = await send();
  await wire.until(/padding/);
  socket?.destroy();
  expect((await deliver(edge, REQUEST)).status).toBe(200);
});

describe('gzip', () => {
  test('valid is the real answer', async () => {
    edge.fault({ kind: 'gzip' });
    const { headers, response } = await deliver(edge, REQUEST);
    expect(headers.get('content-encoding')).toBe('gzip');
    expect(response.requestId).toBe('r');
  });

  test('bomb is small on the wire and large when decoded', async () => {
    edge.fault({ kind: 'gzip', variant: 'bomb', bytes: 5_000_000 });
    const { text, response } = await deliver(edge, REQUEST);
    expect(text).toHaveLength(5_000_000);
    expect(response.requestId).toBe('r');
    const wire = await send();
    await wire.until(/0\r\n\r\n$/);
    expect(wire.text.length).toBeLessThan(50_000);
  });

  test.each(['invalid', 'truncated'] as const)('%s cannot be decoded', async (variant) => {
    edge.fault({ kind: 'gzip', variant });
    await expect(deliver(edge, REQUEST)).rejects.toThrow();
    expect(edge.lastRequest).toMatchObject({ status: 200, fault: 'gzip' });
  });
});

describe('faults', () => {
  const statuses = async (count: number) => {
    const seen: number[] = [];
    for (let call = 0; call < count; call += 1) {
      seen.push((await deliver(edge, REQUEST)).status);
    }
    return seen;
  };

  test('are met by the next so many requests, one fault after the other', async () => {
    const first = edge.fault({ kind: 'status', status: 500 }, { times: 2 });
    const second = edge.fault({ kind: 'status', status: 503 }, { times: 1 });
    expect(await statuses(4)).toEqual([500, 500, 503, 200]);
    expect([first.hits, second.hits]).toEqual([2, 1]);
  });

  test('last until they are cleared, one by one or all at once', async () => {
    const first = edge.fault({ kind: 'status', status: 500 });
    edge.fault({ kind: 'status', status: 503 });
    expect(await statuses(2)).toEqual([500, 500]);
    first.clear();
    expect(await statuses(1)).toEqual([503]);
    edge.clearFaults();
    expect(await statuses(1)).toEqual([200]);
  });

  test('meet only the requests that are meant', async () => {
    edge.fault({ kind: 'status', status: 500 }, { where: ({ delivery }) => delivery?.requestId === 'other' });
    edge.fault({ kind: 'status', status: 502 }, { where: '/v1/geo' });
    edge.fault({ kind: 'status', status: 503 }, { where: /geo$/g });
    expect(await statuses(1)).toEqual([200]);
    expect((await deliver(edge, { ...REQUEST, requestId: 'other' })).status).toBe(500);
    expect((await fetch(`${edge.url}/v1/geo`)).status).toBe(502);
    expect((await fetch(`${edge.url}/v2/geo`)).status).toBe(503);
    expect((await fetch(`${edge.url}/v2/geo`)).status).toBe(503);
  });

  test('hide no violation', async () => {
    edge.fault({ kind: 'status', status: 503 });
    await deliver(edge, { requestId: 'no context' });
    expect(edge.lastRequest).toMatchObject({ status: 503, violations: [{ path: 'context' }] });
  });

  test.each<Fault>([
    { kind: 'hang' },
    { kind: 'stall' },
    { kind: 'drip', intervalMs: 60_000 },
    { kind: 'delay', ms: 60_000 },
    { kind: 'delay', ms: Number.POSITIVE_INFINITY },
  ])('that hang end when the edge is closed: %j', async (fault) => {
    edge.fault(fault);
    const wire = await send();
    await edge.waitForRequests(1);
    edge.clearFaults();
    await someTime();
    await edge.close();
    expect(['end', 'reset']).toContain(await wire.ended);
    expect(bodyOf(wire)).toBe('');
  });
});
