import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Opening } from '../../src/http/connection-use.js';
import { Connections } from '../../src/http/connections.js';
import { selfSigned } from '../self-signed.js';

const { key, cert } = selfSigned();
/** Answers with what it was sent. */
const server = https.createServer({ key, cert }, (message, response) => {
  served.push(message);
  message.pipe(response);
});
const served: http.IncomingMessage[] = [];
let port = 0;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
});

interface Sending {
  readonly host?: string;
  readonly body?: string;
  /** What the request is made with instead of the connections. */
  readonly agent?: https.Agent;
}

interface Sent {
  readonly opening: Opening;
  /** What the server was sent. */
  readonly arrived: string;
  /** The bodies that the requests were made with. */
  readonly handed: (string | undefined)[];
}

const NO_OPENING: Opening = { isNew: false, dnsMs: undefined, tlsMs: undefined };
const NO_TRIP = { body: undefined, cut: undefined, request: undefined };

/** Posts over TLS, in the way of a fetch that begins its request at once. */
async function post(connections: Connections, { host = '127.0.0.1', body, agent }: Sending): Promise<Sent> {
  const opening: Opening = { ...NO_OPENING };
  const handed: (string | undefined)[] = [];
  const chosen = agent ?? connections.agentOf({ protocol: 'https:' });
  const url = `https://${host}:${port}/path`;
  const send = async (given: string | undefined) => {
    handed.push(given);
    const options = { method: 'POST', agent: chosen, ca: cert, servername: 'localhost' } as const;
    request = https.request(url, options);
    request.end(given);
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    return answer;
  };
  let request: http.ClientRequest | undefined;
  const response = await connections.start({ ...NO_TRIP, url, opening, body }, send, () =>
    request?.destroy(),
  );
  const pieces: Buffer[] = [];
  response.on('data', (piece) => pieces.push(piece));
  await once(response, 'close');
  return { opening, handed, arrived: Buffer.concat(pieces).toString() };
}

const openingOf = async (connections: Connections, host: string) =>
  (await post(connections, { host })).opening;

describe('an opening', () => {
  test('has both times for a name over TLS', async () => {
    const connections = new Connections();
    const { isNew, dnsMs, tlsMs } = await openingOf(connections, 'localhost');
    expect(isNew).toBe(true);
    expect(dnsMs).toBeGreaterThan(0);
    expect(tlsMs).toBeGreaterThan(0);
    connections.close();
  });

  test('has no look-up for an address', async () => {
    const connections = new Connections();
    expect(await openingOf(connections, '127.0.0.1')).toEqual({ isNew: true, tlsMs: expect.any(Number) });
    connections.close();
  });

  test('is empty where a connection was open', async () => {
    const connections = new Connections();
    await openingOf(connections, '127.0.0.1');
    expect(await openingOf(connections, '127.0.0.1')).toEqual(NO_OPENING);
    connections.dropIdle();
    expect(await openingOf(connections, '127.0.0.1')).toMatchObject({ isNew: true });
    connections.close();
  });

  test('is empty for a start that throws, and does not stay for the next one', async () => {
    const connections = new Connections();
    const opening: Opening = { ...NO_OPENING };
    const url = `https://127.0.0.1:${port}/path`;
    expect(() => connections.start({ ...NO_TRIP, url, opening }, boom, boom)).toThrow('boom');
    const agent = connections.agentOf({ protocol: 'https:' });
    const request = https.get({ host: '127.0.0.1', port, agent, ca: cert, servername: 'localhost' });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    await once(response, 'close');
    expect(opening).toEqual(NO_OPENING);
    connections.close();
  });
});

describe('a body', () => {
  test('is taken along by a connection that is open, and only then', async () => {
    const connections = new Connections();
    const sent = async (body: string) => {
      const { handed, arrived } = await post(connections, { body });
      expect(arrived).toBe(body);
      return handed;
    };
    expect(await sent('first')).toEqual(['first']);
    expect(await sent('Zürich ☃ 𝒳')).toEqual([undefined]);
    expect(await sent('x'.repeat(3_000_000))).toEqual([undefined]);
    expect(await sent('')).toEqual([undefined]);
    connections.dropIdle();
    expect(await sent('again')).toEqual(['again']);
    connections.close();
  });

  test('is not left to a connection of another host', async () => {
    const connections = new Connections();
    await post(connections, { body: 'first' });
    const { handed, arrived } = await post(connections, { host: 'localhost', body: 'second' });
    expect({ handed, arrived }).toEqual({ handed: ['second'], arrived: 'second' });
    connections.close();
  });

  test('goes with a second request when the first did not come to the connections, and that is not sent', async () => {
    const connections = new Connections();
    await post(connections, { body: 'first' });
    const agent = new https.Agent();
    served.length = 0;
    const { handed, arrived } = await post(connections, { body: 'second', agent });
    expect({ handed, arrived }).toEqual({ handed: [undefined, 'second'], arrived: 'second' });
    expect(served).toHaveLength(1);
    // From now on it is sent as it is.
    expect((await post(connections, { body: 'third', agent })).handed).toEqual(['third']);
    connections.close();
  });
});

test('http and https have agents of their own', () => {
  const connections = new Connections();
  expect(connections.agentOf({ protocol: 'http:' })).toBeInstanceOf(http.Agent);
  expect(connections.agentOf({ protocol: 'http:' })).not.toBeInstanceOf(https.Agent);
  expect(connections.agentOf({ protocol: 'https:' })).toBeInstanceOf(https.Agent);
});

function boom(): never {
  throw new Error('boom');
}

test('idle connections to an IPv6 address are found by its URL', () => {
  const connections = new Connections();
  let isClosed = false;
  const destroy = () => {
    isClosed = true;
  };
  const socket = { destroy, emit: () => true };
  // The agent's own name for a connection to http://[::1]:8080.
  const { freeSockets } = connections.agentOf({ protocol: 'http:' });
  Object.assign(freeSockets, { '::1:8080:': [socket] });
  connections.dropIdle('http://[::2]:8080/path');
  expect(isClosed).toBe(false);
  connections.dropIdle('http://[::1]:8080/path');
  expect(isClosed).toBe(true);
});
