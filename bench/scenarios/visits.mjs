/**
 * A visit against the same by hand: what its comfort costs for each request of a browser. The difference is told as a
 * multiple of one decision, because a decision is what a page asks for.
 */
import { ServerResponse } from 'node:http';
import { largeArtifact } from '../artifacts.mjs';
import { operations } from '../operations.mjs';
import { ORGANIZATION, requestOf, visitorId } from '../visitors.mjs';

const MBOXES = [{ name: 'mbox-feature-flags', index: 1 }];
/** The cluster of every visitor is the client's own, so that no report looks for another one. */
const OF_CLUSTER = { targetLocationHint: '35' };
const HOST = 'www.example.com';
/** So that a slow machine, too, measures code that is compiled. */
const WARM_UP_CALLS = 50_000;
const EXPIRES = 4_102_444_800;

/** The request of the n-th visitor's browser, with the fields that Express adds to Node's. */
function browserRequest(index) {
  const { address, userAgent } = requestOf(index, {}, 'shop').context;
  const { pathname, search } = new URL(address.url);
  const mbox = encodeURIComponent(
    `session#${visitorId(index)}#${EXPIRES}|PC#${visitorId(index)}.35_0#${EXPIRES}`,
  );
  return {
    method: 'GET',
    url: pathname + search,
    originalUrl: pathname + search,
    protocol: 'https',
    hostname: HOST,
    socket: { encrypted: true },
    headers: {
      host: HOST,
      cookie: `theme=dark; mbox=${mbox}; mboxEdgeCluster=35`,
      referer: address.referringUrl,
      'user-agent': userAgent,
      'accept-language': 'en-GB,en;q=0.9',
      'sec-ch-ua': '"Chromium";v="120", "Not_A Brand";v="24"',
      'sec-ch-ua-mobile': '?0',
      'sec-ch-ua-platform': '"Windows"',
    },
  };
}

function newResponse() {
  return new ServerResponse({ method: 'GET', httpVersionMajor: 1, httpVersionMinor: 1, headers: {} });
}

/** One side: `connect` gets the client and the entry for HTTP, and returns what serves one request. */
function side(connect) {
  return operations(async () => {
    const { startOnDevice } = await import('../subjects/ours.mjs');
    const { client, sink } = await startOnDevice(largeArtifact(), OF_CLUSTER);
    const serve = await connect(client, await import('target-node-sdk/http'));
    const operation = (index) => serve(browserRequest(index), newResponse());
    return { operation, sink, owed: 1, warmUpCalls: WARM_UP_CALLS };
  });
}

/** The code that a user writes without visits, with the same calls of the package. */
const byHand = side((client, http) => async (request, response) => {
  const { readCookies, fromNodeRequest, toContext, toSetCookieHeaders } = http;
  const answer = await client.getOffers({
    request: { context: toContext(fromNodeRequest(request)), execute: { mboxes: MBOXES } },
    ...readCookies(request.headers.cookie, ORGANIZATION),
  });
  response.setHeader('Set-Cookie', toSetCookieHeaders(answer));
  response.setHeader('Cache-Control', 'private, no-store');
  response.writeHead(200);
  return contentOf(answer);
});

const withVisit = side((client, { createVisit, fromNodeRequest }) => async (request, response) => {
  const visit = createVisit(client, fromNodeRequest(request));
  const answer = await visit.getOffers({ request: { execute: { mboxes: MBOXES } } });
  for (const [name, value] of visit.headers()) {
    response.appendHeader(name, value);
  }
  response.writeHead(200);
  return contentOf(answer);
});

const withExpress = side(async (client) => {
  const { target } = await import('target-node-sdk/express');
  const middleware = target(client);
  return async (request, response) => {
    middleware(request, response, (error) => {
      if (error) {
        throw error;
      }
    });
    const answer = await request.target.getOffers({ request: { execute: { mboxes: MBOXES } } });
    response.writeHead(200);
    return contentOf(answer);
  };
});

/** The decision of on-device/execute-url. */
const decision = operations(async () => {
  const { startOnDevice } = await import('../subjects/ours.mjs');
  const { client, sink } = await startOnDevice(largeArtifact(), OF_CLUSTER);
  const operation = (index) =>
    client.getOffers({ request: requestOf(index, { execute: { mboxes: MBOXES } }, 'shop') });
  return { operation, sink, owed: 1, warmUpCalls: WARM_UP_CALLS };
});

const COMPONENTS = ['hero', 'menu', 'teaser', 'prices', 'reviews', 'footer'];

/** A page of six components, each of which asks Target by itself, on the edge. */
function page(connect) {
  return (host) =>
    operations(async () => {
      const { startServerSide } = await import('../subjects/ours.mjs');
      const client = startServerSide(host, OF_CLUSTER);
      const http = await import('target-node-sdk/http');
      const operation = (index) => {
        const ask = connect(client, http, browserRequest(index));
        return Promise.all(COMPONENTS.map(ask));
      };
      return { operation, warmUpCalls: 3000 };
    });
}

const sharedVisit = page((client, { createVisit, fromNodeRequest }, request) => {
  const visit = createVisit(client, fromNodeRequest(request));
  return (name) => visit.offer(name, name);
});

const separateCalls = page((client, { fromNodeRequest, readCookies, toContext }, request) => (name) => {
  const context = toContext(fromNodeRequest(request));
  return client.getOffers({
    request: { context, execute: { mboxes: [{ name }] } },
    ...readCookies(request.headers.cookie, ORGANIZATION),
  });
});

function contentOf({ response }) {
  return response.execute?.mboxes?.map(({ name, options }) => ({ name, options }));
}

/** @type {import('./index.mjs').Scenario[]} */
export const scenarios = [
  {
    name: 'visits/one-question',
    what: 'a request of a browser that asks once, on-device: a visit and the Express adapter, less the same by hand',
    sides: { visit: withVisit, express: withExpress, 'by hand': byHand, decision },
    same: ['by hand', 'visit', 'express'],
    comparisons: [
      { figure: 'cpuUs', of: 'express', minus: 'by hand', to: 'decision', costs: 1.5 },
      { figure: 'cpuUs', of: 'visit', minus: 'by hand', to: 'decision', costs: 1.5 },
      { figure: 'cpuUs', of: 'by hand', to: 'decision' },
    ],
  },
  {
    name: 'visits/six-components',
    what: 'a page of six components that each ask the edge: one visit, against six calls, each with an answer of 2 KB',
    server: { delivery: 2048 },
    sides: { 'one visit': sharedVisit, 'six calls': separateCalls },
    comparisons: [
      { figure: 'cpuUs', of: 'one visit', to: 'six calls', costs: 0.5 },
      { figure: 'p50Us', of: 'one visit', to: 'six calls', costs: 0.5 },
    ],
  },
];
