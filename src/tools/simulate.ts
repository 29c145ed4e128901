import type { PrefetchRequest, ResolvedDeliveryRequest, VisitorId } from '../delivery-api.js';
import { invalidField, invalidOption, TargetError } from '../errors.js';
import { RANDOM_IDS } from '../identity/ids.js';
import { allocatedBy } from '../identity/visitor-ids.js';
import { isAbsent } from '../json.js';
import { evaluate } from '../on-device/evaluate.js';
import { contextPart } from '../on-device/facts/context-parts.js';
import { type CompiledArtifact, compileArtifact } from '../on-device/rules/compile.js';
import type { CompiledRule } from '../on-device/rules/location.js';
import type { SearchRecorder } from '../on-device/trace.js';
import { expectedShares, experienceKey } from './expected-shares.js';
import { type Question, toQuestion } from './question.js';
import { copyOptions } from './reading.js';
import { remoteReason } from './remote-reason.js';
import { ConditionWatch, type NotedLocation, SearchNotes } from './search-notes.js';
import {
  type Counts,
  observedCounts,
  SIMULATE_OPTIONS,
  type SimulateOptions,
  type Simulation,
  toSimulation,
} from './simulation.js';
import { abortedBy, type IdKind, toVisitorIds } from './visitor-ids.js';

/** The loop gives way after so many visitors, which takes some 30 ms. */
const BREATH = 5000;
const BINS = 50;
const ALLOCATION = contextPart('allocation');
const ID_KINDS = {
  tntId: (id: string): VisitorId => ({ tntId: id }),
  marketingCloudVisitorId: (id: string): VisitorId => ({ marketingCloudVisitorId: id }),
  thirdPartyId: (id: string): VisitorId => ({ thirdPartyId: id }),
};

/**
 * Decides one location for many visitors, and compares the counts with the shares of the activities. It proves that the
 * rules split visitors as they say; a split of the world is tested with `observed`, the counts of a report.
 *
 * Shares are counted: the conditions are asked for each of the 10 000 allocations. `expected` knows of the activities
 * before: on an mbox that answers with its first rule, they take visitors away.
 *
 * @param artifact the artifact as parsed JSON.
 * @returns a promise; it rejects with the errors of {@link explain}, and with `ERR_TARGET_ABORTED` when the signal is
 * aborted.
 * @example
 * ```ts
 * const request = { prefetch: { mboxes: [{ name: 'hero' }] } };
 * const { activities, mismatch } = await simulate(artifact, { request, visitors: 50_000 });
 * const report = await simulate(artifact, { request, observed: { 'Experience A': 5210, 'Experience B': 4790 } });
 * console.log(report.activities[0].p); // 0.00003
 * ```
 */
export async function simulate(artifact: object, options: SimulateOptions): Promise<Simulation> {
  const own = copyOptions(options, SIMULATE_OPTIONS);
  const question = toQuestion(artifact, own);
  const started = performance.now();
  const { client, config, call } = question;
  const { allMatchingMboxes } = config;
  const compiled = compileArtifact(question.artifact, { client, allMatchingMboxes, watch: undefined });
  const request = {
    ...call.request,
    execute: undefined,
    trace: undefined,
    prefetch: oneLocation(call.request),
  };
  const noted = noteLocation(request, compiled, question);
  const property = request.property?.token;
  const expected = expectedShares(noted.location, noted.context, property);
  const { observed } = own;
  const counts = isAbsent(observed)
    ? await countVisitors({ request, compiled, question, options: own })
    : observedCounts(observed, expected);
  const { kind, name } = noted.location;
  const ms = performance.now() - started;
  const remote = remoteReason(noted.location, question.artifact);
  const isObserved = !isAbsent(observed);
  return toSimulation({ location: { kind, name }, remote, expected, counts, isObserved, ms });
}

type OneRequest = Omit<ResolvedDeliveryRequest, 'execute' | 'prefetch' | 'trace'> & {
  readonly prefetch: PrefetchRequest;
};

/** Returns the one location of a request as a prefetch, which reports no displays. */
function oneLocation({ execute, prefetch }: ResolvedDeliveryRequest): PrefetchRequest {
  const mboxes = [...(execute?.mboxes ?? []), ...(prefetch?.mboxes ?? [])];
  const views = prefetch?.views ?? [];
  const pageLoads = [execute?.pageLoad, prefetch?.pageLoad].filter(
    (load) => load !== undefined && load !== null,
  );
  const [mbox] = mboxes;
  const [view] = views;
  const [pageLoad] = pageLoads;
  const count = mboxes.length + views.length + pageLoads.length;
  if (count !== 1 || (view && !view.name)) {
    throw invalidField('request', 'for one mbox, one view by its name, or one page load', count);
  }
  return mbox ? { mboxes: [mbox] } : view ? { views: [view] } : { pageLoad: pageLoad ?? {} };
}

/** Decides once, to learn which location it is and what its conditions read. */
function noteLocation(request: OneRequest, compiled: CompiledArtifact, { call }: Question): NotedLocation {
  const notes = new SearchNotes(new ConditionWatch());
  evaluate(request, compiled, { ...inputsOf(call), recorder: notes.recorder });
  const [noted] = notes.locations;
  if (!noted) {
    throw new TargetError('ERR_TARGET_ARTIFACT', 'the artifact could not be evaluated');
  }
  return noted;
}

function inputsOf({ nowMs, sessionId }: Question['call']) {
  return { nowMs, sessionId, newId: RANDOM_IDS.newUuid, newTntId: RANDOM_IDS.newHexId, recorder: undefined };
}

interface Run {
  readonly request: OneRequest;
  readonly compiled: CompiledArtifact;
  readonly question: Question;
  readonly options: SimulateOptions;
}

async function countVisitors({ request, compiled, question, options }: Run): Promise<Counts> {
  const { call } = question;
  const kind = toIdKind(options.idKind);
  const toVisitor = ID_KINDS[kind];
  const { portions, total } = toVisitorIds(options, kind, call.signal);
  const tell = toTeller(options.onProgress, total);
  const tally = new Tally();
  const inputs = { ...inputsOf(call), recorder: () => tally.recorder };
  const seen = isAbsent(options.ids) ? undefined : new Set<string>();
  const ofVisitor: { id: VisitorId } & Omit<OneRequest, 'id'> = { ...request, id: {} };
  const decide = (id: string) => {
    tally.begin();
    ofVisitor.id = toVisitor(id);
    seen?.add(allocatedBy(ofVisitor.id) ?? '');
    evaluate(ofVisitor, compiled, inputs);
  };
  const breathe = async () => {
    throwIfAborted(call.signal);
    await tell(tally.visitors);
    await new Promise((resume) => {
      setTimeout(resume);
    });
    throwIfAborted(call.signal);
  };
  const isFull = () => total !== undefined && tally.visitors >= total;
  throwIfAborted(call.signal);
  for await (const some of portions) {
    for (const id of some) {
      decide(id);
      if (tally.visitors % BREATH === 0) {
        await breathe();
      }
      if (isFull()) {
        break;
      }
    }
    if (isFull()) {
      break;
    }
  }
  throwIfAborted(call.signal);
  if (tally.visitors === 0) {
    throw invalidField('ids', 'at least one id', 0);
  }
  await tell(tally.visitors);
  return tally.counts(seen?.size ?? tally.visitors);
}

type OnProgress = SimulateOptions['onProgress'];

/** Tells the caller how far the simulation is. What the caller's function throws or rejects with ends the simulation. */
function toTeller(onProgress: OnProgress, total: number | undefined): (done: number) => Promise<void> {
  if (!isAbsent(onProgress) && typeof onProgress !== 'function') {
    throw invalidOption('onProgress', 'a function', onProgress);
  }
  return async (done) => {
    try {
      await onProgress?.({ done, ...(total !== undefined && { total }) });
    } catch (cause) {
      throw new TargetError('ERR_TARGET_INVALID_CONFIG', 'onProgress failed', { path: 'onProgress', cause });
    }
  };
}

/** A count of visitors. A visitor counts once, however many rules answer. */
interface Tallied {
  count: number;
  /** The number of the last visitor who was counted. */
  last: number;
}

/** The counts to which a rule adds. */
interface RuleTally {
  readonly activity: Tallied;
  readonly experience: Tallied;
  /** The visitors by allocation. It is empty when the rule does not ask for the allocation. */
  readonly bins: number[];
}

/** Counts the experiences that visitors get, as the engine tells of them. */
class Tally {
  visitors = 0;
  none = 0;
  readonly #activities = new Map<string, Tallied>();
  readonly #experiences = new Map<string, Tallied>();
  readonly #bins = new Map<string, number[]>();
  readonly #rules = new Map<CompiledRule, RuleTally>();
  /** The number of the last visitor who got an experience. */
  #lastReached = 0;
  #allocation = 0;

  readonly recorder: SearchRecorder = {
    noteLocation: () => undefined,
    noteRule: (_rule, _holds, { allocation }) => {
      this.#allocation = allocation;
    },
    noteAnswer: (rule) => {
      this.#add(this.#rules.get(rule) ?? this.#enter(rule));
    },
    draft: () => undefined,
  };

  begin(): void {
    this.visitors += 1;
    this.none += 1;
  }

  counts(distinct: number): Counts {
    const countsOf = (tallied: ReadonlyMap<string, Tallied>) =>
      new Map([...tallied].map(([key, { count }]) => [key, count]));
    return {
      visitors: this.visitors,
      distinct,
      none: this.none,
      byExperience: countsOf(this.#experiences),
      byActivity: countsOf(this.#activities),
      histograms: this.#bins,
    };
  }

  #add({ activity, experience, bins }: RuleTally): void {
    const visitor = this.visitors;
    if (this.#lastReached !== visitor) {
      this.#lastReached = visitor;
      this.none -= 1;
    }
    if (activity.last !== visitor) {
      activity.last = visitor;
      activity.count += 1;
    }
    if (experience.last !== visitor) {
      experience.last = visitor;
      experience.count += 1;
      if (bins.length > 0) {
        const bin = Math.floor((this.#allocation * BINS) / 100);
        bins[bin] = (bins[bin] ?? 0) + 1;
      }
    }
  }

  #enter(rule: CompiledRule): RuleTally {
    const key = experienceKey(rule);
    const activity = entryOf(this.#activities, String(rule.activity.id), () => ({ count: 0, last: 0 }));
    const experience = entryOf(this.#experiences, key, () => ({ count: 0, last: 0 }));
    const asksForAllocation = ((rule.condition?.reads ?? 0) & ALLOCATION) !== 0;
    const bins = asksForAllocation ? entryOf(this.#bins, key, () => new Array<number>(BINS).fill(0)) : [];
    const entered = { activity, experience, bins };
    this.#rules.set(rule, entered);
    return entered;
  }
}

function entryOf<Value>(entries: Map<string, Value>, key: string, make: () => Value): Value {
  const entry = entries.get(key) ?? make();
  entries.set(key, entry);
  return entry;
}

function throwIfAborted(signal: Question['call']['signal']): void {
  if (signal?.aborted) {
    throw abortedBy(signal);
  }
}

function toIdKind(kind: unknown): IdKind {
  if (isAbsent(kind)) {
    return 'tntId';
  }
  const kinds = Object.keys(ID_KINDS);
  if (typeof kind !== 'string' || !isIdKind(kind)) {
    throw invalidOption('idKind', `one of ${kinds.join(', ')}`, kind);
  }
  return kind;
}

function isIdKind(kind: string): kind is IdKind {
  return Object.hasOwn(ID_KINDS, kind);
}
