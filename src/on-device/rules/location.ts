import type { Consequence, Rule, RuleMeta } from '../../artifact.js';
import type { Activity } from '../facts/context.js';
import { CompiledOffers } from '../offers/compiled-offers.js';
import type { TokenNames } from '../offers/response-tokens.js';
import type { CompiledCondition } from './condition.js';

/** What the rules of one experience have in common: a search answers with one of them. */
export interface RuleKey {
  /** The number of the last search that answered with one; a Set per search is slower (`on-device/page-load`). */
  lastSearch: number;
}

/** One rule, ready to be evaluated. It keeps of the artifact's what is still needed, so that the rest can go. */
export class CompiledRule {
  /** Only of a location that answers with every rule that holds. */
  readonly key: RuleKey | undefined;
  readonly activity: Activity;
  /** Undefined for a condition that only the edge understands. */
  readonly condition: CompiledCondition | undefined;
  readonly meta: RuleMeta;
  /** The properties that the rule is for; undefined for all. */
  readonly propertyTokens: readonly string[] | undefined;
  readonly #consequence: Consequence;
  readonly #tokenNames: TokenNames;
  #offers: CompiledOffers | undefined;

  constructor(
    rule: Rule,
    compiled: Pick<CompiledRule, 'key' | 'activity' | 'condition'>,
    tokenNames: TokenNames,
  ) {
    const { propertyTokens } = rule;
    this.key = compiled.key;
    this.activity = compiled.activity;
    this.condition = compiled.condition;
    this.meta = rule.meta;
    this.propertyTokens =
      Array.isArray(propertyTokens) && propertyTokens.length > 0 ? propertyTokens : undefined;
    this.#consequence = rule.consequence;
    this.#tokenNames = tokenNames;
  }

  /** Compiled when the rule holds for the first time: most rules of a large artifact rarely do. */
  get offers(): CompiledOffers {
    this.#offers ??= new CompiledOffers(this.#consequence, this.meta, this.#tokenNames);
    return this.#offers;
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
  #rulesByProperty: Map<string, readonly CompiledRule[]> | undefined;

  constructor({ name, rules, allMatching, undecidable, remote }: LocationParts) {
    this.name = name;
    this.allMatching = allMatching;
    this.undecidable = undecidable;
    this.remote = remote;
    this.#rules = rules;
    const forAll = rules.filter((rule) => !rule.propertyTokens);
    this.#forAllProperties = forAll.length === rules.length ? rules : forAll;
  }

  /** The rules that count for a property, in the artifact's order: its own and those for all properties. */
  rulesFor(propertyToken: string | undefined): readonly CompiledRule[] {
    if (!propertyToken || this.#rules === this.#forAllProperties) return this.#forAllProperties;
    const known = this.#rulesByProperty?.get(propertyToken);
    if (known) return known;
    const rules = this.#rules.filter((rule) => rule.propertyTokens?.includes(propertyToken) ?? true);
    // Other tokens come from requests: there is no end to them.
    if (rules.length === this.#forAllProperties.length) return this.#forAllProperties;
    this.#rulesByProperty ??= new Map();
    this.#rulesByProperty.set(propertyToken, rules);
    return rules;
  }
}
