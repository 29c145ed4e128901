/**
 * This entry is for tests: a client that is answered in its own process, and the local Target edge, which is a real HTTP
 * server in place of Adobe's.
 */
export type { AbTestOptions } from './ab-test.js';
export { abTest } from './ab-test.js';
export type { ActivityBuilder, WeightedOffers } from './activities.js';
export { activity } from './activities.js';
export type { ArtifactOptions } from './artifact.js';
export type { Audience, Fact, UrlFact } from './audiences.js';
export { audience } from './audiences.js';
export type { ArtifactPlan } from './build-artifact.js';
export { buildArtifact } from './build-artifact.js';
export type { FailOptions } from './call-faults.js';
export type { EdgeConfig, TargetEdgeOptions } from './edge-setup.js';
export type { FaultScope, FaultSwitch } from './fault-switches.js';
export type { AnswerHeaders, Fault, FaultKind } from './faults.js';
export type { EdgeGeo, EdgePlace } from './geo.js';
export type {
  EdgeCall,
  EdgeLocation,
  EdgeOffers,
  LocationOffers,
  LocationScript,
  Offer,
  OfferDetails,
  OfferFunction,
  OfferMetric,
  OffersByName,
} from './offers.js';
export { actions, dynamic, html, json, redirect } from './offers.js';
export type { ReceivedRequest, RequestFilter, Violation, WaitOptions } from './request-log.js';
export type { TargetEdge } from './target-edge.js';
export { startTargetEdge } from './target-edge.js';
export type { TestClientOptions } from './test-client.js';
export { createTestClient, TestClient } from './test-client.js';
