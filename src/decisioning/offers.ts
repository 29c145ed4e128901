import type { Consequence, RuleMeta, RuleOption } from '../artifact.js';
import type { Metric, Option, ResponseTokens } from '../delivery-api.js';
import type { GeoFacts } from './context.js';
import { type CompiledText, compileMacros, type MacroSource } from './macros.js';

/*
 * What is returned belongs to the caller, who may change it, so nothing of it may be shared with the artifact or
 * another visitor. Instead of a deep clone per rule, each option is walked once, when its rule matches for the
 * first time, and becomes a closure that makes a fresh copy: texts and numbers are shared (nobody can change
 * them), objects and lists are written anew, without looking at their values again.
 */

/** A rule's consequence, ready to be handed out any number of times. */
export interface CompiledOffers {
  /** Name of the mbox or view, as the artifact gives it. */
  readonly name: string | undefined;
  /** Tokens to report when the options are displayed, each once. */
  readonly displayTokens: readonly string[];
  readonly hasClickMetrics: boolean;
  /** The options as they are executed: without tokens, and without those that show nothing. */
  addExecuted(options: Option[], request: MacroSource, geo: GeoFacts): void;
  /** The options as they are prefetched: with the tokens to report later. */
  addPrefetched(options: Option[], request: MacroSource, geo: GeoFacts): void;
  addClickMetrics(metrics: Metric[]): void;
  addMetrics(metrics: Metric[]): void;
}

type Cloner<Value> = () => Value;

interface CompiledOption {
  readonly clone: Cloner<Option>;
  /** Puts values into the content's macros; undefined when it has none. */
  readonly fillIn: ((option: Option, request: MacroSource) => void) | undefined;
}

/** Compiles a rule's consequence; `tokenNames` are the response tokens that the artifact asks for. */
export function compileOffers(
  consequence: Consequence,
  meta: RuleMeta,
  tokenNames: readonly string[],
): CompiledOffers {
  const options = (consequence.options ?? []).filter(isObject);
  const metrics = (consequence.metrics ?? []).filter(isObject);
  const clickMetrics = metrics.filter((metric) => metric.type === 'click').map((metric) => clonerOf(metric));
  const allMetrics = metrics.map((metric) => clonerOf(metric));
  const tokens = responseTokens(meta, tokenNames);
  const geoTokens = tokenNames.filter(isGeoToken);
  const executed = options
    .filter((option) => option.type !== undefined || option.content !== undefined)
    .map((option) => compileOption({ option, eventToken: undefined, tokens, meta }));
  const prefetched = options.map((option, index) =>
    compileOption({ option, eventToken: option.eventToken ?? displayToken(metrics[index]), tokens, meta }),
  );
  return {
    name: consequence.name,
    displayTokens: [...new Set(options.map((option) => option.eventToken).filter(isText))],
    hasClickMetrics: clickMetrics.length > 0,
    addExecuted: (target, request, geo) => addOptions(target, executed, { request, geo, geoTokens }),
    addPrefetched: (target, request, geo) => addOptions(target, prefetched, { request, geo, geoTokens }),
    addClickMetrics: (target) => addClones(target, clickMetrics),
    addMetrics: (target) => addClones(target, allMetrics),
  };
}

interface Handout {
  readonly request: MacroSource;
  readonly geo: GeoFacts;
  readonly geoTokens: readonly GeoToken[];
}

function addOptions(target: Option[], options: readonly CompiledOption[], handout: Handout): void {
  for (const { clone, fillIn } of options) {
    const option = clone();
    if (fillIn) fillIn(option, handout.request);
    if (handout.geoTokens.length > 0) addGeoTokens(option, handout);
    target.push(option);
  }
}

function addClones<Value>(target: Value[], cloners: readonly Cloner<Value>[]): void {
  for (const clone of cloners) target.push(clone());
}

function displayToken(metric: Metric | undefined): string | undefined {
  return metric?.type === 'display' ? metric.eventToken : undefined;
}

interface OptionSource {
  readonly option: RuleOption;
  readonly eventToken: string | undefined;
  readonly tokens: ResponseTokens;
  readonly meta: RuleMeta;
}

function compileOption({ option, eventToken, tokens, meta }: OptionSource): CompiledOption {
  const { eventToken: _own, ...fields } = option;
  const clone = isText(eventToken)
    ? clonerOf<Option>({ ...(fields as Option), eventToken, responseTokens: tokens })
    : clonerOf<Option>({ ...(fields as Option), responseTokens: tokens });
  return { clone, fillIn: compileFillIn(option, meta) };
}

function compileFillIn(option: RuleOption, meta: RuleMeta): CompiledOption['fillIn'] {
  const { type, content } = option;
  if (type === 'html' && typeof content === 'string') {
    const text = compileMacros(content, meta);
    return (
      text &&
      ((copy, request) => {
        copy.content = text(request);
      })
    );
  }
  return type === 'actions' && Array.isArray(content) ? compileActions(content, meta) : undefined;
}

function compileActions(actions: readonly unknown[], meta: RuleMeta): CompiledOption['fillIn'] {
  const texts: [index: number, text: CompiledText][] = [];
  for (const [index, action] of actions.entries()) {
    if (!isObject(action)) continue;
    const { content } = action as { content?: unknown };
    const text = typeof content === 'string' ? compileMacros(content, meta) : undefined;
    if (text) texts.push([index, text]);
  }
  if (texts.length === 0) return undefined;
  return (copy, request) => {
    const copies = copy.content as { content: string }[];
    for (const [index, text] of texts) {
      const action = copies[index];
      if (action) action.content = text(request);
    }
  };
}

const META_TOKENS = new Set([
  ...['activity.id', 'activity.name', 'activity.type', 'experience.id', 'experience.name'],
  ...['location.id', 'location.name', 'location.type', 'offer.id', 'offer.name', 'option.id', 'option.name'],
]);

const GEO_TOKENS = {
  'geo.city': 'city',
  'geo.country': 'country',
  'geo.state': 'region',
  'geo.latitude': 'latitude',
  'geo.longitude': 'longitude',
} as const satisfies Record<string, keyof GeoFacts>;

type GeoToken = keyof typeof GEO_TOKENS;

function isGeoToken(name: string): name is GeoToken {
  return Object.hasOwn(GEO_TOKENS, name);
}

function responseTokens(meta: RuleMeta, names: readonly string[]): ResponseTokens {
  const tokens: ResponseTokens = {};
  for (const name of names) {
    const value = META_TOKENS.has(name) && Object.hasOwn(meta, name) ? meta[name] : undefined;
    if (value !== undefined && value !== null) tokens[name] = value;
  }
  tokens['activity.decisioningMethod'] = 'on-device';
  return tokens;
}

function addGeoTokens(option: Option, { geo, geoTokens }: Handout): void {
  const tokens = option.responseTokens;
  if (!tokens) return;
  for (const name of geoTokens) {
    const value = geo[GEO_TOKENS[name]];
    if (value !== undefined) tokens[name] = value;
  }
}

function clonerOf<Value>(value: Value): Cloner<Value> {
  return compileCloner(value) as Cloner<Value>;
}

function compileCloner(value: unknown): Cloner<unknown> {
  if (typeof value !== 'object' || value === null) return () => value;
  if (Array.isArray(value)) {
    if (value.every(isScalar)) return () => value.slice();
    const items = value.map((item) => compileCloner(item));
    return () => items.map((item) => item());
  }
  return compileObjectCloner(value as Record<string, unknown>);
}

/** A spread copies all fields at once; those that hold objects are then written over with copies of their own. */
function compileObjectCloner(fields: Record<string, unknown>): Cloner<unknown> {
  const nested: [name: string, clone: Cloner<unknown>][] = [];
  for (const name of Object.keys(fields)) {
    if (!isScalar(fields[name])) nested.push([name, compileCloner(fields[name])]);
  }
  if (nested.length === 0) return () => ({ ...fields });
  return () => {
    const copy = { ...fields };
    for (const [name, clone] of nested) copy[name] = clone();
    return copy;
  };
}

function isScalar(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function isObject<Value>(value: Value): value is Value & object {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
