import type { Span } from '../http/deadline.js';
import type { FetchApi, FetchInit, FetchResponse } from '../http/fetch-api.js';
import type { CallFaults, Trouble } from './call-faults.js';
import type { EdgeAnswers } from './edge-answers.js';
import { toOpenRequest } from './exchange.js';
import { statusUnder, toFaultyAnswer } from './fault-answers.js';
import type { OpenRequest } from './request-log.js';
import type { Answer } from './routes.js';

/** The parts of a fetch that stays in this process. */
export interface InProcessOptions {
  readonly answers: EdgeAnswers;
  readonly faults: CallFaults;
  /** Takes each request that arrives. */
  readonly log: (request: OpenRequest) => void;
  readonly now: () => number;
}

/** Makes a fetch whose requests are answered in this process, without sockets and timers. */
export function createInProcessFetch({ answers, faults, log, now }: InProcessOptions): FetchApi {
  const send: FetchApi = async (url, init) => {
    const trouble = faults.present;
    const request = toRequest(url, init, now());
    const answer = await answers.answer(request);
    if (trouble) {
      request.fault = trouble.fault.kind;
    }
    const status = trouble ? statusUnder(trouble.fault, answer) : answer.status;
    if (status !== undefined) {
      request.status = status;
    }
    log(request);
    return toResponse(trouble ? answerUnder(trouble, init) : answer);
  };
  // The client then passes its own span as the signal, and a trouble can end it without waiting for a timer.
  return Object.assign(send, { takesAnySignal: true });
}

function toRequest(url: string, { method, headers, body = '' }: FetchInit, time: number): OpenRequest {
  const { pathname, search } = new URL(url);
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  const message = { method, url: pathname + search, headers: Object.fromEntries(lowerCase) };
  return toOpenRequest(message, body, time);
}

/** Returns the answer to a call in trouble. Throws when none comes. */
function answerUnder({ fault, limit }: Trouble, { signal }: FetchInit): Answer {
  if (limit && isSpan(signal)) {
    signal.cutOff(limit);
  }
  const answer = toFaultyAnswer(fault);
  if (!answer) {
    throw Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  }
  return answer;
}

function isSpan(signal: object): signal is Span {
  return typeof (signal as Partial<Span>).cutOff === 'function';
}

function toResponse({ status, headers = {}, body = '' }: Answer): FetchResponse {
  const values = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
  const response = {
    status,
    headers: { get: (name: string) => values.get(name.toLowerCase()) ?? null },
    text: async () => String(body),
  };
  return typeof body === 'string' ? response : { ...response, body: inOnePiece(body) };
}

async function* inOnePiece(body: Uint8Array): AsyncGenerator<Uint8Array> {
  yield body;
}
