/** Everything that the entry for OpenTelemetry takes from the package `@opentelemetry/api`. */
export {
  type Attributes,
  type BatchObservableCallback,
  type Context,
  context,
  diag,
  type Histogram,
  type Meter,
  metrics,
  type Observable,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
