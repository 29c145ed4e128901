import { later } from '#platform';
import type { AnsweringParts } from './answer-call.js';
import { Background } from './background.js';
import { resolveConfig, resolvePayload, toConfigError, toOptionError } from './config/config.js';
import type { TargetClientConfig, WaitUntil } from './config/config-options.js';
import { CircuitBreaker } from './edge/circuit-breaker.js';
import { createEdgeDecider } from './edge/decider.js';
import { createEdgeRoute, type EdgeRoute } from './edge/route.js';
import { Events } from './events.js';
import { createTransport, type Transport } from './http/transport.js';
import { type IdSource, RANDOM_IDS } from './identity/ids.js';
import type { OwnHint } from './identity/location-hint.js';
import { lookForHiddenNames, withoutInherited } from './inherited-names.js';
import { isObject } from './json.js';
import { createLogger } from './logger.js';
import { type CallWatch, Observers } from './observer.js';
import { LazyOnDevice, toDeciders } from './on-device/lazy-decider.js';
import { BackgroundWork } from './reports/background-work.js';
import { TelemetryBuffer } from './reports/telemetry.js';
import type { DeliveryCounts, NotificationStats, ReadyState, TargetClientStats } from './stats.js';

/** The sources from which a client has the time and its ids, and its way to observe calls. Tests replace them. */
export interface ClientSources {
  /** Returns the time in ms since 1970. */
  readonly now: () => number;
  readonly ids: IdSource;
  /** Returns what watches the calls of the client's methods. It gets the observers of the configuration. */
  readonly toWatch: (observers: CallWatch) => CallWatch;
  /** True when the option `artifactPayload` counts as the current artifact, without a download that confirms it. */
  readonly isPayloadCurrent: boolean;
}

/** The time of the system, ids that nobody can guess, and the observers of the configuration alone. */
export const SYSTEM_SOURCES: ClientSources = {
  now: () => Date.now(),
  ids: RANDOM_IDS,
  toWatch: (observers) => observers,
  isPayloadCurrent: false,
};

/** The parts of a client. They live as long as the client does. */
export interface ClientParts extends AnsweringParts {
  readonly events: Events;
  readonly transport: Transport;
  readonly route: EdgeRoute;
  readonly background: Background;
  /** The on-device side of the client. It is `undefined` for a server-side client. */
  readonly onDevice: LazyOnDevice | undefined;
  /** Counts the delivery calls. */
  readonly counts: DeliveryCounts;
  readonly work: BackgroundWork;
}

/**
 * Makes the parts of a client.
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` when an option is missing or wrong.
 */
export function createClientParts(config: TargetClientConfig, sources: ClientSources): ClientParts {
  lookForHiddenNames();
  try {
    return joinParts(isObject(config) ? withoutInherited(config, toOptionError) : config, sources);
  } catch (cause) {
    throw toConfigError(cause, config);
  }
}

/** Makes the parts of a client and joins them. */
function joinParts(written: TargetClientConfig, sources: ClientSources): ClientParts {
  const logger = createLogger(written?.logger);
  const config = resolveConfig(written, logger);
  const { now, ids } = sources;
  const environment = { config, logger, now, ids, newId: ids.newUuid };
  const events = new Events(logger, config.events);
  const observers = new Observers(config.observers, logger);
  const transport = createTransport(config);
  const work = new BackgroundWork(config.waitUntil, logger);
  const telemetry = new TelemetryBuffer(config.telemetryEnabled, () =>
    work.handOver(background.sendTelemetry()),
  );
  const clientHint: OwnHint = { current: config.targetLocationHint };
  const counts: DeliveryCounts = { deliveries: 0, retries: 0, failures: 0 };
  const policy = config.circuitBreaker;
  const breaker = policy && new CircuitBreaker({ policy, events, logger });
  const shared = { events, observers, transport, telemetry, clientHint, breaker, counts, work };
  const parts = { ...environment, ...shared };
  const route = createEdgeRoute(parts);
  const background = new Background({ ...parts, route });
  const { notifications } = background;
  // The event comes in a microtask, so listeners that are added right after `create` get it too.
  const onFirst = () => queueMicrotask(() => events.emit({ type: 'clientReady' }));
  const onStart = (waitUntil: WaitUntil | undefined) => {
    if (background.lacksLocationHint) {
      // The artifact's request comes first, because callers wait for the artifact (benchmark start/ready-large).
      work.handOver(
        inNextTurn(() => background.learnLocationHint()),
        waitUntil,
      );
    }
  };
  let onDevice: LazyOnDevice | undefined;
  if (config.decisioningMethod === 'server-side') {
    onFirst();
  } else {
    const payload = resolvePayload(written);
    const { isPayloadCurrent } = sources;
    onDevice = new LazyOnDevice({ ...parts, notifications, onFirst, onStart, payload, isPayloadCurrent });
  }
  return {
    environment,
    events,
    observers: sources.toWatch(observers),
    transport,
    route,
    background,
    onDevice,
    deciders: toDeciders(createEdgeDecider(route), onDevice),
    clientHint,
    counts,
    answered: { decisions: 0 },
    work,
  };
}

/** The readiness of a client that needs no rules. */
export const BY_THE_EDGE: ReadyState = Object.freeze({ status: 'live', source: 'edge', ageMs: 0 });

/** Returns the counts and the state of a client, beside the counts of its reports. */
export function statsOf(parts: ClientParts, notifications: NotificationStats): TargetClientStats {
  const { onDevice, answered, counts, background, route } = parts;
  const state = onDevice ? onDevice.loaded?.state : BY_THE_EDGE;
  const artifact = onDevice?.loaded?.stats;
  const artifactStore = onDevice?.loaded?.storeStats;
  return {
    status: state?.status ?? 'waiting',
    ...answered,
    ...counts,
    notifications,
    relayed: background.relay.stats,
    ...(artifact && { artifact }),
    ...(artifactStore && { artifactStore }),
    circuitBreaker: route.circuitBreakerStats,
  };
}

/** Does work when the current turn of the event loop is over. Resolves when the work has ended. */
function inNextTurn(act: () => Promise<void>): Promise<void> {
  return new Promise((resolve) => later(() => resolve(act())));
}
