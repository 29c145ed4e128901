import type {
  LocationResponse,
  MboxRequest,
  MboxResponse,
  Metric,
  PageLoadResponse,
  RequestDetails,
  ViewRequest,
  ViewResponse,
} from '../delivery-api.js';
import type { CompiledArtifact } from './compile.js';
import type { CompiledLocation, CompiledRule } from './compiled-location.js';
import { type CallContext, LocationContext } from './context.js';
import type { DisplayLedger } from './displays.js';
import type { MacroSource } from './macros.js';
import { addMetrics, addOptions, type Receiver } from './offers.js';
import { finishTrace, type TracedLocation, type TraceRecorder } from './trace.js';

/** One execute or prefetch on its way to an answer. */
export interface Part {
  readonly compiled: CompiledArtifact;
  readonly context: CallContext;
  readonly propertyToken: string | undefined;
  /** Undefined in a prefetch, which owes nothing. */
  readonly ledger: DisplayLedger | undefined;
  /** Undefined when nobody asked for a trace. */
  readonly recorder: TraceRecorder | undefined;
}

/**
 * Answers an mbox: with the first rule that holds. The global mbox, and mboxes that were configured so, get one
 * answer per rule that holds. Without any there is an answer without options.
 */
export function decideMbox(request: MboxRequest, part: Part, answers: MboxResponse[]): void {
  const location = part.compiled.mbox(request.name);
  const context = new LocationContext(part.context, request.address, request.parameters);
  const unmatched = answers.length;
  const receiver = toReceiver(request, part);
  eachRuleThatHolds(location, { part, context, seen: undefined }, (rule) => {
    const name = rule.offers.name ?? request.name;
    const answer: MboxResponse = { name, options: [], index: request.index ?? 0 };
    handOut(answer, rule, receiver);
    if (part.ledger && rule.offers.clickMetrics.length > 0) {
      answer.metrics = [];
      addMetrics(answer.metrics, rule.offers.clickMetrics);
    }
    noteDisplay(rule, name, part);
    answers.push(withTrace(answer, { mbox: request }, part));
  });
  if (answers.length > unmatched) return;
  const answer: MboxResponse = { name: request.name, index: request.index ?? 0 };
  answers.push(withTrace(answer, { mbox: request }, part));
}

/** Answers a page load: with every rule of the global mbox that holds. */
export function decidePageLoad(request: RequestDetails, part: Part): PageLoadResponse {
  const location = part.compiled.mbox(part.compiled.globalMbox);
  const named = { ...request, name: location.name };
  const context = new LocationContext(part.context, request.address, request.parameters);
  const answer: PageLoadResponse = { options: [] };
  const metrics: Metric[] = [];
  const receiver = toReceiver(named, part);
  let draft: object | undefined;
  eachRuleThatHolds(location, { part, context, seen: undefined }, (rule) => {
    handOut(answer, rule, receiver);
    if (part.ledger) addMetrics(metrics, rule.offers.clickMetrics);
    noteDisplay(rule, rule.offers.name ?? location.name, part);
    draft = part.recorder?.draft({ mbox: named });
  });
  if (metrics.length > 0) answer.metrics = uniqueByToken(metrics);
  if (draft) answer.trace = finishTrace(draft);
  return draft ? answer : withTrace(answer, { mbox: named }, part);
}

/** Answers a request for one view, or, without a name, for all: one answer per view of which a rule holds. */
export function decideView(request: ViewRequest, part: Part, answers: ViewResponse[]): void {
  const { compiled } = part;
  const context = new LocationContext(part.context, request.address, request.parameters);
  const search: Search = { part, context, seen: undefined };
  const receiver = toReceiver(request, part);
  const answersByName = new Map<string, NamedView>();
  for (const location of request.name ? [compiled.view(request.name)] : compiled.views()) {
    eachRuleThatHolds(location, search, (rule) => {
      const name = rule.offers.name ?? location.name;
      const known = answersByName.get(name);
      const answer: NamedView = known ?? { name, options: [], metrics: [] };
      handOut(answer, rule, receiver);
      addMetrics(answer.metrics, rule.offers.metrics);
      part.recorder?.noteAnswer(rule, undefined);
      if (known) return;
      answersByName.set(name, answer);
      answers.push(withTrace(answer, { view: request }, part));
    });
  }
}

type NamedView = ViewResponse & Required<Pick<ViewResponse, 'name' | 'options' | 'metrics'>>;

interface Search {
  readonly part: Part;
  readonly context: LocationContext;
  /** Rule keys that were answered: a visitor gets one rule of each. */
  seen: Set<string> | undefined;
}

function eachRuleThatHolds(
  location: CompiledLocation,
  search: Search,
  answer: (rule: CompiledRule) => void,
): void {
  const { part, context } = search;
  let previous: CompiledRule | undefined;
  let holds = false;
  for (const rule of location.rulesFor(part.propertyToken)) {
    if (search.seen?.has(rule.key)) continue;
    if (!rule.condition) {
      // What comes after a rule that only the edge understands may not be what the visitor should get.
      if (location.allMatching) continue;
      return;
    }
    // The rules of one experience follow each other with the same condition.
    if (rule.condition !== previous?.condition || rule.activity !== previous.activity) {
      context.fill(rule.condition.reads, rule.activity);
      holds = rule.condition.holds(context);
      previous = rule;
    }
    part.recorder?.noteRule(rule, holds, context);
    if (!holds) continue;
    answer(rule);
    if (!location.allMatching) return;
    search.seen ??= new Set();
    search.seen.add(rule.key);
  }
}

function handOut(answer: LocationResponse, rule: CompiledRule, receiver: Receiver): void {
  if (answer.options) addOptions(answer.options, rule.offers.options, receiver);
}

function toReceiver(source: MacroSource, { compiled, context, ledger }: Part): Receiver {
  const geoTokens = compiled.tokenNames.geo;
  const geo = geoTokens.length > 0 ? context.geo : undefined;
  return { isExecuted: ledger !== undefined, source, geo, geoTokens };
}

function noteDisplay(rule: CompiledRule, mbox: string, { ledger, recorder }: Part): void {
  const notification = ledger?.owe(mbox, rule.offers.displayTokens);
  recorder?.noteAnswer(rule, notification);
}

function withTrace<Answer extends LocationResponse>(
  answer: Answer,
  location: TracedLocation,
  { recorder }: Part,
): Answer {
  if (recorder) answer.trace = finishTrace(recorder.draft(location));
  return answer;
}

/** Of metrics with the same token the last one counts, at the place of the first. */
function uniqueByToken(metrics: readonly Metric[]): Metric[] {
  const metricsByToken = new Map<string | undefined, Metric>();
  for (const metric of metrics) metricsByToken.set(metric.eventToken, metric);
  return [...metricsByToken.values()];
}
