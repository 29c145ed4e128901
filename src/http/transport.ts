import pRetry from 'p-retry';
import { allowListeners, defaultFetch, later, sockets } from '#platform';
import { quietly } from '../call-safely.js';
import { TargetError } from '../errors.js';
import { withoutInherited } from '../inherited-names.js';
import { isThenable } from '../json.js';
import { attempt } from './attempt.js';
import { type Span, sleep, within } from './deadline.js';
import { type Exchanged, type ExchangeRequest, type Progress, unsent, type Wire } from './exchange.js';
import { toLimitError } from './failures.js';
import type { AgentOption, FetchApi, FetchInit, UrlLike } from './fetch-api.js';
import { IssuedIds } from './mixed-answers.js';
import type { ProxyRules } from './proxy-rules.js';
import { retryWaitMs, verdictOn } from './retry.js';

/** The one way to the network. */
export interface Transport {
  exchange(request: ExchangeRequest): Promise<Exchanged>;
  /** Looks a host's name up, where that is not left to a fetch or a proxy. */
  readonly lookUp: ((hostname: string) => Promise<unknown>) | undefined;
  /** The ids of the calls that share its connections; undefined where a fetch of the caller's has them. */
  readonly issued: IssuedIds | undefined;
  /** Closes idle connections; those in use close after their answer. */
  close(): void;
}

/** The transport's part of the configuration. */
export interface TransportOptions {
  readonly fetchApi: FetchApi | undefined;
  readonly agent: AgentOption | undefined;
  /** The proxies that connections go through; undefined for none. */
  readonly proxies: ProxyRules | undefined;
}

/** Makes the client's transport: an injected fetch, or node-fetch on keep-alive connections. */
export function createTransport({ fetchApi: given, agent, proxies }: TransportOptions): Transport {
  const fetchApi = (proxies && given?.proxied?.(proxies)) ?? given;
  const connections = fetchApi || agent ? undefined : sockets?.open(proxies);
  const call = fetchApi ?? defaultFetch;
  const traits = withoutInherited(call);
  const own = isChooser(agent) ? (url: URL) => chosenBy(agent, url) : agent;
  const chosen = own ?? (connections && ((url: URL) => connections.agentOf(url)));
  const send = (url: string, init: FetchInit) =>
    call(url, chosen ? Object.assign(init, { agent: chosen }) : init);
  const issued = issuedOn(fetchApi);
  const wire: Wire = {
    issued,
    takesAnySignal: traits.takesAnySignal === true,
    send: (trip, init, span) =>
      connections
        ? connections.start(
            trip,
            (body) => send(trip.url, Object.assign(init, { body })),
            () => span.drop(),
          )
        : send(trip.url, init),
    onDead: ({ url, opening }, sentAt) => {
      // One that was opened for the attempt says nothing of those that were open before.
      if (opening.isNew) return;
      quietly(() =>
        agent
          ? sockets?.dropIdleOf(agentOf(agent, url), url)
          : (connections ?? (traits.dropIdle && fetchApi))?.dropIdle?.(url, sentAt),
      );
    },
    discard: (trip, response) => {
      // An agent of the caller's does not tell which connection it was, but has it back in a moment.
      if (agent) later(() => quietly(() => sockets?.dropIdleOf(agentOf(agent, trip.url), trip.url)));
      else quietly(() => (connections ? connections.discard(trip) : response.discard?.()));
    },
  };
  return {
    exchange: (request) => exchange(request, wire),
    // Behind a proxy, a name may have an address there alone.
    lookUp:
      !proxies && (connections || (fetchApi && traits.connectsDirectly && !agent))
        ? sockets?.lookUp
        : undefined,
    issued,
    close: () => connections?.close(),
  };
}

function agentOf(agent: AgentOption, url: string): object {
  return isChooser(agent) ? chosenBy(agent, new URL(url)) : agent;
}

function isChooser(agent: AgentOption | undefined): agent is (url: UrlLike) => object {
  return typeof agent === 'function';
}

/** What a function of the caller's gives for an agent. A promise cannot carry a call, and may reject unheard. */
function chosenBy(choose: (url: UrlLike) => object, url: URL): object {
  const chosen = choose(url);
  if (!isThenable(chosen)) return chosen;
  quietly(() => chosen);
  const message = 'agent must return an agent, not a promise of one';
  throw new TargetError('ERR_TARGET_INVALID_CONFIG', message, { path: 'agent' });
}

/** The ids by the fetch whose connections clients share. */
const issuedByFetch = new WeakMap<FetchApi, IssuedIds>();

function issuedOn(fetchApi: FetchApi | undefined): IssuedIds | undefined {
  if (!fetchApi) return new IssuedIds();
  // A fetch of the caller's may answer from memory, and the same to several calls.
  if (!withoutInherited(fetchApi).dropIdle) return undefined;
  const issued = issuedByFetch.get(fetchApi) ?? new IssuedIds();
  issuedByFetch.set(fetchApi, issued);
  return issued;
}

/** One request with its repetitions, all of it within one deadline, whatever the fetch does. */
function exchange(request: ExchangeRequest, wire: Wire): Promise<Exchanged> {
  if (request.bodyId !== undefined) wire.issued?.add(request.bodyId);
  const progress = unsent(request, wire);
  const isSentOnce = request.retry.retries === 0;
  return within(
    { timeoutMs: request.timeoutMs, signal: request.signal },
    (span) => (isSentOnce ? attempt(progress, span) : attemptWithRetries(progress, span)),
    (limit, span) => {
      const { phase, trip, sentAt } = progress;
      if (limit === 'deadline' && phase !== 'waiting' && trip) wire.onDead(trip, sentAt);
      return toLimitError(progress, limit, span);
    },
  );
}

/**
 * Attempts that p-retry counts and repeats. The waits are ours, for it has no full jitter and does not know Retry-After.
 * Every option is given: it takes ten microseconds to fill in those that are missing, and one for all the rest.
 */
function attemptWithRetries(progress: Progress, span: Span): Promise<Exchanged> {
  return pRetry(() => attempt(progress, span), {
    retries: progress.request.retry.retries,
    minTimeout: 0,
    maxTimeout: 0,
    factor: 1,
    randomize: false,
    maxRetryTime: Number.POSITIVE_INFINITY,
    signal: undefined,
    onFailedAttempt: nothing,
    shouldConsumeRetry: always,
    shouldRetry: ({ error }) => waitForNext(progress, span, error),
  });
}

const nothing = () => undefined;
const always = () => true;

/** Waits until the next attempt may begin; false when there is to be none. Rejects when the call is cut off meanwhile. */
async function waitForNext(progress: Progress, span: Span, error: Error): Promise<boolean> {
  const { request, attempts } = progress;
  const { isReport = false, givesUpOn, retry } = request;
  if (span.aborted || !(error instanceof TargetError)) return false;
  if (!verdictOn(error, { isReport }).isRetryable || givesUpOn?.(error)) return false;
  const waitMs = retryWaitMs(retry, attempts, error);
  progress.phase = 'waiting';
  if (performance.now() + waitMs >= span.deadline) return false;
  // Each attempt listens to it, and Node warns of more than ten.
  allowListeners(span.signal);
  if (waitMs > 0) await sleep(waitMs, span.signal);
  return true;
}
