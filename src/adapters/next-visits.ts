import type { TargetClient } from '../index.js';
import { ownFieldOf } from '../inherited-names.js';
import { warnOnce } from '../visits/warn-once.js';
import { createVisit, type IncomingRequest, type Visit, type VisitOptions } from './http.js';
import { loadServer } from './next-modules.js';
import type { NextOptions } from './next-options.js';
import { type ReadRequest, uncountedByRouter } from './next-requests.js';

/** The visits of a request, by their clients. */
type VisitsByClient = WeakMap<TargetClient, Visit>;

/**
 * The key of the visits on the global object, by the objects that stand for requests: Next.js gives all components of a
 * page the same headers, whichever copy of a file they are in.
 */
const VISITS = Symbol.for('target-node-sdk/next/visits');
const UNPROXIED =
  'the proxy of Next.js has not seen the request for a page: its URL is not known, and a new visitor is lost. ' +
  'Export target.proxy from proxy.ts, for this page too, and see the option trustProxy';
const holder = globalThis as { [VISITS]?: WeakMap<object, VisitsByClient> };

const UNFLUSHED =
  "flush: 'after' does nothing in the Pages Router, so reports may be lost: set the option waitUntil, or await client.flush()";

/** Makes the visits of a target. */
export interface VisitMaker {
  /** Returns the visit of the request that an object stands for. It is made when it is first asked for. */
  of(request: object, read: () => ReadRequest): Visit;
  /** Says what is known of a request, for its visit. */
  know(request: object, read: ReadRequest): void;
  /** Returns the visit that an object stands for, if it has been made. */
  find(request: object): Visit | undefined;
}

/** Makes the visits of a target. There is one for each request and client. */
export function visitMaker(client: () => TargetClient, options: NextOptions): VisitMaker {
  const known = new WeakMap<object, ReadRequest>();
  const make = (request: object, read: ReadRequest): Visit => {
    const visit = makeVisit(client(), read, options);
    holder[VISITS] ??= new WeakMap();
    const visits: VisitsByClient = holder[VISITS].get(request) ?? new WeakMap();
    holder[VISITS].set(request, visits.set(client(), visit));
    return visit;
  };
  const find = (request: object) => holder[VISITS]?.get(request)?.get(client());
  return {
    of: (request, read) => find(request) ?? make(request, known.get(request) ?? read()),
    know: (request, read) => void known.set(request, read),
    find,
  };
}

function makeVisit(
  client: TargetClient,
  { incoming, isOfRouter, isUnproxied }: ReadRequest,
  options: NextOptions,
): Visit {
  if (isUnproxied) {
    warnOnce(client.forVisits.logger, UNPROXIED);
  }
  const all = toVisitOptions(client, options);
  const own = isOfRouter ? uncountedByRouter(all) : all;
  return createVisit(client, own === all ? incoming : asPrefetch(incoming), own);
}

/** Returns the options of the visit of one request. */
export function toVisitOptions(client: TargetClient, options: NextOptions): VisitOptions {
  const waitUntil = lastingWork(client, options);
  // A spread would not find the options that are getters of a class.
  return Object.create(options.visits, { waitUntil: { value: waitUntil, enumerable: true } });
}

/** Returns a request that visits take for a speculative one. */
function asPrefetch(incoming: IncomingRequest): IncomingRequest {
  return {
    ...incoming,
    header: (name) => (name === 'sec-purpose' ? 'prefetch' : incoming.header(name)),
  };
}

/**
 * Makes the function that lets the platform wait for work after the answer, unless a `waitUntil` of the program does that.
 * `next start` waits for it too, before it ends.
 */
function lastingWork(client: TargetClient, options: NextOptions): NonNullable<VisitOptions['waitUntil']> {
  const own = options.visits.waitUntil ?? waitUntilOf(options.client);
  let isFlushed = !options.flushes;
  return (work) => {
    const isFirst = !isFlushed;
    isFlushed = true;
    own?.(work);
    const works = [own ? undefined : work, isFirst ? () => client.flush() : undefined];
    void afterAnswer(client, works, options.flushes && !own);
  };
}

function waitUntilOf(client: NextOptions['client']): VisitOptions['waitUntil'] {
  const waitUntil = typeof client === 'function' ? undefined : ownFieldOf(client, 'waitUntil');
  return typeof waitUntil === 'function' ? (waitUntil as NonNullable<VisitOptions['waitUntil']>) : undefined;
}

/**
 * Gives work to `after` of Next.js. It needs a request of the App Router, and Next.js from 15.1 on. When the program or
 * the platform needs it, its absence is worth a warning.
 */
async function afterAnswer(
  client: TargetClient,
  works: readonly (Promise<unknown> | (() => unknown) | undefined)[],
  isNeeded: boolean,
): Promise<void> {
  const { logger } = client.forVisits;
  try {
    const { after } = await loadServer();
    for (const work of works) {
      if (work) {
        after(work);
      }
    }
  } catch {
    if (isNeeded) {
      warnOnce(logger, UNFLUSHED);
      return;
    }
    logger.debug('work goes on after the answer, and Next.js does not wait for it');
  }
}
