export {
  type CookieOptions,
  readCookies,
  type SetCookieOptions,
  toSetCookieHeaders,
} from '../visits/cookies.js';
export type { IncomingRequest } from '../visits/incoming-request.js';
export { toInlineJson } from '../visits/inline-json.js';
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
  type VisitContext,
  type VisitCookieOptions,
  type VisitOptions,
} from '../visits/visit-options.js';
