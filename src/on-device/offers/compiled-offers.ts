import type { Consequence, RuleMeta, RuleOption } from '../../artifact.js';
import type { Metric, Option, ResponseTokens } from '../../delivery-api.js';
import { isObject, isRecord } from '../../json.js';
import { type CopyPlan, copyPlanOf } from './copy-plan.js';
import type { Displayed } from './displays.js';
import { type CompiledText, compileMacros, type MacroSource } from './macros.js';
import { metaTokens, type TokenNames } from './response-tokens.js';

const NONE: readonly never[] = Object.freeze([]);

/**
 * Holds a rule's consequence (its options and metrics) in a form from which copies are made quickly. Every visitor gets
 * a copy. The caller may change the copy, and no change may reach the artifact or another visitor. Each option is
 * inspected once, when its rule holds for the first time. The result is a plan by which all copies are made. Plans are
 * plain data without closures, to save memory (benchmark memory).
 */
export class CompiledOffers implements Displayed {
  displayJson: string | undefined = undefined;
  readonly #consequence: Consequence;
  readonly #meta: RuleMeta;
  readonly #tokenNames: TokenNames;
  #options: readonly CompiledOption[] | undefined;
  #displayTokens: readonly string[] | undefined;
  #clickMetrics: readonly CompiledMetric[] | undefined;
  #metrics: readonly CompiledMetric[] | undefined;

  /** Takes the consequence and meta of a rule, and `tokenNames`, the response tokens that the artifact asks for. */
  constructor(consequence: Consequence, meta: RuleMeta, tokenNames: TokenNames) {
    this.#consequence = consequence;
    this.#meta = meta;
    this.#tokenNames = tokenNames;
  }

  /** Name of the mbox or view in the artifact; undefined when the rule has none. */
  get name(): string | undefined {
    return this.#consequence.name;
  }

  /** The rule's options; they are compiled when they are read for the first time. */
  get options(): readonly CompiledOption[] {
    this.#options ??= this.#compileOptions();
    return this.#options;
  }

  /** Event tokens to report when the options are displayed. Each appears once. */
  get displayTokens(): readonly string[] {
    this.#displayTokens ??= displayTokensOf(objectsOf(this.#consequence.options));
    return this.#displayTokens;
  }

  /** The rule's metrics of type `click`. */
  get clickMetrics(): readonly CompiledMetric[] {
    this.#clickMetrics ??= this.metrics.filter(({ metric }) => metric.type === 'click');
    return this.#clickMetrics;
  }

  get metrics(): readonly CompiledMetric[] {
    this.#metrics ??= objectsOf(this.#consequence.metrics).map(compileMetric);
    return this.#metrics;
  }

  #compileOptions(): readonly CompiledOption[] {
    const tokens = metaTokens(this.#meta, this.#tokenNames);
    const metrics = objectsOf(this.#consequence.metrics);
    return objectsOf(this.#consequence.options).map((option, index) => {
      const token = option.eventToken ?? displayToken(metrics[index]);
      return compileOption(option, isText(token) ? token : undefined, { meta: this.#meta, tokens });
    });
  }
}

/** Option that has a type and a content. */
export type PlainOption = Required<Pick<Option, 'type' | 'content'>>;

/** One option of a rule, with all that is needed to copy it for a visitor. */
export interface CompiledOption {
  /**
   * The option of the artifact, if it is plain. Any other option stands here as visitors get it, but without its event
   * token.
   */
  readonly option: RuleOption;
  /**
   * The option of the artifact, if it is plain. Undefined for other options. A plain option has a type, a content and
   * nothing else, except perhaps an event token, and its response tokens are a flat object. Nearly all options are
   * plain. Their copies are written as object literals.
   */
  readonly plain: PlainOption | undefined;
  /** Plan for copying: the content of a plain option, else the whole `option`. */
  readonly plan: CopyPlan;
  /** Event token that reports the option's display. Visitors get it with prefetched options only. */
  readonly eventToken: string | undefined;
  /** Response tokens of the option, before the visitor's geographic data are added. */
  readonly tokens: ResponseTokens;
  /** Replaces the macros of a copied option's content by values; undefined when the content has none. */
  readonly fillIn: FillIn | undefined;
}

type FillIn = (option: Option, source: MacroSource) => void;

/** One metric of a rule, with the plan for copying it. */
export interface CompiledMetric {
  readonly metric: Metric;
  readonly plan: CopyPlan;
}

function compileMetric(metric: Metric): CompiledMetric {
  return { metric, plan: copyPlanOf(metric) };
}

function displayToken(metric: Metric | undefined): string | undefined {
  return metric?.type === 'display' ? metric.eventToken : undefined;
}

function displayTokensOf(options: readonly RuleOption[]): readonly string[] {
  const tokens = options.map((option) => option.eventToken).filter(isText);
  return tokens.length > 1 ? [...new Set(tokens)] : tokens;
}

interface OptionFacts {
  readonly meta: RuleMeta;
  readonly tokens: ResponseTokens;
}

function compileOption(
  option: RuleOption,
  eventToken: string | undefined,
  { meta, tokens }: OptionFacts,
): CompiledOption {
  const { eventToken: _own, ...fields } = option;
  const isPlain = Object.keys(fields).length === 2 && copyPlanOf(tokens) === 'flat';
  const plain = isPlain && isPlainOption(option) ? option : undefined;
  const handedOut = plain ? option : { ...fields, responseTokens: tokens };
  const plan = copyPlanOf(plain ? plain.content : handedOut);
  return { option: handedOut, plain, plan, eventToken, tokens, fillIn: compileFillIn(option, meta) };
}

function isPlainOption(option: RuleOption): option is RuleOption & PlainOption {
  return option.type !== undefined && option.content !== undefined;
}

/**
 * Compiles the macros of an option: those in its content when that is html, or in the content of each of its actions.
 */
function compileFillIn({ type, content }: RuleOption, meta: RuleMeta): FillIn | undefined {
  if (type === 'actions' && Array.isArray(content)) {
    return compileActions(content, meta);
  }
  const text = type === 'html' && typeof content === 'string' ? compileMacros(content, meta) : undefined;
  if (!text) {
    return undefined;
  }
  return (option, source) => {
    option.content = text(source);
  };
}

function compileActions(actions: readonly unknown[], meta: RuleMeta): FillIn | undefined {
  const texts: [index: number, text: CompiledText][] = [];
  for (const [index, action] of actions.entries()) {
    const content = isRecord(action) ? action.content : undefined;
    const text = typeof content === 'string' ? compileMacros(content, meta) : undefined;
    if (text) {
      texts.push([index, text]);
    }
  }
  if (texts.length === 0) {
    return undefined;
  }
  return (option, source) => {
    const copies: unknown = option.content;
    if (!Array.isArray(copies)) {
      return;
    }
    for (const [index, text] of texts) {
      const action: { content?: unknown } | undefined = copies[index];
      if (action) {
        action.content = text(source);
      }
    }
  };
}

/**
 * Returns the objects of a list from the artifact. A list that holds nothing else is returned itself, because a copy
 * would take memory. Nearly every list is such a list.
 */
function objectsOf<Value>(list: readonly Value[] | undefined): readonly Value[] {
  if (!list || list.length === 0) {
    return NONE;
  }
  return list.every(isObject) ? list : list.filter(isObject);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
