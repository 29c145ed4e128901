import type { Consequence, RuleMeta, RuleOption } from '../artifact.js';
import type { Metric, Option, ResponseTokens } from '../delivery-api.js';
import { type Cloner, clonerOf } from './cloner.js';
import type { GeoFacts } from './context.js';
import { type CompiledText, compileMacros, type MacroSource } from './macros.js';
import { addGeoTokens, type GeoToken, geoTokensOf, metaTokens } from './response-tokens.js';

/*
 * What is returned belongs to the caller, who may change it, so nothing of it may be shared with the artifact or
 * another visitor. Instead of a deep clone per rule, each option is walked once, when its rule holds for the
 * first time, and becomes a closure that makes fresh copies (cloner.ts).
 */

/** A rule's consequence, ready to be handed out any number of times; each part is compiled when it is first needed. */
export class CompiledOffers {
  /** Name of the mbox or view, as the artifact gives it. */
  readonly name: string | undefined;
  /** Tokens to report when the options are displayed, each once. */
  readonly displayTokens: readonly string[];
  readonly #options: readonly RuleOption[];
  readonly #metrics: readonly Metric[];
  readonly #meta: RuleMeta;
  readonly #tokenNames: readonly string[];
  #executed: readonly CompiledOption[] | undefined;
  #prefetched: readonly CompiledOption[] | undefined;
  #clickCloners: readonly Cloner<Metric>[] | undefined;
  #metricCloners: readonly Cloner<Metric>[] | undefined;

  /** `tokenNames` are the response tokens that the artifact asks for. */
  constructor(consequence: Consequence, meta: RuleMeta, tokenNames: readonly string[]) {
    this.name = consequence.name;
    this.#options = (consequence.options ?? []).filter(isObject);
    this.#metrics = (consequence.metrics ?? []).filter(isObject);
    this.#meta = meta;
    this.#tokenNames = tokenNames;
    this.displayTokens = [...new Set(this.#options.map((option) => option.eventToken).filter(isText))];
  }

  /** The options as they are executed: without tokens, and without those that show nothing. */
  get executed(): readonly CompiledOption[] {
    this.#executed ??= this.#options
      .filter((option) => option.type !== undefined || option.content !== undefined)
      .map((option) => compileOption(option, undefined, this.#facts()));
    return this.#executed;
  }

  /** The options as they are prefetched: with the tokens to report later. */
  get prefetched(): readonly CompiledOption[] {
    this.#prefetched ??= this.#options.map((option, index) =>
      compileOption(option, option.eventToken ?? displayToken(this.#metrics[index]), this.#facts()),
    );
    return this.#prefetched;
  }

  get clickMetrics(): readonly Cloner<Metric>[] {
    this.#clickCloners ??= this.#metrics.filter(({ type }) => type === 'click').map(clonerOf);
    return this.#clickCloners;
  }

  get metrics(): readonly Cloner<Metric>[] {
    this.#metricCloners ??= this.#metrics.map(clonerOf);
    return this.#metricCloners;
  }

  #facts(): OptionFacts {
    return {
      meta: this.#meta,
      tokens: metaTokens(this.#meta, this.#tokenNames),
      geoTokens: geoTokensOf(this.#tokenNames),
    };
  }
}

/** One option of a rule. */
export interface CompiledOption {
  readonly clone: Cloner<Option>;
  /** Puts values into the content's macros; undefined when it has none. */
  readonly fillIn: FillIn | undefined;
  readonly geoTokens: readonly GeoToken[];
}

type FillIn = (option: Option, source: MacroSource) => void;

/** Hands out a rule's options to one visitor. */
export function addOptions(
  target: Option[],
  options: readonly CompiledOption[],
  source: MacroSource,
  geo: GeoFacts | undefined,
): void {
  for (const { clone, fillIn, geoTokens } of options) {
    const option = clone();
    if (fillIn) fillIn(option, source);
    if (geo && geoTokens.length > 0 && option.responseTokens) {
      addGeoTokens(option.responseTokens, geoTokens, geo);
    }
    target.push(option);
  }
}

/** Hands out a rule's metrics to one visitor. */
export function addMetrics(target: Metric[], metrics: readonly Cloner<Metric>[]): void {
  for (const clone of metrics) target.push(clone());
}

function displayToken(metric: Metric | undefined): string | undefined {
  return metric?.type === 'display' ? metric.eventToken : undefined;
}

interface OptionFacts {
  readonly meta: RuleMeta;
  readonly tokens: ResponseTokens;
  readonly geoTokens: readonly GeoToken[];
}

function compileOption(
  option: RuleOption,
  eventToken: string | undefined,
  { meta, tokens, geoTokens }: OptionFacts,
): CompiledOption {
  return {
    clone: compileOptionCloner(option, eventToken, tokens),
    fillIn: compileFillIn(option, meta),
    geoTokens,
  };
}

/** Nearly all options have a type and a content and nothing else, which can be written down as a literal. */
function compileOptionCloner(
  { eventToken: _own, ...fields }: RuleOption,
  eventToken: string | undefined,
  tokens: ResponseTokens,
): Cloner<Option> {
  const option = fields as Option;
  const { type, content } = option;
  if (Object.keys(option).length > 2 || type === undefined || content === undefined) {
    return isText(eventToken)
      ? clonerOf({ ...option, eventToken, responseTokens: tokens })
      : clonerOf({ ...option, responseTokens: tokens });
  }
  const copy = clonerOf(content);
  if (!isText(eventToken)) return () => ({ type, content: copy(), responseTokens: { ...tokens } });
  return () => ({ type, content: copy(), eventToken, responseTokens: { ...tokens } });
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

function isObject<Value>(value: Value): value is Value & object {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
