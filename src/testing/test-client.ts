import { toArtifact } from '../artifact.js';
import { TargetClient } from '../client.js';
import { SYSTEM_SOURCES } from '../client-parts.js';
import type { TargetClientConfig } from '../config/config-options.js';
import type { Notification } from '../delivery-api.js';
import { invalidOption, TargetError, type TargetErrorCode, toError } from '../errors.js';
import { withoutInherited } from '../inherited-names.js';
import { isRecord, parseJson } from '../json.js';
import { CallFaults, type FailOptions } from './call-faults.js';
import { EdgeAnswers } from './edge-answers.js';
import { type EdgeSetup, resolveSetup } from './edge-setup.js';
import { createInProcessFetch } from './in-process.js';
import { refuseUnknown } from './known-options.js';
import type { EdgeOffers } from './offers.js';
import { type ReceivedRequest, RequestLog } from './request-log.js';
import { stableSources } from './stable-sources.js';

/** Options of {@link createTestClient}. All of them may be left out. */
export interface TestClientOptions {
  /** The offers of the edge, by mbox, by view and for the page load. @default none */
  readonly offers?: EdgeOffers;
  /**
   * The rules, such as those of {@link buildArtifact}. The edge also decides by them what `offers` does not list. The
   * client has them as if it had downloaded them, so its status is `live`. With rules in `config.artifactPayload` it is
   * `cached`, as in production.
   */
  readonly artifact?: object | undefined;
  /**
   * Options of the client. The defaults make it quiet: no telemetry, retries, circuit breaker or polling. Its
   * `decisioningMethod` is `on-device` with an artifact alone, `hybrid` with an artifact and offers, and `server-side`
   * otherwise. `fetchApi`, `agent`, `proxy` and `artifactLocation` have no effect.
   */
  readonly config?: Partial<TargetClientConfig>;
  /** `stable` counts the ids in answers from 1 and stops the client's time, for snapshots. @default 'random' */
  readonly ids?: 'random' | 'stable';
}

/** The number of requests that a test client remembers. */
const MAX_REQUESTS = 10_000;

/**
 * Makes a real `TargetClient` for unit tests, and an edge in the same process that answers it. It opens no socket, and
 * leaves no timer and nothing else to close. It works with fake timers.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option.
 * @throws {TypeError} naming the location whose offers are wrong.
 * @example
 * ```ts
 * const { client } = createTestClient({ offers: { mboxes: { flags: json({ newCheckout: true }) } } });
 * const flags = await client.getAttributes(['flags']);
 * ```
 */
export function createTestClient(given: TestClientOptions = {}): TestClient {
  refuseUnknown(given, ['offers', 'artifact', 'config', 'ids'], 'createTestClient');
  const { offers, artifact, config = {}, ids = 'random' } = withoutInherited(given);
  if (ids !== 'random' && ids !== 'stable') {
    throw invalidOption('ids', '"random" or "stable"', ids);
  }
  if (!isRecord(config)) {
    throw invalidOption('config', 'an object', config);
  }
  const own = withoutInherited(config);
  const { client, organizationId, decisioningMethod } = own;
  const rules = artifact ?? own.artifactPayload;
  if (rules !== undefined) {
    checkArtifact(rules);
  }
  const sources = ids === 'stable' ? stableSources() : SYSTEM_SOURCES;
  const setup = resolveSetup(
    {
      ...(client && { client }),
      ...(organizationId && { organizationId }),
      ...(offers && { offers }),
      ...(rules && { artifact: rules }),
    },
    sources,
  );
  const method = decisioningMethod || methodOf(offers, rules);
  return new TestClient(setup, { ...own, decisioningMethod: method }, artifact !== undefined);
}

/** @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when a client cannot decide by an artifact. */
function checkArtifact(artifact: unknown): void {
  const path = 'artifact';
  if (!isRecord(artifact)) {
    throw invalidOption(path, 'an object', artifact);
  }
  try {
    toArtifact(parseJson(JSON.stringify(artifact)));
  } catch (cause) {
    throw new TargetError('ERR_TARGET_INVALID_CONFIG', `artifact: ${toError(cause).message}`, {
      path,
      cause,
    });
  }
}

function methodOf(offers: unknown, artifact: unknown): TargetClientConfig['decisioningMethod'] {
  if (!artifact) {
    return 'server-side';
  }
  return offers ? 'hybrid' : 'on-device';
}

/** A client for unit tests, with the edge that answers it. Make one with {@link createTestClient}. */
export class TestClient {
  /** The client, for the code under test. Closing it is not needed. */
  readonly client: TargetClient;
  readonly #answers: EdgeAnswers;
  readonly #faults = new CallFaults();
  readonly #log = new RequestLog(MAX_REQUESTS);
  #isTakingArtifact = false;
  #taken: Promise<void> = Promise.resolve();

  /** Users call {@link createTestClient}. @internal */
  constructor(setup: EdgeSetup, config: Partial<TargetClientConfig>, isPayloadCurrent: boolean) {
    const { client, organizationId, locationHint, artifact, sources } = setup;
    this.#answers = new EdgeAnswers(setup);
    const fetchApi = createInProcessFetch({
      answers: this.#answers,
      faults: this.#faults,
      log: (request) => {
        // The program under test has not asked for the artifact that the test sets.
        if (!(this.#isTakingArtifact && request.method === 'GET')) {
          this.#log.add(request);
        }
      },
      now: sources.now,
    });
    const quiet: Partial<TargetClientConfig> = {
      // The client would ask for the hint otherwise.
      targetLocationHint: config.targetLocationHint || locationHint,
      telemetryEnabled: config.telemetryEnabled ?? false,
      circuitBreaker: config.circuitBreaker ?? false,
      retry: config.retry ?? { retries: 0 },
      pollingInterval: config.pollingInterval ?? 0,
    };
    const inProcess = { fetchApi, agent: undefined, proxy: undefined, artifactLocation: undefined };
    this.client = TargetClient.createFrom(
      { ...config, ...quiet, ...inProcess, client, organizationId, artifactPayload: artifact },
      { ...sources, isPayloadCurrent, toWatch: (observers) => this.#faults.within(observers) },
    );
  }

  /** The newest 10 000 requests that the edge has got, the oldest first. */
  get requests(): readonly ReceivedRequest[] {
    return this.#log.requests;
  }

  /**
   * The notifications in `requests` that the edge has taken. Displays of on-device decisions are sent in the
   * background, so call `await client.flush()` first.
   */
  get notifications(): readonly Notification[] {
    return this.#log.requests.flatMap(({ status = 0, delivery }) =>
      status >= 200 && status < 300 ? (delivery?.notifications ?? []) : [],
    );
  }

  /**
   * Replaces all offers of the edge.
   * @throws {TypeError} naming the location whose offers are wrong.
   */
  readonly setOffers = (offers: EdgeOffers): void => {
    this.#answers.setOffers(offers);
  };

  /**
   * Replaces the rules. The promise resolves when the client decides by them.
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` as a rejection, for rules that cannot be used. The earlier ones stay.
   */
  readonly setArtifact = (artifact: object): Promise<void> => {
    const taken = this.#taken.then(() => this.#take(artifact));
    this.#taken = taken.catch(() => undefined);
    return taken;
  };

  /**
   * Makes the next calls of the client reject with an error of this code. Each of the client's methods counts as a
   * call, also when a visit calls it. Work in the background does not fail.
   *
   * Calls fail as in production. The edge gets a call that then times out, is aborted, loses its connection, or is
   * answered with the status 500 or with a page. Calls with the other codes are not sent. An on-device decision is
   * never sent.
   *
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a code that no call rejects with.
   * @example
   * ```ts
   * fail('ERR_TARGET_TIMEOUT', { times: 1 });
   * ```
   */
  readonly fail = (code: TargetErrorCode, options?: FailOptions): void => {
    this.#faults.add(code, options);
  };

  /** Forgets all requests and notifications, and lets no more calls fail. Offers and rules stay. */
  readonly clear = (): void => {
    this.#faults.clear();
    this.#log.clear();
  };

  async #take(artifact: object): Promise<void> {
    checkArtifact(artifact);
    this.#answers.setArtifact(artifact);
    this.#isTakingArtifact = true;
    try {
      await this.client.refresh();
    } finally {
      this.#isTakingArtifact = false;
    }
  }
}
