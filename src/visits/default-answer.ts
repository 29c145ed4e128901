import type {
  Context,
  DecisioningMethod,
  ResolvedDeliveryRequest,
  TargetCookie,
  TargetError,
} from '../index.js';
import { inheritsNames, ownOf, setField, withoutPrototypes } from '../inherited-names.js';
import type { CopiedRequest } from '../request/copy-request.js';
import type { VisitAnswer } from './visit-call.js';

/** The parts of an answer that holds no decision. */
export interface DefaultAnswerParts {
  readonly request: CopiedRequest;
  readonly requestId: string;
  readonly context: Context;
  readonly decisioningMethod: DecisioningMethod;
  readonly targetCookie: TargetCookie;
  readonly visitorState: Record<string, unknown>;
  readonly failure?: TargetError | undefined;
}

/** The status of answers without a decision. */
const NO_CONTENT = { status: 204, message: 'No content' };

/**
 * Makes an answer without offers. A page that reads it shows its default content. It has all fields of other answers, so
 * that no program has to look for it.
 */
export function toDefaultAnswer({
  request,
  requestId,
  context,
  decisioningMethod,
  targetCookie,
  visitorState,
  failure,
}: DefaultAnswerParts): VisitAnswer {
  const answer: VisitAnswer = {
    visitorState,
    request: toResolvedRequest(request, requestId, context),
    response: { status: NO_CONTENT.status, requestId },
    targetCookie,
    meta: { decisioningMethod, remoteMboxes: [], remoteViews: [] },
    status: { ...NO_CONTENT, remoteMboxes: [], remoteViews: [] },
    decisioningMethod,
    isUncounted: true,
  };
  if (failure) {
    setField(answer, 'failure', failure);
  }
  if (inheritsNames()) {
    // The objects have only their own fields then, as in other answers.
    withoutPrototypes(answer.request);
    withoutPrototypes(answer.response);
    Object.setPrototypeOf(answer, null);
  }
  return answer;
}

function toResolvedRequest(
  copied: CopiedRequest,
  requestId: string,
  context: Context,
): ResolvedDeliveryRequest {
  const { execute, prefetch, ...rest } = ownOf(copied);
  return {
    ...rest,
    requestId,
    context: { ...context, channel: ownOf(context).channel ?? 'web' },
    ...(execute && { execute }),
    ...(prefetch && { prefetch }),
  };
}
