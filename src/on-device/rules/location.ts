import type { Consequence, Rule, RuleMeta } from '../../artifact.js';
import type { Activity } from '../facts/context.js';
import { contextPart } from '../facts/context-parts.js';
import { CompiledOffers } from '../offers/compiled-offers.js';
import type { TokenNames } from '../offers/response-tokens.js';
import type { CompiledCondition } from './condition.js';

/** Stands for the rules of one experience, which share a key. A search answers with at most one of them. */
export interface RuleKey {
  /**
   * Number of the last search that answered with a rule of this key. A Set per search would be slower (benchmark
   * on-device/page-load).
   */
  lastSearch: number;
}

/**
 * Holds one rule in the form in which it is evaluated. It keeps only the fields of the artifact's rule that are still
 * needed. The memory of the others can be freed.
 */
export class CompiledRule {
  /** Key of the rule; undefined in a location that answers with one rule only. */
  readonly key: RuleKey | undefined;
  readonly activity: Activity;
  /** Condition of the rule; undefined when only the edge can evaluate it. */
  readonly condition: CompiledCondition | undefined;
  readonly meta: RuleMeta;
  /** Tokens of the properties to which the rule is limited; undefined when it counts for all properties. */
  readonly propertyTokens: readonly string[] | undefined;
  /** The rule as it is written in the artifact. It is kept for tools alone, which watch the conditions. */
  readonly written: Rule | undefined;
  readonly #consequence: Consequence;
  readonly #tokenNames: TokenNames;
  #offers: CompiledOffers | undefined;

  constructor(
    rule: Rule,
    compiled: Pick<CompiledRule, 'key' | 'activity' | 'condition' | 'written'>,
    tokenNames: TokenNames,
  ) {
    const { propertyTokens } = rule;
    this.key = compiled.key;
    this.activity = compiled.activity;
    this.condition = compiled.condition;
    this.written = compiled.written;
    this.meta = rule.meta;
    this.propertyTokens =
      Array.isArray(propertyTokens) && propertyTokens.length > 0 ? propertyTokens : undefined;
    this.#consequence = rule.consequence;
    this.#tokenNames = tokenNames;
  }

  /**
   * The rule's consequence. It is compiled when the rule holds for the first time, because most rules of a large
   * artifact rarely hold.
   */
  get offers(): CompiledOffers {
    this.#offers ??= new CompiledOffers(this.#consequence, this.meta, this.#tokenNames);
    return this.#offers;
  }
}

const GEO = contextPart('geo');

/** Values from which a {@link CompiledLocation} is built. */
interface LocationParts {
  readonly kind: 'mbox' | 'view';
  readonly name: string;
  readonly rules: readonly CompiledRule[];
  readonly allMatching: boolean;
  readonly undecidable: boolean;
  readonly remote: boolean;
}

/** Holds the compiled rules of one mbox or view. */
export class CompiledLocation {
  readonly kind: 'mbox' | 'view';
  readonly name: string;
  /**
   * True when the location answers with every rule that holds (one for each rule key), false when it answers with the
   * first only.
   */
  readonly allMatching: boolean;
  /** True when some of the rules can be evaluated by the edge alone. */
  readonly undecidable: boolean;
  /**
   * True when the edge alone can answer for the location completely: it is undecidable, listed as remote, or unknown
   * to the artifact.
   */
  readonly remote: boolean;
  /** True when some rule of the location reads the visitor's geographic data. */
  readonly readsGeo: boolean;
  /** All rules of the location that could be compiled, in the artifact's order, of all properties. */
  readonly rules: readonly CompiledRule[];
  readonly #forAllProperties: readonly CompiledRule[];
  #rulesByProperty: Map<string, readonly CompiledRule[]> | undefined;

  constructor({ kind, name, rules, allMatching, undecidable, remote }: LocationParts) {
    this.kind = kind;
    this.name = name;
    this.allMatching = allMatching;
    this.undecidable = undecidable;
    this.remote = remote;
    this.readsGeo = rules.some(({ condition }) => condition !== undefined && (condition.reads & GEO) !== 0);
    this.rules = rules;
    const forAll = rules.filter((rule) => !rule.propertyTokens);
    this.#forAllProperties = forAll.length === rules.length ? rules : forAll;
  }

  /** True when there are rules for whatever property. */
  get hasRules(): boolean {
    return this.rules.length > 0;
  }

  /**
   * Returns the rules that count for a property, in the artifact's order: those limited to it and those for all
   * properties. Without a property, only the latter count.
   */
  rulesFor(propertyToken: string | undefined): readonly CompiledRule[] {
    if (!propertyToken || this.rules === this.#forAllProperties) {
      return this.#forAllProperties;
    }
    const known = this.#rulesByProperty?.get(propertyToken);
    if (known) {
      return known;
    }
    const rules = this.rules.filter((rule) => rule.propertyTokens?.includes(propertyToken) ?? true);
    // Tokens that no rule names are not kept: requests can hold any number of them.
    if (rules.length === this.#forAllProperties.length) {
      return this.#forAllProperties;
    }
    this.#rulesByProperty ??= new Map();
    this.#rulesByProperty.set(propertyToken, rules);
    return rules;
  }
}
