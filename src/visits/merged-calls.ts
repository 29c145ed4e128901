import type {
  DeliveryResponse,
  MboxResponse,
  ResolvedMboxRequest,
  TargetDeliveryResponse,
  TargetError,
} from '../index.js';
import { ownOf, setField } from '../inherited-names.js';
import { isRecord, parseJson } from '../json.js';
import type { CopiedRequest } from '../request/copy-request.js';
import type { VisitAnswer } from './visit-call.js';

/** The maximum number of mboxes of one request to the edge. */
const MAX_MBOXES = 50;
/** The parts of a request that can hold mboxes. */
const PARTS = ['execute', 'prefetch'] as const;
/** A part of an answer that has no mboxes. */
const NO_MBOXES = { mboxes: undefined };
type Part = (typeof PARTS)[number];
type Mbox = ResolvedMboxRequest;

/** Calls a function when a signal is aborted, and returns the function that ends this. */
export type OnAbort = (act: (error: TargetError) => void) => () => void;

/** A call that waits for the end of the turn, and then for its answer. */
interface MergedCall {
  readonly request: CopiedRequest;
  readonly resolve: (answer: VisitAnswer) => void;
  readonly reject: (error: unknown) => void;
  /** Watches the signal of the caller. It is undefined when the caller waits in any case. */
  readonly onAbort: OnAbort | undefined;
  /** True when the caller no longer waits. */
  isReleased: boolean;
  /** Called when the caller no longer waits. */
  onRelease(): void;
}

/** The mboxes of the calls that go as one request, by part and name, with their texts. */
type Batch = {
  readonly calls: MergedCall[];
  readonly mboxes: { readonly [Name in Part]: Map<string, { readonly mbox: Mbox; readonly text: string }> };
};

/** The parts of a visit that merged calls need. */
export interface MergeOptions {
  /** Sends a request for callers. The signal is aborted when none of them waits any longer. */
  send(request: CopiedRequest, signal: AbortSignal | undefined): PromiseLike<VisitAnswer>;
  /** Collects the tokens, payloads and traces of an answer anew. */
  collectDetails(answer: TargetDeliveryResponse): void;
}

/**
 * Tells whether a call can be merged with others: it asks for mboxes alone, and names each once. The request is a
 * checked copy.
 */
export function isMergeable(request: CopiedRequest): boolean {
  let count = 0;
  for (const name in request) {
    const part = name === 'execute' || name === 'prefetch' ? request[name] : undefined;
    const mboxes = part && ownOf(part).mboxes;
    if (!part || !mboxes || Object.keys(part).length > 1) {
      return false;
    }
    if (new Set(mboxes.map((mbox) => mbox.name)).size < mboxes.length) {
      return false;
    }
    count += mboxes.length;
  }
  return count <= MAX_MBOXES;
}

/** Merges the calls of one turn of the event loop to as few requests as possible. */
export class MergedCalls {
  readonly #options: MergeOptions;
  #waiting: MergedCall[] = [];

  constructor(options: MergeOptions) {
    this.#options = options;
  }

  /** Adds a call. It resolves to an answer with the mboxes of this call alone. */
  add(request: CopiedRequest, onAbort: OnAbort | undefined): Promise<VisitAnswer> {
    return new Promise((resolve, reject) => {
      const call: MergedCall = {
        request,
        onAbort,
        isReleased: false,
        onRelease: () => undefined,
        resolve,
        reject,
      };
      const stop = onAbort?.((error) => {
        call.isReleased = true;
        call.onRelease();
        reject(error);
      });
      this.#waiting.push(stop ? withEnd(call, stop) : call);
      if (this.#waiting.length === 1) {
        later(() => this.#sendAll());
      }
    });
  }

  #sendAll(): void {
    const waiting = this.#waiting.filter(({ isReleased }) => !isReleased);
    this.#waiting = [];
    for (const batch of toBatches(waiting)) {
      void this.#send(batch);
    }
  }

  async #send(batch: Batch): Promise<void> {
    const { calls } = batch;
    const [only, other] = calls;
    try {
      const isShared = !only || other !== undefined;
      const request = isShared ? toRequest(batch) : only.request;
      const answer = await this.#options.send(request, signalOf(calls));
      for (const call of calls) {
        call.resolve(isShared ? this.#shareOf(answer, call.request) : answer);
      }
    } catch (error) {
      for (const call of calls) {
        call.reject(error);
      }
    }
  }

  /** Returns a copy of an answer with the mboxes of one call alone. Each caller may change its own. */
  #shareOf(answer: VisitAnswer, asked: CopiedRequest): VisitAnswer {
    const { analyticsDetails: _, responseTokens: _tokens, trace: _trace, ...rest } = answer;
    const request: Record<string, unknown> = { ...answer.request };
    const response: DeliveryResponse = { ...answer.response };
    for (const part of PARTS) {
      const own = mboxesOf(asked, part);
      if (own.length > 0) {
        setField(request, part, { mboxes: own });
        const { mboxes } = ownOf(ownOf(response)[part]) ?? NO_MBOXES;
        setField(response, part, { mboxes: answersOf(own, mboxes ?? []) });
      } else {
        delete request[part];
        delete response[part];
      }
    }
    // The parts of other callers are left out before the copy, so that its cost does not grow with their number.
    const share = parseJson(JSON.stringify({ ...rest, request, response })) as VisitAnswer;
    this.#options.collectDetails(share);
    return share;
  }
}

/** Ends the watch on the signal of a caller with its call. */
function withEnd(call: MergedCall, stop: () => void): MergedCall {
  const { resolve, reject } = call;
  return Object.assign(call, {
    resolve: (answer: VisitAnswer) => {
      stop();
      resolve(answer);
    },
    reject: (error: unknown) => {
      stop();
      reject(error);
    },
  });
}

/** Calls a function at the end of the present turn of the event loop. */
function later(act: () => void): void {
  if (typeof globalThis.setImmediate === 'function') {
    globalThis.setImmediate(act);
  } else {
    setTimeout(act, 0);
  }
}

/** Resolves when the questions of the present turn of the event loop are sent, which happens at its end. */
export async function afterThisTurn(): Promise<void> {
  await new Promise<void>(later);
  await new Promise<void>(later);
}

/** Returns a signal that is aborted when none of the callers waits. One without a signal waits in any case. */
function signalOf(calls: readonly MergedCall[]): AbortSignal | undefined {
  if (calls.some(({ onAbort }) => !onAbort)) {
    return undefined;
  }
  const controller = new AbortController();
  for (const call of calls) {
    call.onRelease = () => {
      if (calls.every(({ isReleased }) => isReleased)) {
        controller.abort();
      }
    };
  }
  return controller.signal;
}

function toBatches(calls: readonly MergedCall[]): Batch[] {
  const batches: Batch[] = [];
  for (const call of calls) {
    const texts = textsOf(call.request);
    let batch = batches.find((one) => fits(one, texts));
    if (!batch) {
      batch = { calls: [], mboxes: { execute: new Map(), prefetch: new Map() } };
      batches.push(batch);
    }
    batch.calls.push(call);
    for (const { part, mbox, text } of texts) {
      batch.mboxes[part].set(mbox.name, { mbox, text });
    }
  }
  return batches;
}

/** The mboxes of a call, with texts that are equal when all fields are. */
function textsOf(request: CopiedRequest): { part: Part; mbox: Mbox; text: string }[] {
  return PARTS.flatMap((part) => mboxesOf(request, part).map((mbox) => ({ part, mbox, text: toText(mbox) })));
}

function mboxesOf(request: CopiedRequest, part: Part): readonly Mbox[] {
  return ownOf(ownOf(request)[part])?.mboxes ?? [];
}

function toText({ index: _, ...fields }: Mbox): string {
  return JSON.stringify(fields, (_name, value: unknown) =>
    isRecord(value) ? Object.fromEntries(Object.entries(value).sort(byName)) : value,
  );
}

function byName([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}

/** Tells whether a batch can take a call: it has no other mbox of one of its names, and there is room. */
function fits({ mboxes }: Batch, texts: ReturnType<typeof textsOf>): boolean {
  let count = mboxes.execute.size + mboxes.prefetch.size;
  for (const { part, mbox, text } of texts) {
    const known = mboxes[part].get(mbox.name);
    if (known && known.text !== text) {
      return false;
    }
    count += known ? 0 : 1;
  }
  return count <= MAX_MBOXES;
}

function toRequest({ mboxes }: Batch): CopiedRequest {
  const request: CopiedRequest = {};
  for (const part of PARTS) {
    const merged = [...mboxes[part].values()].map(({ mbox }, index) => ({ ...mbox, index }));
    if (merged.length > 0) {
      setField(request, part, { mboxes: merged });
    }
  }
  return request;
}

/** Picks the answers for the mboxes of one call, under the indexes that the call gave them. */
function answersOf(own: readonly Mbox[], answers: readonly MboxResponse[]): MboxResponse[] {
  return own.flatMap(({ name, index }) =>
    answers.filter((answer) => answer.name === name).map((answer) => ({ ...answer, index })),
  );
}
