import { toError } from '../errors.js';
import type { AnswerHeaders } from './faults.js';
import type { OpenRequest } from './request-log.js';

/** An answer of the edge. */
export interface Answer {
  readonly status: number;
  readonly headers?: AnswerHeaders;
  /** The body. An answer with 204 has none. */
  readonly body?: string | Uint8Array;
}

/** A kind of request that the edge answers. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly matches: (path: string) => boolean;
  /** Answers a request. It may store facts about the request in the request itself, such as its violations. */
  readonly answer: (request: OpenRequest) => Answer | Promise<Answer>;
}

/** Answers a request by its route. Unknown paths get 404, other methods 405, and errors 500. */
export async function answerBy(routes: readonly Route[], request: OpenRequest): Promise<Answer> {
  const there = routes.filter((route) => route.matches(request.path));
  if (there.length === 0) {
    return refusal(404, `nothing at ${request.path}`);
  }
  const route = there.find(({ method }) => method === request.method);
  if (!route) {
    const allow = there.map(({ method }) => method).join(', ');
    return refusal(405, `${request.path} takes ${allow}`, { Allow: allow });
  }
  try {
    return await route.answer(request);
  } catch (error) {
    return refusal(500, toError(error).message);
  }
}

/** Makes an answer with a JSON body. */
export function jsonAnswer(status: number, value: unknown, headers?: AnswerHeaders): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json;charset=UTF-8', ...headers },
    body: JSON.stringify(value),
  };
}

/** Makes an error answer with the Delivery API's error body. */
export function refusal(status: number, message: string, headers?: AnswerHeaders): Answer {
  return jsonAnswer(status, { status, message }, headers);
}
