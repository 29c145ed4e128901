import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, expect } from '@jest/globals';
import { html, type OfferFunction } from '../../src/testing/edge.js';
import { type WithEdge, withEdge } from '../with-edge.js';

/** The cookies of a visit, as they are in `Set-Cookie`. */
export const VISIT_COOKIES = [expect.stringMatching(/^mbox=/), expect.stringMatching(/^mboxEdgeCluster=/)];

/** An answer of a server of a test. */
export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Asks for a page, on a connection of its own. */
export async function open(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  const asked = get(url, { headers, agent: false });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
}

/** What the tests of an adapter share. */
export interface Serving extends Omit<WithEdge, 'edge'> {
  /** The local edge. It has the mbox `hero`, and the mbox `url` whose content is the address of the page. */
  edge(): WithEdge['edge'];
  /** Ends something behind the test. */
  add(stop: () => unknown): void;
  /** Serves until the end of the test, and resolves with the URL. */
  serve(app: RequestListener): Promise<string>;
}

/** Starts a local edge for the tests of an adapter, and ends behind each test what that has started. */
export function withServing(): Serving {
  const address: OfferFunction = (_, { request }) => html(request.context?.address?.url ?? 'no address');
  const withIt = withEdge({ offers: { mboxes: { hero: html('<h1>Hero</h1>'), url: address } } });
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) {
      await stop();
    }
  });
  const add = (stop: () => unknown) => void stops.push(stop);
  const serve = async (app: RequestListener) => {
    const server = createServer(app).listen(0, '127.0.0.1');
    await once(server, 'listening');
    add(() => {
      server.close();
      server.closeAllConnections();
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  return { ...withIt, edge: () => withIt.edge, add, serve };
}
