import { toError } from '../errors.js';
import type { AnswerHeaders } from './faults.js';
import type { OpenRequest } from './request-log.js';

/** What the edge says to a request. */
export interface Answer {
  readonly status: number;
  readonly headers?: AnswerHeaders;
  /** None for 204. */
  readonly body?: string | Uint8Array;
}

/** One thing that the edge can be asked for. */
export interface Route {
  readonly method: 'GET' | 'POST';
  readonly matches: (path: string) => boolean;
  /** May note on the request what it found out about it. */
  readonly answer: (request: OpenRequest) => Answer | Promise<Answer>;
}

/** Finds the route and lets it answer; 404, 405 and 500 are answered here. */
export async function answerBy(routes: readonly Route[], request: OpenRequest): Promise<Answer> {
  const there = routes.filter((route) => route.matches(request.path));
  if (there.length === 0) return refusal(404, `nothing at ${request.path}`);
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

/** An answer with JSON. */
export function jsonAnswer(status: number, value: unknown, headers?: AnswerHeaders): Answer {
  return {
    status,
    headers: { 'Content-Type': 'application/json;charset=UTF-8', ...headers },
    body: JSON.stringify(value),
  };
}

/** An error as the Delivery API writes it. */
export function refusal(status: number, message: string, headers?: AnswerHeaders): Answer {
  return jsonAnswer(status, { status, message }, headers);
}
