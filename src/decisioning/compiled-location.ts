import type { Rule } from '../artifact.js';
import type { CompiledCondition } from './condition.js';
import type { Activity } from './context.js';
import { CompiledOffers } from './offers.js';

/** One rule, ready to be evaluated. */
export class CompiledRule {
  readonly rule: Rule;
  readonly key: string;
  readonly activity: Activity;
  /** Undefined for a condition that only the edge understands. */
  readonly condition: CompiledCondition | undefined;
  readonly #tokenNames: readonly string[];
  #offers: CompiledOffers | undefined;

  constructor(
    rule: Rule,
    compiled: Pick<CompiledRule, 'activity' | 'condition'>,
    tokenNames: readonly string[],
  ) {
    this.rule = rule;
    this.key = rule.ruleKey;
    this.activity = compiled.activity;
    this.condition = compiled.condition;
    this.#tokenNames = tokenNames;
  }

  /** Compiled when the rule holds for the first time: most rules of a large artifact rarely do. */
  get offers(): CompiledOffers {
    this.#offers ??= new CompiledOffers(this.rule.consequence, this.rule.meta, this.#tokenNames);
    return this.#offers;
  }

  /** The properties that the rule is for; undefined for all. */
  get propertyTokens(): readonly string[] | undefined {
    const tokens = this.rule.propertyTokens;
    return Array.isArray(tokens) && tokens.length > 0 ? tokens : undefined;
  }
}

/** What a compiled location is made of. */
interface LocationParts {
  readonly name: string;
  readonly rules: readonly CompiledRule[];
  readonly allMatching: boolean;
  readonly undecidable: boolean;
  readonly remote: boolean;
}

/** The rules of one mbox or view. */
export class CompiledLocation {
  readonly name: string;
  /** Whether every rule that holds is answered, one per rule key, or only the first. */
  readonly allMatching: boolean;
  /** Whether it has rules that only the edge understands. */
  readonly undecidable: boolean;
  /** Whether only the edge can answer for it completely: undecidable, listed as remote or not known. */
  readonly remote: boolean;
  readonly #rules: readonly CompiledRule[];
  readonly #forAllProperties: readonly CompiledRule[];
  readonly #rulesByProperty = new Map<string, readonly CompiledRule[]>();

  constructor({ name, rules, allMatching, undecidable, remote }: LocationParts) {
    this.name = name;
    this.allMatching = allMatching;
    this.undecidable = undecidable;
    this.remote = remote;
    this.#rules = rules;
    this.#forAllProperties = rules.filter((rule) => !rule.propertyTokens);
  }

  /** The rules that count for a property, in the artifact's order: its own and those for all properties. */
  rulesFor(propertyToken: string | undefined): readonly CompiledRule[] {
    if (!propertyToken || this.#rules.length === this.#forAllProperties.length) return this.#forAllProperties;
    const known = this.#rulesByProperty.get(propertyToken);
    if (known) return known;
    const rules = this.#rules.filter((rule) => rule.propertyTokens?.includes(propertyToken) ?? true);
    // Other tokens come from requests: there is no end to them.
    if (rules.length === this.#forAllProperties.length) return this.#forAllProperties;
    this.#rulesByProperty.set(propertyToken, rules);
    return rules;
  }
}
