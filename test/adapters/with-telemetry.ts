import { afterAll, beforeAll, beforeEach } from '@jest/globals';
import { context, metrics, type Tracer, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  type ReadableLogRecord,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import { DataPointType, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { LoggerLike } from '../../src/adapters/opentelemetry.js';

/** Reads metrics when a test asks for them. */
class AskedReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

/** A value of a metric: a number, or the count of a histogram. */
export interface Point {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** OpenTelemetry for the tests of one file, with everything that it exports. */
export interface WithTelemetry {
  readonly tracer: Tracer;
  readonly logger: LoggerLike;
  /** The spans that have ended. */
  spans(): ReadableSpan[];
  /** The number of spans that were started, also of those that never end. */
  started(): number;
  points(): Promise<Point[]>;
  records(): ReadableLogRecord[];
  /** All that was exported, as text. */
  everything(): Promise<string>;
}

export function withTelemetry(): WithTelemetry {
  const spans = new InMemorySpanExporter();
  let started = 0;
  const counting = {
    onStart: () => {
      started += 1;
    },
    onEnd: () => undefined,
    forceFlush: async () => undefined,
    shutdown: async () => undefined,
  };
  const tracing = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans), counting] });
  const records = new InMemoryLogRecordExporter();
  const logging = new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter: records })] });
  let reader = new AskedReader();

  beforeAll(() => {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager());
    trace.setGlobalTracerProvider(tracing);
  });
  beforeEach(() => {
    metrics.disable();
    reader = new AskedReader();
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    spans.reset();
    records.reset();
    started = 0;
  });
  afterAll(() => {
    context.disable();
    trace.disable();
    metrics.disable();
  });

  const points = async () => {
    const { resourceMetrics, errors } = await reader.collect();
    if (errors.length > 0) {
      throw errors[0];
    }
    return resourceMetrics.scopeMetrics.flatMap(({ metrics: found }) =>
      found.flatMap((metric) => {
        const isHistogram = metric.dataPointType === DataPointType.HISTOGRAM;
        return metric.dataPoints.map(({ value, attributes }) => ({
          metric: metric.descriptor.name,
          unit: metric.descriptor.unit,
          value: isHistogram ? (value as { count: number }).count : (value as number),
          attributes,
        }));
      }),
    );
  };
  return {
    get tracer() {
      return trace.getTracer('test');
    },
    get logger() {
      return logging.getLogger('test');
    },
    spans: () => spans.getFinishedSpans(),
    started: () => started,
    points,
    records: () => records.getFinishedLogRecords(),
    everything: async () =>
      JSON.stringify([
        spans.getFinishedSpans().map((span) => [span.name, span.attributes, span.status, span.events]),
        records
          .getFinishedLogRecords()
          .map(({ body, attributes, eventName }) => [body, attributes, eventName]),
        await points(),
      ]),
  };
}
