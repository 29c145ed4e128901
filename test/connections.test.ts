import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Connections, type Opening } from '../src/connections.js';
import { selfSigned } from './self-signed.js';

const { key, cert } = selfSigned();
const server = https.createServer({ key, cert }, (_, response) => response.end('hello'));
let port = 0;

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.close();
});

async function get(connections: Connections, host: string): Promise<Opening> {
  const opening: Opening = {};
  const agent = connections.agentOf({ protocol: 'https:' });
  const options = { host, port, agent, ca: cert, servername: 'localhost' };
  const request = connections.measure(opening, () => https.get(options));
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  response.resume();
  await once(response, 'close');
  return opening;
}

describe('an opening', () => {
  test('has both times for a name over TLS', async () => {
    const connections = new Connections();
    const { isNew, dnsMs, tlsMs } = await get(connections, 'localhost');
    expect(isNew).toBe(true);
    expect(dnsMs).toBeGreaterThan(0);
    expect(tlsMs).toBeGreaterThan(0);
    connections.close();
  });

  test('has no look-up for an address', async () => {
    const connections = new Connections();
    expect(await get(connections, '127.0.0.1')).toEqual({ isNew: true, tlsMs: expect.any(Number) });
    connections.close();
  });

  test('is empty where a connection was open', async () => {
    const connections = new Connections();
    await get(connections, '127.0.0.1');
    expect(await get(connections, '127.0.0.1')).toEqual({});
    connections.dropIdle();
    expect(await get(connections, '127.0.0.1')).toMatchObject({ isNew: true });
    connections.close();
  });

  test('is empty for a start that throws, and does not stay for the next one', async () => {
    const connections = new Connections();
    const failed: Opening = {};
    expect(() => connections.measure(failed, () => boom())).toThrow('boom');
    const agent = connections.agentOf({ protocol: 'https:' });
    const request = https.get({ host: '127.0.0.1', port, agent, ca: cert, servername: 'localhost' });
    const [response] = (await once(request, 'response')) as [http.IncomingMessage];
    response.resume();
    await once(response, 'close');
    expect(failed).toEqual({});
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
