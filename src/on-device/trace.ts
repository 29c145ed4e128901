import type {
  Context,
  JsonValue,
  Notification,
  RequestDetails,
  TraceResponse,
  VisitorId,
} from '../delivery-api.js';
import type { LocationContext } from './facts/context.js';
import { parsePage } from './facts/page.js';
import type { CompiledArtifact } from './rules/compile.js';
import type { CompiledRule } from './rules/location.js';
import type { RuleRecorder } from './rules/matching.js';

/** Facts about the artifact's downloads that a trace shows. */
export interface ArtifactFacts {
  /** URL of the artifact; undefined for an artifact that the caller passed in the configuration. */
  readonly artifactLocation?: string | undefined;
  /** Time between two downloads, in ms. */
  readonly pollingInterval: number;
  /** True when the client is closed and does not download any more. */
  readonly pollingHalted: boolean;
  /** Number of artifacts that were taken into use. */
  readonly artifactRetrievalCount: number;
  /** Time at which the last artifact was taken into use, in epoch ms. */
  readonly artifactLastRetrievedMs: number;
}

/** Part of the request to which a traced location belongs. */
export type TraceMode = 'execute' | 'prefetch';

/** Facts that all traces of one `execute` or one `prefetch` have in common. */
export interface TraceFacts {
  readonly mode: TraceMode;
  readonly environment: JsonValue | undefined;
  /** Fields `clientCode`, `artifact` and `profile` of the trace. */
  readonly common: Readonly<Record<string, unknown>>;
  /** Fields `sessionId`, `pageURL` and `host` of the trace's request. */
  readonly request: Readonly<Record<string, unknown>>;
}

/** Location that a trace is about, as the request describes it. */
export type TracedLocation = { readonly mbox: RequestDetails } | { readonly view: RequestDetails };

/** Objects from which the facts of a trace are taken. */
export interface TraceSources {
  readonly compiled: CompiledArtifact;
  readonly inputs: { readonly sessionId: string; readonly artifactFacts?: ArtifactFacts | undefined };
  readonly visitorId: VisitorId;
  readonly context: Context;
}

/** Collects the facts that all traces of one `execute` or one `prefetch` have in common. */
export function toTraceFacts(
  mode: TraceMode,
  { compiled, inputs, visitorId, context }: TraceSources,
): TraceFacts {
  const { artifact, client } = compiled;
  const facts = inputs.artifactFacts;
  const page = parsePage(context.address?.url);
  return {
    mode,
    environment: artifact.meta?.environment,
    common: {
      clientCode: client,
      artifact: {
        artifactLocation: facts?.artifactLocation ?? 'Not Applicable',
        pollingInterval: facts?.pollingInterval,
        pollingHalted: facts?.pollingHalted,
        artifactVersion: artifact.version,
        artifactRetrievalCount: facts?.artifactRetrievalCount,
        artifactLastRetrieved: facts && new Date(facts.artifactLastRetrievedMs).toISOString(),
        ...artifact.meta,
      },
      profile: { visitorId: toTracedId(visitorId) },
    },
    request: { sessionId: inputs.sessionId, pageURL: page.url, host: page.domain },
  };
}

/** Returns a visitor's ids as traces show them: the part of the tntId after its first dot is a field of its own. */
function toTracedId(id: VisitorId): object {
  const [tntId, profileLocation] = id.tntId?.split('.') ?? [];
  return { ...id, tntId, profileLocation };
}

/** Records the searches and the answers of one `execute` or one `prefetch`. */
export interface SearchRecorder extends RuleRecorder {
  /** Records that a rule's options are part of the answer. The notification is the one that reports their display. */
  noteAnswer(rule: CompiledRule, notification: Notification | undefined): void;
  /** Returns the trace of a location as it is at this point; undefined when the answer gets none. */
  draft(location: TracedLocation): object | undefined;
}

/** Entry of a trace for an activity whose rule gave an answer. Traces call activities campaigns. */
interface Campaign {
  readonly id: number | string;
  readonly campaignType: JsonValue | undefined;
  readonly branchId: JsonValue | undefined;
  readonly offers: readonly JsonValue[];
  readonly environment: JsonValue | undefined;
  readonly notifications: Notification[] | undefined;
}

/**
 * Entry of a trace for an activity whose rules were evaluated. It has the facts that their conditions read, and lists
 * the conditions and audiences that held and those that did not.
 */
interface CampaignTarget {
  readonly context: object;
  readonly campaignId: number | string;
  readonly campaignType: JsonValue | undefined;
  readonly matchedSegmentIds: Set<JsonValue>;
  readonly unmatchedSegmentIds: Set<JsonValue>;
  readonly matchedRuleConditions: unknown[];
  readonly unmatchedRuleConditions: unknown[];
}

/**
 * Records why rules held or did not. It continues through all locations of one `execute` or `prefetch`, as in the
 * official SDKs: the trace of a location shows everything that was evaluated until that location was answered.
 */
export class TraceRecorder implements SearchRecorder {
  readonly #facts: TraceFacts;
  readonly #campaigns = new Map<number | string, Campaign>();
  readonly #targets = new Map<number | string, CampaignTarget>();

  constructor(facts: TraceFacts) {
    this.#facts = facts;
  }

  /** Records that a rule was evaluated, with the result and with the context that its condition read. */
  noteRule(rule: CompiledRule, held: boolean, context: LocationContext): void {
    const target = this.#targets.get(rule.activity.id) ?? this.#addTarget(rule, context);
    const [segments, conditions] = held
      ? [target.matchedSegmentIds, target.matchedRuleConditions]
      : [target.unmatchedSegmentIds, target.unmatchedRuleConditions];
    const audiences = rule.meta['audience.ids'];
    for (const audience of Array.isArray(audiences) ? audiences : []) {
      segments.add(audience);
    }
    conditions.push(rule.condition?.written);
  }

  /** Records that a rule's options are part of the answer. The notification is the one that reports their display. */
  noteAnswer(rule: CompiledRule, notification: Notification | undefined): void {
    const campaign = this.#campaigns.get(rule.activity.id) ?? this.#addCampaign(rule);
    if (notification) {
      campaign.notifications?.push(notification);
    }
  }

  /**
   * Returns the trace as it is at this point. Later rules of the same activities are still added to it until {@link
   * finishTrace} copies it.
   */
  draft(location: TracedLocation): object {
    const { mode, common, request } = this.#facts;
    const traced =
      'mbox' in location
        ? { mbox: { ...location.mbox, type: mode } }
        : { view: { ...location.view, type: mode } };
    const targets = [...this.#targets.values()].map((target) => ({
      ...target,
      matchedSegmentIds: [...target.matchedSegmentIds],
      unmatchedSegmentIds: [...target.unmatchedSegmentIds],
    }));
    return {
      ...common,
      request: { ...request, ...traced },
      campaigns: [...this.#campaigns.values()],
      evaluatedCampaignTargets: targets,
    };
  }

  #addTarget(rule: CompiledRule, context: LocationContext): CampaignTarget {
    const target: CampaignTarget = {
      context: context.snapshot(rule.activity),
      campaignId: rule.activity.id,
      campaignType: rule.meta['activity.type'],
      matchedSegmentIds: new Set(),
      unmatchedSegmentIds: new Set(),
      matchedRuleConditions: [],
      unmatchedRuleConditions: [],
    };
    this.#targets.set(rule.activity.id, target);
    return target;
  }

  #addCampaign(rule: CompiledRule): Campaign {
    const { meta } = rule;
    const offer = meta['offer.id'];
    const campaign: Campaign = {
      id: rule.activity.id,
      campaignType: meta['activity.type'],
      branchId: meta['experience.id'],
      offers: offer === undefined || offer === null ? [] : [offer],
      environment: this.#facts.environment,
      notifications: this.#facts.mode === 'execute' ? [] : undefined,
    };
    this.#campaigns.set(rule.activity.id, campaign);
    return campaign;
  }
}

/**
 * Converts a draft to the trace of the response, which the caller may change. The conversion through JSON shares no
 * object, leaves out what JSON cannot hold, and keeps `__proto__` an ordinary property.
 */
export function finishTrace(draft: object): TraceResponse {
  return JSON.parse(JSON.stringify(draft));
}
