import pRetry from 'p-retry';
import { allowListeners, defaultFetch, later, loadDefaultFetch, sockets } from '#platform';
import { quietly } from '../call-safely.js';
import { TargetError } from '../errors.js';
import { withoutInherited } from '../inherited-names.js';
import { isThenable } from '../json.js';
import { attempt } from './attempt.js';
import { contained } from './contained-agent.js';
import { type Span, sleep, within } from './deadline.js';
import { type Exchanged, type ExchangeRequest, type Progress, unsent, type Wire } from './exchange.js';
import { toLimitError } from './failures.js';
import type { AgentOption, FetchApi, FetchInit, FetchResponse, UrlLike } from './fetch-api.js';
import { IssuedIds } from './mixed-answers.js';
import type { ProxyRules } from './proxy-rules.js';
import { retryWaitMs, verdictOn } from './retry.js';

/** The client's only way to the network. */
export interface Transport {
  /** Sends a request, retries it by its rules, and reads the answer. Rejects with a TargetError. */
  exchange(request: ExchangeRequest): Promise<Exchanged>;
  /** Looks a host's name up. Undefined when a fetch or a proxy does that. */
  readonly lookUp: ((hostname: string) => Promise<unknown>) | undefined;
  /** The ids of the calls on the same connections. Undefined for a fetch of the caller that has no `dropIdle`. */
  readonly issued: IssuedIds | undefined;
  /** Closes idle connections at once, and connections in use after their answers. */
  close(): void;
}

/** The parts of the configuration that the transport uses. */
export interface TransportOptions {
  readonly fetchApi: FetchApi | undefined;
  readonly agent: AgentOption | undefined;
  /** The proxies that connections go through. Undefined when there are none. */
  readonly proxies: ProxyRules | undefined;
}

/** Makes the client's transport. It uses the caller's fetch, or else node-fetch on keep-alive connections. */
export function createTransport({ fetchApi: given, agent, proxies }: TransportOptions): Transport {
  const fetchApi = (proxies && given && withoutInherited(given).proxied?.(proxies)) ?? given;
  const connections = fetchApi || agent ? undefined : sockets?.open(proxies);
  const call = fetchApi ?? defaultFetch;
  const traits = withoutInherited(call);
  // The default fetch calls the methods of the agent through Node, which ignores their rejections.
  const guard = fetchApi ? asGiven : contained;
  const own = isChooser(agent) ? (url: URL) => guard(chosenBy(agent, url)) : agent && guard(agent);
  const chosen = own ?? (connections && ((url: URL) => connections.agentOf(url)));
  const send = (url: string, init: FetchInit) => call(url, chosen ? withField(init, 'agent', chosen) : init);
  const issued = issuedOn(fetchApi);
  const start: Wire['send'] = (trip, init, span) =>
    connections
      ? connections.start(
          trip,
          (body) => send(trip.url, withField(init, 'body', body)),
          () => span.drop(),
        )
      : send(trip.url, init);
  const wire: Wire = {
    issued,
    takesAnySignal: traits.takesAnySignal === true,
    send: (trip, init, span) => {
      const loading = fetchApi ? undefined : loadDefaultFetch();
      if (!loading) {
        return start(trip, init, span);
      }
      return loading.then(() => {
        // The body of a request that node-fetch does not even begin would throw where nobody can catch it.
        if (span.aborted) {
          throw span.reason;
        }
        return start(trip, init, span);
      });
    },
    onDead: ({ url, opening }, sentAt) => {
      // A new connection that died says nothing about older ones.
      if (opening.isNew) {
        return;
      }
      quietly(() =>
        agent
          ? sockets?.dropIdleOf(agentOf(agent, url), url)
          : (connections ?? (traits.dropIdle && fetchApi))?.dropIdle?.(url, sentAt),
      );
    },
    discard: (trip, response) => {
      // The caller's own agent does not tell which connection carried the answer. That connection will be idle in a
      // moment, so all idle ones are closed then.
      if (agent) {
        later(() => quietly(() => sockets?.dropIdleOf(agentOf(agent, trip.url), trip.url)));
      } else {
        quietly(() => (connections ? connections.discard(trip) : discardOf(response)?.call(response)));
      }
    },
  };
  return {
    exchange: (request) => exchange(request, wire),
    // A name may have an address only behind the proxy, so nothing is looked up here.
    lookUp:
      !proxies && (connections || (fetchApi && traits.connectsDirectly && !agent))
        ? sockets?.lookUp
        : undefined,
    issued,
    close: () => connections?.close(),
  };
}

function discardOf(response: FetchResponse): FetchResponse['discard'] {
  return Object.hasOwn(Object.prototype, 'discard') ? withoutInherited(response).discard : response.discard;
}

/** Adds a field to the options of a fetch. An assignment would fail if objects inherited a getter of its name. */
function withField<Init extends FetchInit>(init: Init, name: string, value: unknown): Init {
  return Object.defineProperty(init, name, {
    value,
    writable: true,
    enumerable: true,
    configurable: true,
  });
}

function agentOf(agent: AgentOption, url: string): object {
  return isChooser(agent) ? chosenBy(agent, new URL(url)) : agent;
}

function asGiven(agent: object): object {
  return agent;
}

function isChooser(agent: AgentOption | undefined): agent is (url: UrlLike) => object {
  return typeof agent === 'function';
}

/**
 * Returns the agent that the caller's function chooses. A promise is refused, because it cannot carry a call. Its
 * rejection would be unhandled.
 */
function chosenBy(choose: (url: UrlLike) => object, url: URL): object {
  const chosen = choose(url);
  if (!isThenable(chosen)) {
    return chosen;
  }
  quietly(() => chosen);
  const message = 'agent must return an agent, not a promise of one';
  throw new TargetError('ERR_TARGET_INVALID_CONFIG', message, { path: 'agent' });
}

/** The ids of the calls by fetch. Clients that share a fetch share its connections, and so its ids. */
const issuedByFetch = new WeakMap<FetchApi, IssuedIds>();

function issuedOn(fetchApi: FetchApi | undefined): IssuedIds | undefined {
  if (!fetchApi) {
    return new IssuedIds();
  }
  // The caller's own fetch may answer several calls from memory, all with the id of the first call.
  if (!withoutInherited(fetchApi).dropIdle) {
    return undefined;
  }
  const issued = issuedByFetch.get(fetchApi) ?? new IssuedIds();
  issuedByFetch.set(fetchApi, issued);
  return issued;
}

/** Sends a request with its retries. One deadline holds for all attempts and waits together. */
function exchange(request: ExchangeRequest, wire: Wire): Promise<Exchanged> {
  if (request.bodyId !== undefined) {
    wire.issued?.add(request.bodyId);
  }
  const progress = unsent(request, wire);
  const isSentOnce = request.retry.retries === 0;
  return within(
    { timeoutMs: request.timeoutMs, signal: request.signal },
    (span) => (isSentOnce ? attempt(progress, span) : attemptWithRetries(progress, span)),
    (limit, span) => {
      const { phase, trip, sentAt } = progress;
      if (limit === 'deadline' && phase !== 'waiting' && trip) {
        wire.onDead(trip, sentAt);
      }
      return toLimitError(progress, limit, span);
    },
  );
}

/**
 * Sends attempts, which p-retry counts and repeats. The waits are not those of p-retry, because it has no full jitter
 * and ignores Retry-After. All options are given: p-retry takes 10 µs to fill in missing ones, and 1 µs for everything
 * else.
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

/**
 * Waits until the next attempt may start. Returns false when there is none. Rejects when the call is cut off meanwhile.
 */
async function waitForNext(progress: Progress, span: Span, error: Error): Promise<boolean> {
  const { request, attempts } = progress;
  const { isReport, givesUpOn, retry } = request;
  if (span.aborted || !(error instanceof TargetError)) {
    return false;
  }
  if (!verdictOn(error, { isReport }).isRetryable || givesUpOn?.(error)) {
    return false;
  }
  const waitMs = retryWaitMs(retry, attempts, error);
  progress.phase = 'waiting';
  if (performance.now() + waitMs >= span.deadline) {
    return false;
  }
  // Each attempt adds a listener, and Node warns when there are more than ten.
  allowListeners(span.signal);
  if (waitMs > 0) {
    await sleep(waitMs, span.signal);
  }
  return true;
}
