/**
 * Tools for the rules of on-device decisioning: explain a decision, test a split, compare two artifacts, find what is
 * wrong in one, and write types of its offers. They are pure: they read no file and ask no server.
 *
 * @packageDocumentation
 */

export type { ActivityChanges, ArtifactDiff, Change, DiffOptions, Moved } from './artifact-diff.js';
export { ARTIFACT_SCHEMA } from './artifact-schema.js';
export { type SharesTest, testShares } from './chi-square.js';
export { diffArtifacts } from './diff.js';
export { explain } from './explain.js';
export type {
  ConditionResult,
  Explanation,
  LocationExplanation,
  Named,
  Outcome,
  RemoteReason,
  RuleExplanation,
  Seen,
  ShareResult,
} from './explanation.js';
export type { Finding, FindingCode } from './finding.js';
export { type ActivityOverview, type ExperienceOverview, inspect, type Overview } from './inspect.js';
export { type ToTypesOptions, toTypes } from './mbox-types.js';
export { OFFERS_SCHEMA } from './offers-schema.js';
export { sentenceOf } from './phrases.js';
export type { ExplainOptions } from './question.js';
export type { ShareRange } from './shares.js';
export { simulate } from './simulate.js';
export type { ActivityShare, ExperienceShare, SimulateOptions, Simulation } from './simulation.js';
export { USER_AGENTS } from './user-agents.js';
export { validate } from './validate.js';
