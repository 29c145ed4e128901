import type { LocationContext } from '../facts/context.js';
import type { CompiledCondition } from './condition.js';
import type { CompiledLocation, CompiledRule } from './location.js';

/** Somebody who writes down which rules were looked at. */
export interface RuleRecorder {
  noteRule(rule: CompiledRule, holds: boolean, context: LocationContext): void;
}

/** The part of an execute or a prefetch that all its searches share. */
export interface SearchedPart {
  readonly propertyToken: string | undefined;
  /** Undefined when nobody asked for a trace. */
  readonly recorder: RuleRecorder | undefined;
}

const NO_RULES: readonly CompiledRule[] = [];

let searches = 0;

/** Goes through the rules of one location after the other, and stops at each that holds. */
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

  /** Forgets what it has answered with. */
  begin(): void {
    this.#number = ++searches;
  }

  enter(location: CompiledLocation): void {
    this.#rules = location.rulesFor(this.#part.propertyToken);
    this.#next = 0;
    this.#allMatching = location.allMatching;
    this.#previous = undefined;
  }

  /** The next rule to answer with. */
  next(): CompiledRule | undefined {
    const rules = this.#rules;
    while (this.#next < rules.length) {
      const rule = rules[this.#next++];
      if (!rule) return undefined;
      if (rule.key?.lastSearch === this.#number) continue;
      if (!rule.condition) {
        // What comes after a rule that only the edge understands may not be what the visitor should get.
        if (this.#allMatching) continue;
        return undefined;
      }
      const holds = this.#ask(rule, rule.condition);
      this.#part.recorder?.noteRule(rule, holds, this.#context);
      if (!holds) continue;
      // A visitor gets one rule of each key.
      if (rule.key) rule.key.lastSearch = this.#number;
      else this.#next = rules.length;
      return rule;
    }
    return undefined;
  }

  /** The rules of one experience follow each other with the same condition: it is asked once. */
  #ask(rule: CompiledRule, condition: CompiledCondition): boolean {
    const previous = this.#previous;
    if (condition === previous?.condition && rule.activity === previous.activity) return this.#holds;
    this.#context.fill(condition.reads, rule.activity);
    this.#holds = condition.holds(this.#context);
    this.#previous = rule;
    return this.#holds;
  }
}
