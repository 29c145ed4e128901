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
import type { DisplayReport } from './display-report.js';
import { type CallContext, LocationContext } from './facts/context.js';
import { addMetrics, addOptions, type HandOut, optionsFor } from './offers/filled-offers.js';
import type { MacroSource } from './offers/macros.js';
import type { CompiledArtifact } from './rules/compile.js';
import type { CompiledRule } from './rules/location.js';
import { RuleSearch, type SearchedPart } from './rules/matching.js';
import { finishTrace, type SearchRecorder, type TracedLocation } from './trace.js';

/** The data that are needed to answer one `execute` or one `prefetch`. */
export interface Part extends SearchedPart {
  readonly compiled: CompiledArtifact;
  /** Facts that all locations of the call have in common. */
  readonly context: CallContext;
  readonly recorder: SearchRecorder | undefined;
  /** Collects the displays to report. It is undefined for a `prefetch`, which displays nothing. */
  readonly report: DisplayReport | undefined;
  /**
   * The search that locations without an address and parameters of their own share. It is undefined until the first
   * such location is answered.
   */
  plainSearch: RuleSearch | undefined;
}

/**
 * Answers an mbox with the options of the first rule that holds. The global mbox, and mboxes that are configured as
 * all-matching, get one answer for every rule that holds. When no rule holds, there is one answer without options.
 */
export function decideMbox(request: MboxRequest, part: Part, answers: MboxResponse[]): void {
  const search = searchFor(request, part);
  search.enter(part.compiled.mbox(request.name), request);
  let handOut: HandOut | undefined;
  for (let rule = search.next(); rule; rule = search.next()) {
    const { offers } = rule;
    const name = offers.name ?? request.name;
    handOut ??= toHandOut(request, part);
    const options = optionsFor(offers.options, handOut);
    const answer: MboxResponse = { name, options, index: request.index ?? 0 };
    if (part.report && offers.clickMetrics.length > 0) {
      answer.metrics = [];
      addMetrics(answer.metrics, offers.clickMetrics);
    }
    noteDisplay(rule, name, request, part);
    answers.push(withTrace(answer, { mbox: request }, part));
  }
  if (handOut) {
    return;
  }
  const answer: MboxResponse = { name: request.name, index: request.index ?? 0 };
  answers.push(withTrace(answer, { mbox: request }, part));
}

/** Answers a page load with the options of every rule of the global mbox that holds. */
export function decidePageLoad(request: RequestDetails, part: Part): PageLoadResponse {
  const location = part.compiled.mbox(part.compiled.globalMbox);
  const { name } = location;
  const options: Option[] = [];
  const answer: PageLoadResponse = { options };
  const metrics: Metric[] = [];
  const handOut = toHandOut({ name, parameters: request.parameters }, part);
  const traced = part.recorder && { mbox: { ...request, name } };
  const search = searchFor(request, part);
  search.enter(location, request);
  let draft: object | undefined;
  for (let rule = search.next(); rule; rule = search.next()) {
    addOptions(options, rule.offers.options, handOut);
    if (part.report) {
      addMetrics(metrics, rule.offers.clickMetrics);
    }
    noteDisplay(rule, rule.offers.name ?? name, request, part);
    if (traced) {
      draft = part.recorder?.draft(traced);
    }
  }
  if (metrics.length > 0) {
    answer.metrics = uniqueByToken(metrics);
  }
  if (draft) {
    answer.trace = finishTrace(draft);
  }
  return draft || !traced ? answer : withTrace(answer, traced, part);
}

/**
 * Answers a request for one view, or for all views when it names none. Each view with a rule that holds gets one
 * answer.
 */
export function decideView(request: ViewRequest, part: Part, answers: ViewResponse[]): void {
  const { compiled } = part;
  const handOut = toHandOut(request, part);
  const search = searchFor(request, part);
  const answersByName = new Map<string, NamedView>();
  for (const location of request.name ? [compiled.view(request.name)] : compiled.views()) {
    search.enter(location, request);
    for (let rule = search.next(); rule; rule = search.next()) {
      const name = rule.offers.name ?? location.name;
      const known = answersByName.get(name);
      const answer: NamedView = known ?? { name, options: [], metrics: [] };
      addOptions(answer.options, rule.offers.options, handOut);
      addMetrics(answer.metrics, rule.offers.metrics);
      part.recorder?.noteAnswer(rule, undefined);
      if (known) {
        continue;
      }
      answersByName.set(name, answer);
      answers.push(withTrace(answer, { view: request }, part));
    }
  }
}

/**
 * Returns the search for a location. Locations without an address and parameters of their own share one search. They
 * are answered one after the other, and each of them starts the search again.
 */
function searchFor({ address, parameters }: RequestDetails, part: Part): RuleSearch {
  if (address || parameters) {
    return new RuleSearch(new LocationContext(part.context, address, parameters), part);
  }
  part.plainSearch ??= new RuleSearch(new LocationContext(part.context, undefined, undefined), part);
  part.plainSearch.begin();
  return part.plainSearch;
}

type NamedView = ViewResponse & Required<Pick<ViewResponse, 'name' | 'options' | 'metrics'>>;

function toHandOut(source: MacroSource, { compiled, context, report }: Part): HandOut {
  const geoTokens = compiled.tokenNames.geo;
  const geo = geoTokens.length > 0 ? context.geo : undefined;
  return { isExecuted: report !== undefined, source, geo, geoTokens };
}

/** Reports the display of a rule's options when they are executed, and records the answer for a trace. */
function noteDisplay(
  rule: CompiledRule,
  mbox: string,
  request: RequestDetails,
  { report, recorder }: Part,
): void {
  const notification = report?.add(mbox, rule.offers, request);
  recorder?.noteAnswer(rule, notification);
}

function withTrace<Answer extends LocationResponse>(
  answer: Answer,
  location: TracedLocation,
  { recorder }: Part,
): Answer {
  const draft = recorder?.draft(location);
  if (draft) {
    answer.trace = finishTrace(draft);
  }
  return answer;
}

/** Keeps one metric for each token: the last one, at the position of the first one. */
function uniqueByToken(metrics: readonly Metric[]): Metric[] {
  const metricsByToken = new Map<string | undefined, Metric>();
  for (const metric of metrics) {
    metricsByToken.set(metric.eventToken, metric);
  }
  return [...metricsByToken.values()];
}
