import type {
  ExperienceCloud,
  Notification,
  RequestDetails,
  ResolvedDeliveryRequest,
} from '../delivery-api.js';
import { type ReportedCall, WrittenReport } from '../reports/written-report.js';
import { toSentContext } from '../request/edge-limits.js';
import { type Displayed, DisplayedTokens } from './offers/displays.js';

/** Largest number of notifications that the edge accepts in one request. */
const MAX_NOTIFICATIONS = 50;

/** Notifications of one request. `json` is their JSON without the brackets of the list. */
interface Batch {
  readonly notifications: Notification[];
  json: string;
}

/**
 * Reports the displays of a call. Each executed rule with tokens that are not reported yet gets one notification. It is
 * made as an object, for traces and events, and as the JSON that is sent. The JSON is written at once, because the
 * caller may change the visitor's objects while the report waits. It is put together by hand, because most of it is the
 * same for all visitors of a rule. With `JSON.stringify` a decision takes a quarter longer (benchmarks
 * on-device/execute-url and on-device/10-mboxes).
 */
export class DisplayReport {
  readonly #nowMs: number;
  readonly #newId: () => string;
  readonly #displayed = new DisplayedTokens();
  readonly #batches: Batch[] = [];
  /** Id that all notifications of one call share, as the notifications of one page do in at.js. */
  #impressionId: string | undefined;
  /** JSON that stands between the id and the mbox in all notifications of the call. */
  #stampJson = '';

  constructor(nowMs: number, newId: () => string, impressionId: string | undefined) {
    this.#nowMs = nowMs;
    this.#newId = newId;
    this.#impressionId = impressionId;
  }

  /** All notifications of the call, in the order of the response. */
  get notifications(): readonly Notification[] {
    return this.#batches.flatMap(({ notifications }) => notifications);
  }

  /**
   * Adds the display of a rule's options in an mbox. The notification carries the profile parameters, order and
   * product of the mbox's request. Returns undefined when all tokens are reported already.
   */
  add(mbox: string, displayed: Displayed, requested: RequestDetails): Notification | undefined {
    const tokens = this.#displayed.add(mbox, displayed.displayTokens);
    if (tokens.length === 0) {
      return undefined;
    }
    const id = this.#newId();
    this.#impressionId ??= this.#newId();
    const notification: Notification = {
      id,
      impressionId: this.#impressionId,
      timestamp: this.#nowMs,
      type: 'display',
      mbox: { name: mbox },
      tokens,
    };
    const carried = toCarried(requested);
    if (carried) {
      Object.assign(notification, carried);
    }
    this.#stampJson ||= `","impressionId":${JSON.stringify(this.#impressionId)},"timestamp":${this.#nowMs},`;
    const displayJson =
      mbox === displayed.name && tokens.length === displayed.displayTokens.length
        ? displayJsonOf(displayed, mbox)
        : toDisplayJson(mbox, tokens);
    const end = carried ? `,${JSON.stringify(carried).slice(1)}` : '}';
    // The text is joined from few parts, because each part stays in memory as an object until the text is sent.
    this.#push(notification, `{"id":"${id}${this.#stampJson}${displayJson}${end}`);
    return notification;
  }

  /** Returns the requests that report the displays, with the visitor and property of the request that was decided. */
  toRequests(decided: ResolvedDeliveryRequest): WrittenReport[] {
    return this.#batches.map(({ notifications, json }) => {
      const call = toReportedCall(decided, this.#newId());
      return new WrittenReport(call, notifications, `${toHeadJson(call)},"notifications":[${json}]}`);
    });
  }

  #push(notification: Notification, json: string): void {
    const last = this.#batches.at(-1);
    if (last && last.notifications.length < MAX_NOTIFICATIONS) {
      last.notifications.push(notification);
      last.json += `,${json}`;
    } else {
      this.#batches.push({ notifications: [notification], json });
    }
  }
}

/** Returns the requests that report the notifications of the caller's own request. */
export function toOwnReports(
  notifications: readonly Notification[],
  decided: ResolvedDeliveryRequest,
  newId: () => string,
): WrittenReport[] {
  const reports: WrittenReport[] = [];
  for (let start = 0; start < notifications.length; start += MAX_NOTIFICATIONS) {
    const some = notifications.slice(start, start + MAX_NOTIFICATIONS);
    reports.push(new WrittenReport(toReportedCall(decided, newId()), some));
  }
  return reports;
}

function toReportedCall(decided: ResolvedDeliveryRequest, requestId: string): ReportedCall {
  const { id, experienceCloud, property, environmentId } = decided;
  return { requestId, context: toSentContext(decided.context), id, experienceCloud, property, environmentId };
}

/**
 * Returns the fields of a location's request that count for the visitor's profile and for revenue. They would be lost
 * if no notification carried them.
 */
function toCarried({ profileParameters, order, product }: RequestDetails): RequestDetails | undefined {
  if (!profileParameters && !order && !product) {
    return undefined;
  }
  return {
    ...(profileParameters && { profileParameters }),
    ...(order && { order }),
    ...(product && { product }),
  };
}

/**
 * Returns the part of a notification's JSON that is the same for all visitors of a rule. It is written once for each
 * rule.
 */
function displayJsonOf(displayed: Displayed, mbox: string): string {
  displayed.displayJson ??= toDisplayJson(mbox, displayed.displayTokens);
  return displayed.displayJson;
}

function toDisplayJson(mbox: string, tokens: readonly string[]): string {
  return `"type":"display","mbox":{"name":${JSON.stringify(mbox)}},"tokens":${JSON.stringify(tokens)}`;
}

/**
 * Writes the JSON of a report up to its notifications. Ids that the SDK made need no escaping (benchmark
 * on-device/execute-url).
 */
function toHeadJson({
  requestId,
  id,
  context,
  experienceCloud,
  property,
  environmentId,
}: ReportedCall): string {
  const head = `{"requestId":"${requestId}","context":${JSON.stringify(context)},"id":${JSON.stringify(id)}`;
  const sdid = loneSdidOf(experienceCloud);
  const shared =
    sdid === undefined
      ? withoutBraces(JSON.stringify({ experienceCloud }))
      : `,"experienceCloud":{"analytics":{"logging":"server_side","supplementalDataId":"${sdid}"}}`;
  const isLimited = property !== undefined || environmentId !== undefined;
  return `${head}${shared}${isLimited ? withoutBraces(JSON.stringify({ property, environmentId })) : ''}`;
}

/** Returns the fields of an object's JSON without its braces. They can then follow other fields. */
function withoutBraces(json: string): string {
  return json === '{}' ? '' : `,${json.slice(1, -1)}`;
}

/**
 * Returns the supplemental data id when the request holds nothing else about the Experience Cloud and the id needs no
 * escaping. Returns undefined otherwise.
 */
function loneSdidOf({ analytics, audienceManager }: ExperienceCloud = {}): string | undefined {
  if (!analytics || audienceManager) {
    return undefined;
  }
  const { logging, supplementalDataId, trackingServer, trackingServerSecure } = analytics;
  const isLone =
    logging === 'server_side' && trackingServer === undefined && trackingServerSecure === undefined;
  return isLone && supplementalDataId && /^[\dA-F-]+$/.test(supplementalDataId)
    ? supplementalDataId
    : undefined;
}
