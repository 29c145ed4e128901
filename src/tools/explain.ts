import type { Artifact } from '../artifact.js';
import type { VisitorId } from '../delivery-api.js';
import { TargetError } from '../errors.js';
import { RANDOM_IDS } from '../identity/ids.js';
import { allocatedBy, beforeDot } from '../identity/visitor-ids.js';
import { type Evaluation, evaluate } from '../on-device/evaluate.js';
import { compileArtifact } from '../on-device/rules/compile.js';
import type { Explanation, LocationExplanation, RuleExplanation } from './explanation.js';
import { type ExplainOptions, type Question, toQuestion } from './question.js';
import { remoteReason } from './remote-reason.js';
import { explainRules, type RuleSources } from './rule-explanation.js';
import { shownName } from './rule-facts.js';
import { ConditionWatch, type NotedLocation, SearchNotes } from './search-notes.js';
import { ShareCounter } from './shares.js';

/**
 * Explains an on-device decision: which rules were asked, what each part of their conditions saw, and why the others
 * were not asked. The engine of the client decides, and the explanation is written down while it does.
 *
 * It compiles the whole location for itself, so it takes milliseconds, not microseconds: it is for people, not for the
 * path of a request. It asks no server, so it does not look up places: give `request.context.geo`. The explanation holds
 * what the conditions saw, such as parameters and URLs, but no ids and no cookies of the visitor.
 *
 * @param artifact the artifact as parsed JSON, such as `artifactPayload` of the event `artifactDownloadSucceeded`.
 * @throws {TargetError} `ERR_TARGET_ARTIFACT` for a value that is no artifact, `ERR_TARGET_INVALID_REQUEST` and
 * `ERR_TARGET_INVALID_CONFIG` for a wrong request or option. `path` of the error names the field.
 * @example
 * ```ts
 * const { locations } = explain(artifact, {
 *   request: { execute: { mboxes: [{ name: 'hero' }] } },
 *   targetCookie,
 * });
 * for (const { experience, outcome, because } of locations[0].rules) {
 *   console.log(experience.name, outcome, because);
 * }
 * ```
 */
export function explain(artifact: object, options: ExplainOptions): Explanation {
  const question = toQuestion(artifact, options);
  const { call, client, config } = question;
  const { trace, ...request } = call.request;
  const watch = new ConditionWatch();
  const { allMatchingMboxes } = config;
  const compiled = compileArtifact(question.artifact, { client, allMatchingMboxes, watch: watch.watch });
  const notes = new SearchNotes(watch);
  const evaluation = evaluateHere(() =>
    evaluate(request, compiled, {
      nowMs: call.nowMs,
      sessionId: call.sessionId,
      newId: RANDOM_IDS.newUuid,
      newTntId: RANDOM_IDS.newHexId,
      recorder: notes.recorder,
    }),
  );
  const property = request.property?.token;
  const hasGeo = Boolean(request.context.geo);
  const sources = { watch, counter: new ShareCounter(), property, hasGeo };
  return {
    at: new Date(call.nowMs).toISOString(),
    client,
    ...(property !== undefined && { property }),
    visitor: { by: idKindOf(request.id), isNew: evaluation.newTntId !== undefined },
    locations: explainLocations(notes.locations, question, sources),
    answer: answerOf(evaluation),
  };
}

/** An error of the evaluation comes from the artifact, as in a client. */
function evaluateHere(decide: () => Evaluation): Evaluation {
  try {
    return decide();
  } catch (cause) {
    throw new TargetError('ERR_TARGET_ARTIFACT', 'the artifact could not be evaluated', { cause });
  }
}

function answerOf({ status, execute, prefetch }: Evaluation): Explanation['answer'] {
  return { status, ...(execute && { execute }), ...(prefetch && { prefetch }) };
}

/** Names the id from which the allocation is made. A visitor without one gets a new tntId. */
function idKindOf(id: VisitorId | undefined): string {
  const used = allocatedBy(id);
  if (used === undefined || used === beforeDot(id?.tntId)) {
    return used !== undefined && used === id?.marketingCloudVisitorId ? 'marketingCloudVisitorId' : 'tntId';
  }
  if (used === id?.marketingCloudVisitorId) {
    return 'marketingCloudVisitorId';
  }
  return used === id?.thirdPartyId ? 'thirdPartyId' : 'customerIds';
}

function explainLocations(
  noted: readonly NotedLocation[],
  question: Question,
  sources: RuleSources,
): LocationExplanation[] {
  let answeredKeys = new Set<unknown>();
  let previous: NotedLocation | undefined;
  return noted.map((one) => {
    // A request for all views is one search, and a visitor gets one rule of each key in it.
    if (one.request !== previous?.request || one.mode !== previous.mode) {
      answeredKeys = new Set();
    }
    previous = one;
    return explainLocation(one, explainRules(one, answeredKeys, sources), question.artifact);
  });
}

function explainLocation(
  { mode, location, request }: NotedLocation,
  rules: RuleExplanation[],
  artifact: Artifact,
): LocationExplanation {
  const { kind, name, allMatching } = location;
  const index = 'index' in request && typeof request.index === 'number' ? request.index : undefined;
  const remote = remoteReason(location, artifact);
  return {
    kind,
    mode,
    name,
    ...(index !== undefined && { index }),
    answersWith: allMatching ? 'all' : 'first',
    verdict: verdictOf(rules, allMatching, remote !== undefined),
    ...(remote && { remote }),
    rules,
  };
}

function verdictOf(rules: readonly RuleExplanation[], isForAll: boolean, isRemote: boolean): string {
  const answered = rules.filter(({ outcome }) => outcome === 'answered');
  const [first] = answered;
  const edge = isRemote ? '; only the edge can answer completely' : '';
  if (!first) {
    const why =
      rules.length === 0
        ? 'there is no rule'
        : rules.some(({ outcome, wouldHold }) => outcome === 'key-answered' && wouldHold)
          ? 'its rule answered with another view already'
          : 'no rule holds';
    return `default content: ${why}${edge}`;
  }
  return isForAll
    ? `${answered.length} of ${rules.length} rules answer${edge}`
    : `${shownName(first.experience)} of ${shownName(first.activity)}${edge}`;
}
