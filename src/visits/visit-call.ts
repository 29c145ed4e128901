import type { DeliveryRequest, Loose, MboxRequest, TargetDeliveryResponse, TargetError } from '../index.js';
import type { CallOptions } from '../request/options.js';

/** The options of a call of a visit: those of the client's calls, without the cookies that the visit knows. */
export type VisitCall = Omit<
  CallOptions,
  | 'targetCookie'
  | 'targetLocationHint'
  | 'targetLocationHintCookie'
  | 'visitorCookie'
  | 'visitor'
  | 'sessionId'
>;

/** The options of `visit.getOffers` and `visit.sendNotifications`. */
export interface VisitRequest extends VisitCall {
  /** The request, in the format of the Delivery API. */
  readonly request: DeliveryRequest;
}

/** The options of `visit.getAttributes`. */
export interface VisitAttributesCall extends VisitCall {
  /** The request, in the format of the Delivery API. @default the mboxes alone */
  readonly request?: DeliveryRequest | null | undefined;
}

/** The answer of a visit. */
export interface VisitAnswer extends TargetDeliveryResponse {
  /** The error for which the answer has no offers. It is set only with the option `onError`. */
  failure?: TargetError;
  /**
   * True when Target has counted no impression for the offers of `execute`: the request was made in advance and may
   * never be seen, or the answer holds no decision of Target.
   */
  isUncounted: boolean;
}

/** The details of a conversion, for `visit.track`. */
export type TrackOptions = Partial<Pick<Loose<MboxRequest>, 'order' | 'parameters' | 'profileParameters'>>;

/** An mbox as a caller may write it. */
export type VisitMbox = MboxRequest | Loose<MboxRequest>;
