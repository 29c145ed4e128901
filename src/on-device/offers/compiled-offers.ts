import type { Consequence, RuleMeta, RuleOption } from '../../artifact.js';
import type { Metric, Option, ResponseTokens } from '../../delivery-api.js';
import { isObject, isRecord } from '../../json.js';
import { type CopyPlan, copyPlanOf } from './copy-plan.js';
import type { Displayed } from './displays.js';
import { type CompiledText, compileMacros, type MacroSource } from './macros.js';
import { metaTokens, type TokenNames } from './response-tokens.js';

const NONE: readonly never[] = Object.freeze([]);

/**
 * A rule's consequence, ready to be handed out any number of times. What is handed out is the caller's to change, so that
 * nothing of it may be shared with the artifact or another visitor: each option is walked once, when its rule holds for
 * the first time, and copied by what was found. That is kept as few plain objects without closures (benchmark `memory`).
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

  /** `tokenNames` are the response tokens that the artifact asks for. */
  constructor(consequence: Consequence, meta: RuleMeta, tokenNames: TokenNames) {
    this.#consequence = consequence;
    this.#meta = meta;
    this.#tokenNames = tokenNames;
  }

  /** Name of the mbox or view, as the artifact gives it. */
  get name(): string | undefined {
    return this.#consequence.name;
  }

  get options(): readonly CompiledOption[] {
    this.#options ??= this.#compileOptions();
    return this.#options;
  }

  /** Tokens to report when the options are displayed, each once. */
  get displayTokens(): readonly string[] {
    this.#displayTokens ??= displayTokensOf(objectsOf(this.#consequence.options));
    return this.#displayTokens;
  }

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

/** An option that has a type and a content. */
export type PlainOption = Required<Pick<Option, 'type' | 'content'>>;

/** One option of a rule. */
export interface CompiledOption {
  /** As the artifact has it when it is plain, else as it is handed out, but for its event token. */
  readonly option: RuleOption;
  /**
   * The same option when it has a type and a content and nothing else, and flat tokens, as nearly all have: their copies
   * are written as literals.
   */
  readonly plain: PlainOption | undefined;
  /** Of the content of a plain option, else of all of it. */
  readonly plan: CopyPlan;
  /** To report when it is displayed; handed out with what is prefetched. */
  readonly eventToken: string | undefined;
  readonly tokens: ResponseTokens;
  /** Puts values into the content's macros; undefined when it has none. */
  readonly fillIn: FillIn | undefined;
}

type FillIn = (option: Option, source: MacroSource) => void;

/** One metric of a rule. */
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

/** Macros are looked for in html and in each action's content. */
function compileFillIn({ type, content }: RuleOption, meta: RuleMeta): FillIn | undefined {
  if (type === 'actions' && Array.isArray(content)) return compileActions(content, meta);
  const text = type === 'html' && typeof content === 'string' ? compileMacros(content, meta) : undefined;
  if (!text) return undefined;
  return (option, source) => {
    option.content = text(source);
  };
}

function compileActions(actions: readonly unknown[], meta: RuleMeta): FillIn | undefined {
  const texts: [index: number, text: CompiledText][] = [];
  for (const [index, action] of actions.entries()) {
    const content = isRecord(action) ? action.content : undefined;
    const text = typeof content === 'string' ? compileMacros(content, meta) : undefined;
    if (text) texts.push([index, text]);
  }
  if (texts.length === 0) return undefined;
  return (option, source) => {
    const copies: unknown = option.content;
    if (!Array.isArray(copies)) return;
    for (const [index, text] of texts) {
      const action: { content?: unknown } | undefined = copies[index];
      if (action) action.content = text(source);
    }
  };
}

/** Most rules have one option and no metric, and no list has anything but objects: none is copied then. */
function objectsOf<Value>(list: readonly Value[] | undefined): readonly Value[] {
  if (!list || list.length === 0) return NONE;
  return list.every(isObject) ? list : list.filter(isObject);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
