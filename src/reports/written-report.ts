import type { Notification, ResolvedDeliveryRequest } from '../delivery-api.js';

/** All fields of a report except its notifications. They describe the visitor and the call. */
export type ReportedCall = Pick<
  ResolvedDeliveryRequest,
  'requestId' | 'context' | 'id' | 'experienceCloud' | 'property' | 'environmentId'
>;

/**
 * A request that reports notifications, kept as an object and as the JSON to send. The JSON is written at once, because
 * parts of the object belong to the caller, who may change them while the report waits.
 */
export class WrittenReport implements ResolvedDeliveryRequest {
  readonly requestId: string;
  readonly context: ResolvedDeliveryRequest['context'];
  readonly id: ReportedCall['id'];
  readonly experienceCloud: ReportedCall['experienceCloud'];
  readonly property: ReportedCall['property'];
  readonly environmentId: ReportedCall['environmentId'];
  readonly notifications: readonly Notification[];
  /** A report asks for no trace. The field is set, so that none is read from `Object.prototype`. */
  readonly trace = undefined;
  readonly #json: string;

  /** Makes a report. `json` saves writing the JSON again. It must describe the same call and the same notifications. */
  constructor(call: ReportedCall, notifications: readonly Notification[], json?: string) {
    this.requestId = call.requestId;
    this.context = call.context;
    this.id = call.id;
    this.experienceCloud = call.experienceCloud;
    this.property = call.property;
    this.environmentId = call.environmentId;
    this.notifications = notifications;
    this.#json = json ?? JSON.stringify(this);
  }

  /** The JSON of the report, as it was written when the report was made. */
  get json(): string {
    return this.#json;
  }
}

/** Returns the JSON of a request. A report returns the JSON that it was made with. */
export function jsonOf(request: object): string {
  return request instanceof WrittenReport ? request.json : JSON.stringify(request);
}
