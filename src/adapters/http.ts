/**
 * Visits for any server: one request of one visitor, its cookies, the beacon of displays and clicks, and the hand-over
 * to the libraries of Adobe in the browser.
 *
 * @packageDocumentation
 */

export { toBeacon } from '../visits/beacon.js';
export { type BeaconAnswer, handleBeacon } from '../visits/beacon-endpoint.js';
export { type BeaconScriptOptions, beaconScript } from '../visits/beacon-script.js';
export { ACCEPT_CH, type ContextOptions, toContext } from '../visits/context.js';
export {
  type CookieOptions,
  readCookies,
  type SetCookieOptions,
  toSetCookieHeaders,
} from '../visits/cookies.js';
export { readIdentity } from '../visits/ecid.js';
export {
  type AnswerHandOverOptions,
  type CountedAnswer,
  type HandOver,
  type HandOverOptions,
  toHandOver,
} from '../visits/hand-over.js';
export {
  type FetchRequestLike,
  type FetchRequestOptions,
  fromFetchRequest,
  fromNodeRequest,
  type IncomingRequest,
  type NodeRequestLike,
  type NodeRequestOptions,
} from '../visits/incoming-request.js';
export { toInlineJson } from '../visits/inline-json.js';
export { isDisabled, toQaMode } from '../visits/qa-mode.js';
export type { BeaconBody, BodyStream } from '../visits/read-body.js';
export { type Redirect, toRedirect } from '../visits/redirect.js';
export { isPrefetch } from '../visits/unseen-request.js';
export { createVisit, type Visit } from '../visits/visit.js';
export type {
  TrackOptions,
  VisitAnswer,
  VisitAttributesCall,
  VisitCall,
  VisitMbox,
  VisitRequest,
} from '../visits/visit-call.js';
export {
  type Consent,
  checkVisitOptions,
  type FailedConversion,
  type VisitContext,
  type VisitCookieOptions,
  type VisitOptions,
} from '../visits/visit-options.js';
