import type { TargetClient } from '../index.js';
import type { NodeRequestLike, Visit } from './http.js';
import { answerBeacon } from './next-beacon.js';
import { clientSource } from './next-clients.js';
import { commitCookies } from './next-commit.js';
import { loadServer } from './next-modules.js';
import { type NextTargetOptions, toNextOptions } from './next-options.js';
import { type BegunRequest, beginRequest } from './next-proxy.js';
import { readHeaders, readNodeRequest, readWebRequest } from './next-requests.js';
import { currentHeaders } from './next-scope.js';
import { toVisitOptions, visitMaker } from './next-visits.js';
import { type NodeResponseLike, writeWithHead } from './write-head.js';

export type { NextTargetOptions } from './next-options.js';
export type { BegunRequest, NextAnswerLike } from './next-proxy.js';

/** Target in a program of Next.js. All functions can be taken off it and exported by themselves. */
export interface NextTarget {
  /**
   * Returns the client. It is made at first use, and there is one in a process.
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when an option of its config is missing or wrong.
   */
  client(): TargetClient;
  /** Resolves with the visit of the request: in server components, route handlers and server actions. */
  visit(): Promise<Visit>;
  /** Returns the visit of a request of the Fetch API: in a proxy and in handlers that get one. */
  visitOf(request: Request): Visit;
  /** Returns the visit of a request of the Pages Router, and writes its cookies with the answer. */
  visitOf(request: NodeRequestLike, response: NodeResponseLike): Visit;
  /** Begins a request in a proxy that does more than this. */
  begin(request: Request): Promise<BegunRequest>;
  /** Answers a request in a proxy: the page sees the visitor's identity, and the browser gets it. */
  proxy(request: Request): Promise<Response>;
  /** Writes the visitor's cookies in a server action or a route handler, when Target has changed the ids. */
  commit(): Promise<void>;
  /** The endpoint for reports of what pages have shown. */
  readonly beacon: {
    /** Answers a report of a browser. */
    POST(request: Request): Promise<Response>;
  };
}

export function createNextTarget(options: NextTargetOptions): NextTarget {
  const checked = toNextOptions(options);
  const { trustProxy } = checked;
  const client = clientSource(checked);
  const visits = visitMaker(client, checked);
  const begin = (request: Request) => beginRequest(request, client(), checked, visits);
  return {
    client,
    visit: async () => {
      const headers = await currentHeaders();
      return visits.of(headers, () => readHeaders(headers, trustProxy));
    },
    visitOf: (request: Request | NodeRequestLike, response?: NodeResponseLike) => {
      if (!response) {
        return visits.of(request, () => readWebRequest(request as Request, trustProxy));
      }
      const before = visits.find(request);
      const visit = visits.of(request, () => readNodeRequest(request as NodeRequestLike, trustProxy));
      if (!before) {
        writeWithHead(response, visit);
      }
      return visit;
    },
    begin,
    proxy: async (request) => {
      const { NextResponse } = await loadServer();
      const { headers, apply } = await begin(request);
      return apply(NextResponse.next({ request: { headers } }));
    },
    commit: async () => {
      const headers = await currentHeaders();
      const visit = visits.of(headers, () => readHeaders(headers, trustProxy));
      await commitCookies(client(), visit, readHeaders(headers, trustProxy).incoming);
    },
    beacon: {
      POST: (request) =>
        answerBeacon(
          client(),
          request,
          readWebRequest(request, trustProxy).incoming,
          toVisitOptions(client(), checked),
        ),
    },
  };
}
