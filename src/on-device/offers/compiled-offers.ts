import type { Consequence, RuleMeta, RuleOption } from '../../artifact.js';
import type { Metric, Option, ResponseTokens } from '../../delivery-api.js';
import { isObject } from '../../json.js';
import type { GeoFacts } from '../facts/place.js';
import { type CopyPlan, copyBy, copyPlanOf } from './copy-plan.js';
import type { Displayed } from './displays.js';
import { type CompiledText, compileMacros, type MacroSource } from './macros.js';
import { addGeoTokens, type GeoToken, metaTokens, type TokenNames } from './response-tokens.js';

/*
 * What is returned belongs to the caller, who may change it, so nothing of it may be shared with the artifact or
 * another visitor. Instead of a deep clone per rule, each option is walked once, when its rule holds for the
 * first time, and is then copied by what was found (cloner.ts). That is kept as few plain objects
 * without closures: benchmark `memory`.
 */

const NONE: readonly never[] = Object.freeze([]);

/** A rule's consequence, ready to be handed out any number of times; each part is compiled when it is first needed. */
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

/** One option of a rule. */
export interface CompiledOption {
  /** As the artifact has it when it is plain, else as it is handed out, but for its event token. */
  readonly option: RuleOption;
  /**
   * Whether it has a type and a content and nothing else, and flat tokens, as nearly all have: their copies are written
   * as literals.
   */
  readonly isPlain: boolean;
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

/** How options are handed out to one visitor. */
export interface HandOut {
  /** What is executed is reported by us: it gets no tokens, and options that show nothing are left out. */
  readonly isExecuted: boolean;
  readonly source: MacroSource;
  /** The visitor's place, when the artifact asks for it and it is known. */
  readonly geo: GeoFacts | undefined;
  readonly geoTokens: readonly GeoToken[];
}

/** Hands out a rule's options to one visitor. */
export function optionsFor(options: readonly CompiledOption[], handOut: HandOut): Option[] {
  const [first] = options;
  const copy = first && options.length === 1 ? toOption(first, handOut) : undefined;
  // Most rules have one option, and pushing to an empty list makes room for many.
  if (copy) return [copy];
  const copies: Option[] = [];
  if (options.length > 1) addOptions(copies, options, handOut);
  return copies;
}

/** Hands out a rule's options to one visitor, after those of other rules. */
export function addOptions(target: Option[], options: readonly CompiledOption[], handOut: HandOut): void {
  for (const compiled of options) {
    const copy = toOption(compiled, handOut);
    if (copy) target.push(copy);
  }
}

function toOption(compiled: CompiledOption, handOut: HandOut): Option | undefined {
  const { option, fillIn } = compiled;
  const { isExecuted, geo } = handOut;
  if (isExecuted && option.type === undefined && option.content === undefined) return undefined;
  const copy = copyOption(compiled, isExecuted ? undefined : compiled.eventToken);
  if (fillIn) fillIn(copy, handOut.source);
  if (geo && copy.responseTokens) addGeoTokens(copy.responseTokens, handOut.geoTokens, geo);
  return copy;
}

function copyOption(compiled: CompiledOption, eventToken: string | undefined): Option {
  const { option, plan, tokens } = compiled;
  if (!compiled.isPlain) return copyUnusual(compiled, eventToken);
  const { type, content } = option as Required<Option>;
  const copy = plan === undefined ? content : copyBy(plan, content);
  return eventToken === undefined
    ? { type, content: copy, responseTokens: { ...tokens } }
    : { type, content: copy, eventToken, responseTokens: { ...tokens } };
}

function copyUnusual({ option, plan }: CompiledOption, eventToken: string | undefined): Option {
  const copy = copyBy(plan, option) as Option;
  if (eventToken !== undefined) copy.eventToken = eventToken;
  return copy;
}

/** Hands out a rule's metrics to one visitor. */
export function addMetrics(target: Metric[], metrics: readonly CompiledMetric[]): void {
  for (const { metric, plan } of metrics) target.push(copyBy(plan, metric));
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
  const { type, content } = option;
  const isPlain =
    Object.keys(fields).length === 2 &&
    type !== undefined &&
    content !== undefined &&
    copyPlanOf(tokens) === 'flat';
  const handedOut = isPlain ? option : { ...fields, responseTokens: tokens };
  const plan = copyPlanOf(isPlain ? content : handedOut);
  return { option: handedOut, isPlain, plan, eventToken, tokens, fillIn: compileFillIn(option, meta) };
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
    const content = isObject(action) ? (action as { content?: unknown }).content : undefined;
    const text = typeof content === 'string' ? compileMacros(content, meta) : undefined;
    if (text) texts.push([index, text]);
  }
  if (texts.length === 0) return undefined;
  return (option, source) => {
    const copies = option.content as { content: string }[];
    for (const [index, text] of texts) {
      const action = copies[index];
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
