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

/** What a trace says of the artifact's download, besides what the artifact says of itself. */
export interface ArtifactFacts {
  /** Undefined for an artifact that was given, not downloaded. */
  readonly artifactLocation?: string | undefined;
  /** Milliseconds. */
  readonly pollingInterval: number;
  readonly pollingHalted: boolean;
  readonly artifactRetrievalCount: number;
  readonly artifactLastRetrievedMs: number;
}

/** Whether a location is executed or prefetched. */
export type TraceMode = 'execute' | 'prefetch';

/** What all traces of one execute or prefetch have in common. */
export interface TraceFacts {
  readonly mode: TraceMode;
  readonly environment: JsonValue | undefined;
  /** `clientCode`, `artifact` and `profile` of the trace. */
  readonly common: Readonly<Record<string, unknown>>;
  /** `sessionId`, `pageURL` and `host` of the trace's request. */
  readonly request: Readonly<Record<string, unknown>>;
}

/** The location that a trace is for, as it was requested. */
export type TracedLocation = { readonly mbox: RequestDetails } | { readonly view: RequestDetails };

/** Where the facts of a trace come from. */
export interface TraceSources {
  readonly compiled: CompiledArtifact;
  readonly inputs: { readonly sessionId: string; readonly artifactFacts?: ArtifactFacts | undefined };
  readonly visitorId: VisitorId;
  readonly context: Context;
}

/** Gathers what the traces of one execute or prefetch have in common (spec 5.7). */
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

function toTracedId(id: VisitorId): object {
  const [tntId, profileLocation] = id.tntId?.split('.') ?? [];
  return { ...id, tntId, profileLocation };
}

interface Campaign {
  readonly id: number | string;
  readonly campaignType: JsonValue | undefined;
  readonly branchId: JsonValue | undefined;
  readonly offers: readonly JsonValue[];
  readonly environment: JsonValue | undefined;
  readonly notifications: Notification[] | undefined;
}

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
 * Records why rules held or not. It goes on over all locations of an execute or a prefetch, as in the official
 * SDKs: a location's trace tells everything that was evaluated until the location was answered.
 */
export class TraceRecorder {
  readonly #facts: TraceFacts;
  readonly #campaigns = new Map<number | string, Campaign>();
  readonly #targets = new Map<number | string, CampaignTarget>();

  constructor(facts: TraceFacts) {
    this.#facts = facts;
  }

  /** A rule was evaluated. */
  noteRule(rule: CompiledRule, held: boolean, context: LocationContext): void {
    const target = this.#targets.get(rule.activity.id) ?? this.#addTarget(rule, context);
    const [segments, conditions] = held
      ? [target.matchedSegmentIds, target.matchedRuleConditions]
      : [target.unmatchedSegmentIds, target.unmatchedRuleConditions];
    const audiences = rule.meta['audience.ids'];
    for (const audience of Array.isArray(audiences) ? audiences : []) segments.add(audience);
    conditions.push(rule.condition?.written);
  }

  /** A rule that held was answered with, and this notification reports its display. */
  noteAnswer(rule: CompiledRule, notification: Notification | undefined): void {
    const campaign = this.#campaigns.get(rule.activity.id) ?? this.#addCampaign(rule);
    if (notification) campaign.notifications?.push(notification);
  }

  /** The trace as far as it goes now; rules of the activities it names are still added to it until it is finished. */
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
 * A draft as it is answered: the caller's own. It goes through text, which shares nothing, leaves out what JSON
 * cannot hold, and keeps `__proto__` plain data.
 */
export function finishTrace(draft: object): TraceResponse {
  return JSON.parse(JSON.stringify(draft));
}
