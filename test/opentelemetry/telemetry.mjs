/** Starts OpenTelemetry before the program, as docs/opentelemetry.md says, but keeps the spans in memory. */
import { register } from 'node:module';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);

const exporter = new InMemorySpanExporter();
context.setGlobalContextManager(new AsyncLocalStorageContextManager());
trace.setGlobalTracerProvider(
  new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }),
);

registerInstrumentations({
  instrumentations: [
    new HttpInstrumentation({ redactedQueryParams: ['sessionId'] }),
    new UndiciInstrumentation({
      requestHook: (span, { origin, path }) => {
        const url = new URL(path, origin);
        if (url.searchParams.has('sessionId')) {
          url.searchParams.set('sessionId', 'REDACTED');
          span.setAttributes({ 'url.full': url.href, 'url.query': url.search });
        }
      },
    }),
  ],
});

/** Returns the spans that have ended. */
globalThis.exportedSpans = () =>
  exporter
    .getFinishedSpans()
    .map(({ name, kind, attributes, parentSpanContext, spanContext }, index, all) => ({
      name,
      kind,
      attributes,
      spanId: spanContext.call(all[index]).spanId,
      parentSpanId: parentSpanContext?.spanId,
    }));
