import type { Context, ResolvedDeliveryRequest } from '../delivery-api.js';
import { EDGE_LIMITS } from '../delivery-api.js';
import { invalidField, TargetError } from '../errors.js';
import { isRecord, type JsonRecord } from '../json.js';
import type { Logger } from '../logger.js';
import { copyContext } from './copy-context.js';
import { copyLocations } from './copy-locations.js';
import { copyNotifications } from './copy-notification.js';
import { copyPreview, copyProperty, copyQAMode } from './copy-tokens.js';
import { copyTelemetry, copyTrace } from './copy-trace.js';
import { copyExperienceCloud, copyVisitorId } from './copy-visitor.js';
import { Copying, type Draft, fieldsOf, withOuterPath, withoutGaps } from './copying.js';
import type { DeliveryRequest } from './loose-request.js';
import { toInteger, toText } from './scalars.js';

/** A checked copy of the caller's request, without the defaults. */
export type CopiedRequest = Draft<Omit<ResolvedDeliveryRequest, 'context'>> & {
  context?: Context | undefined;
};

const LIMITS = EDGE_LIMITS.DeliveryRequest;

/** The maximum number of dropped parts that one error lists. */
const MAX_LISTED = 10;

/**
 * Checks and copies a request. A value that means the same in another type is converted. Empty values are left out.
 * Unknown fields and parts that Target cannot process are left out with a warning.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` for any other fault, with the path of the field.
 */
export function copyRequest(request: DeliveryRequest | undefined, logger: Logger): CopiedRequest {
  const copying = new Copying();
  const written = isRecord(request) ? fieldsOf(request, copying) : undefined;
  if (!written || !request) {
    throw invalidField('request', 'a Delivery API request', request);
  }
  const copy: CopiedRequest = copying.newCopy();
  let kept: unknown;
  let hasGaps = false;
  let field = '';
  try {
    for (const name in written) {
      field = name;
      if (name === 'execute') {
        kept = copy.execute = copyLocations(written[name], copying, false);
      } else if (name === 'context') {
        kept = copy.context = copyContext(written[name], copying);
      } else if (name === 'id') {
        kept = copy.id = copyVisitorId(written[name], copying);
      } else if (name === 'prefetch') {
        kept = copy.prefetch = copyLocations(written[name], copying, true);
      } else if (name === 'property') {
        kept = copy.property = copyProperty(written[name], copying);
      } else if (name === 'requestId') {
        kept = copy.requestId = toText(written[name], LIMITS.requestId);
      } else {
        kept = copyRareField(copy, name, written, copying);
      }
      if (kept === undefined) {
        hasGaps = true;
      }
    }
  } catch (thrown) {
    throw withOuterPath(thrown, field, written);
  }
  if (copying.dropped || copying.doubts) {
    warn(copying, logger);
  }
  if (written !== request) {
    return withContent(copy, declaredBy(request), copying);
  }
  return hasGaps || kept === undefined ? withContent(copy, written, copying) : copy;
}

function copyRareField(copy: CopiedRequest, name: string, written: JsonRecord, copying: Copying): unknown {
  let kept: unknown;
  if (name === 'experienceCloud') {
    kept = copy.experienceCloud = copyExperienceCloud(written.experienceCloud, copying);
  } else if (name === 'notifications') {
    kept = copy.notifications = copyNotifications(written.notifications, copying);
  } else if (name === 'impressionId') {
    kept = copy.impressionId = toText(written.impressionId, LIMITS.impressionId);
  } else if (name === 'environmentId') {
    kept = copy.environmentId = toInteger(written.environmentId);
  } else if (name === 'trace') {
    kept = copy.trace = copyTrace(written.trace, copying);
  } else if (name === 'qaMode') {
    kept = copy.qaMode = copyQAMode(written.qaMode, copying);
  } else if (name === 'preview') {
    kept = copy.preview = copyPreview(written.preview, copying);
  } else if (name === 'telemetry') {
    kept = copy.telemetry = copyTelemetry(written.telemetry, copying);
  } else {
    kept = copying.dropUnknown(name);
  }
  return kept;
}

function warn({ dropped, doubts }: Copying, logger: Logger): void {
  if (dropped) {
    for (const what of dropped) {
      logger.warn(`left out of the request: ${what}`);
    }
  }
  if (doubts) {
    for (const what of doubts) {
      logger.warn(what);
    }
  }
}

/** The parts of a request that ask for something. */
type Content = { readonly [Part in 'execute' | 'prefetch' | 'notifications']?: unknown };

/**
 * Reads the parts that ask for something from an instance of a class. The getters of the class are not copied, so the
 * copy may lack these parts. {@link withContent} then throws, because no part of a request may be lost without notice.
 */
function declaredBy(request: Content): Content {
  const declared = (part: keyof Content) =>
    Object.hasOwn(request, part) || !(part in Object.prototype) ? request[part] : undefined;
  return {
    execute: declared('execute'),
    prefetch: declared('prefetch'),
    notifications: declared('notifications'),
  };
}

/**
 * Removes the undefined fields of a copy.
 *
 * @throws {TargetError} `ERR_TARGET_INVALID_REQUEST` when the request has `execute`, `prefetch` or `notifications` and
 * nothing of it is left in the copy, or when the copy is empty.
 */
function withContent(copy: CopiedRequest, written: Content, copying: Copying): CopiedRequest {
  const { dropped = [] } = copying;
  const { execute, prefetch, notifications } = written;
  if (execute && !copy.execute) {
    throw emptyError('execute', 'needs pageLoad or mboxes', dropped);
  }
  if (prefetch && !copy.prefetch) {
    throw emptyError('prefetch', 'needs views, pageLoad or mboxes', dropped);
  }
  if (Array.isArray(notifications) && notifications.length > 0 && !copy.notifications) {
    throw emptyError('notifications', 'are all invalid', dropped);
  }
  const whole = withoutGaps(copy, copying);
  if (!whole) {
    throw emptyError('request', 'asks for nothing', dropped);
  }
  return whole;
}

function emptyError(path: string, what: string, dropped: readonly string[]): TargetError {
  const because = dropped.length === 0 ? '' : `; left out: ${dropped.slice(0, MAX_LISTED).join(', ')}`;
  return new TargetError('ERR_TARGET_INVALID_REQUEST', `${path} ${what}${because}`, { path });
}
