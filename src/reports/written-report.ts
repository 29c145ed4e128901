import type { Notification, ResolvedDeliveryRequest } from '../delivery-api.js';

/** Everything of a report but its notifications: the visitor and the call that they are of. */
export type ReportedCall = Pick<
  ResolvedDeliveryRequest,
  'requestId' | 'context' | 'id' | 'experienceCloud' | 'property' | 'environmentId'
>;

/**
 * A request that reports notifications, as an object and as the JSON that is sent. The JSON is written when the report
 * is made: parts of the object are the caller's too, who may change them while the report waits to be sent.
 */
export class WrittenReport implements ResolvedDeliveryRequest {
  readonly requestId: string;
  readonly context: ResolvedDeliveryRequest['context'];
  readonly id: ReportedCall['id'];
  readonly experienceCloud: ReportedCall['experienceCloud'];
  readonly property: ReportedCall['property'];
  readonly environmentId: ReportedCall['environmentId'];
  readonly notifications: readonly Notification[];
  readonly #json: string;

  /** The JSON is of the same call and the same notifications, for those who have it already. */
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

  get json(): string {
    return this.#json;
  }
}

/** The JSON of a request: as it was written, or written now. */
export function jsonOf(request: object): string {
  return request instanceof WrittenReport ? request.json : JSON.stringify(request);
}
