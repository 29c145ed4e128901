import type { ExecuteResponse, PrefetchResponse } from '../delivery-api.js';
import type { ShareRange } from './shares.js';

/** The reasons of an answer: the answer itself, and each rule with what it asked and what it saw. */
export interface Explanation {
  /** The time for which the request was decided, in the format of ISO 8601. */
  readonly at: string;
  readonly client: string;
  /** The token of the property of the request. */
  readonly property?: string;
  /** The kind of id that the allocation was made from, and whether it was made for this call. */
  readonly visitor: { readonly by: string; readonly isNew: boolean };
  /** The locations in the order in which they were decided. */
  readonly locations: readonly LocationExplanation[];
  /** The decision itself. A trace is left out. */
  readonly answer: {
    readonly status: 200 | 206;
    readonly execute?: ExecuteResponse;
    readonly prefetch?: PrefetchResponse;
  };
}

/** The decision of one mbox or view. A page load counts as the global mbox. */
export interface LocationExplanation {
  readonly kind: 'mbox' | 'view';
  readonly mode: 'execute' | 'prefetch';
  readonly name: string;
  /** The index of the mbox in the request, where the request has one. */
  readonly index?: number;
  /** `first`: the first rule that holds answers. `all`: every rule that holds answers, one for each rule key. */
  readonly answersWith: 'first' | 'all';
  /** The outcome in words. */
  readonly verdict: string;
  /** The reason why only the edge can answer completely. It is absent when this process can. */
  readonly remote?: RemoteReason;
  /** All rules of the location, in the order of the artifact. */
  readonly rules: readonly RuleExplanation[];
}

/**
 * The reason why only the edge can decide a location. `listed`: the artifact says so. `unknown`: the artifact does not list the
 * location. `undecidable`: a rule cannot be evaluated on-device.
 */
export interface RemoteReason {
  readonly reason: 'listed' | 'unknown' | 'undecidable';
  readonly text: string;
}

/**
 * The outcome of a rule. `answered` and `no-match` were asked. The others were not: a rule before it answered
 * (`not-reached`, `key-answered`), it belongs to another property, or only the edge can evaluate it (`undecidable`).
 */
export type Outcome =
  | 'answered'
  | 'no-match'
  | 'not-reached'
  | 'key-answered'
  | 'other-property'
  | 'undecidable';

/** The decision of one rule. */
export interface RuleExplanation {
  readonly activity: Named & { readonly type: string };
  readonly experience: Named;
  readonly ruleKey: string;
  readonly outcome: Outcome;
  /** The outcome in words: the first part that failed, with what it saw. */
  readonly because: string;
  /**
   * Tells whether the rule would hold. Rules that were not asked have it: they were evaluated afterwards, and are no
   * part of the decision.
   */
  readonly wouldHold?: boolean;
  /** The share of visitors that the rule is meant for. It is absent for a rule that asks nothing of the allocation. */
  readonly share?: ShareResult;
  /** The parts of the condition. It is absent when only the edge can evaluate it. */
  readonly condition?: ConditionResult;
}

/** The id and the name of an activity or an experience, as the artifact has them. They are empty when it has none. */
export interface Named {
  readonly id: string;
  readonly name: string;
}

/** The visitor's place in a share. */
export interface ShareResult {
  readonly ranges: readonly ShareRange[];
  /** The visitor's allocation in the activity, from 0 to 99.99. */
  readonly allocation: number;
  readonly inside: boolean;
  /** The two in words, such as `37.20, wants 0–50`. */
  readonly text: string;
}

/** A part of a condition, what came of it and what it saw. */
export interface ConditionResult {
  /** The operator as it is written in the artifact. */
  readonly op: string;
  /** The part in words. */
  readonly text: string;
  /** True when the words say all of it, so that nobody needs to read the operands. */
  readonly whole: boolean;
  /** Tells whether the part holds. It is undefined for a part that the engine did not look at. */
  readonly result: boolean | undefined;
  readonly saw: readonly Seen[];
  readonly operands: readonly ConditionResult[];
}

/** A value that a condition read. */
export interface Seen {
  /** The variable in words, such as `country`. */
  readonly name: string;
  readonly value: unknown;
  /** The value in words; `nothing` when there is none. */
  readonly text: string;
}
