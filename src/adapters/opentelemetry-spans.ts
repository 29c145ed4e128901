import type { ObservedCall } from '../index.js';
import {
  type Attributes,
  type Context,
  context,
  ROOT_CONTEXT,
  type Span,
  type SpanOptions,
  SpanStatusCode,
  type Tracer,
  trace,
} from './opentelemetry-api.js';

/**
 * The calls that get a span: all (`calls`), those that go to the network (`remote`), or none. With `remote`, decisions in
 * this process get none.
 */
export type SpanChoice = 'calls' | 'remote' | 'none';

/** The name of this provider of decisions, in the words of OpenTelemetry's conventions for feature flags. */
export const PROVIDER = { 'feature_flag.provider.name': 'adobe-target' } as const;

/**
 * Work that serves many visitors. Its spans begin a trace of their own: the request that happened to start the work is
 * one of many, and its baggage belongs to one visitor.
 */
const BACKGROUND: ReadonlySet<string> = new Set(['notify', 'artifact']);

/** The operations that are about mboxes. */
const WITH_MBOXES: ReadonlySet<string> = new Set(['getOffers', 'getAttributes', 'sendNotifications']);

/** Attributes that tell how a call ended. Spans and metrics have them. */
export function outcomeOf({ result, error }: ObservedCall): Attributes {
  return {
    ...(result && { 'adobe.target.decided_by': result.decisioningMethod }),
    ...(error && { 'error.type': error.code }),
  };
}

/** The span of a call that is under way. */
export interface CallSpan {
  /** The context in which the call runs. Its span is that of the call. */
  readonly inside: Context;
  /** Ends the span when the call has ended. */
  end(): void;
}

/** Begins the span of a call, if the call is to have one. */
export function beginSpan(tracer: Tracer, call: ObservedCall, spans: SpanChoice): CallSpan | undefined {
  const isBackground = BACKGROUND.has(call.operation);
  const outside = isBackground ? ROOT_CONTEXT : context.active();
  if (spans === 'calls' || isBackground || call.decisioningMethod === 'server-side') {
    return startSpan(tracer, call, outside, {});
  }
  return call.decisioningMethod === 'hybrid' ? startOnDemand(tracer, call, outside) : undefined;
}

function startSpan(tracer: Tracer, call: ObservedCall, outside: Context, more: SpanOptions): CallSpan {
  const { operation, decisioningMethod, mboxes } = call;
  const attributes = {
    ...PROVIDER,
    // Work in the background decides nothing.
    ...(!BACKGROUND.has(operation) && { 'adobe.target.decisioning_method': decisioningMethod }),
    // Other operations neither ask for mboxes nor report them.
    ...(WITH_MBOXES.has(operation) && { 'adobe.target.mbox.count': mboxes.length }),
  };
  const span = tracer.startSpan(`target ${operation}`, { ...more, attributes }, outside);
  return { inside: trace.setSpan(outside, span), end: () => endSpan(span, call) };
}

function endSpan(span: Span, call: ObservedCall): void {
  const { attempts, error } = call;
  span.setAttributes({
    ...outcomeOf(call),
    ...(attempts !== undefined && { 'adobe.target.attempts': attempts }),
  });
  if (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

/**
 * Begins the span of a call of which nobody knows yet whether this process decides it. The span starts when something
 * inside the call asks for the current span, as the instrumentation of a request to the edge does, or when the call has
 * ended and the edge has decided. A span that is started for nothing could not be taken back: some exporters would hold
 * its whole trace until it ends.
 */
function startOnDemand(tracer: Tracer, call: ObservedCall, outside: Context): CallSpan {
  // A span that is given its start measures its end in whole milliseconds too.
  const startTime = Date.now();
  let started: CallSpan | undefined;
  let isOver = false;
  const start = () => {
    started ??= startSpan(tracer, call, outside, { startTime });
    return started;
  };
  const current = () => {
    try {
      return isOver && !started ? outside : start().inside;
    } catch {
      // The request to the edge must not fail because of a broken tracer. The end of the span reports the error.
      return outside;
    }
  };
  return {
    inside: {
      getValue: (key) => current().getValue(key),
      setValue: (key, value) => current().setValue(key, value),
      deleteValue: (key) => current().deleteValue(key),
    },
    end: () => {
      isOver = true;
      if (started || call.result?.decisioningMethod !== 'on-device') {
        start().end();
      }
    },
  };
}
