import type { DeliveryResponse, ObservedCall } from '../index.js';
import type { Attributes, Context } from './opentelemetry-api.js';
import { PROVIDER } from './opentelemetry-spans.js';

/** The part of a logger of `@opentelemetry/api-logs` that is used. */
export interface LoggerLike {
  /** Takes a log record. */
  emit(record: {
    readonly eventName: string;
    readonly attributes: Attributes;
    readonly context?: Context;
  }): void;
}

type Mbox = NonNullable<NonNullable<DeliveryResponse['execute']>['mboxes']>[number];

/**
 * Writes a log event for each mbox that a call has decided. The conventions of OpenTelemetry name its attributes, which
 * never hold the content of an offer.
 *
 * @see https://opentelemetry.io/docs/specs/semconv/feature-flags/feature-flags-events/
 */
export function logEvaluations(
  logger: LoggerLike,
  { result, artifactEtag }: ObservedCall,
  inside: Context,
  hasContextId: boolean,
): void {
  if (!result) {
    return;
  }
  const { response, decisioningMethod, status } = result;
  const undecided = decisioningMethod === 'on-device' ? status.remoteMboxes : [];
  const tntId = hasContextId ? response.id?.tntId : undefined;
  const common = {
    ...PROVIDER,
    ...(artifactEtag !== undefined && { 'feature_flag.version': artifactEtag }),
    ...(tntId !== undefined && { 'feature_flag.context.id': tntId }),
  };
  for (const mbox of [...(response.execute?.mboxes ?? []), ...(response.prefetch?.mboxes ?? [])]) {
    if (mbox.name !== undefined && !undecided.includes(mbox.name)) {
      const attributes = { 'feature_flag.key': mbox.name, ...common, ...evaluationOf(mbox) };
      logger.emit({ eventName: 'feature_flag.evaluation', attributes, context: inside });
    }
  }
}

/**
 * Tells the experience that an mbox shows, and why, as far as the response tokens of its first offer say. An mbox without
 * an offer shows its default content.
 */
function evaluationOf({ options: [option] = [] }: Mbox): Attributes {
  const tokens = option?.responseTokens ?? {};
  const type = tokens['activity.type'];
  const variant = textOf(tokens['experience.name']) ?? textOf(tokens['experience.id']);
  const activityId = textOf(tokens['activity.id']);
  const known = type === 'ab' ? 'split' : 'targeting_match';
  return {
    'feature_flag.result.reason': option ? (type === undefined ? 'unknown' : known) : 'default',
    ...(variant !== undefined && { 'feature_flag.result.variant': variant }),
    ...(activityId !== undefined && { 'feature_flag.set.id': activityId }),
  };
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
