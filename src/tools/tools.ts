/**
 * Tools for the rules of on-device decisioning: explain a decision, and write types of the offers in an artifact. They
 * are pure: they read no file and ask no server.
 *
 * @packageDocumentation
 */

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
export { type ToTypesOptions, toTypes } from './mbox-types.js';
export { sentenceOf } from './phrases.js';
export type { ExplainOptions } from './question.js';
export type { ShareRange } from './shares.js';
