import { EventEmitter, once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  beaconScript,
  createVisit,
  fromNodeRequest,
  handleBeacon,
  toBeacon,
  type VisitOptions,
} from '../../src/adapters/http.js';
import { displayed, type TargetClient } from '../../src/index.js';

const NONCE = 'MTIzNDU2Nzg5MDEyMzQ1Ng==';
const OPTIONS: VisitOptions = { beacon: '/target/beacon', cookies: { secure: false } };

/** Makes a browser load the next page before the visitor asks for it. */
const SPECULATION = '{"prerender":[{"source":"list","urls":["/next?executed"],"eagerness":"immediate"}]}';
/** No request of a browser takes so long, on any machine. */
const MAX_WAIT_MS = 60_000;

/** A beacon that arrived: its header and the status of its answer. */
export interface ArrivedBeacon {
  readonly site: string | undefined;
  readonly contentType: string | undefined;
  readonly status: number;
}

/** A shop on `node:http`, whose pages are made of prefetched or of executed offers. */
export interface Shop {
  readonly url: string;
  readonly beacons: readonly ArrivedBeacon[];
  /** The number of impressions that the pages so far have left to the browser. */
  readonly uncounted: number;
  /** Resolves when so many requests for a path have arrived. */
  arrived(path: string, count?: number): Promise<void>;
  close(): Promise<void>;
}

/** Starts the shop. Each page has a hero at its top, a box far below it, a button, and a link to another page. */
export async function startShop(client: TargetClient): Promise<Shop> {
  const beacons: ArrivedBeacon[] = [];
  const paths: string[] = [];
  const arrivals = new EventEmitter();
  let uncounted = 0;
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://shop').pathname;
    const handle = async () => {
      if (path === '/target/beacon') {
        beacons.push(await takeBeacon(client, request, response));
      } else if (path === '/' || path === '/next') {
        uncounted += await sendPage(client, request, response);
      } else {
        response.writeHead(204).end();
      }
      paths.push(path);
      arrivals.emit('request');
    };
    handle().catch((error: unknown) => response.destroy(error instanceof Error ? error : undefined));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    beacons,
    get uncounted() {
      return uncounted;
    },
    arrived: async (path, count = 1) => {
      const limit = AbortSignal.timeout(MAX_WAIT_MS);
      while (paths.filter((one) => one === path).length < count) {
        await once(arrivals, 'request', { signal: limit });
      }
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function takeBeacon(
  client: TargetClient,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<ArrivedBeacon> {
  const { status, headers } = await handleBeacon(
    client,
    fromNodeRequest(request),
    await text(request),
    OPTIONS,
  );
  for (const [name, value] of headers) {
    response.appendHeader(name, value);
  }
  response.writeHead(status).end();
  const site = request.headers['sec-fetch-site'];
  return { site: site?.toString(), contentType: request.headers['content-type'], status };
}

async function sendPage(
  client: TargetClient,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<number> {
  const visit = createVisit(client, fromNodeRequest(request), OPTIONS);
  const mboxes = [{ name: 'hero' }, { name: 'box' }];
  const { searchParams } = new URL(request.url ?? '/', 'http://shop');
  const asks = searchParams.has('executed') ? 'execute' : 'prefetch';
  const answer = await visit.getOffers({ request: { [asks]: { mboxes } } });
  for (const [name, value] of visit.headers()) {
    // The browser may keep the page for the way back.
    response.appendHeader(name, name === 'Cache-Control' ? 'private, no-cache' : value);
  }
  response.setHeader(
    'Content-Security-Policy',
    `default-src 'self'; img-src data:; script-src 'nonce-${NONCE}'`,
  );
  response.setHeader('Content-Type', 'text/html; charset=utf-8');
  response.end(`<!doctype html><title>Shop</title><link rel="icon" href="data:,">
<script type="application/json" data-target-beacon>${toBeacon(answer)}</script>
${beaconScript({ endpoint: '/target/beacon', nonce: NONCE }).repeat(searchParams.has('twice') ? 2 : 1)}
${searchParams.has('speculating') ? `<script type="speculationrules" nonce="${NONCE}">${SPECULATION}</script>` : ''}
<h1 data-target-display="hero" id="hero"><b data-target-display="hero">Hero</b></h1>
<p><button data-target-click="hero"><span id="claim">Claim</span></button> <a id="next" href="/next?executed" data-target-click="box">Next</a>
<pre>${'\n'.repeat(300)}</pre>
<div data-target-display="box" id="box">Box</div>`);
  return displayed(answer).length;
}
