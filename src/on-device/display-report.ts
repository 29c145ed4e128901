import type {
  ExperienceCloud,
  Notification,
  RequestDetails,
  ResolvedDeliveryRequest,
} from '../delivery-api.js';
import { type ReportedCall, WrittenReport } from '../reports/written-report.js';
import { toSentContext } from '../request/edge-limits.js';
import { type Displayed, DisplayedTokens } from './offers/displays.js';

/** The number of notifications that the edge takes in one request. */
const MAX_NOTIFICATIONS = 50;

/** Notifications of one request, and their JSON without the brackets of the list. */
interface Batch {
  readonly notifications: Notification[];
  json: string;
}

/**
 * Reports what a call displays: one notification per rule that was executed and has tokens not reported yet. Each is
 * made as an object, for traces and events, and as JSON, to be sent. The JSON is written at once, because the caller may
 * change the visitor's objects while the report waits. It is put together here, because most of it is the same for all
 * visitors of a rule: with `JSON.stringify` a decision takes a quarter longer (benchmarks `on-device/execute-url` and
 * `on-device/10-mboxes`).
 */
export class DisplayReport {
  readonly #nowMs: number;
  readonly #newId: () => string;
  readonly #displayed = new DisplayedTokens();
  readonly #batches: Batch[] = [];
  /** The notifications of one call share it, as those of one page do in at.js. */
  #impressionId: string | undefined;
  /** The JSON that all notifications of the call have between their id and their mbox. */
  #stampJson = '';

  constructor(nowMs: number, newId: () => string, impressionId: string | undefined) {
    this.#nowMs = nowMs;
    this.#newId = newId;
    this.#impressionId = impressionId;
  }

  /** The notifications so far, in the order of the answer. */
  get notifications(): readonly Notification[] {
    return this.#batches.flatMap(({ notifications }) => notifications);
  }

  /**
   * Adds what is displayed in an mbox, with what its request says of the visitor's profile and purchases; undefined when
   * all of its tokens are reported already.
   */
  add(mbox: string, displayed: Displayed, requested: RequestDetails): Notification | undefined {
    const tokens = this.#displayed.add(mbox, displayed.displayTokens);
    if (tokens.length === 0) return undefined;
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
    if (carried) Object.assign(notification, carried);
    this.#stampJson ||= `","impressionId":${JSON.stringify(this.#impressionId)},"timestamp":${this.#nowMs},`;
    const displayJson =
      mbox === displayed.name && tokens.length === displayed.displayTokens.length
        ? displayJsonOf(displayed, mbox)
        : toDisplayJson(mbox, tokens);
    const end = carried ? `,${JSON.stringify(carried).slice(1)}` : '}';
    // Few parts: each is an object until the text is sent.
    this.#push(notification, `{"id":"${id}${this.#stampJson}${displayJson}${end}`);
    return notification;
  }

  /** The requests that report it, with the visitor, session and property of the request that was decided. */
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
    } else this.#batches.push({ notifications: [notification], json });
  }
}

/** The requests that report notifications of the caller's own. */
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

/** The fields of a location's request that are for the visitor's profile and for revenue, and that would be lost without its notification. */
function toCarried({ profileParameters, order, product }: RequestDetails): RequestDetails | undefined {
  if (!profileParameters && !order && !product) return undefined;
  return {
    ...(profileParameters && { profileParameters }),
    ...(order && { order }),
    ...(product && { product }),
  };
}

/** The part of a notification's JSON that all visitors of a rule have in common, written once. */
function displayJsonOf(displayed: Displayed, mbox: string): string {
  displayed.displayJson ??= toDisplayJson(mbox, displayed.displayTokens);
  return displayed.displayJson;
}

function toDisplayJson(mbox: string, tokens: readonly string[]): string {
  return `"type":"display","mbox":{"name":${JSON.stringify(mbox)}},"tokens":${JSON.stringify(tokens)}`;
}

/** The JSON of a report as far as its notifications: ids of our own need no look at each character (`on-device/execute-url`). */
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

/** The fields of an object's JSON, after others. */
function withoutBraces(json: string): string {
  return json === '{}' ? '' : `,${json.slice(1, -1)}`;
}

/** The supplemental data id, where nothing else is said of the Experience Cloud. */
function loneSdidOf({ analytics, audienceManager }: ExperienceCloud = {}): string | undefined {
  if (!analytics || audienceManager) return undefined;
  const { logging, supplementalDataId, trackingServer, trackingServerSecure } = analytics;
  const isLone =
    logging === 'server_side' && trackingServer === undefined && trackingServerSecure === undefined;
  return isLone && supplementalDataId && /^[\dA-F-]+$/.test(supplementalDataId)
    ? supplementalDataId
    : undefined;
}
