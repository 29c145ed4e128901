import type {
  LocationResponse,
  MboxRequest,
  MboxResponse,
  Metric,
  Option,
  PageLoadResponse,
  RequestDetails,
  ViewRequest,
  ViewResponse,
} from '../delivery-api.js';
import type { CompiledArtifact, CompiledLocation, CompiledRule } from './compile.js';
import { type CallContext, LocationContext } from './context.js';
import type { DisplayLedger } from './displays.js';
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
  eachRuleThatHolds(location, { part, context, seen: new Set() }, (rule) => {
    const name = rule.offers.name ?? request.name;
    const answer: MboxResponse = { name, options: [], index: request.index ?? 0 };
    addOptions(answer, rule, request, part);
    if (part.ledger && rule.offers.hasClickMetrics) {
      answer.metrics = [];
      rule.offers.addClickMetrics(answer.metrics);
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
  let draft: object | undefined;
  eachRuleThatHolds(location, { part, context, seen: new Set() }, (rule) => {
    addOptions(answer, rule, named, part);
    if (part.ledger) rule.offers.addClickMetrics(metrics);
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
  const search = { part, context, seen: new Set<string>() };
  const answersByName = new Map<string, NamedView>();
  for (const location of request.name ? [compiled.view(request.name)] : compiled.views()) {
    eachRuleThatHolds(location, search, (rule) => {
      const name = rule.offers.name ?? location.name;
      const known = answersByName.get(name);
      const answer: NamedView = known ?? { name, options: [], metrics: [] };
      addOptions(answer, rule, request, part);
      rule.offers.addMetrics(answer.metrics);
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
  readonly seen: Set<string>;
}

function eachRuleThatHolds(
  location: CompiledLocation,
  search: Search,
  answer: (rule: CompiledRule) => void,
): void {
  const { part, context, seen } = search;
  for (const rule of location.rules) {
    if (!rule.isForProperty(part.propertyToken)) continue;
    if (location.allMatching && seen.has(rule.rule.ruleKey)) continue;
    if (!rule.condition) {
      // What comes after a rule that only the edge understands may not be what the visitor should get.
      if (location.allMatching) continue;
      return;
    }
    context.fill(rule.condition.reads, rule.activity);
    const holds = rule.condition.holds(context);
    part.recorder?.noteRule(rule, holds, context);
    if (!holds) continue;
    answer(rule);
    if (!location.allMatching) return;
    seen.add(rule.rule.ruleKey);
  }
}

function addOptions(
  answer: LocationResponse,
  rule: CompiledRule,
  request: MboxRequest | ViewRequest,
  part: Part,
): void {
  const options: Option[] = answer.options ?? [];
  if (part.ledger) rule.offers.addExecuted(options, request, part.context.geo);
  else rule.offers.addPrefetched(options, request, part.context.geo);
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
