import type { ObservedCall, TargetClient, TargetClientStats } from '../index.js';
import {
  type Attributes,
  type BatchObservableCallback,
  diag,
  type Histogram,
  type Meter,
  metrics,
  type Observable,
} from './opentelemetry-api.js';
import { outcomeOf } from './opentelemetry-spans.js';

/** The name under which OpenTelemetry knows this package. */
export const SCOPE = 'target-node-sdk';

/** Upper limits of the histogram's buckets in s. Decisions in this process take microseconds, calls take milliseconds. */
const BUCKETS = [0.000_01, 0.000_1, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/**
 * Makes the function that records the duration of a call, in seconds. Without a given meter it uses the global one, which
 * it looks up for each call: a program may start OpenTelemetry after it has made its client.
 */
export function createDurations(given: Meter | undefined): (call: ObservedCall, seconds: number) => void {
  let source: object | undefined;
  let histogram: Histogram;
  return (call, seconds) => {
    const current = given ?? metrics.getMeterProvider();
    if (current !== source) {
      histogram = (given ?? metrics.getMeter(SCOPE)).createHistogram('adobe.target.call.duration', {
        unit: 's',
        advice: { explicitBucketBoundaries: BUCKETS },
      });
      source = current;
    }
    histogram.record(seconds, { 'adobe.target.operation': call.operation, ...outcomeOf(call) });
  };
}

/** One figure of a client's `stats()`, and the attributes under which it is reported. */
interface Figure {
  readonly read: (stats: TargetClientStats) => number | undefined;
  readonly attributes?: Attributes;
}

/**
 * A metric of clients: its name, its kind, its unit and its figures. Several clients are one series, because they would
 * overwrite each other. A `count` and a `sum` add their figures, and `highest` takes the worst of them. What each metric
 * means is told in docs/opentelemetry.md: descriptions would be a tenth of this entry.
 */
type Metric = readonly [
  name: string,
  kind: 'count' | 'sum' | 'highest',
  unit: string,
  ...figures: readonly Figure[],
];

const FATES = ['accepted', 'delivered', 'failed', 'dropped', 'handedOver'] as const;
const RELAYED_FATES = ['delivered', 'failed'] as const;
/** The states of a circuit breaker, as the values of a gauge. */
const STATES = { off: 0, closed: 0, 'half-open': 1, open: 2 } as const;

const METRICS: readonly Metric[] = [
  ['deliveries', 'count', '{call}', { read: ({ deliveries }) => deliveries }],
  ['retries', 'count', '{request}', { read: ({ retries }) => retries }],
  ['failures', 'count', '{call}', { read: ({ failures }) => failures }],
  ['refused', 'count', '{call}', { read: ({ circuitBreaker }) => circuitBreaker.refused }],
  [
    'notifications',
    'count',
    '{notification}',
    ...FATES.map((fate) => ({
      read: ({ notifications }: TargetClientStats) => notifications[fate],
      attributes: { 'adobe.target.notification.fate': fate },
    })),
  ],
  [
    'notifications.relayed',
    'count',
    '{notification}',
    ...RELAYED_FATES.map((fate) => ({
      read: ({ relayed }: TargetClientStats) => relayed[fate],
      attributes: { 'adobe.target.notification.fate': fate },
    })),
  ],
  ['notifications.queued', 'sum', '{notification}', { read: ({ notifications }) => notifications.queued }],
  ['artifact.age', 'highest', 's', { read: ({ artifact }) => artifact && artifact.ageMs / 1000 }],
  ['artifact_store.failures', 'count', '{call}', { read: ({ artifactStore }) => artifactStore?.failures }],
  ['circuit_breaker.state', 'highest', '1', { read: ({ circuitBreaker }) => STATES[circuitBreaker.state] }],
];

/** Reports the `stats()` of clients as metrics. */
export class ObservedStats {
  readonly #given: Meter | undefined;
  /** The client of each observation. One client may have several. */
  readonly #watched = new Map<object, TargetClient>();
  /** The last counts of clients that nobody watches any more. Without them the sums would go down. */
  readonly #left = new Set<TargetClientStats>();
  readonly #leftOf = new WeakMap<TargetClient, TargetClientStats>();
  #stop: (() => void) | undefined;

  /** Uses the given meter, or the global one of the time when the first client is watched. */
  constructor(given: Meter | undefined) {
    this.#given = given;
  }

  /** Watches a client until the returned function is called. */
  watch(client: TargetClient): () => void {
    this.#stop ??= safely(() => this.#start(this.#given ?? metrics.getMeter(SCOPE)));
    const observation = {};
    this.#watched.set(observation, client);
    const left = this.#leftOf.get(client);
    if (left) {
      this.#left.delete(left);
    }
    return () => {
      if (this.#watched.delete(observation) && !this.#clients.has(client)) {
        const last = client.stats();
        this.#left.add(last);
        this.#leftOf.set(client, last);
      }
      if (this.#watched.size === 0) {
        safely(() => this.#stop?.());
        this.#stop = undefined;
      }
    };
  }

  get #clients(): Set<TargetClient> {
    return new Set(this.#watched.values());
  }

  #start(meter: Meter): () => void {
    const observed = METRICS.map((metric) => [createInstrument(meter, metric), metric] as const);
    const info = createInstrument(meter, ['artifact.info', 'highest', '1']);
    const instruments = [info, ...observed.map(([instrument]) => instrument)];
    const report: BatchObservableCallback = (result) => {
      const stats = [...this.#clients].map((client) => client.stats());
      for (const { artifact } of stats) {
        if (artifact?.id !== undefined) {
          result.observe(info, 1, { 'adobe.target.artifact.id': artifact.id });
        }
      }
      for (const [instrument, [, kind, , ...figures]] of observed) {
        for (const { read, attributes } of figures) {
          const clients = kind === 'count' ? [...stats, ...this.#left] : stats;
          const values = clients.map(read).filter((value) => value !== undefined);
          if (values.length > 0) {
            const sum = values.reduce((total, value) => total + value);
            result.observe(instrument, kind === 'highest' ? Math.max(...values) : sum, attributes);
          }
        }
      }
    };
    meter.addBatchObservableCallback(report, instruments);
    return () => meter.removeBatchObservableCallback(report, instruments);
  }
}

/** Uses a meter, which may be broken. Its error goes to the log of OpenTelemetry, because no call is there to report it. */
function safely<Result>(act: () => Result): Result | undefined {
  try {
    return act();
  } catch (thrown) {
    diag.error(SCOPE, thrown);
    return undefined;
  }
}

function createInstrument(meter: Meter, [name, kind, unit]: Metric): Observable {
  const create = kind === 'count' ? 'createObservableCounter' : 'createObservableGauge';
  return meter[create](`adobe.target.${name}`, { unit });
}
