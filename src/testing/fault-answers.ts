import type { ServerResponse } from 'node:http';
import { pipeline, Readable, type Writable } from 'node:stream';
import { setImmediate } from 'node:timers';
import { createGzip, gzipSync } from 'node:zlib';
import { headersOf, sendAnswer, toNodeHeaders } from './exchange.js';
import type { Fault } from './faults.js';
import type { Answer } from './routes.js';
import { jsonAnswer, refusal } from './routes.js';
import type { Timers } from './timers.js';

const DEFAULT_HUGE_BYTES = 64 * 1024 * 1024;
const CHUNK_BYTES = 64 * 1024;
const JSON_TYPE = 'application/json;charset=UTF-8';
/**
 * The time between half a body and the reset, in ms. A client that finds both at once may report a plain end instead of
 * a reset.
 */
const RESET_AFTER_MS = 20;

/** The connection of a faulty answer, and the answer that would have been sent without the fault. */
export interface FaultStage {
  readonly response: ServerResponse;
  readonly answer: Answer;
  readonly timers: Timers;
}

/** Answers a request as a fault demands. Some faults send no answer. */
export function playFault(fault: Fault, stage: FaultStage): void {
  const { response, answer, timers } = stage;
  switch (fault.kind) {
    case 'status':
      sendAnswer(response, toStatusAnswer(fault));
      break;
    case 'delay':
      timers.after(fault.ms, () => sendAnswer(response, answer));
      break;
    case 'hang':
      break;
    case 'stall':
      response.writeHead(answer.status, headersOf(answer));
      response.flushHeaders();
      break;
    case 'drip':
      drip(stage, fault.intervalMs);
      break;
    case 'reset':
      reset(response);
      break;
    case 'resetMidBody':
      // The extra turn of the event loop is for a client in this same process, which reads nothing while the process is
      // busy.
      sendHalf(stage, () => timers.after(RESET_AFTER_MS, () => setImmediate(reset, response)));
      break;
    case 'truncate':
      sendHalf(stage, () => response.socket?.end());
      break;
    case 'body':
      sendAnswer(response, toBodyAnswer(fault));
      break;
    case 'huge':
      response.writeHead(200, { 'Content-Type': JSON_TYPE });
      stream(paddedJson(answer, fault.bytes), response);
      break;
    case 'gzip':
      sendGzip(fault, stage);
      break;
  }
}

/** Returns the status that the client sees under a fault; `undefined` when it sees none. */
export function statusUnder(fault: Fault, answer: Answer): number | undefined {
  if (fault.kind === 'hang' || fault.kind === 'reset') {
    return undefined;
  }
  if (fault.kind === 'status') {
    return fault.status;
  }
  return fault.kind === 'body' || fault.kind === 'huge' ? 200 : answer.status;
}

/** Returns the answer of a fault that has one of its own; `undefined` for the others. */
export function toFaultyAnswer(fault: Fault): Answer | undefined {
  if (fault.kind === 'status') {
    return toStatusAnswer(fault);
  }
  return fault.kind === 'body' ? toBodyAnswer(fault) : undefined;
}

function toStatusAnswer({ status, headers, body }: Extract<Fault, { kind: 'status' }>): Answer {
  if (body === undefined) {
    return status < 400 ? { status, ...(headers && { headers }) } : refusal(status, 'fault', headers);
  }
  if (typeof body === 'string' || isBytes(body)) {
    return { status, body, ...(headers && { headers }) };
  }
  return jsonAnswer(status, body, headers);
}

function toBodyAnswer({ body, contentType }: Extract<Fault, { kind: 'body' }>): Answer {
  return { status: 200, headers: { 'Content-Type': contentType ?? JSON_TYPE }, body };
}

function drip({ response, answer, timers }: FaultStage, intervalMs: number): void {
  const bytes = toBytes(answer);
  let sent = 0;
  const sendNext = () => {
    if (response.destroyed) {
      return;
    }
    if (sent === bytes.length) {
      response.end();
      return;
    }
    response.write(bytes.subarray(sent, sent + 1));
    sent += 1;
    timers.after(intervalMs, sendNext);
  };
  response.writeHead(answer.status, headersOf(answer));
  response.flushHeaders();
  timers.after(intervalMs, sendNext);
}

function sendHalf({ response, answer }: FaultStage, then: () => void): void {
  const bytes = toBytes(answer);
  response.writeHead(answer.status, headersOf(answer));
  response.write(bytes.subarray(0, Math.floor(bytes.length / 2)), then);
}

function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

function sendGzip(
  { variant = 'valid', bytes }: Extract<Fault, { kind: 'gzip' }>,
  { response, answer }: FaultStage,
): void {
  const headers = { ...answer.headers, 'Content-Encoding': 'gzip' };
  if (variant === 'bomb') {
    const gzip = createGzip();
    response.writeHead(answer.status, toNodeHeaders(headers));
    stream(paddedJson(answer, bytes), gzip);
    stream(gzip, response);
    return;
  }
  const zipped = gzipSync(toBytes(answer));
  const bodies = {
    valid: zipped,
    invalid: toBytes(answer),
    truncated: zipped.subarray(0, Math.floor(zipped.length / 2)),
  };
  sendAnswer(response, { status: answer.status, headers, body: bodies[variant] });
}

/** Yields the answer's JSON with a first field that pads it to a number of bytes. */
function* paddedJson(answer: Answer, bytes = DEFAULT_HUGE_BYTES): Generator<Buffer> {
  const json = toBytes(answer).toString();
  const [start, end] = ['{"padding":"', json.length > 2 ? `",${json.slice(1)}` : '"}'];
  let left = bytes - Buffer.byteLength(start) - Buffer.byteLength(end);
  yield Buffer.from(start);
  for (; left > 0; left -= CHUNK_BYTES) {
    yield Buffer.alloc(Math.min(left, CHUNK_BYTES), 'a');
  }
  yield Buffer.from(end);
}

function stream(from: Iterable<Buffer> | Readable, to: Writable): void {
  // An error is expected here: the client stops reading in the middle, which is the purpose of these answers.
  pipeline(Symbol.iterator in from ? Readable.from(from) : from, to, () => undefined);
}

/** Recognises bytes of another realm too. */
function isBytes(body: object): body is Uint8Array {
  return ArrayBuffer.isView(body);
}

function toBytes({ body = '' }: Answer): Buffer {
  return Buffer.from(body);
}
