import { invalidOption } from '../errors.js';
import type { TargetClient } from '../index.js';
import type { FetchRequestLike, NodeRequestLike, Visit } from './http.js';
import { clientSource } from './next-clients.js';
import { type NextTargetOptions, toNextOptions } from './next-options.js';
import type { NodeResponseLike } from './write-head.js';

export type { NextTargetOptions } from './next-options.js';

/** The answer that a proxy adds to, such as a `NextResponse`. */
export interface NextAnswerLike {
  readonly headers: Headers;
}

/** A request that a proxy has begun. */
export interface BegunRequest {
  /** The headers for the rest of Next.js: those of the request, with the visitor's identity and the URL of the page. */
  readonly headers: Headers;
  /**
   * Adds the visitor's cookies to an answer, and returns it. An answer whose headers cannot be changed is copied.
   */
  apply<Answer extends NextAnswerLike>(response: Answer): Answer;
}

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
  const client = clientSource(checked);
  const todo = (): never => {
    throw invalidOption('next', 'a finished entry', undefined);
  };
  function visitOf(_request: FetchRequestLike | NodeRequestLike, _response?: NodeResponseLike): Visit {
    return todo();
  }
  return {
    client,
    visit: async () => todo(),
    visitOf,
    begin: async () => todo(),
    proxy: async () => todo(),
    commit: async () => todo(),
    beacon: { POST: async () => todo() },
  };
}
