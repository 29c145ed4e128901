/**
 * Spans, metrics and log events of OpenTelemetry for the calls of a client.
 *
 * @packageDocumentation
 */

import { invalidOption } from '../errors.js';
import type { CallObserver, ObservedCall, TargetClient } from '../index.js';
import { withoutInherited } from '../inherited-names.js';
import { isObject } from '../json.js';
import { type Context, context, type Meter, type Tracer, trace } from './opentelemetry-api.js';
import { type LoggerLike, logEvaluations } from './opentelemetry-logs.js';
import { createDurations, ObservedStats, SCOPE } from './opentelemetry-metrics.js';
import { beginSpan, type SpanChoice } from './opentelemetry-spans.js';

export type { LoggerLike } from './opentelemetry-logs.js';

/** The options of {@link openTelemetry}. */
export interface OpenTelemetryOptions {
  /** Makes the spans. @default the global tracer named `target-node-sdk` */
  readonly tracer?: Tracer | null | undefined;
  /** Makes the metrics. @default the global meter named `target-node-sdk` */
  readonly meter?: Meter | null | undefined;
  /**
   * Takes a log event `feature_flag.evaluation` for each mbox that was decided. Users of OpenFeature take the hooks of
   * OpenFeature instead.
   * @default no log events
   * @see https://opentelemetry.io/docs/specs/semconv/feature-flags/feature-flags-events/
   * @example
   * ```ts
   * import { logs } from '@opentelemetry/api-logs';
   *
   * const telemetry = openTelemetry({ logger: logs.getLogger('target-node-sdk') });
   * ```
   */
  readonly logger?: LoggerLike | null | undefined;
  /**
   * The calls that get a span: all (`calls`), those that go to the network (`remote`), or none (`none`). With `remote`,
   * decisions in this process get none: they take microseconds, and a span would take as long.
   * @default 'remote'
   */
  readonly spans?: 'calls' | 'remote' | 'none' | null | undefined;
  /**
   * True when log events name the visitor: `feature_flag.context.id` is the tntId. Spans and metrics never do.
   * @default false
   */
  readonly contextId?: boolean | null | undefined;
}

/** An observer that makes spans, metrics and log events. */
export interface OpenTelemetryObserver extends CallObserver {
  /**
   * Adds the counts and states of a client's `stats()` to the metrics: delivery calls, retries, failures, notifications
   * by their fate, the age of the artifact, the circuit breaker. With several clients the counts are summed.
   *
   * Start OpenTelemetry first: the metrics go to the meter provider of that time.
   *
   * @returns the function that ends this
   * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a value that is no client.
   */
  observe(client: TargetClient): () => void;
}

/**
 * Makes an observer for the option `observer` of a client, with the spans, metrics and log events of OpenTelemetry. It
 * needs the package `@opentelemetry/api`. Spans of HTTP requests come from OpenTelemetry's own instrumentations. They are
 * children of the spans of calls.
 *
 * No span and no metric has an id of a visitor, a cookie or the content of an offer.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_CONFIG` for a wrong option. `path` of the error names it.
 *
 * @example
 * ```ts
 * const telemetry = openTelemetry();
 * const client = TargetClient.create({ client: 'acmeclient', organizationId: '1234567890@AdobeOrg', observer: telemetry });
 * telemetry.observe(client);
 * ```
 */
export function openTelemetry(options: OpenTelemetryOptions = {}): OpenTelemetryObserver {
  const { tracer, meter, logger, spans, contextId } = checkOptions(options);
  const recordDuration = createDurations(meter);
  const stats = new ObservedStats(meter);

  const traced = async (call: ObservedCall, run: Run, inside: Inside) => {
    const span = beginSpan(tracer, call, spans);
    if (!span) {
      return;
    }
    try {
      inside.context = span.inside;
      await context.with(span.inside, run);
    } finally {
      span.end();
    }
  };
  const measured = async (call: ObservedCall, run: Run, startedMs: number) => {
    await run();
    recordDuration(call, (performance.now() - startedMs) / 1000);
  };
  const logged = async (call: ObservedCall, run: Run, inside: Inside) => {
    const outside = context.active();
    await run();
    if (logger) {
      logEvaluations(logger, call, inside.context ?? outside, contextId);
    }
  };

  return {
    // Each part runs the call, which starts with the first of them. So a part that is broken harms neither the call nor
    // the other parts.
    around: (call, run) => {
      const startedMs = performance.now();
      const inside: Inside = { context: undefined };
      return Promise.all([
        spans === 'none' ? undefined : traced(call, run, inside),
        measured(call, run, startedMs),
        logger && logged(call, run, inside),
      ]);
    },
    observe: (client) => {
      if (!isObject(client) || typeof client.stats !== 'function') {
        throw invalidOption('client', 'a TargetClient', client);
      }
      return stats.watch(client);
    },
  };
}

type Run = () => Promise<void>;

/** The context in which a call runs. It is undefined for a call without a span. */
interface Inside {
  context: Context | undefined;
}

interface Settings {
  readonly tracer: Tracer;
  readonly meter: Meter | undefined;
  readonly logger: LoggerLike | undefined;
  readonly spans: SpanChoice;
  readonly contextId: boolean;
}

const SPANS: readonly unknown[] = ['calls', 'remote', 'none'] satisfies SpanChoice[];

function checkOptions(options: OpenTelemetryOptions): Settings {
  if (!isObject(options)) {
    throw invalidOption('options', 'an object', options);
  }
  const { tracer, meter, logger, spans, contextId } = withoutInherited(options);
  checkMethod('tracer', tracer, 'startSpan');
  checkMethod('meter', meter, 'createHistogram');
  checkMethod('logger', logger, 'emit');
  if (spans !== undefined && spans !== null && !SPANS.includes(spans)) {
    throw invalidOption('spans', '"calls", "remote" or "none"', spans);
  }
  if (contextId !== undefined && contextId !== null && typeof contextId !== 'boolean') {
    throw invalidOption('contextId', 'a boolean', contextId);
  }
  return {
    tracer: tracer ?? trace.getTracer(SCOPE),
    meter: meter ?? undefined,
    logger: logger ?? undefined,
    spans: spans ?? 'remote',
    contextId: contextId ?? false,
  };
}

/** Checks an option that is an object of OpenTelemetry, by one of its methods. */
function checkMethod(name: 'tracer' | 'meter' | 'logger', value: unknown, method: string): void {
  const isThere = value !== undefined && value !== null;
  if (isThere && !(isObject(value) && typeof Reflect.get(value, method) === 'function')) {
    throw invalidOption(name, `a ${name} of OpenTelemetry`, value);
  }
}
