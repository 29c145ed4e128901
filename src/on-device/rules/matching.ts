import type { RequestDetails } from '../../delivery-api.js';
import type { LocationContext } from '../facts/context.js';
import type { CompiledCondition } from './condition.js';
import type { CompiledLocation, CompiledRule } from './location.js';

/** Records the rules that a search has evaluated, for a trace or for a tool. */
export interface RuleRecorder {
  /** Records that the search of a location begins, for the request that asked for the location. */
  noteLocation?(location: CompiledLocation, request: RequestDetails, context: LocationContext): void;
  /** Records one rule, its result, and the context in which it was evaluated. */
  noteRule(rule: CompiledRule, holds: boolean, context: LocationContext): void;
}

/** The data that all searches of one `execute` or `prefetch` share. */
export interface SearchedPart {
  /** Token of the request's property; undefined when the request has none. */
  readonly propertyToken: string | undefined;
  /** Recorder of a trace or of a tool; undefined when nobody asked for one. */
  readonly recorder: RuleRecorder | undefined;
}

const NO_RULES: readonly CompiledRule[] = [];

let searches = 0;

/** Searches the rules of one location after the other, and stops at each rule that holds. */
export class RuleSearch {
  readonly #part: SearchedPart;
  readonly #context: LocationContext;
  #number = ++searches;
  #rules = NO_RULES;
  #next = 0;
  #allMatching = false;
  #previous: CompiledRule | undefined;
  #holds = false;

  constructor(context: LocationContext, part: SearchedPart) {
    this.#part = part;
    this.#context = context;
  }

  /** Starts a new search: rules of every key can be found again. */
  begin(): void {
    this.#number = ++searches;
  }

  /** Continues the search with the rules of the given location, for the request that asked for it. */
  enter(location: CompiledLocation, request: RequestDetails): void {
    this.#part.recorder?.noteLocation?.(location, request, this.#context);
    this.#rules = location.rulesFor(this.#part.propertyToken);
    this.#next = 0;
    this.#allMatching = location.allMatching;
    this.#previous = undefined;
  }

  /** Returns the next rule that the location answers with; undefined when there is none. */
  next(): CompiledRule | undefined {
    const rules = this.#rules;
    while (this.#next < rules.length) {
      const rule = rules[this.#next++];
      if (!rule) {
        return undefined;
      }
      if (rule.key?.lastSearch === this.#number) {
        continue;
      }
      if (!rule.condition) {
        // A location that answers with its first rule has to stop here. The rule might hold on the edge, and a later
        // rule would then be the wrong answer.
        if (this.#allMatching) {
          continue;
        }
        return undefined;
      }
      const holds = this.#evaluate(rule, rule.condition);
      this.#part.recorder?.noteRule(rule, holds, this.#context);
      if (!holds) {
        continue;
      }
      // A visitor gets one rule of each key.
      if (rule.key) {
        rule.key.lastSearch = this.#number;
      } else {
        this.#next = rules.length;
      }
      return rule;
    }
    return undefined;
  }

  /**
   * Evaluates a rule's condition. Rules of one experience follow each other with the same condition, which is
   * evaluated once.
   */
  #evaluate(rule: CompiledRule, condition: CompiledCondition): boolean {
    const previous = this.#previous;
    if (condition === previous?.condition && rule.activity === previous.activity) {
      return this.#holds;
    }
    this.#context.fill(condition.reads, rule.activity);
    this.#holds = condition.holds(this.#context);
    this.#previous = rule;
    return this.#holds;
  }
}
