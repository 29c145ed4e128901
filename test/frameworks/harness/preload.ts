/**
 * Runs before a server of the tests: the port that the server names is a free one, which the tests are told, and code knows
 * the HTTP request that it answers.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AddressInfo, Server } from 'node:net';

/** An HTTP request and its answer, as Node has them. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

const NAMED_PORT = 3000;
const exchanges = new AsyncLocalStorage<Exchange>();

/** Returns the exchange that this code is part of. */
export function currentExchange(): Exchange {
  const exchange = exchanges.getStore();
  if (!exchange) {
    throw new Error('this code answers no request');
  }
  return exchange;
}

subscribe('http.server.request.start', (message) => exchanges.enterWith(message as Exchange));

const { listen } = Server.prototype;
Server.prototype.listen = function (this: Server, ...given: unknown[]): Server {
  const anyPort = given.map((argument) => {
    if (argument === NAMED_PORT) {
      return 0;
    }
    const hasPort = typeof argument === 'object' && argument !== null && 'port' in argument;
    return hasPort && argument.port === NAMED_PORT ? { ...argument, port: 0 } : argument;
  });
  this.once('listening', () => {
    const { address, family, port } = this.address() as AddressInfo;
    const host = family === 'IPv6' ? (address === '::' ? '127.0.0.1' : `[${address}]`) : address;
    process.send?.({ url: `http://${host === '0.0.0.0' ? '127.0.0.1' : host}:${port}` });
  });
  return Reflect.apply(listen, this, anyPort);
};
